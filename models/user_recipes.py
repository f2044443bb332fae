"""A user's recipes, from a file with `RECIPE` (or `RECIPES`), a function `build`, and perhaps `data` and `floor`.

`python -m models.user_recipes FILE DESCRIPTOR [try]` writes lines of JSON to a pipe: the file may import a framework,
which the parent must not. With "try" it tries each recipe before: its arrays, its model, and one training step.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from datasets.errors import ExpectedError
from models.recipes import RECIPES, Recipe
from models.variations import PROPOSED

SUITE = ("__main__", "bench", "datasets", "kerasmark", "models", "tests")
# Settings of a variation follow its name after a space, lists of names have commas, and files are named by it.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TORCH = "expected a file without PyTorch, which would share the processors with what is measured; it imports torch"


def load(file: Path) -> list[Recipe]:
    """Run ``file`` and return its recipes, each with the family "own" and the path of the file.

    Raises ExpectedError where the file lacks a recipe or its `build`, or names a recipe of this suite.
    """
    module = _module(file)
    found = getattr(module, "RECIPES", None) or [getattr(module, "RECIPE", None)]
    recipes = list(found.values()) if isinstance(found, dict) else list(found)
    if not recipes or not all(isinstance(recipe, Recipe) for recipe in recipes):
        raise ExpectedError(f"expected RECIPE = Recipe.own(...) in {file.name}; received {found!r}")
    if not callable(getattr(module, "build", None)):
        raise ExpectedError(f"expected a function build(recipe) -> keras.Model in {file.name}; there is none")
    _check_names([recipe.name for recipe in recipes])
    if not all(recipe.reads_text for recipe in recipes) and not callable(getattr(module, "data", None)):
        raise ExpectedError(
            f"expected a function data(split, seed) in {file.name}, or an encoding= of its recipes; there is neither"
        )
    known = {"file": str(file), "digest": _digest(file), "floor": callable(getattr(module, "floor", None))}
    return [replace(recipe, family="own", **known) for recipe in recipes]


def as_written(recipe: Recipe) -> Recipe:
    """Return ``recipe`` as the functions of its file know it: a variation by the name that it has there."""
    return replace(recipe, name=recipe.base)


def function(recipe: Recipe, name: str) -> Callable[..., Any]:
    """Return the function `build`, `data` or `floor` of the file of ``recipe``."""
    return getattr(_module(Path(recipe.file)), name)  # type: ignore[no-any-return]


def main(file: str, descriptor: str, tried: str = "") -> None:
    """Write lines of JSON to ``descriptor``: what is being done, then the recipes, or what is wrong with the file."""
    with os.fdopen(int(descriptor), "w", encoding="utf-8", buffering=1) as answered:

        def tell(**said: Any) -> None:
            answered.write(json.dumps(said, default=_plain) + "\n")

        try:
            recipes = load(Path(file))
            _refuse_torch()
            known = {"recipes": [asdict(recipe) for recipe in recipes]}
            if tried:
                tell(**known, doing="the first step")  # the parent checks them before they are tried
                _try(recipes, lambda what: tell(doing=what))
            _refuse_torch()
            tell(**known)
        except BaseException as error:  # noqa: BLE001, a user's file may raise anything, or exit
            tell(error=told(error, Path(file)))


def told(error: BaseException, file: Path) -> str:
    """Return ``error`` in one line, with the place in the user's ``file`` that led to it."""
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "torch":
        return f"{_TORCH}{place(error, file)}"
    kind = "" if isinstance(error, ExpectedError) else f"{type(error).__name__}: "
    words = " ".join(f"{kind}{error}".split())[:1000]
    return f"{words}{place(error, file)}"


def place(error: BaseException, file: Path) -> str:
    """Return where ``file`` had control when ``error`` was raised; nothing where it had not."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    if not frames:
        return ""
    inside = "" if frames[-1].name == "<module>" else f" of {frames[-1].name}"
    return f", in line {frames[-1].lineno}{inside}"


def _plain(value: Any) -> Any:
    """Return a NumPy number as Python has it: a user may have computed a batch size."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"expected plain values in a recipe; {value!r} is not JSON serializable")


def _try(recipes: Sequence[Recipe], doing: Callable[[str], None]) -> None:
    """Take one step with the model of each recipe; ExpectedError says what does not fit."""
    from models import own_model  # imports Keras

    for recipe in recipes:
        own_model.check(recipe, doing)


def _refuse_torch() -> None:
    if "torch" in sys.modules:
        raise ExpectedError(f"{_TORCH}, itself or by what it imports")


def _digest(file: Path) -> str:
    """Return a digest of the code of ``file`` and of what it imports from its folder, without comments and spaces."""
    files = {file, *_beside(file)}
    code = "\n".join(ast.unparse(ast.parse(one.read_bytes())) for one in sorted(files))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _beside(file: Path) -> Iterator[Path]:
    """Yield the files of modules that lie in the folder of ``file``; this suite's own are not part of a user's work."""
    for name, module in list(sys.modules.items()):
        where = Path(getattr(module, "__file__", None) or "/")
        installed = {"site-packages", "dist-packages"} & {*where.parts} or Path(sys.prefix) in where.parents
        beside = where.suffix == ".py" and file.parent in where.parents and not installed
        if beside and name.partition(".")[0] not in SUITE:
            yield where


def _check_names(names: Sequence[str]) -> None:
    """Raise ExpectedError unless each of ``names`` names one recipe alone, on the command line and in a file's name."""
    taken = [name for name in names if name in RECIPES or name in PROPOSED]
    if taken:
        raise ExpectedError(f"{', '.join(taken)} is a recipe of this suite; choose another name")
    wrong = [name for name in names if not isinstance(name, str) or not NAME.fullmatch(name) or names.count(name) > 1]
    if wrong:
        raise ExpectedError(
            f"expected names of letters, digits, dots and dashes, each of one recipe; received {wrong[0]!r}"
        )


@cache
def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"kerasmark_own_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ExpectedError(f"expected a Python file with recipes; received {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
