"""What a run measures next: what an interrupted one lacks, and what a budget buys."""
