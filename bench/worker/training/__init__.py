"""Training to a published accuracy, and what is computed from its predictions."""
