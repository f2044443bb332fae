"""Whether a run can be relied on: its records whole and complete, and what they say possible."""
