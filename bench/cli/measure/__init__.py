"""Commands that train, time and score models."""
