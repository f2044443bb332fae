"""The theme of all charts: colours that colour-blind readers can tell apart, sizes, fonts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

# Okabe and Ito's palette (2008), told apart under every common colour vision.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY = "#8A8A8A"

# On a dark ground the lighter ones of the same palette stand for the darker ones.
DARK = {BLUE: SKY, VERMILION: ORANGE, GREY: "#B0B0B0"}

BACKEND_COLOURS = {"jax": BLUE, "tensorflow": VERMILION, "openvino": GREEN, "sklearn": PURPLE}

# Of one panel: two of them fit beside each other in a document.
WIDTH = 320

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

CONFIG: dict[str, Any] = {
    "font": FONT,
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "grid": True, "gridOpacity": 0.5},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "orient": "bottom"},
    "title": {"fontSize": 14, "subtitleFontSize": 11, "anchor": "start"},
    "view": {"stroke": None},
}


Row = dict[str, Any]


def colour(target: str) -> str:
    """Return the colour of a target's backend."""
    return BACKEND_COLOURS.get(target.partition("@")[0].partition("-")[0], GREY)


def by_target(rows: Sequence[Row]) -> alt.Color:
    """Return the encoding of each target by the colour of its backend."""
    names = list(dict.fromkeys(row["target"] for row in rows))
    return alt.Color("target:N", title=None, scale=alt.Scale(domain=names, range=[colour(name) for name in names]))


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
