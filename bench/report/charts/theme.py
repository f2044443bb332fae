"""The theme of all charts: colours that colour-blind readers can tell apart, sizes, fonts, and what panels share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

# Okabe and Ito's palette (2008), told apart under every common colour vision.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
BLACK, GREY = "#1B1F24", "#8A8A8A"

# On a dark ground the lighter ones of the same palette stand for the darker ones.
DARK = {BLUE: SKY, VERMILION: ORANGE, GREY: "#B0B0B0", BLACK: "#E7EAEE"}

# In both themes these are the backends' own: nothing else has the colours of JAX and TensorFlow.
BACKEND_COLOURS = {"jax": BLUE, "tensorflow": VERMILION, "openvino": GREEN, "sklearn": PURPLE}

# Of one panel: two of them fit beside each other in a document.
WIDTH = 320

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

# Between the lines of a title; Vega's descriptions are expressions, which hold no other line break.
LINE_BREAK = " ¦ "

CONFIG: dict[str, Any] = {
    "font": FONT,
    "lineBreak": LINE_BREAK,
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "grid": True, "gridOpacity": 0.5},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "orient": "bottom", "symbolOpacity": 1},
    "title": {"fontSize": 14, "subtitleFontSize": 11, "anchor": "start"},
    "view": {"stroke": None},
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """What the panels of a chart share: the ends of the scale on which they compare, and that axis's title."""

    low: float
    high: float
    axis: str = ""

    @property
    def domain(self) -> list[float]:
        return [self.low, self.high]


# What stands in the specification of a chart without rows, which the page fills with a chart's own frame.
TEMPLATE = Frame(0.000123456789, 123_456_789.0, "{axis}")


def frame(rows: Sequence[Row], fields: Iterable[str], axis: str = "") -> Frame:
    """Return the frame of ``rows`` over all panels, from the smallest to the largest value of ``fields``."""
    values = [row[field] for row in rows for field in fields if row.get(field) is not None]
    low, high = min(values, default=1.0), max(values, default=1.0)
    return Frame(low, high, axis) if low < high else Frame(low / 2, low * 2, axis)


def ratios(**settings: Any) -> alt.Axis:
    """Return a logarithmic axis with few lines: at 1, 2 and 5 of each power of ten."""
    values = [digit * 10.0**power for power in range(-6, 9) for digit in (1, 2, 5)]
    return alt.Axis(values=values, labelOverlap=True, **settings)


def colour(target: str) -> str:
    """Return the colour of a target's backend."""
    return BACKEND_COLOURS.get(target.partition("@")[0].partition("-")[0], GREY)


def by_target(rows: Sequence[Row], title: str | None = None) -> alt.Color:
    """Return the encoding of each target by the colour of its backend."""
    names = list(dict.fromkeys(row["target"] for row in rows))
    return alt.Color("target:N", title=title, scale=alt.Scale(domain=names, range=[colour(name) for name in names]))


def height(rows: Sequence[Row], field: str, step: int) -> int:
    """Return the height of a chart with a line a value of ``field``."""
    return step * max(1, len({row[field] for row in rows}))


def titled(title: str) -> alt.TitleParams:
    """Return a panel's title."""
    return alt.TitleParams(title, fontSize=12, fontWeight="normal")


def sheet(panels: Sequence[alt.LayerChart], title: str, subtitle: str, *, columns: int = 2) -> alt.ConcatChart:
    """Return panels beside and below each other, as one picture."""
    text = alt.TitleParams(title, subtitle=subtitle, offset=12)
    whole: alt.ConcatChart = alt.concat(*panels, columns=columns, title=text).configure(**CONFIG)
    return whole
