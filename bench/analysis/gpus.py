"""What GPUs did over a run: how far their clock rate moved, how warm they became, and what held them down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from bench.analysis.rows import GpuRow, once
from bench.records.nvml import GpuState
from bench.records.schema import GpuRecord

Number = TypeVar("Number", int, float)


def rows(records: Sequence[GpuRecord]) -> list[GpuRow]:
    """Return a row for each GPU, over every reading."""
    states = [state for record in records for state in (*record.before, *record.after)]
    return [_row([state for state in states if state.number == number]) for number in once(s.number for s in states)]


def _row(states: Sequence[GpuState]) -> GpuRow:
    first, rates = states[0], _known(state.processor_mhz for state in states)
    return GpuRow(
        number=first.number,
        name=first.name,
        driver=first.driver,
        cuda=first.cuda,
        processor_mhz_low=min(rates, default=None),
        processor_mhz_high=max(rates, default=None),
        temperature_c=max(_known(state.temperature_c for state in states), default=None),
        power_w=max(_known(state.power_w for state in states), default=None),
        power_limit_w=first.power_limit_w,
        slowed_by=once(reason for state in states for reason in state.slowed_by),
        used_bytes=max(_known(state.used_bytes for state in states), default=None),
        total_bytes=first.total_bytes,
    )


def _known(values: Iterable[Number | None]) -> list[Number]:
    return [value for value in values if value is not None]
