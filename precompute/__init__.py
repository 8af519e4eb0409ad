"""Everything that needs torch: turns a language model and its SAEs into a run."""
