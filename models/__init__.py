"""The published models: recipes as data, and one backend-agnostic build function for each family."""
