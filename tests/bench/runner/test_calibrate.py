"""Tests of the calibration: what a replicate measures, how it resumes, and the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.analysis.calibration import replicate_pool
from bench.plan import gate, steps
from bench.plan.steps import Timing
from bench.plan.targets import Target
from bench.records.schema import Cell, FailureRecord, Record, TimingRecord
from bench.records.store import Run
from bench.report import calibration as report
from bench.runner import calibrate, run, sides
from bench.runner.calibrate import Calibration
from bench.runner.process import WorkerLost
from bench.runner.run import RunSpec
from bench.runner.sides import Sides
from models.recipes import RECIPES
from tests.bench import made
from tests.bench.analysis.test_error_rates import KEY, RULE, SLOWED, made_pool, moved
from tests.bench.made import blocks
from tests.bench.report.test_terminal import shown

IDENTICAL = Sides(
    tuple(Target(b, label=side, quiet=True) for b in ("jax", "tensorflow") for side in ("base", "head")),
    {"base": "aaaaaaaaaa", "head": "aaaaaaaaaa"},
)


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calibration:
    """A calibration whose runs take no time: three blocks of 10 ms, and of what a target does more."""

    def execute(order: RunSpec, located: object, **_: Any) -> Run:
        timed = [step for steps in order.passes() for step in steps if isinstance(step, Timing)]
        records: list[Record] = [
            made.timing(cell, blocks(*3 * [seconds(cell)]), replicate=step.replicate)
            for step in timed
            for cell in step.cells
        ]
        if order.comparison is not None:
            records = [order.comparison, *records]
        return Run(tmp_path, made.header(), (*records, made.finished()))

    @contextmanager
    def identical(targets: object, revision: str) -> Iterator[Sides]:
        yield IDENTICAL

    monkeypatch.setattr(run, "execute", execute)
    monkeypatch.setattr(sides, "identical", identical)
    targets = [Target("jax", quiet=True), Target("tensorflow", quiet=True)]
    return Calibration(list(RECIPES.values()), targets, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


def seconds(cell: Cell) -> float:
    """Return the seconds of a block of ``cell``, going by the label of its target."""
    return {calibrate.label(share): 0.01 * (1 + share) for share in calibrate.SHARES}.get(label_of(cell), 0.01)


def label_of(cell: Cell) -> str:
    return cell.target.partition("@")[2]


def collect(calibration: Calibration, folder: Path, **wanted: Any) -> list[str]:
    told: list[str] = []
    calibrate.collect(calibration, folder, **wanted, notice=told.append)
    return told


def test_a_gate_slows_some_cells_beside_its_own(calibration: Calibration, tmp_path: Path) -> None:
    """Three shares in three cells of each backend; the first recipe's ten per cent are the gate's own control."""
    collect(calibration, tmp_path, gates=1)
    found: dict[tuple[str, str, str], list[str]] = {}
    for record in calibrate.records(tmp_path):
        if record.replicate == 0:
            cell = record.cell
            found.setdefault((cell.target.partition("-")[0], cell.recipe, cell.phase), []).append(label_of(cell))
    assert len(found) == 2 * len(RECIPES) * len(gate.DECIDING)
    slowed = [calibrate.label(share) for share in calibrate.SHARES]
    for (_, recipe, phase), labels in found.items():
        control = [gate.SLOWED] if recipe == "dense" else []
        assert set(labels) == {"base", "head", *(slowed if (recipe, phase) in calibrate.SLOWED else control)}
        assert len(labels) == len(set(labels))


def test_later_gates_slow_nothing(calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what a user's are, controls included."""
    monkeypatch.setattr(calibrate, "SLOWED_GATES", 1)
    collect(calibration, tmp_path, gates=2)
    gates = calibrate.load_gates(tmp_path / calibrate.GATES)
    assert [kept.slowed for kept in gates] == [True, False]
    later = [one.cell for one in calibrate.records(tmp_path) if one.replicate >= calibration.replicates]
    assert {label_of(cell) for cell in later} == {"base", "head", gate.SLOWED}
    assert {cell.recipe for cell in later if label_of(cell) == gate.SLOWED} == {"dense"}


