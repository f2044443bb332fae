"""The table of scaling over devices."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.machine.scaling import ScalingRow
from bench.report.tables.columns import SPREAD, Column, Table, milliseconds, significant, spread, table

SIMULATED = "simulated: the devices share this machine's processors, so that no speed-up is to be expected"
KINDS = "strong: the same batch on all devices; weak: the same share of a batch on each"
EFFICIENCY = "efficiency: speed over that of one device, as a share of the number of devices"


def scaling(rows: Sequence[ScalingRow], *, simulated: bool) -> Table:
    """Return each number of devices beside one device."""
    columns = (
        Column("backend", "backend", merge=True),
        Column("kind", "scaling", merge=True),
        Column("devices", "devices", "count"),
        *([Column("processes", "processes", "count")] if any(row.processes > 1 for row in rows) else []),
        Column("batch_size", "batch", "count"),
        Column("seconds", "step, ms", value=lambda row: milliseconds(row.seconds.value)),
        Column("speed", "speed", value=lambda row: f"× {significant(row.speed.value)}"),
        Column("spread", "±", value=lambda row: spread(row.speed.value, row.speed.low, row.speed.high), note=SPREAD),
        Column("efficiency", "efficiency", "percent"),
    )
    ordered = sorted(rows, key=lambda row: (row.backend, row.kind, row.devices, row.processes))
    caption = f"{rows[0].recipe}, fit" if rows else ""
    title = "Scaling over simulated devices" if simulated else "Scaling over devices"
    return table("scaling", title, caption, columns, ordered, KINDS, EFFICIENCY, SIMULATED if simulated else None)
