"""SAE errors at every layer: each gets an SAE of its own, all trained alike (Gurnee 2024)."""
