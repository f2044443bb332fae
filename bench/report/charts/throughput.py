"""The throughput of training by path and backend, with intervals and the floor; it measures nothing."""

from __future__ import annotations

import altair as alt

from bench.report.charts import dots
from bench.report.charts.theme import Row


def one(rows: list[Row], title: str) -> alt.LayerChart:
    """Return one recipe's chart."""
    return dots.one(rows, title, axis="reviews a second; dashed: the floor", numbers="~s")
