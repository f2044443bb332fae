"""The reviews: where they come from and how they become arrays; NumPy only, no framework."""
