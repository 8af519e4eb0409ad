"""Named directions from a file (word means, probes, steering vectors), treated as an SAE."""
