"""The roofline: the least seconds that a machine's peaks allow for the arithmetic and the memory traffic of a cell.

S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance model for multicore
architectures", Communications of the ACM 52(4), 2009. Arrays that fit into a cache can move faster than memory allows,
so a cell's bandwidth is the peak that was measured with arrays no larger than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.analysis.rows import HardwareRow, PeakRow, TimingRow, finite
from bench.plan import flops, traffic
from bench.records.schema import PeaksRecord, Rates
from models.recipes import Recipe

# The arithmetic and the traffic of one repeat, by phase.
_WORK: dict[str, tuple[Callable[[Recipe, int], int], Callable[[Recipe, int], traffic.Traffic]]] = {
    "train": (flops.step_flops, traffic.step),
    "predict": (flops.prediction_flops, traffic.prediction),
}
PHASES = tuple(_WORK)


@dataclass(frozen=True)
class Peaks:
    """What one machine reached at best: GFLOP/s by anything, GB/s by working set, ascending."""

    product: PeakRow
    memory: tuple[PeakRow, ...]

    @property
    def rows(self) -> list[PeakRow]:
        return [self.product, *self.memory]

    def gb_per_s(self, working_set_bytes: int) -> float:
        """Return the bandwidth that arrays of ``working_set_bytes`` can have.

        That is the best of the largest measured set that is no larger, and of all above it: a smaller set is never
        slower by itself.
        """
        sizes = [row.working_set_bytes or 0 for row in self.memory]
        first = max((size for size in sizes if size <= working_set_bytes), default=min(sizes))
        return max(row.copy_gb_per_s or 0.0 for row in self.memory if (row.working_set_bytes or 0) >= first)


def peaks(records: Sequence[PeaksRecord]) -> Peaks | None:
    """Return the machine's peaks, the best of all targets and of NumPy; None where nothing was measured."""
    if not records:
        return None
    products = [one for record in records for one in record.products_gflops]
    moves = sorted((one for record in records for one in record.memory_gb_per_s), key=_size)
    fastest, best = max(products, key=_best), [max(same, key=_best) for _, same in groupby(moves, key=_size)]
    return Peaks(
        PeakRow(product_gflops=_best(fastest), working_set_bytes=_size(fastest), reached_by=fastest.by),
        tuple(PeakRow(copy_gb_per_s=_best(one), working_set_bytes=_size(one), reached_by=one.by) for one in best),
    )


def row(timing: TimingRow, recipe: Recipe, peaks: Peaks) -> HardwareRow:
    """Return how near ``timing`` of ``recipe`` comes to ``peaks``; the share has the interval of its seconds."""
    count, move = _WORK[timing.phase]
    operations, moved = count(recipe, timing.batch_size), move(recipe, timing.batch_size)
    peak_gflops, peak_gb_per_s = peaks.product.product_gflops or 0.0, peaks.gb_per_s(moved.working_set_bytes)
    compute_s, memory_s = operations / peak_gflops / 1e9, moved.moved_bytes / peak_gb_per_s / 1e9
    least_s = max(compute_s, memory_s)
    return HardwareRow(
        **timing.cell.model_dump(),
        gflops=_over(operations / 1e9, timing.seconds),
        peak_gflops=peak_gflops,
        gb_per_s=_over(moved.moved_bytes / 1e9, timing.seconds),
        peak_gb_per_s=peak_gb_per_s,
        working_set_bytes=moved.working_set_bytes,
        intensity=operations / moved.moved_bytes,
        bound="compute" if compute_s >= memory_s else "memory",
        bound_share=_over(least_s, timing.seconds),
        bound_share_low=_over(least_s, timing.seconds_high),
        bound_share_high=_over(least_s, timing.seconds_low),
    )


def _over(amount: float, seconds: float | None) -> float | None:
    return finite(amount / seconds) if seconds else None


def _best(one: Rates) -> float:
    return max(one.rates)


def _size(one: Rates) -> int:
    return one.working_set_bytes
