"""Records: what is on disk."""
