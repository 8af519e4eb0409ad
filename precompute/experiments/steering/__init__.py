"""Adding a direction at every token: what it does for a concept, and what it costs in all text."""
