"""Scaling curves: the same work at several values of one setting, all of them in turns.

Each curve changes one setting of a recipe, or the number of threads, and leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bench.plan.steps import Step, Timing
from bench.plan.targets import Target
from bench.records.schema import Cell
from bench.records.settings import usable_processors
from datasets.errors import UsageError
from models import variations
from models.recipes import Recipe

THREADS, ALL = "threads", "all"
BATCH_SIZE = "batch_size"

# As users call Keras, and the fastest way.
PATHS = {"train": ("fit", "compiled loop"), "predict": ("predict_on_batch", "compiled")}
PREDICTED = 32
# Turns of each cell in one process: with few, a curve of ten values takes minutes.
TURNS = 5


def values(over: Mapping[str, Sequence[str]]) -> dict[str, list[int]]:
    """Return the values of each setting, in order; UsageError where one is no whole number from 1 on."""
    return {name: sorted({_value(name, word) for word in words}) for name, words in over.items()}


def _value(name: str, word: str) -> int:
    if name == THREADS and word == ALL:
        return usable_processors()
    if not word.isdecimal() or int(word) < 1:
        raise UsageError(f"{name}: expected whole numbers from 1 on; received {word!r}")
    return int(word)


def recipes(recipe: Recipe, over: Mapping[str, Sequence[int]]) -> list[Recipe]:
    """Return the variation of ``recipe`` at each value; for threads the recipe itself."""
    found = [variations.derive(recipe, {name: str(value)}) for name, value in _settings(over)]
    return [*([recipe] if THREADS in over else []), *found]


def passes(
    recipe: Recipe, targets: Sequence[Target], over: Mapping[str, Sequence[int]], *, replicates: int
) -> list[list[Step]]:
    """Return the passes: one over all settings of recipes, and one over threads, for each process of a target."""
    found: list[list[Step]] = []
    for number in range(replicates):
        varied = [step for name, value in _settings(over) for step in _varied(recipe, name, value, targets, number)]
        threads = [step for target in targets for step in _threads(recipe, target, over.get(THREADS, ()), number)]
        found += [steps for steps in (varied, threads) if steps]
    return found


def targets(backends: Sequence[Target], over: Mapping[str, Sequence[int]]) -> list[Target]:
    """Return every target of the passes."""
    of_threads = [_with_threads(target, count) for target in backends for count in over.get(THREADS, ())]
    return [*(backends if any(_settings(over)) else ()), *of_threads]


def point(cell: Cell) -> tuple[str, int]:
    """Return the setting whose value ``cell`` has, and the value."""
    words = cell.label if cell.label.startswith(f"{THREADS}=") else cell.recipe.split()[-1]
    name, _, value = words.partition("=")
    return name, int(value)


def base(cell: Cell) -> str:
    """Return the name of the recipe that ``cell`` varies."""
    return cell.recipe if cell.label else cell.recipe.rpartition(" ")[0]


def _settings(over: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, int]]:
    yield from ((name, value) for name, some in over.items() if name != THREADS for value in some)


def _varied(recipe: Recipe, name: str, value: int, targets: Sequence[Target], number: int) -> list[Step]:
    varied = variations.derive(recipe, {name: str(value)})
    return _steps(varied, value if name == BATCH_SIZE else PREDICTED, targets, number)


def _threads(recipe: Recipe, target: Target, counts: Sequence[int], number: int) -> list[Step]:
    sides = [_with_threads(target, count) for count in counts]
    return _steps(recipe, PREDICTED, sides, number) if sides else []


def _with_threads(target: Target, count: int) -> Target:
    return replace(target, threads=count, label=f"{THREADS}={count}")


def _steps(recipe: Recipe, predicted: int, targets: Sequence[Target], number: int) -> list[Step]:
    sizes = {"train": recipe.batch_size, "predict": predicted}
    return [Timing(recipe, phase, paths, sizes[phase], tuple(targets), number) for phase, paths in PATHS.items()]
