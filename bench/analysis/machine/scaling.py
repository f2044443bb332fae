"""How training scales over devices: speed against one device, and the share of what so many could give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bench.analysis import paired_ratio
from bench.analysis.stats import Estimate
from bench.plan import scaling
from bench.records.schema import Cell, TimingRecord
from bench.records.store import Run


@dataclass(frozen=True)
class ScalingRow:
    """One number of devices of one backend.

    processes   that have these devices
    kind        "strong": the same batch; "weak": the same share of it for each device
    seconds     of one step
    speed       reviews a second over those of one device
    efficiency  of that, the share of the number of devices
    """

    recipe: str
    backend: str
    kind: Literal["strong", "weak"]
    devices: int
    processes: int
    batch_size: int
    seconds: Estimate
    speed: Estimate

    @property
    def efficiency(self) -> float:
        return self.speed.value / self.devices


def rows(run: Run) -> list[ScalingRow]:
    """Return a row for each backend, kind and number of devices of ``run``."""
    timings = paired_ratio.timings(run.records)
    return [row for cell in timings if scaling.devices(cell.label) == 1 for row in _against(cell, timings)]


def _against(one: Cell, timings: dict[Cell, list[TimingRecord]]) -> Iterator[ScalingRow]:
    """Yield the rows of a backend, against one device at the recipe's batch: that is the first of both kinds."""
    for cell, records in timings.items():
        if (cell.recipe, cell.where) != (one.recipe, one.where):
            continue
        devices = scaling.devices(cell.label)
        larger = cell.batch_size / one.batch_size
        ratio = paired_ratio.ratio(timings[one], records)
        if ratio is None:
            continue
        kinds: list[Literal["strong", "weak"]] = ["strong"] if larger == 1 else []
        kinds += ["weak"] if larger == devices else []
        for kind in kinds:
            yield ScalingRow(
                recipe=cell.recipe,
                backend=cell.where,
                kind=kind,
                devices=devices,
                processes=scaling.processes(cell.label),
                batch_size=cell.batch_size,
                seconds=paired_ratio.seconds(records),
                speed=ratio.scaled(larger),
            )
