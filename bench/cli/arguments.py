"""Arguments: turn words of the command line into recipes and targets, or say which words there are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bench.backends import BACKENDS
from bench.plan import gpus, user_recipes
from bench.plan import targets as known
from bench.plan.targets import Target
from datasets.errors import ExpectedError, UsageError
from models import recipes as published
from models import variations
from models.recipes import Recipe


def recipes(names: list[str] | None, file: Path | None = None, folder: Path | None = None) -> list[Recipe]:
    """Return the named recipes of ``file`` or of this suite; without names all of the file, or of the suite."""
    own = _own(file, folder)
    chosen = [own.get(name) or published.find(name) for name in each(names)]
    return chosen or list((own or published.RECIPES).values())


def variation(name: str, settings: list[str], file: Path | None = None) -> Recipe:
    """Return the recipe called ``name``, of this suite or of ``file``, with ``settings`` ("units=32") changed."""
    return variations.find(" ".join([name, *settings]), _own(file))


def _own(file: Path | None, folder: Path | None = None) -> dict[str, Recipe]:
    """Return the user's recipes by name."""
    return {recipe.name: recipe for recipe in (user_recipes.read(file, folder) if file else [])}


def grid(words: list[str] | None) -> dict[str, list[str]]:
    """Return the values of each setting in words such as "units=16,32"."""
    parted = [word.partition("=") for word in words or []]
    for name, equals, values in parted:
        if not (name and equals and values):
            raise UsageError(
                f"--over takes SETTING=VALUE,VALUE, as in units=16,32; received {name + equals + values!r}"
            )
    return {name: each([values]) for name, _, values in parted}


def targets(names: list[str] | None, device: Literal["cpu", "gpu"] = "cpu") -> list[Target]:
    """Return a target for each named backend (default: all); ExpectedError where the device is missing."""
    found = [known.find(name, device) for name in each(names) or BACKENDS]
    if device == "gpu" and (reason := gpus.why_no_gpu()):
        raise ExpectedError(reason)
    return found


def each(names: list[str] | None) -> list[str]:
    """Return the names, given one by one or with commas, without repeats."""
    return list(dict.fromkeys(part for name in names or [] for part in name.split(",") if part))
