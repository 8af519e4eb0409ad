"""First letters and classes of words: how they spread over latents, and which absorb them."""
