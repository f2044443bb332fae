"""Compare Keras models on JAX and TensorFlow, and drive them fast.

run            the command of this name in a process of its own; returns its JSON document
compare        likewise
compiled_loop  trains a compiled model as `fit` does, in one program for each epoch; returns the history
predictor      returns a compiled function from a model's inputs to its outputs
load           opens a text model that `kerasmark train --save FOLDER` wrote

The last three work in this process, on the backend that KERAS_BACKEND names; each imports Keras when it is first asked
for, and its docstring has shapes and errors. The classes describe a model of your own, in a file that `kerasmark init`
begins. Importing this package imports nothing that takes long.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from kerasmark import _command, _isolation
from kerasmark._command import CommandFailed

if TYPE_CHECKING:
    from bench.worker.driving import compiled_loop, predictor
    from datasets.encoding import Encoding
    from datasets.errors import ExpectedError
    from datasets.labelled_text import LabelledText
    from models.recipes import Optimizer, Phase, Published, Recipe
    from models.saved import load

    __version__: str

__all__ = [
    "CommandFailed",
    "Encoding",
    "ExpectedError",
    "LabelledText",
    "Optimizer",
    "Phase",
    "Published",
    "Recipe",
    "__version__",
    "compare",
    "compiled_loop",
    "load",
    "predictor",
    "run",
]

# Where the suite defines what is imported when it is first asked for.
_NAMES = {
    "Encoding": ("datasets.encoding", "Encoding"),
    "ExpectedError": ("datasets.errors", "ExpectedError"),
    "LabelledText": ("datasets.labelled_text", "LabelledText"),
    "Optimizer": ("models.recipes", "Optimizer"),
    "Phase": ("models.recipes", "Phase"),
    "Published": ("models.recipes", "Published"),
    "Recipe": ("models.recipes", "Recipe"),
    "__version__": ("bench", "VERSION"),
    "compiled_loop": ("bench.worker.driving", "compiled_loop"),
    "load": ("models.saved", "load"),
    "predictor": ("bench.worker.driving", "predictor"),
}


def __getattr__(name: str) -> Any:
    """Import what the suite defines when it is first asked for."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = _isolation.find(*_NAMES[name])
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


def run(
    recipes: str | PathLike[str] | None = None,
    *,
    recipe: Sequence[str] = (),
    backend: Sequence[str] = (),
    profile: Literal["smoke", "default", "full"] = "default",
    seeds: int | None = None,
    budget: float | None = None,
    data: str | PathLike[str] | None = None,
    device: Literal["cpu", "gpu"] = "cpu",
    out: str | PathLike[str] | None = None,
) -> dict[str, Any]:
    """Train recipes, then time them on each backend: the command `kerasmark run`, in a process of its own.

    recipes  Python file with your recipes; without it the suite's own four
    recipe   names of recipes, of the file or of the suite; all of either without any
    backend  "jax", "tensorflow"; both without any
    profile  "smoke" takes minutes, "default" ten minutes for the suite's own, "full" hours
    seeds    trainings of each recipe on each backend
    budget   minutes to spend on more processes
    data     archive or folder of the IMDB reviews, or "synthetic"; for recipes that read reviews
    out      folder of run records; "results/runs" in the working directory without it

    Returns the run's document, as `--json` prints it and docs/schema describes: `answers`, `timings` (seconds, reviews
    or rows a second), `accuracy`, `failures`, `exit_code` and more. A failed accuracy or cell is in the document and
    in `exit_code`. Raises CommandFailed where there is none: a mistake in the file, unusable data or device.
    """
    return _command.answered(
        "run",
        recipes=recipes,
        recipe=tuple(recipe),
        backend=tuple(backend),
        profile=profile,
        seeds=seeds,
        budget=budget,
        data=data,
        device=device,
        out=out,
    )


def compare(
    first: str,
    second: str,
    *,
    run: str = "latest",
    margin: float = 0.03,
    alpha: float = 0.05,
    out: str | PathLike[str] | None = None,
) -> dict[str, Any]:
    """Compare two finished runs, or two targets of one run: the command `kerasmark compare`.

    first, second  ids or folders of two runs, or two targets such as "jax" and "tensorflow"; the first is the base
    run            the run that has the two targets; "latest" is the newest that timed both
    margin         ratios within this are the same: 0.03 for 3 %
    alpha          chance of at least one wrong "slower" or "faster" in the whole table
    out            folder of run records; "results/runs" in the working directory without it

    Returns the comparison's document: `rows` with ratios of seconds and their intervals, `differences`, `verdicts`,
    `exit_code`.
    Raises CommandFailed where there is no such run.
    """
    return _command.answered("compare", first, second, run=run, margin=margin, alpha=alpha, out=out)