def test_whole_gates_are_told_by_kind(calibration: Calibration, tmp_path: Path) -> None:
    """Those before there was a second round, or with slowed targets beside, are no measure of a user's minutes."""
    collect(calibration, tmp_path, gates=1)
    (kept,) = calibrate.load_gates(tmp_path / calibrate.GATES)
    assert (kept.settled, kept.slowed) == (True, True)
    early = kept.model_copy(update={"settled": False, "duration_s": 2400.0})
    users = [kept.model_copy(update={"slowed": False, "duration_s": 60.0 * minutes}) for minutes in (19, 20, 24)]
    alarming = users[0].model_copy(update={"exit_code": 1})
    found = report.rates(made_pool(7), [early, alarming, *users[1:]], RULE, notice=lambda _: None)
    page = report.page(found)
    assert (
        "| 7 processes, --no-settle, slowed targets beside | 0 of 1 | 0.0% to 97.5% | 0 | 0.0% | 40 (40 to 40) |"
        in page
    )
    assert "| 7 processes, a second round | 1 of 3 | 0.8% to 90.6% | 0 | 0.0% | 20 (19 to 24) |" in page
    assert "| all of them | 1 of 4 | 0.6% to 80.6% | 0 | 0.0% | — |" in page
    assert "20 (19 to 24)" in shown(report.render(found), 120)


