"""Names of latents and meta-latents, made offline, and how well each name alone tells members."""
