"""Options that several commands share: each type is declared once, with its help and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from bench import PROGRAM
from bench.backends import BACKENDS, EVERY

PREDICTING = [name for name in EVERY if name not in BACKENDS]

ProfileName = Literal["smoke", "default", "full", "serving"]

Flag = Annotated[bool, Parameter(show_default=False)]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True)]
Recipes = Annotated[
    Names, Parameter(help=f'Recipes, or variations such as "dense units=32" (default: all). See `{PROGRAM} list`.')
]
Backends = Annotated[Names, Parameter(help=f"Backends: {', '.join(BACKENDS)} (default: each that is installed).")]
AnyBackends = Annotated[
    Names,
    Parameter(
        help=f"Backends: {', '.join(BACKENDS)} (default: each that is installed); to predict also "
        f"{', '.join(PREDICTING)}."
    ),
]
RecipeFile = Annotated[Path | None, Parameter(help="Python file with your RECIPE and build(recipe).")]
Data = Annotated[str | None, Parameter(help='Archive or folder of the IMDB reviews, or "synthetic".')]
RunName = Annotated[str, Parameter(help='A run: its id, its folder, or "latest".')]
Runs = Annotated[Path | None, Parameter(help="Folder of run records (default: results/runs).")]
OrderSeed = Annotated[int | None, Parameter(help="Seed of the order of turns (default: drawn and recorded).")]
Json = Annotated[Flag, Parameter(help="Print one JSON document instead of tables.")]
All = Annotated[Flag, Parameter(help="Print every table, not the answer alone.")]
Markdown = Annotated[Path | None, Parameter(help="Also write a Markdown summary to this file.")]
Tiers = Annotated[
    list[Literal["compiled", "called"]] | None,
    Parameter(
        help="What decides: compiled programs, or Keras as called: fit, predict, start-up (default: both).",
        consume_multiple=True,
        negative=(),
    ),
]
DeviceName = Annotated[Literal["cpu", "gpu"], Parameter(help="Device to measure on.")]
ShardName = Annotated[
    str | None, Parameter(help="Measure one part of the run, such as 2/8; `merge` makes one run of all parts.")
]
On = Annotated[
    str | None,
    Parameter(help='Send the parts of the work to a Dask cluster: the address of its scheduler, or "local".'),
]
Resume = Annotated[
    str | None, Parameter(help='Resume an interrupted run of this same command: its id, its folder, or "latest".')
]
Margin = Annotated[
    float, Parameter(help="Ratios within this are the same: 0.03 for 3 %.", validator=Number(gt=0, lt=1))
]
Alpha = Annotated[
    float,
    Parameter(
        help="Chance of at least one wrong slower or faster in the whole table.",
        validator=Number(gt=0, lt=0.5),
    ),
]

AT_LEAST_ONE = Parameter(validator=Number(gte=1))
NOT_NEGATIVE = Parameter(validator=Number(gte=0))
ABOVE_ZERO = Parameter(validator=Number(gt=0))
