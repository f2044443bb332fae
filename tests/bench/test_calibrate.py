"""The calibration: what a replicate measures, how it goes on, and the page; nothing is timed here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench import calibrate, contest, gate, pool, run
from bench.calibrate import Calibration, Wanted
from bench.contest import Contest
from bench.plan import Timing
from bench.process import WorkerLost
from bench.record import FailureRecord, Record
from bench.report import calibration as report
from bench.run import Order
from bench.store import Run
from bench.targets import Target
from models.recipes import RECIPES
from tests.bench import made
from tests.bench.made import blocks
from tests.bench.test_error_rates import KEY, RULE, SLOWED, made_pool
from tests.bench.test_terminal import shown

CONTESTANTS = Contest(
    tuple(Target(b, label=side, quiet=True) for b in ("jax", "tensorflow") for side in ("base", "head")),
    {"base": "aaaaaaaaaa", "head": "aaaaaaaaaa"},
)


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Calibration:
    """A calibration whose runs take no time: every cell of every order has three blocks of 10 ms."""

    def execute(order: Order, located: object, **_: Any) -> Run:
        cells = [cell for steps in order.passes() for step in steps if isinstance(step, Timing) for cell in step.cells]
        records: list[Record] = [made.timing(cell, blocks(0.01, 0.01, 0.01)) for cell in cells]
        if order.comparison is not None:
            records = [order.comparison, *records]
        return Run(tmp_path, made.header(), tuple(records))

    @contextmanager
    def identical(targets: object, revision: str) -> Iterator[Contest]:
        yield CONTESTANTS

    monkeypatch.setattr(run, "execute", execute)
    monkeypatch.setattr(contest, "identical", identical)
    targets = [Target("jax", quiet=True), Target("tensorflow", quiet=True)]
    return Calibration(list(RECIPES.values()), targets, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


def test_a_replicate_has_every_gate_cell_and_slows_some(calibration: Calibration) -> None:
    """Two identical targets everywhere, three slowed ones beside them in four cells of each backend."""
    steps = [step for step in calibration.steps(CONTESTANTS, "jax") if isinstance(step, Timing)]
    assert len(steps) == len(RECIPES) * len(gate.DECIDING)
    labels = {(step.recipe.name, step.phase): [t.label for t in step.targets] for step in steps}
    assert labels["dense", "train"] == ["base", "head", "base +3% work", "base +5% work", "base +10% work"]
    assert labels["dense", "predict"] == ["base", "head"]
    assert sum(len(found) == 5 for found in labels.values()) == len(calibrate.SLOWED)
    slowed = steps[0].targets[2:]
    assert [target.extra_work for target in slowed] == list(calibrate.SHARES)


def collect(calibration: Calibration, folder: Path, **wanted: Any) -> list[str]:
    told: list[str] = []
    calibrate.collect(calibration, Wanted(**wanted), folder=folder, notice=told.append)
    return told


def test_it_goes_on_where_it_stopped(calibration: Calibration, tmp_path: Path) -> None:
    """Two replicates now, a third and two gates later; nothing is measured twice."""
    assert collect(calibration, tmp_path, replicates=2, gates=0) == ["replicate 1 of 2", "replicate 2 of 2"]
    assert collect(calibration, tmp_path, replicates=3, gates=1) == ["replicate 3 of 3", "whole gate 1 of 1"]
    records = calibrate.records(tmp_path)
    assert {record.replicate for record in records} == {0, 1, 2}
    # 8 cells on 2 identical targets and 4 on 3 slowed ones, on 2 backends.
    assert len(records) == 3 * 2 * (8 * 2 + 4 * 3)
    assert collect(calibration, tmp_path, replicates=3, gates=1) == []


def test_nothing_new_begins_when_the_time_is_up(calibration: Calibration, tmp_path: Path) -> None:
    assert collect(calibration, tmp_path, replicates=2, gates=1, limit_s=0.0) == []


def test_a_gate_is_kept_with_what_it_said(calibration: Calibration, tmp_path: Path) -> None:
    """Identical blocks: every cell is the same; its control with more work is not slower here, so it is void."""
    collect(calibration, tmp_path, replicates=0, gates=1)
    (kept,) = calibrate.load_gates(tmp_path / calibrate.GATES)
    assert set(kept.answers.values()) == {"same"}
    assert len(kept.answers) == 16
    assert (kept.void, kept.exit_code, kept.flagged) == (True, 4, [])


def test_a_replicate_that_lacks_cells_is_not_kept(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And stops the calibration, with the reason: it would fail the next time as well."""
    failure = made.failure()
    assert isinstance(failure, FailureRecord)
    monkeypatch.setattr(run, "execute", lambda *_, **__: Run(tmp_path, made.header(), (failure,)))
    with pytest.raises(WorkerLost, match="a replicate lacks 56 cells: it was killed"):
        collect(calibration, tmp_path, replicates=1, gates=0)
    assert pool.load(tmp_path / calibrate.POOL) == []


def test_the_page_and_the_tables_say_the_same() -> None:
    """Counts with their trials and intervals; other rules beside; the data that it stands on."""
    found = report.rates(made_pool(20, scatter=0.002), [], RULE, notice=lambda _: None)
    page, words = report.page(found), shown(report.terminal(found), 120)
    assert found.alarms[0].rate.trials == report.FORMED
    (detection,) = found.detections
    assert (detection.key, detection.share) == (KEY, "+5%")
    assert detection.slower.share > 0.9
    for text in (page, words):
        assert "pytest-benchmark mean:5%" in text
        assert report.counted(detection.slower) in text
    assert "20 replicates" in " ".join(page.split())
    assert SLOWED.removeprefix("base ").removesuffix(" work") in page
