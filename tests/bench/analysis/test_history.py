"""The history: a line for each published run, and changes found in made courses whose truth is known."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bench.analysis import history
from bench.analysis.history import HistoryError, Line, Point
from bench.analysis.summary import Summary
from bench.records.schema import Record
from bench.records.store import Run
from bench.report import history as report
from tests.bench import made
from tests.bench.made import blocks
from tests.bench.report.test_terminal import shown

CELL = "dense train fit 512 jax-cpu"


def line(number: int, share: float | None = 0.5, **changes: Any) -> Line:
    """Return the line of a run of one cell, one a day."""
    fields: dict[str, Any] = {
        "run_id": f"run-{number}",
        "started_at": f"2026-07-{number + 1:02}T12:00:00+00:00",
        "profile": "default",
        "machine": made.MACHINE,
        "commit": f"{number:040}",
        "versions": {"keras": "3.15.1"},
        "corpus": "imdb",
        "corpus_digest": made.DIGEST,
        "cells": {CELL: Point(seconds=0.01, share_of_floor=share)},
    }
    return Line(**{**fields, **changes})


def summary(*records: Record, **header: Any) -> Summary:
    fit, floor = (made.cell("train", path) for path in ("fit", "floor"))
    timings = [made.timing(fit, blocks(0.02, 0.02)), made.timing(floor, blocks(0.01, 0.01))]
    return Summary(Run(Path("made"), made.header(**header), (made.target(), *timings, *records)), ())


def test_a_run_becomes_a_line_of_its_shares() -> None:
    """Half the floor's speed; the floor itself has no share; versions, machine and corpus are told."""
    found = history.of_run(summary())
    assert found.cells[CELL].share_of_floor == pytest.approx(0.5)
    assert found.cells["dense train floor 512 jax-cpu"].share_of_floor is None
    assert (found.commit, found.versions["keras"], found.corpus) == ("a" * 40, "3.15.1", "imdb")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"commit": None}, "no commit"),
        ({"commit": made.Commit(revision="a" * 40, dirty=True)}, "uncommitted changes"),
    ],
)
def test_a_run_that_nobody_could_repeat_is_not_published(header: dict[str, Any], words: str) -> None:
    with pytest.raises(HistoryError, match=words):
        history.of_run(summary(**header))


def test_a_dirty_run_is_published_as_one_where_asked() -> None:
    of = summary(commit=made.Commit(revision="a" * 40, dirty=True))
    assert history.of_run(of, dirty=True).commit.endswith("-dirty")


def test_a_run_with_failures_is_not_published() -> None:
    """What was not measured is a failing verdict."""
    with pytest.raises(HistoryError, match=r"1 failed verdicts, first: it was killed"):
        history.of_run(summary(made.failure()))


def test_a_run_is_published_once_and_in_the_order_of_time(tmp_path: Path) -> None:
    file = tmp_path / "results" / "history.jsonl"
    assert history.load(file) == []
    assert [history.add(line(n), file) for n in (2, 0, 2)] == [True, True, False]
    assert [one.run_id for one in history.load(file)] == ["run-0", "run-2"]


def test_a_history_of_another_schema_says_so(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text('{"schema_version": 2}\n')
    with pytest.raises(HistoryError, match="does not fit schema 1"):
        history.load(file)


def test_machines_and_corpora_have_courses_of_their_own() -> None:
    """Their shares are never put on one line."""
    other = made.MACHINE.model_copy(update={"cpu": "Another CPU"})
    lines = [line(0), line(1), line(2, machine=other), line(3, corpus="synthetic", corpus_digest="e2" * 32)]
    assert sorted(len(course.shares) for course in history.courses(lines)) == [1, 1, 2]


def test_a_cell_without_a_floor_has_no_course() -> None:
    assert history.courses([line(0, None)]) == []


def wobbling(*levels: float, each: int = 6, scatter: float = 0.02, seed: int = 0) -> list[float]:
    """Return so many values at each level, one after another."""
    draw = random.Random(seed)
    return [level * (1 + draw.gauss(0, scatter)) for level in levels for _ in range(each)]


@pytest.mark.parametrize("seed", range(10))
def test_a_change_of_level_is_found_where_it_is(seed: int) -> None:
    """From .5 to .6 at noise of 2 %: one change, at the seventh run."""
    assert history.changes(wobbling(0.5, 0.6, seed=seed)) == [6]


def test_noise_has_hardly_a_change() -> None:
    """Of 50 courses of 20 runs that never changed, a few have a false one."""
    false = sum(bool(history.changes(wobbling(0.5, each=20, seed=seed))) for seed in range(50))
    assert false <= 5


def test_a_few_runs_have_no_course() -> None:
    """Three runs tell nothing of levels, and equal ones are level."""
    assert history.changes([0.5, 0.9, 0.2]) == []
    assert history.changes([0.5] * 8) == []


def test_the_overview_and_the_course_as_they_are_read() -> None:
    """The newest share, the day of the change, the mark where it began, a chart that fits the terminal."""
    lines = [line(n, share) for n, share in enumerate(wobbling(0.5, 0.6))]
    (course,) = history.courses(lines)
    overview = shown(report.overview([course]))
    assert CELL in overview
    assert "2026-07-07" in overview
    words = shown(report.course(course, width=80))
    assert f"{report.CHANGE} from 50%" in words
    assert "share of the floor" in words
    assert max(map(len, words.splitlines())) <= 80
    shown(report.course(course, width=80, ascii_only=True)).encode("ascii", errors="replace")


def test_an_empty_history_says_how_to_begin() -> None:
    assert "bench history --add RUN" in shown(report.overview([]))
