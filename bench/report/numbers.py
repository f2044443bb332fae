"""Numbers as people read them: significant figures, units and spreads; it knows no table."""

from __future__ import annotations

import math

from bench.analysis.stats import Estimate

MISSING = "—"
# Half an interval that is wider than its value tells nothing but that.
WIDEST = 1.0


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


def spread(estimate: Estimate) -> str:
    """Return half the confidence interval as a percentage, such as "±2%"."""
    width = estimate.spread
    if not math.isfinite(width):
        return "±?"
    return f"±{share(width)}" if width <= WIDEST else f"±>{WIDEST:.0%}"


def share(value: float) -> str:
    """Return a share as a percentage; one that is small is not nothing."""
    return f"{value:.0%}" if value >= 0.0095 else "<1%"


def figure(value: float | None, decimals: int = 4) -> str:
    """Return an accuracy or a loss with a fixed number of decimals."""
    return MISSING if value is None else f"{value:.{decimals}f}"


def signed(value: float | None, decimals: int = 4) -> str:
    """Return a difference with its sign."""
    return MISSING if value is None else f"{value:+.{decimals}f}"
