"""Everything the app needs to ask a run; imports no torch, ever."""
