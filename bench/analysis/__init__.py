"""Analysis: from records to rows and verdicts."""
