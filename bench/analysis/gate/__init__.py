"""What the decision of a gate (`bench.analysis.regression`) stands on: the levels of its looks."""
