"""The history: a line for each published run, and changes found in made courses whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Sequence
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
    """The newest share, the level before and the day of the change, the mark where it began, a chart that fits."""
    runs = [published_run(n, share) for n, share in enumerate(scattered(0.5, 0.6))]
    (found,) = history.of_documents(runs)
    overview = shown(report.overview([found]))
    assert "1 cell in 12 runs: 1 of 1 changed" in overview
    newest = f"{found.points[-1].floor_share:.0%}"
    assert f"train 512 fit {newest} 50% 2026-07-07" in " ".join(overview.split())
    words = shown(report.one(found, width=80))
    assert f"{CHANGE} from 50%" in words
    assert "share of the floor" in words
    assert max(map(len, words.splitlines())) <= 80
    shown(report.one(found, width=80, ascii_only=True)).encode("ascii", errors="replace")


def cells(*shares: Sequence[float], first: int = 0, **changes: Any) -> list[RunDocument]:
    """Return a run a day, whose cells have these shares in turn, each by a path of its own."""
    paths = ("fit", "compiled loop", "train_on_batch")
    found = []
    for day, values in enumerate(zip(*shares, strict=True)):
        rows = [
            TimingRow(**made.cell("train", path).model_dump(), floor_share=s, processes=3, steady=True, excluded=False)
            for path, s in zip(paths, values, strict=False)
        ]
        found.append(published_run(first + day, timings=rows, **changes))
    return found


def test_what_changed_stands_first_the_latest_change_at_the_top() -> None:
    """A reader of 274 cells sees the changed ones in a screen."""
    never, early, late = (
        scattered(0.5, each=12),
        [*scattered(0.5, each=4), *scattered(0.6, each=8)],
        scattered(0.7, 0.9),
    )
    lines = shown(report.overview(history.of_documents(cells(never, early, late)))).splitlines()
    order = [next(n for n, line in enumerate(lines) if path in line) for path in ("train_on_batch", "loop", " fit ")]
    assert order == sorted(order)
    assert lines.index("Changed — the latest change first, backend jax, runs 12") < order[0] < order[1]
    assert order[1] < lines.index("Not changed — backend jax, runs 12") < order[2]


def test_each_machine_has_tables_of_its_own_below_its_name() -> None:
    """Another machine's runs are neither counted nor put among these."""
    other = made.MACHINE.model_copy(update={"cpu": "Another CPU"})
    runs = [*cells([0.5] * 5), *cells([0.7] * 2, first=5, machine=other)]
    text = shown(report.overview(history.of_documents(runs)))
    first, second = text.split("Another CPU, 2 processors, imdb")
    assert "1 cell in 5 runs: 0 of 1 changed" in first
    assert "1 cell in 2 runs: changes are looked for from 4 runs on" in second
    assert "50%" in first
    assert "70%" in second


def test_a_run_that_is_in_no_history_is_named_with_its_reason() -> None:
    """Nobody looks for it in vain; a comparison has no history to be in."""
    runs = [
        published_run(0),
        published_run(1, warnings=["from a dirty checkout"]),
        published_run(2, sides={"base": "a"}),
    ]
    assert history.left_out(runs) == [history.LeftOut("run-1", "from a dirty checkout")]
    text = shown(report.overview(history.of_documents(runs), history.left_out(runs)))
    assert "in no history\n  run-1: from a dirty checkout\n" in text


def test_a_run_of_a_busy_hour_carries_its_mark() -> None:
    """Others took 8 % of the processors' time: its share may lie apart for that reason alone."""
    runs = [published_run(0), published_run(1, steal_share=0.05, outside_share=0.03), published_run(2)]
    (found,) = history.of_documents(runs)
    lines = shown(report.one(found, width=80)).splitlines()
    assert [line.split()[0] for line in lines if line.rstrip().endswith(" ?")] == ["2026-07-02"]
    assert "? a busy hour: others took 5% of the processors' time or more" in lines


def test_an_empty_history_says_how_to_begin() -> None:
    assert "bench publish RUN" in shown(report.overview([]))
