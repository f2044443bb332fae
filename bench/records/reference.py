"""Reference trainings: the measured distribution of each published figure over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import INSTALLED, RESULTS, ROOT
from bench.records import store
from bench.records.schema import PhaseResult, ReferenceRecord
from datasets.corpus import OWN
from models.recipes import Recipe

# With two seeds Student's quantile makes a band of 637 standard deviations, which nothing misses; with three, 32.
MINIMUM_SEEDS = 3

FOLDER = RESULTS / "reference"
# In a run's folder: what was known of the user's recipes when it began.
RUN_FILE = "reference.jsonl"
# An installed suite carries the trainings of its own recipes, and adds a user's in the working directory.
CARRIED = (ROOT / "results" / "reference",) if INSTALLED else ()


@dataclass(frozen=True)
class Distribution:
    """One figure over the seeds of one backend."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """Sample standard deviation."""
        return statistics.stdev(self.values)


def path(corpus: str) -> Path:
    """Return the file to which reference trainings of ``corpus`` are added."""
    return FOLDER / f"{corpus}.jsonl"


def known(corpus: str) -> list[ReferenceRecord]:
    """Return every reference training of ``corpus``."""
    return [record for folder in (*CARRIED, FOLDER) for record in load(folder / f"{corpus}.jsonl")]


def beside(file: Path) -> Path:
    """Return the file that holds the reference trainings of the recipes in a user's ``file``."""
    return file.with_name(f"{file.stem}.reference.jsonl")


def file_of(recipe: Recipe, corpus: str) -> Path:
    """Return the file that holds the reference trainings of ``recipe``."""
    return beside(Path(recipe.file)) if recipe.file else path(corpus)


def of_users(recipes: Iterable[Recipe], corpus_digest: str) -> list[ReferenceRecord]:
    """Return the reference trainings of those of ``recipes`` that are a user's, as their files are now.

    What a recipe's present code did not train is left out, and so are trainings on other reviews.
    """
    own = {(recipe.name, recipe.digest) for recipe in recipes if recipe.file}
    files = dict.fromkeys(Path(recipe.file) for recipe in recipes if recipe.file)
    known = [record for file in files for record in load(beside(file))]
    corpora = (OWN.digest, corpus_digest)
    return [r for r in known if (r.recipe, r.digest) in own and r.corpus_digest in corpora]


def load(file: Path) -> list[ReferenceRecord]:
    """Return the trainings in ``file``, none if it does not exist; an unfinished last line is skipped."""
    lines = store.whole_lines(file) if file.exists() else []
    return [ReferenceRecord.model_validate_json(line) for line in lines]


def append(file: Path, record: ReferenceRecord) -> None:
    """Add one training as a complete line, so that an interrupted collection resumes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as lines:
        store.drop_cut_line(lines)
        lines.write(record.model_dump_json().encode() + b"\n")


def figure(result: PhaseResult, metric: str, epoch: int | None) -> float | None:
    """Return ``metric`` of one training, after the phase or at the 1-based ``epoch``; None if it was not reached.

    "best_val_accuracy" is the maximum of its curve.
    """
    if metric.startswith("test_"):
        return result.tested.get(metric.removeprefix("test_"))
    if metric.startswith("best_"):
        return max(result.curves.get(metric.removeprefix("best_"), []), default=None)
    curve = result.curves.get(metric, [])
    position = len(curve) if epoch is None else epoch
    return curve[position - 1] if 1 <= position <= len(curve) else None


def distribution(
    records: list[ReferenceRecord], *, recipe: str, backend: str, phase: str, metric: str, epoch: int | None
) -> Distribution | None:
    """Return one figure's distribution, or None with fewer than `MINIMUM_SEEDS` seeds."""
    results = [r.phases[phase] for r in records if r.recipe == recipe and r.backend == backend and phase in r.phases]
    values = [value for result in results if (value := figure(result, metric, epoch)) is not None]
    return Distribution(tuple(values)) if len(values) >= MINIMUM_SEEDS else None


@dataclass(frozen=True)
class Row:
    """One published figure beside its measured distribution on one backend."""

    recipe: str
    backend: str
    metric: str
    epoch: int | None
    published: float
    measured: Distribution


def rows(records: list[ReferenceRecord], recipes: list[Recipe]) -> list[Row]:
    """Return every published figure, at its last published epoch, with enough measured seeds."""
    found = []
    for recipe, figure in ((one, published) for one in recipes for published in one.published):
        epoch = figure.epoch or (len(figure.values) if len(figure.values) > 1 else None)
        for backend in sorted({r.backend for r in records}):
            where = {"recipe": recipe.name, "phase": figure.phase, "metric": figure.metric}
            measured = distribution(records, backend=backend, epoch=epoch, **where)
            if measured is not None:
                found.append(Row(recipe.name, backend, figure.metric, epoch, figure.values[-1], measured))
    return found
