"""A target for fuzzers: what a user's file of recipes, read in a child process, may answer."""

from __future__ import annotations

from bench.plan import user_recipes
from datasets.errors import ExpectedError
from models.recipes import Recipe


def check(data: bytes) -> None:
    """Read ``data`` as the child's answer: recipes, an error in words, or one line that says what does not fit."""
    said = ""
    try:
        answer = user_recipes.parsed(data, "recipe.py")
        assert all(isinstance(recipe, Recipe) for recipe in answer.recipes)
    except ExpectedError as error:
        said = str(error)
    assert "\x1b" not in said
    assert "\n" not in said
