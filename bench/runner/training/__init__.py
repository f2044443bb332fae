"""Trainings: one model, many seeds, variations of a recipe."""
