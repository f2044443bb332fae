"""Bisection: candidates that are built when the search comes to them, and one run that measures them."""
