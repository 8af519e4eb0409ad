"""SAEs on activations made of known directions: which of them find these again."""
