"""Recipes of one's own, from a file: its `RECIPE` (or `RECIPES`) and its function `build`; it compiles nothing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from datasets.errors import ExpectedError
from models.recipes import RECIPES, Recipe


def load(file: Path) -> list[Recipe]:
    """Return the recipes of ``file``, each with the family "own" and the file's path; the file is run.

    Raises ExpectedError where the file lacks a recipe or its `build`, or names a recipe of this suite.
    """
    module = _module(file)
    found = getattr(module, "RECIPES", None) or [getattr(module, "RECIPE", None)]
    recipes = list(found.values()) if isinstance(found, dict) else list(found)
    if not recipes or not all(isinstance(recipe, Recipe) for recipe in recipes):
        raise ExpectedError(f"expected RECIPE = models.recipes.Recipe(...) in {file.name}; received {found!r}")
    if not callable(getattr(module, "build", None)):
        raise ExpectedError(f"expected a function build(recipe) -> keras.Model in {file.name}; there is none")
    taken = [recipe.name for recipe in recipes if recipe.name in RECIPES]
    if taken:
        raise ExpectedError(f"{file.name}: {', '.join(taken)} is a recipe of this suite; choose another name")
    return [replace(recipe, family="own", file=str(file)) for recipe in recipes]


def builder(recipe: Recipe) -> Callable[[Recipe], Any]:
    """Return the `build` of the file from which ``recipe`` came."""
    return _module(Path(recipe.file)).build  # type: ignore[no-any-return]


@cache
def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"kerasmark_own_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ExpectedError(f"expected a Python file with recipes; received {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module
