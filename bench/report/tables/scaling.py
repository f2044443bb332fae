"""The tables of scaling: over devices, over the values of a setting, and of servers over the load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis.machine.curves import GAIN, Curve, CurvePoint
from bench.analysis.machine.queueing import P99_REQUESTS, LoadRow
from bench.analysis.machine.scaling import ScalingRow
from bench.report.tables.columns import SPREAD, Column, Table, milliseconds, share, significant, spread, table

SIMULATED = "simulated: the devices share this machine's processors, so that no speed-up is to be expected"
TITLE = "How training of {} scales over devices"
KINDS = "strong: the same batch on all devices; weak: the same share of a batch on each"
EFFICIENCY = "efficiency: speed over that of one device, as a share of the number of devices"
EXPONENT = (
    "exponent: b of seconds = a × value^b over all values, 0 where cost does not grow and 1 where it grows in "
    "proportion; its interval is over processes"
)
GAINED = f"gained until: the smallest value within {share(GAIN)} of the most reviews a second"


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


@dataclass(frozen=True)
class _Row:
    curve: Curve
    point: CurvePoint


def exponents(found: Sequence[Curve]) -> Table:
    """Return a row for each curve."""
    columns = (
        Column("setting", "over", merge=True),
        Column("work", "work", value=lambda row: row.phase, merge=True),
        Column("path", "path", merge=True),
        Column("backend", "backend", value=lambda row: _backend(row)),
        Column("exponent", "exponent", "right", _exponent, note=EXPONENT),
        Column("interval", "95% interval", value=_interval),
        Column("gained_until", "gained until", "count", note=GAINED),
    )
    return table("exponents", "How cost grows", _caption(found), columns, _ordered(found))


def points(found: Sequence[Curve]) -> Table:
    """Return a row for each value of each curve."""
    columns = (
        Column("setting", "over", value=lambda row: row.curve.setting, merge=True),
        Column("work", "work", value=lambda row: row.curve.phase, merge=True),
        Column("path", "path", value=lambda row: row.curve.path, merge=True),
        Column("backend", "backend", value=lambda row: _backend(row.curve), merge=True),
        Column("value", "value", "count", value=lambda row: row.point.value),
        Column("seconds", "ms", "significant", lambda row: 1e3 * row.point.seconds.value),
        Column("spread", "±", value=_point_spread, note=SPREAD),
        Column("reviews_per_s", "reviews/s", "count", value=lambda row: row.point.reviews_per_s),
    )
    rows = [_Row(curve, point) for curve in _ordered(found) for point in curve.points]
    return table("curves", "Scaling curves", _caption(found), columns, rows)


def _ordered(found: Sequence[Curve]) -> list[Curve]:
    return sorted(found, key=lambda curve: (curve.setting, curve.phase != "train", curve.path, curve.backend))


def _caption(found: Sequence[Curve]) -> str:
    return f"{found[0].recipe}, seconds of a step or a call" if found else ""


def _backend(curve: Curve) -> str:
    """Return the backend, with its device where that is no CPU."""
    return curve.backend.removesuffix("-cpu")


def _exponent(curve: Curve) -> str | None:
    return None if curve.exponent is None else f"{curve.exponent.value:.2f}"


def _interval(curve: Curve) -> str | None:
    one = curve.exponent
    return None if one is None else f"{one.low:.2f} to {one.high:.2f}"


def _point_spread(row: _Row) -> str:
    seconds = row.point.seconds
    return spread(seconds.value, seconds.low, seconds.high)


THEORY = (
    "theory: one server, first come, first served, for the same moments of arrival and the same service times; what is "
    "above it is the way to the process and back"
)
FEW = f"p99: from {P99_REQUESTS} requests on"


def load(recipe: str, rows: Sequence[LoadRow]) -> Table:
    """Return each path at each number of clients, beside what queueing theory says."""
    columns = (
        Column("path", "path", merge=True),
        Column(
            "target", "on", value=lambda row: None if row.path == "fake" else row.target.partition("-")[0], merge=True
        ),
        Column("clients", "clients", "count"),
        Column("offered_per_s", "offered", "significant", unit="/s", short="offered"),
        Column("answered_per_s", "answered", "significant", unit="/s", short="answered"),
        Column("utilization", "busy", "percent"),
        Column("p50_s", "p50", "milliseconds", unit="ms", short="p50"),
        Column("p99_s", "p99", "milliseconds", unit="ms", short="p99"),
        Column("expected_p99_s", "p99 of theory", "milliseconds", unit="ms", note=THEORY, short="theory"),
        Column("lost", "lost", "count") if any(row.lost for row in rows) else None,
    )
    short = any(row.p99_s is None for row in rows)
    ordered = sorted(rows, key=lambda row: (row.path != "fake", row.path, row.target))  # stable: then by load
    caption = "one row a request; requests a second, and milliseconds from sending to the answer"
    return table("load", f"{recipe} under load", caption, columns, ordered, FEW if short else None)
