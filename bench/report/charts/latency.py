"""The latency of a prediction by path and backend, with intervals and the floor; it measures nothing."""

from __future__ import annotations

import altair as alt

from bench.report.charts import dots
from bench.report.charts.theme import Row


def one(rows: list[Row], title: str) -> alt.LayerChart:
    """Return the chart of one recipe and batch size."""
    return dots.one(rows, title, axis="ms a call, the median; dashed: the floor", numbers="~g")
