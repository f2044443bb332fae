"""The look that all charts share: colours that colour-blind readers tell apart, sizes, fonts; it draws nothing."""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette (2008), told apart under every common colour vision.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY = "#8A8A8A"

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

CONFIG: dict[str, Any] = {
    "font": FONT,
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "grid": True, "gridOpacity": 0.5},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "orient": "bottom"},
    "title": {"fontSize": 14, "subtitleFontSize": 11, "anchor": "start"},
    "view": {"stroke": None},
}
