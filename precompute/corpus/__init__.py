"""The text that a shipped run shows: almanac articles and sentences made from facts."""
