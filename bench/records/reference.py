"""The reference: measured distributions of the published figures over seeds; it reads them and trains nothing."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bench import ROOT
from bench.records.schema import PhaseResult, ReferenceRecord
from models.recipes import Recipe

# With two seeds, Student's quantile makes a band that nothing could miss (637 standard deviations); with three, 32.
MINIMUM_SEEDS = 3

FOLDER = ROOT / "results" / "reference"


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
    """Return the file that holds the reference trainings of ``corpus``."""
    return FOLDER / f"{corpus}.jsonl"


def load(file: Path) -> list[ReferenceRecord]:
    """Return the trainings in ``file``, none where it does not exist; a last line that was cut short is passed over."""
    if not file.exists():
        return []
    lines = file.read_bytes().splitlines(keepends=True)
    return [ReferenceRecord.model_validate_json(line) for line in lines if line.endswith(b"\n")]


def append(file: Path, record: ReferenceRecord) -> None:
    """Add one training; each line is whole, so that an interrupted collection goes on where it stopped."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as lines:
        _drop_cut_line(lines)
        lines.write(record.model_dump_json().encode() + b"\n")


def figure(result: PhaseResult, metric: str, epoch: int | None) -> float | None:
    """Return ``metric`` of one training: after the phase, or of 1-based ``epoch``; None where it was not reached.

    "best_val_accuracy" is the maximum of its curve.
    """
    if metric in ("test_accuracy", "test_loss"):
        return result.test_accuracy if metric == "test_accuracy" else result.test_loss
    if metric.startswith("best_"):
        return max(result.curves.get(metric.removeprefix("best_"), []), default=None)
    curve = result.curves.get(metric, [])
    position = len(curve) if epoch is None else epoch
    return curve[position - 1] if 1 <= position <= len(curve) else None


def distribution(
    records: list[ReferenceRecord], *, recipe: str, backend: str, phase: str, metric: str, epoch: int | None
) -> Distribution | None:
    """Return one figure's distribution, or None where fewer than `MINIMUM_SEEDS` were measured."""
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
    """Return every published figure, at its last published epoch, that was measured over enough seeds."""
    found = []
    for recipe, figure in ((one, published) for one in recipes for published in one.published):
        epoch = figure.epoch or (len(figure.values) if len(figure.values) > 1 else None)
        for backend in sorted({r.backend for r in records}):
            where = {"recipe": recipe.name, "phase": figure.phase, "metric": figure.metric}
            measured = distribution(records, backend=backend, epoch=epoch, **where)
            if measured is not None:
                found.append(Row(recipe.name, backend, figure.metric, epoch, figure.values[-1], measured))
    return found


def _drop_cut_line(lines: BinaryIO) -> None:
    """Cut ``lines`` after its last whole line."""
    lines.seek(0)
    content = lines.read()
    lines.truncate(content.rfind(b"\n") + 1)
