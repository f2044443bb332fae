"""How a gate decides: its answers (`regression`), and the levels of its looks (`looks`)."""
