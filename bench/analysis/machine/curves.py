"""Scaling curves: how the cost of work grows with a setting, and from which value on nothing is gained."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.analysis import paired_ratio, stats
from bench.analysis.stats import Estimate, Prior
from bench.plan import curves as plan
from bench.records.schema import TimingRecord
from bench.records.store import Run

# Within this share of the best, nothing more is gained.
GAIN = 0.05


@dataclass(frozen=True)
class CurvePoint:
    """One value of the setting.

    seconds        of a step or a call
    reviews_per_s  by its centre
    """

    value: int
    seconds: Estimate
    reviews_per_s: float


@dataclass(frozen=True)
class Curve:
    """The cost of a piece of work on one backend by one path, over the values of one setting.

    exponent      b of seconds = a * value^b, fitted in each process over all values; None with one process or value
    gained_until  the smallest value within 5 % of the most reviews a second
    """

    recipe: str
    setting: str
    backend: str
    phase: str
    path: str
    points: tuple[CurvePoint, ...]
    exponent: Estimate | None

    @property
    def gained_until(self) -> int:
        best = max(point.reviews_per_s for point in self.points)
        return next(point.value for point in self.points if point.reviews_per_s >= (1 - GAIN) * best)


def curves(run: Run) -> list[Curve]:
    """Return each curve of ``run``, its values in order; variances are moderated toward those of a phase and path."""
    timed = paired_ratio.timings(run.records)
    known = {cell: paired_ratio.log_seconds(records) for cell, records in timed.items()}
    priors = paired_ratio.priors(known, lambda cell: (str(cell.phase), cell.path))
    groups: dict[tuple[str, str, str, str, str], dict[int, list[TimingRecord]]] = {}
    for cell, records in timed.items():
        setting, value = plan.point(cell)
        groups.setdefault((plan.base(cell), setting, cell.where, cell.phase, cell.path), {})[value] = records
    return [Curve(*key, _points(found, priors[key[3:]]), _exponent(found)) for key, found in groups.items()]


def _points(found: Mapping[int, Sequence[TimingRecord]], prior: Prior | None) -> tuple[CurvePoint, ...]:
    return tuple(_point(value, found[value], prior) for value in sorted(found))


def _point(value: int, records: Sequence[TimingRecord], prior: Prior | None) -> CurvePoint:
    seconds = paired_ratio.seconds(records, prior)
    return CurvePoint(value, seconds, records[0].work["reviews"] / seconds.value)


def _exponent(found: Mapping[int, Sequence[TimingRecord]]) -> Estimate | None:
    """Return the mean of the exponents of each process, by Student's t over processes."""
    slopes = [slope for number in _replicates(found) if (slope := _slope(found, number)) is not None]
    if len(slopes) < 2:
        return None
    fitted = stats.over_replicates(slopes)  # of logarithms, which these are: of factors for each power of e
    value, low, high = (math.log(one) for one in (fitted.value, fitted.low, fitted.high))
    return Estimate(value, low, high, fitted.count)


def _replicates(found: Mapping[int, Sequence[TimingRecord]]) -> list[int]:
    return sorted({record.replicate for records in found.values() for record in records})


def _slope(found: Mapping[int, Sequence[TimingRecord]], replicate: int) -> float | None:
    """Return the slope of log seconds over log values in one process, by least squares; None below two values."""
    logs = {value: _log_seconds(records, replicate) for value, records in found.items()}
    known = {math.log(value): seconds for value, seconds in logs.items() if seconds is not None}
    return statistics.linear_regression(known, known.values()).slope if len(known) > 1 else None


def _log_seconds(records: Sequence[TimingRecord], replicate: int) -> float | None:
    logs = paired_ratio.log_seconds([record for record in records if record.replicate == replicate])
    return logs[-1] if logs else None
