"""The choices: what words on the command line mean, and what to use instead where they mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from bench.backends import BACKENDS
from datasets import errors
from datasets.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.plan.steps import Profile
    from bench.plan.targets import Target
    from models.recipes import Recipe

Choice = TypeVar("Choice")

# Imports of everything else wait until a choice is made: `--help` answers at once.


def recipes(names: list[str] | None, file: Path | None = None, folder: Path | None = None) -> list[Recipe]:
    """Return the recipes so named, of this suite or of ``file``; without names all of the file, or of the suite."""
    from bench.plan import user_recipes
    from models import recipes

    own = {recipe.name: recipe for recipe in (user_recipes.read(file, folder) if file else [])}
    chosen = [own.get(name) or recipes.find(name) for name in each(names)]
    return chosen or list((own or recipes.RECIPES).values())


def variation(name: str, settings: list[str], file: Path | None = None) -> Recipe:
    """Return the recipe called ``name``, of this suite or of ``file``, with ``settings`` ("units=32") changed."""
    from bench.plan import user_recipes
    from models import variations

    own = {recipe.name: recipe for recipe in (user_recipes.read(file, None) if file else [])}
    return variations.find(" ".join([name, *settings]), own)


def grid(words: list[str] | None) -> dict[str, list[str]]:
    """Return the values of each setting in words like "units=16,32"."""
    parted = [word.partition("=") for word in words or []]
    for name, equals, values in parted:
        if not (name and equals and values):
            raise UsageError(
                f"--over takes SETTING=VALUE,VALUE, as in units=16,32; received {name + equals + values!r}"
            )
    return {name: each([values]) for name, _, values in parted}


def targets(names: list[str] | None, device: Literal["cpu", "gpu"]) -> list[Target]:
    """Return a target for each backend so named, or for every backend; DataError where the device is not there."""
    from bench.plan import gpus
    from bench.plan import targets as known
    from datasets.errors import DataError

    found = [known.find(name, device) for name in each(names) or BACKENDS]
    if device == "gpu" and (reason := gpus.why_no_gpu()):
        raise DataError(reason)
    return found


def profile(name: str) -> Profile:
    """Return the profile so named."""
    from bench.plan.steps import PROFILES

    return one_of("profile", name, PROFILES)


def one_of(what: str, name: str, known: Mapping[str, Choice]) -> Choice:
    """Return what ``name`` stands for, or say which names there are, the nearest first."""
    return errors.find(what.removeprefix("--"), name, known)


def each(names: list[str] | None) -> list[str]:
    """Return the names, given one by one or with commas, once each."""
    return list(dict.fromkeys(part for name in names or [] for part in name.split(",") if part))


def at_least(option: str, number: int | None, least: int = 1) -> int | None:
    """Return ``number`` where it is ``least`` or more, or None where none was given."""
    if number is not None and number < least:
        raise UsageError(f"{option} takes a whole number from {least} on; received {number}")
    return number


def between(option: str, number: float, low: float, high: float) -> float:
    """Return ``number`` where it lies between the two."""
    if not low < number < high:
        raise UsageError(f"{option} takes a number between {low:g} and {high:g}; received {number:g}")
    return number


def minutes(budget: float | None) -> float | None:
    """Return ``budget``, minutes, in seconds."""
    if budget is not None and budget <= 0:
        raise UsageError(f"--budget takes a number of minutes above 0; received {budget}")
    return None if budget is None else 60 * budget
