"""The reference: measured distributions of the published figures over seeds; it reads them and trains nothing."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from bench.record import PhaseResult, ReferenceRecord

FOLDER = Path(__file__).resolve().parent.parent / "results" / "reference"


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
    """Return the trainings in ``file``, none where it does not exist."""
    if not file.exists():
        return []
    return [ReferenceRecord.model_validate_json(line) for line in file.read_text().splitlines() if line]


def append(file: Path, record: ReferenceRecord) -> None:
    """Add one training; each line is whole, so that an interrupted collection goes on where it stopped."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lines:
        lines.write(record.model_dump_json() + "\n")


def figure(result: PhaseResult, metric: str, epoch: int | None) -> float | None:
    """Return ``metric`` of one training: after the phase, or of 1-based ``epoch``; None where it was not reached.

    "best_val_accuracy" is the maximum of its curve.
    """
    if metric in ("test_accuracy", "test_loss"):
        return float(getattr(result, metric))
    if metric.startswith("best_"):
        return max(result.curves[metric.removeprefix("best_")], default=None)
    curve = result.curves.get(metric, [])
    position = len(curve) if epoch is None else epoch
    return curve[position - 1] if 1 <= position <= len(curve) else None


def distribution(
    records: list[ReferenceRecord], *, recipe: str, backend: str, phase: str, metric: str, epoch: int | None
) -> Distribution | None:
    """Return one figure's distribution, or None where fewer than two seeds were measured."""
    results = [r.phases[phase] for r in records if r.recipe == recipe and r.backend == backend and phase in r.phases]
    values = [value for result in results if (value := figure(result, metric, epoch)) is not None]
    return Distribution(tuple(values)) if len(values) > 1 else None
