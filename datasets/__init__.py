"""The reviews: where they come from and how they become arrays, with NumPy alone."""
