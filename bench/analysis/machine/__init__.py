"""How well a machine measures, and how training scales over its devices."""