def test_a_gate_settles_what_its_first_batch_leaves_open(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user's does; the second round is no replicate of the pool, since it has some cells alone."""
    asked: list[int] = []
    honest = run.execute

    def execute(order: RunSpec, *others: Any, **named: Any) -> Run:
        assert order.comparison is not None
        assert order.next_passes is not None
        done = honest(order, *others, **named)
        later = [r for r in done.records if isinstance(r, TimingRecord) and r.replicate and label_of(r.cell) == "head"]
        unsettled = [record for record in done.records if record not in later]
        asked.extend(steps.replicate(added) for added in order.next_passes(lambda: unsettled))
        return done

    monkeypatch.setattr(run, "execute", execute)
    collect(calibration, tmp_path, gates=1)
    assert {*asked} == {*range(calibration.replicates, 2 * calibration.replicates)}
    assert {record.replicate for record in calibrate.records(tmp_path)} == {*range(calibration.replicates)}


def test_its_replicates_are_the_pool(calibration: Calibration, tmp_path: Path) -> None:
    """Numbered on from gate to gate; a gate says where its own begin."""
    collect(calibration, tmp_path, gates=2)
    many = calibration.replicates
    assert {record.replicate for record in calibrate.records(tmp_path)} == set(range(2 * many))
    assert [kept.first_replicate for kept in calibrate.load_gates(tmp_path / calibrate.GATES)] == [0, many]


def test_it_goes_on_where_it_stopped(calibration: Calibration, tmp_path: Path) -> None:
    """One gate now, two more later; nothing is measured twice."""
    assert collect(calibration, tmp_path, gates=1) == ["whole gate 1 of 1"]
    assert collect(calibration, tmp_path, gates=3) == ["whole gate 2 of 3", "whole gate 3 of 3"]
    assert collect(calibration, tmp_path, gates=3) == []


def test_nothing_new_begins_when_the_time_is_up(calibration: Calibration, tmp_path: Path) -> None:
    assert collect(calibration, tmp_path, gates=1, limit_s=0.0) == []


def test_a_gate_is_kept_with_what_it_said(calibration: Calibration, tmp_path: Path) -> None:
    """Every cell of its own is the same, its control is slower; what was slowed beside them it does not see."""
    collect(calibration, tmp_path, gates=1)
    (kept,) = calibrate.load_gates(tmp_path / calibrate.GATES)
    assert set(kept.answers.values()) == {"same"}
    assert len(kept.answers) == 16
    assert (kept.void, kept.exit_code, kept.flagged) == (False, 0, [])


def test_a_gate_does_not_judge_by_cells_slowed_beside_it(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extra cell that hides its ten per cent would make a control fail, were it one."""
    honest = seconds
    hidden = ("lstm", "train", gate.SLOWED)
    monkeypatch.setattr(
        "tests.bench.runner.test_calibrate.seconds",
        lambda cell: 0.01 if (cell.recipe, cell.phase, label_of(cell)) == hidden else honest(cell),
    )
    collect(calibration, tmp_path, gates=1)
    (kept,) = calibrate.load_gates(tmp_path / calibrate.GATES)
    assert not kept.void


def test_a_gate_that_lacks_cells_is_not_kept(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time it stops the calibration, with the reason: it would fail the next time as well."""
    failure = made.failure()
    assert isinstance(failure, FailureRecord)
    monkeypatch.setattr(run, "execute", lambda *_, **__: Run(tmp_path, made.header(), (failure,)))
    with pytest.raises(WorkerLost, match="a gate lacks 378 cells: it was killed"):
        collect(calibration, tmp_path, gates=1)
    assert replicate_pool.load(tmp_path / calibrate.POOL) == []
    assert calibrate.load_gates(tmp_path / calibrate.GATES) == []


def test_a_gate_that_lost_a_worker_is_run_once_more(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One crash does not end hours of measuring; its partial gate is dropped, and the reason is printed."""
    honest, failure, runs = run.execute, made.failure(), []

    def execute(*asked: Any, **others: Any) -> Run:
        runs.append(asked)
        return Run(tmp_path, made.header(), (failure,)) if len(runs) == 1 else honest(*asked, **others)

    monkeypatch.setattr(run, "execute", execute)
    told = collect(calibration, tmp_path, gates=2)
    assert told == [
        "whole gate 1 of 2",
        "a gate lacks 378 cells: it was killed; repeating the gate",
        "whole gate 2 of 2",
    ]
    assert len(runs) == 3
    assert [kept.first_replicate for kept in calibrate.load_gates(tmp_path / calibrate.GATES)] == [
        0,
        calibration.replicates,
    ]


def test_a_pool_too_small_for_a_gate_says_so() -> None:
    """No rate of nothing, and how many replicates it takes."""
    found = report.rates(made_pool(15), [], RULE, notice=lambda _: None)
    assert not found.formed
    for text in (report.page(found), shown(report.render(found), 120)):
        assert "takes 16 neighbouring replicates of one kind of machine, and there are 15" in " ".join(text.split())
        assert "0 of 0 (" not in text


def test_the_page_says_which_machine_measured_what() -> None:
    """One by its name; of several how much each did, and nothing is formed across them."""
    (one, two) = (
        report.rates(found, [], RULE, notice=lambda _: None) for found in (made_pool(16), moved(made_pool(16), 8))
    )
    assert "on Made CPU; commit" in report.page(one)
    assert "on Old CPU (8 of them) and Made CPU (8 of them); commit" in report.page(two)
    assert (one.formed, two.formed) == (True, False)


def test_gates_that_would_be_void_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pool has the control: none of 300, where processes agree; no word of it where the pool has none."""
    monkeypatch.setattr(gate, "SLOWED", SLOWED)
    found = report.rates(made_pool(20, scatter=0.001), [], RULE, notice=lambda _: None)
    assert "would have made 0 of 300 (0.0%) void (0.0% to 1.2%) by not coming out slower" in " ".join(
        report.page(found).split()
    )
    assert "void: 0 of 300 (0.0%)" in " ".join(shown(report.render(found), 120).split())
    monkeypatch.setattr(gate, "SLOWED", "base +99% work")
    silent = report.rates(made_pool(20), [], RULE, notice=lambda _: None)
    assert "by not coming out slower" not in report.page(silent)


def test_the_page_and_the_tables_say_the_same() -> None:
    """Counts with their trials and intervals; other rules beside; the data that it stands on."""
    found = report.rates(made_pool(20, scatter=0.002), [], RULE, notice=lambda _: None)
    page, words = report.page(found), shown(report.render(found), 120)
    assert found.alarms[0].rate.trials == report.FORMED
    (detection,) = found.detections
    assert (detection.key, detection.share) == (KEY, "+5%")
    assert detection.slower.share > 0.9
    for text in (page, words):
        assert "pytest-benchmark mean:5%" in text
        assert report.counted(detection.slower) in text
    assert "20 replicates" in " ".join(page.split())
    assert SLOWED.removeprefix("base ").removesuffix(" work") in page
