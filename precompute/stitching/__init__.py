"""SAE stitching: latents moved between SAEs of different sizes (Leask et al. 2025, section 3)."""
