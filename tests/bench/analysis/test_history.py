"""The history: a line for each published run, and changes found in made courses whose truth is known."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bench.analysis import history
from bench.analysis.rows import FailureRow, RunDocument, TimingRow
from bench.report import history as report
from bench.report.tables.lists import CHANGE
from tests.bench import made, published
from tests.bench.report.test_terminal import shown

CELL = "dense train fit 512 jax-cpu"


def published_run(number: int, share: float | None = 0.5, **changes: Any) -> RunDocument:
    """Return a published run of one cell, one a day."""
    row = TimingRow(**made.cell().model_dump(), floor_share=share, processes=3, steady=True, excluded=False)
    day = {"run_id": f"run-{number}", "started_at": f"2026-07-{number + 1:02}T12:00:00+00:00"}
    return published.one(**{**day, "commit": f"{number:040}", "timings": [row], **changes})


def test_a_published_run_is_a_point_of_its_cells() -> None:
    """Half the floor's speed; the floor itself has no share; machine, corpus and commit are told."""
    found = {one.cell: one for one in history.of_documents([published.one()])}
    assert found[CELL].points[0].floor_share == pytest.approx(0.5)
    assert "dense train floor 512 jax-cpu" not in found
    assert (found[CELL].points[0].commit, found[CELL].corpus) == ("a" * 40, f"imdb {made.DIGEST[:12]}")
    assert found[CELL].points[0].versions["keras"] == "3.15.1"


@pytest.mark.parametrize(
    "changes",
    [
        {"warnings": ["from a dirty checkout"]},
        {"failures": [FailureRow(recipe="dense", target="jax-cpu", work="train", reason="it was killed")]},
        {"sides": {"base": "a", "head": "b"}},
    ],
    ids=["warned", "unfinished", "comparison"],
)
def test_a_run_that_something_speaks_against_is_no_point(changes: dict[str, Any]) -> None:
    """Nobody could repeat it, or it lacks cells; a comparison has no history."""
    assert history.of_documents([published_run(0, **changes)]) == []


def test_a_failed_accuracy_is_no_point() -> None:
    """Wrong work has no speed."""
    failed = [row.model_copy(update={"answer": "failed"}) for row in published.one().accuracy]
    assert history.of_documents([published_run(0, accuracy=failed)]) == []


def test_points_stand_in_the_order_of_time() -> None:
    (found,) = history.of_documents([published_run(n) for n in (2, 0, 1)])
    assert [point.run_id for point in found.points] == ["run-0", "run-1", "run-2"]


def test_machines_and_corpora_have_histories_of_their_own() -> None:
    """Their shares are never put on one line."""
    other = made.MACHINE.model_copy(update={"cpu": "Another CPU"})
    runs = [
        *[published_run(0), published_run(1), published_run(2, machine=other)],
        published_run(3, corpus="synthetic", corpus_digest="e2" * 32),
    ]
    assert sorted(len(one.points) for one in history.of_documents(runs)) == [1, 1, 2]


def test_a_cell_without_a_floor_has_no_history() -> None:
    assert history.of_documents([published_run(0, None)]) == []


def scattered(*levels: float, each: int = 6, scatter: float = 0.02, seed: int = 0) -> list[float]:
    """Return so many values at each level, one after another."""
    draw = random.Random(seed)
    return [level * (1 + draw.gauss(0, scatter)) for level in levels for _ in range(each)]


@pytest.mark.parametrize("seed", range(10))
def test_a_change_of_level_is_found_where_it_is(seed: int) -> None:
    """From .5 to .6 at noise of 2 %: one change, at the seventh run."""
    assert history.changes(scattered(0.5, 0.6, seed=seed)) == [6]


def test_noise_has_hardly_a_change() -> None:
    """Of 50 courses of 20 runs that never changed, a few have a false one."""
    false = sum(bool(history.changes(scattered(0.5, each=20, seed=seed))) for seed in range(50))
    assert false <= 5


def test_a_few_runs_have_no_course() -> None:
    """Three runs tell nothing of levels, and equal ones are level."""
    assert history.changes([0.5, 0.9, 0.2]) == []
    assert history.changes([0.5] * 8) == []


def test_the_overview_and_the_course_as_they_are_read() -> None:
    """The newest share, the day of the change, the mark where it began, a chart that fits the terminal."""
    runs = [published_run(n, share) for n, share in enumerate(scattered(0.5, 0.6))]
    (found,) = history.of_documents(runs)
    overview = shown(report.overview([found]))
    assert CELL in overview
    assert "2026-07-07" in overview
    words = shown(report.one(found, width=80))
    assert f"{CHANGE} from 50%" in words
    assert "share of the floor" in words
    assert max(map(len, words.splitlines())) <= 80
    shown(report.one(found, width=80, ascii_only=True)).encode("ascii", errors="replace")


def test_an_empty_history_says_how_to_begin() -> None:
    assert "bench publish RUN" in shown(report.overview([]))
