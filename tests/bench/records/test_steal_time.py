"""Steal time beside samples becomes one share of the machine and is shown beside the numbers."""

from __future__ import annotations

import pytest

from bench.analysis.summary import Summary
from bench.records import store
from bench.records.schema import Record, Sample
from bench.report import terminal
from bench.report.page import listing
from bench.report.tables import words
from tests.bench import made, published


def taken(*seconds: tuple[float, float], phase: str = "train", path: str = "floor") -> Record:
    """Return a cell's blocks, each with its seconds and the processor seconds that others took meanwhile."""
    samples = [Sample(repeats=1, duration_s=lasted, steal_s=stolen) for lasted, stolen in seconds]
    return made.timing(made.cell(phase=phase, path=path), samples)


@pytest.mark.parametrize(
    ("records", "processors", "share"),
    [
        ([taken((1.0, 0.5))], 2, 0.25),
        ([taken((1.0, 0.5), (3.0, 0.0))], 2, 0.0625),
        ([taken((1.0, 0.5)), taken((1.0, 1.5))], 1, 1.0),
        ([taken((2.0, 0.0))], 64, 0.0),
        ([taken((1.0, 0.5)), taken((100.0, 0.0), phase="startup", path="import")], 2, 0.25),
    ],
)
def test_the_share_is_of_all_processors_over_all_blocks(records: list[Record], processors: int, share: float) -> None:
    """Long blocks weigh more; what starts only once has no block."""
    assert store.steal_share(records, processors) == pytest.approx(share)


@pytest.mark.parametrize("records", [[], [made.failure()], [taken((3.0, 0.0), phase="startup", path="import")]])
def test_without_a_block_there_is_none(records: list[Record]) -> None:
    """Nothing was clocked, so nothing is claimed."""
    assert store.steal_share(records, 2) is None


@pytest.mark.parametrize(("stolen_s", "busy"), [(0.01, False), (0.09, False), (0.11, True), (1.0, True)])
def test_a_heading_says_it_and_a_busy_hour_stands_out(stolen_s: float, busy: bool) -> None:
    """From 5 % of two processors on, a reader is told that another hour would tell more."""
    text = terminal.disturbed(Summary(made.run(taken((1.0, stolen_s))), ()).document)
    assert "other guests of the host took" in text.plain
    assert ("repeat in a quieter hour" in text.plain) is busy
    assert (text.style == "yellow") is busy


@pytest.mark.parametrize("record", [made.training(), taken((1.0, 0.0))])
def test_a_heading_says_nothing_where_nothing_is_known(record: Record) -> None:
    """A run that only trained had no clock; where no time was ever taken, the system may not count it."""
    assert terminal.disturbed(Summary(made.run(made.target(), record), ()).document).plain == ""


def test_what_other_programs_took_is_told_beside() -> None:
    """A tenth of two processors, and two blocks that were taken again; a count below zero is nothing."""
    samples = [
        Sample(repeats=1, duration_s=1.0, outside_s=0.4, retaken=True),
        Sample(repeats=1, duration_s=1.0, outside_s=0.4, retaken=True),
        Sample(repeats=1, duration_s=2.0, outside_s=0.0),
    ]
    document = Summary(made.run(made.timing(made.cell(), samples)), ()).document
    assert (document.outside_share, document.retaken) == (pytest.approx(0.1), 2)
    text = terminal.disturbed(document)
    assert "other programs took 10% of the processors' time while clocks ran" in text.plain
    assert "2 blocks were taken again; repeat in a quieter hour" in text.plain
    below = [Sample(repeats=1, duration_s=1.0, outside_s=-0.01)]
    assert store.outside_share([made.timing(made.cell(), below)], 2) == 0.0


def test_a_published_run_says_it() -> None:
    """With the other facts that a number needs; one that was published before it was known says nothing."""
    kept = published.of_run(made.run(*published.records()[1:], taken((100.0, 60.0))))
    assert kept.steal_share is not None
    assert "of the processors' time while clocks ran" in words.facts(kept)["taken by others"]
    assert "of the processors' time while clocks ran" in listing.readme(kept)
    older = kept.model_copy(update={"steal_share": None, "outside_share": None})
    assert "taken by others" not in words.facts(older)
    assert "of the processors' time" not in listing.readme(older)
