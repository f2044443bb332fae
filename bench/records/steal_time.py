"""The interference: what others took of the machine while clocks ran, from a run's own records; it formats nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bench.records.schema import Record, TimingRecord

# From this share on a run's hour was a busy one: its intervals are wide, and its seconds belong to that hour.
BUSY = 0.05


def stolen(records: Sequence[Record], processors: int) -> float | None:
    """Return the share of all processors' time that other guests of the host took (Linux's steal time).

    Over every block, warm-up included; None where none was timed. A start has no block of its own.
    """
    timings = [r for r in records if isinstance(r, TimingRecord) and r.cell.phase != "startup"]
    samples = [sample for record in timings for sample in record.samples]
    clocked_s = sum(sample.duration_s for sample in samples)
    return sum(sample.steal_s for sample in samples) / (clocked_s * processors) if clocked_s else None
