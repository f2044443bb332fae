"""The benchmark: targets take turns at the same work; records, verdicts and reports follow; it imports no framework."""
