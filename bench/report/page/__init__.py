"""Publishing: finished runs as tables, charts and a web page under results/."""
