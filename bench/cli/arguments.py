"""Arguments: turn words of the command line into recipes and targets, or say which words there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from bench import INSTALLED, PROGRAM
from bench.backends import BACKENDS
from bench.plan import gpus, user_recipes
from bench.plan import targets as known
from bench.plan.targets import Target
from datasets.errors import ExpectedError, UsageError
from models import recipes as published
from models import variations
from models.recipes import Recipe


def recipes(
    names: list[str] | None, file: Path | None = None, folder: Path | None = None, *, tried: bool = True
) -> list[Recipe]:
    """Return the named recipes of ``file`` or of this suite, and variations of either ("dense units=32").

    Without names all of the file, or of the suite. Those of the file are ``tried``: see `bench.plan.user_recipes`.
    """
    own = _own(file, folder, tried=tried)
    chosen = {recipe.name: recipe for recipe in (variations.find(name, own) for name in each(names))}
    return list((chosen or own or published.RECIPES).values())


def variation(name: str, settings: list[str], file: Path | None = None) -> Recipe:
    """Return the recipe called ``name``, of this suite or of ``file``, with ``settings`` ("units=32") changed."""
    return variations.find(" ".join([name, *settings]), _own(file))


def variations_of(names: list[str], file: Path | None = None) -> list[Recipe]:
    """Return the recipes or variations called ``names``, of this suite or of ``file``, which is read once."""
    own = _own(file)
    return [variations.find(name, own) for name in names]


def _own(file: Path | None, folder: Path | None = None, *, tried: bool = True) -> dict[str, Recipe]:
    """Return the user's recipes by name; what their file imports is looked up in ``folder``, or beside it."""
    found = user_recipes.read(file, folder or file.resolve().parent, tried=tried) if file else []
    return {recipe.name: recipe for recipe in found}


def grid(words: list[str] | None) -> dict[str, list[str]]:
    """Return the values of each setting in words such as "units=16,32"."""
    parted = [word.partition("=") for word in words or []]
    for name, equals, values in parted:
        if not (name and equals and values):
            raise UsageError(
                f"--over takes SETTING=VALUE,VALUE, as in units=16,32; received {name + equals + values!r}"
            )
    return {name: each([values]) for name, _, values in parted}


def targets(
    names: list[str] | None, device: Literal["cpu", "gpu"] = "cpu", file: Path | None = None, *, training: bool = True
) -> list[Target]:
    """Return a target for each named backend, whose workers read the user's ``file`` of recipes.

    Without names, each backend that trains and is installed. Raises ExpectedError where one is not, or the device is
    missing, and UsageError where ``training`` is needed of one that only predicts.
    """
    found = [known.find(name, device) for name in each(names) or known.installed()]
    untrained = [target.backend for target in found if training and not target.trains]
    if untrained:
        raise UsageError(f"{', '.join(untrained)}: only predicts; expected {' or '.join(BACKENDS)}")
    known.require_installed(found)
    if file is not None:
        found = [replace(one, recipes=file.resolve(), folder=file.resolve().parent) for one in found]
    if device == "gpu" and (reason := gpus.why_no_gpu()):
        raise ExpectedError(reason)
    return found


def require_checkout(command: str, instead: str = "") -> None:
    """Raise ExpectedError where the suite is installed: ``command`` works on its own repository."""
    if INSTALLED:
        raise ExpectedError(
            f"`{PROGRAM} {command}` measures the suite's own repository, and this one is installed: "
            f"call `python -m bench {command}` in a checkout{instead}"
        )


def each(names: list[str] | None) -> list[str]:
    """Return the names, given one by one or with commas, without repeats."""
    return list(dict.fromkeys(part for name in names or [] for part in name.split(",") if part))
