"""How often a bisection finds the culprit: the table, and the page beside the error rates of the gate."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.analysis.bisection.step import FIRST_LOOK, FIRST_PROOF, MOST_UNRESOLVED, Rule
from bench.analysis.calibration import bisection_rates
from bench.analysis.calibration.bisection_rates import BisectionRate
from bench.analysis.calibration.error_rates import Pool
from bench.report import markdown
from bench.report.calibration import bounds, counted
from bench.report.tables.columns import Column, Table, table

PAGE = Path(__file__).with_suffix(".md")  # the words around the table


def rates(found: Sequence[BisectionRate]) -> Table:
    """Return how searches of simulated histories ended."""
    columns = (
        Column("share", "work", "right", lambda row: f"+{row.share:.0%}"),
        Column("exact", "found", "right", lambda row: counted(row.exact)),
        Column("interval", "95% interval", "right", lambda row: bounds(row.exact)),
        Column("within", "an interval", "count", lambda row: row.interval.events),
        Column("wrong", "wrong", "count", lambda row: row.wrong.events),
        Column("none", "no answer", "count", lambda row: row.none.events),
        Column("processes", "processes", "right", lambda row: _median(row.processes)),
    )
    caption = f"{bisection_rates.COMMITS} candidates, one slower from a random one on, in one cell"
    return table("bisection_rates", "Bisection", caption, columns, found)


def page(pool: Pool, rule: Rule, found: Sequence[BisectionRate]) -> str:
    """Return the page that is published beside the data."""
    spans = [len(span) for span in pool.spans if len(span) >= bisection_rates.FEWEST]
    not_yet = f"**Not yet:** a history takes {bisection_rates.FEWEST} neighbouring replicates of one kind of machine."
    return PAGE.read_text(encoding="utf-8").format(
        histories=bisection_rates.HISTORIES,
        commits=bisection_rates.COMMITS,
        replicates=sum(spans),
        cells=len(pool.keys),
        rates=markdown.body(rates(found)) or not_yet,
        first=FIRST_LOOK,
        proof=FIRST_PROOF,
        most=rule.most,
        ends=rule.most_of_ends,
        unresolved=MOST_UNRESOLVED,
        margin=f"{rule.margin:.0%}",
        alpha=f"{rule.alpha:.0%}",
    )


def _median(values: Sequence[int]) -> str:
    return f"{statistics.median(values):.0f} ({min(values)} to {max(values)})"
