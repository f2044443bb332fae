"""The decisions of a gate."""
