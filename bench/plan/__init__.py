"""The plan: what to measure."""
