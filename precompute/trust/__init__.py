"""How far a decomposition can be trusted: other methods, controls and ground truth."""
