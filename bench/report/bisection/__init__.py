"""The report of a bisection, and the page of how often it finds the culprit."""
