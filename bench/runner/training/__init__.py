"""Trainings by one command: one model, many seeds, variations of a recipe."""
