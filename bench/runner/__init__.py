"""The runner: starts workers and leads them through the plan."""
