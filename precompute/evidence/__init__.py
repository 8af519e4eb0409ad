"""What latents fire on beyond single words: phrases, word pieces, and each other."""
