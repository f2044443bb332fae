"""The reports: a run's summary for people and for programs; a report measures and decides nothing."""
