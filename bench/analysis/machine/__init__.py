"""How well a machine measures."""
