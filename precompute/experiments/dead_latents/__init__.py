"""What keeps latents alive: the auxiliary loss, ghost gradients and resampling side by side."""
