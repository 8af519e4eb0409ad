"""A run taken into other tools: `python -m precompute export`."""
