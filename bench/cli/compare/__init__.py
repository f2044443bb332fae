"""Commands that compare commits, versions, runs and backends."""
