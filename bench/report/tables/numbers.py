"""Numbers as people read them: significant figures, units and spreads."""

from __future__ import annotations

import math

MISSING = "—"
# Half an interval wider than its value says nothing but that.
WIDEST = 1.0
# From here on a ratio is shown as times, not as a percentage.
TIMES = 2.0


def significant(value: float, figures: int = 3) -> str:
    """Return ``value`` with so many significant figures, thousands separated, never in exponents."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    rounded = float(f"{value:.{figures - 1}e}")
    decimals = max(0, figures - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def milliseconds(seconds: float) -> str:
    """Return ``seconds`` as milliseconds."""
    return significant(seconds * 1e3)


def spread(half_width: float | None) -> str:
    """Return half an interval, as a share of its value, such as "±2%"; "±?" where it is not known."""
    if half_width is None or not math.isfinite(half_width):
        return "±?"
    return f"±{share(half_width)}" if half_width <= WIDEST else f"±>{WIDEST:.0%}"


def share(value: float) -> str:
    """Return a share as a percentage; a small one is not shown as nothing."""
    return f"{value:.0%}" if value >= 0.0095 else "<1%"


def change(ratio: float | None) -> str:
    """Return how much more than one a ratio is: "+5.1%", or how many times, from twice on: "2.3×"."""
    if ratio is None or not math.isfinite(ratio):
        return MISSING
    return f"{ratio - 1:+.1%}".replace("-0.0%", "+0.0%") if ratio < TIMES else f"{significant(ratio, 2)}×"


def figure(value: float | None, decimals: int = 4) -> str:
    """Return an accuracy or a loss with a fixed number of decimals."""
    return MISSING if value is None else f"{value:.{decimals}f}"


def signed(value: float | None, decimals: int = 4) -> str:
    """Return a difference with its sign."""
    return MISSING if value is None else f"{value:+.{decimals}f}"
