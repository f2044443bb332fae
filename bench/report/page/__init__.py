"""Publishing: finished runs as tables, charts and a page under results/; it measures and decides nothing."""
