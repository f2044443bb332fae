"""Tests of the variations' pace: who takes turns with whom, what is kept, what a ratio is; nothing is timed here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.analysis.calibration import replicate_pool
from bench.plan.steps import Timing
from bench.plan.targets import Target
from bench.records.schema import Record
from bench.records.store import Run
from bench.runner import run
from bench.runner.process import WorkerLost
from bench.runner.run import RunSpec
from bench.runner.training import sweep_timing
from bench.runner.training.sweep_timing import SweepTiming
from models.recipes import DENSE
from models.variations import find
from tests.bench import made

WIDE, ADAM, LARGE = find("dense units=64"), find("dense optimizer=adam"), find("dense batch_size=1024")
BOTH = (Target("jax"), Target("tensorflow"))

# Seconds of a block of each side.
PACE = {sweep_timing.PUBLISHED: 0.010, "units=64": 0.013, "optimizer=adam": 0.010}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Timing]:
    """The steps of every run, which take no time: three blocks of each side's pace."""
    found: list[Timing] = []

    def aside(order: RunSpec, located: object, **_: Any) -> Run:
        steps = [step for steps in order.passes() for step in steps if isinstance(step, Timing)]
        found.extend(steps)
        records: list[Record] = [
            made.timing(cell, made.blocks(*3 * [PACE[cell.label]])) for step in steps for cell in step.cells
        ]
        return Run(tmp_path, made.header(), tuple(records))

    monkeypatch.setattr(run, "run_in_scratch_folder", aside)
    return found


def measured(*chosen: Any, targets: tuple[Target, ...] = BOTH) -> SweepTiming:
    return SweepTiming([DENSE, *chosen], targets, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


def collect(made_of: SweepTiming, file: Path) -> list[str]:
    told: list[str] = []
    made_of.collect(file, notice=told.append)
    return told


def test_each_variation_takes_turns_with_the_recipe(asked: list[Timing], tmp_path: Path) -> None:
    """One process for each, on each backend; a worker is told which variation it has."""
    collect(measured(WIDE, ADAM), tmp_path / "speed.jsonl")
    assert {step.phase for step in asked} == {"train", "predict"}
    for step in asked:
        assert [target.label for target in step.targets] == [sweep_timing.PUBLISHED, "units=64", "optimizer=adam"]
        assert [target.variation for target in step.targets] == ["dense", WIDE.name, ADAM.name]
        assert step.recipe is DENSE


def test_it_goes_on_where_it_stopped(asked: list[Timing], tmp_path: Path) -> None:
    """A variation that comes later is measured alone with the base; what has its replicates is left."""
    file = tmp_path / "speed.jsonl"
    assert len(collect(measured(WIDE), file)) == sweep_timing.REPLICATES
    assert collect(measured(WIDE), file) == []
    asked.clear()
    assert len(collect(measured(WIDE, ADAM), file)) == sweep_timing.REPLICATES
    assert {target.label for step in asked for target in step.targets} == {sweep_timing.PUBLISHED, "optimizer=adam"}
    assert {record.replicate for record in replicate_pool.load(file)} == set(range(2 * sweep_timing.REPLICATES))


def test_a_ratio_is_of_neighbours_on_one_backend(asked: list[Timing], tmp_path: Path) -> None:
    """Three tenths more for wider layers, whatever else was measured later."""
    file = tmp_path / "speed.jsonl"
    for chosen in ([WIDE], [WIDE, ADAM]):
        collect(measured(*chosen), file)
    found = sweep_timing.ratios(replicate_pool.load(file))
    assert {name for name, _, _ in found} == set(PACE)
    for backend in ("jax", "tensorflow"):
        assert found["units=64", backend, "train"].value == pytest.approx(1.3)
        assert found["optimizer=adam", backend, "predict"].value == pytest.approx(1.0)


def test_another_batch_size_is_no_comparison_of_steps(asked: list[Timing], tmp_path: Path) -> None:
    """Twice the reviews a step take twice as long, which says nothing."""
    assert collect(measured(LARGE), tmp_path / "speed.jsonl") == []
    assert asked == []


def test_a_failure_stops_it_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It would fail the next time as well, and a replicate is kept whole or not at all."""
    monkeypatch.setattr(run, "run_in_scratch_folder", lambda *_, **__: Run(tmp_path, made.header(), (made.failure(),)))
    with pytest.raises(WorkerLost, match="it was killed"):
        collect(measured(WIDE), tmp_path / "speed.jsonl")
    assert replicate_pool.load(tmp_path / "speed.jsonl") == []
