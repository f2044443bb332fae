"""Tests of the calibration: what a replicate measures, how it resumes, and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.analysis.calibration.error_rates import Pool
from bench.analysis.calibration.replicate_pool import PoolRecord
from bench.plan import gate
from bench.plan.steps import Startup, Timing, step_cells
from bench.plan.targets import Target
from bench.records.schema import Cell, FailureRecord, Record
from bench.records.store import Run
from bench.report import calibration as report
from bench.runner import calibrate, run, sides
from bench.runner.calibrate import Calibration, GateRecord
from bench.runner.cluster import Piece
from bench.runner.process import WorkerLost
from bench.runner.run import RunSpec
from bench.runner.sides import Sides
from datasets.errors import ExpectedError
from models.recipes import RECIPES
from tests.bench import made
from tests.bench.analysis.test_error_rates import KEY, NEEDED, RULE, SLOWED, made_pool, moved
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
        timed = [step for steps in order.passes() for step in steps if isinstance(step, Timing | Startup)]
        records: list[Record] = [
            made.timing(cell, blocks(*3 * [seconds(cell)]), replicate=step.replicate)
            for step in timed
            for cell in step_cells(step)
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
    shares = {share for some in calibrate.SLOWED.values() for share in some}
    return {calibrate.label(share): 0.01 * (1 + share) for share in shares}.get(label_of(cell), 0.01)


def label_of(cell: Cell) -> str:
    return cell.target.partition("@")[2]


def collect(calibration: Calibration, folder: Path, **wanted: Any) -> list[str]:
    told: list[str] = []
    calibrate.collect(calibration, folder, **wanted, notice=told.append)
    return told


def gates(folder: Path) -> list[GateRecord]:
    return calibrate.load_gates(folder / calibrate.GATES)


def pooled(folder: Path) -> list[PoolRecord]:
    return [record for tier in gate.TIERS for record in calibrate.records(folder, tier)]


def test_a_replicate_slows_some_cells(calibration: Calibration, tmp_path: Path) -> None:
    """Some shares in some cells of each backend, beside the identical targets that every cell has."""
    collect(calibration, tmp_path, replicates=1, gates=0)
    found: dict[tuple[str, str, str], list[str]] = {}
    for record in pooled(tmp_path):
        cell = record.cell
        found.setdefault((cell.target.partition("-")[0], cell.recipe, cell.path), []).append(label_of(cell))
    for (_, recipe, path), labels in found.items():
        slowed = [calibrate.label(share) for share in calibrate.SLOWED.get((recipe, path), ())]
        assert sorted(labels) == sorted(["base", "head", *slowed])
    assert {(recipe, path) for _, recipe, path in found} > set(calibrate.SLOWED)


def test_each_tier_has_a_pool_of_its_own(calibration: Calibration, tmp_path: Path) -> None:
    """A gate of one tier is formed without the other's noise; replicates are numbered on in each."""
    collect(calibration, tmp_path, replicates=2, gates=0)
    for tier in gate.TIERS:
        some = calibrate.records(tmp_path, tier)
        assert {record.replicate for record in some} == {0, 1}
        assert {record.cell.path for record in some} <= {kind.path for kind in gate.EVERY if kind.tier == tier}


def test_it_goes_on_where_it_stopped(calibration: Calibration, tmp_path: Path) -> None:
    """One of each now, more later; nothing is measured twice."""
    assert collect(calibration, tmp_path, replicates=1, gates=1) == ["replicate 1 of 1", "whole gate 1 of 1"]
    assert collect(calibration, tmp_path, replicates=2, gates=2) == ["replicate 2 of 2", "whole gate 2 of 2"]
    assert collect(calibration, tmp_path, replicates=2, gates=2) == []


def test_nothing_new_begins_when_the_time_is_up(calibration: Calibration, tmp_path: Path) -> None:
    assert collect(calibration, tmp_path, replicates=1, gates=1, limit_s=0.0) == []


def test_a_gate_is_a_user_s(calibration: Calibration, tmp_path: Path) -> None:
    """Every cell of both tiers is the same, its controls are slower, and nothing else is slowed."""
    collect(calibration, tmp_path, replicates=0, gates=1)
    (kept,) = gates(tmp_path)
    assert set(kept.answers.values()) == {"same"}
    assert set(kept.processes.values()) == {gate.FEWEST}
    assert (kept.void, kept.exit_code, kept.flagged) == (False, 0, [])
    assert {kind.path for kind in gate.KINDS} <= {word for name in kept.answers for word in [*paths_in(name)]}
    assert pooled(tmp_path) == []


def paths_in(name: str) -> list[str]:
    return [kind.path for kind in gate.KINDS if f" {kind.path} " in name]


def test_what_lacks_cells_is_not_kept(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time it stops the calibration, with the reason: it would fail the next time as well."""
    failure = made.failure()
    assert isinstance(failure, FailureRecord)
    monkeypatch.setattr(run, "execute", lambda *_, **__: Run(tmp_path, made.header(), (failure,)))
    with pytest.raises(WorkerLost, match=r"a replicate lacks \d+ cells: it was killed"):
        collect(calibration, tmp_path, replicates=1, gates=0)
    assert pooled(tmp_path) == []


def test_what_lost_a_worker_is_repeated_once(
    calibration: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One crash does not end hours of measuring; the partial replicate is dropped, and the reason is printed."""
    honest, failure, runs = run.execute, made.failure(), []

    def execute(*asked: Any, **others: Any) -> Run:
        runs.append(asked)
        return Run(tmp_path, made.header(), (failure,)) if len(runs) == 1 else honest(*asked, **others)

    monkeypatch.setattr(run, "execute", execute)
    told = collect(calibration, tmp_path, replicates=2, gates=0)
    assert len(told) == len(runs) == 3
    assert told[1].endswith("it was killed; once more")
    assert {record.replicate for record in pooled(tmp_path)} == {0, 1}


def rates(pool: Pool, *kept: GateRecord) -> report.Rates:
    return report.rates({"compiled": pool, "called": Pool.of([])}, kept, RULE, notice=lambda _: None)


def test_whole_gates_are_told_by_what_they_measured(calibration: Calibration, tmp_path: Path) -> None:
    """The minutes of one recipe are not those of four."""
    collect(calibration, tmp_path, replicates=0, gates=1)
    (kept,) = gates(tmp_path)
    users = [kept.model_copy(update={"duration_s": 60.0 * minutes}) for minutes in (13, 14, 18)]
    small = kept.model_copy(update={"recipes": ["dense"], "duration_s": 200.0, "exit_code": 1})
    found = rates(made_pool(7), *users, small)
    page = report.page(found)
    assert (
        "| dense, pooling-dropout, pooling-logits, lstm | 0 of 3 | 0.0% to 70.8% | 0 | 0.0% | 14 (13 to 18) |" in page
    )
    assert "| dense | 1 of 1 | 2.5% to 100.0% | 0 | 0.0% | 3 (3 to 3) |" in page
    assert "14 (13 to 18)" in shown(report.render(found), 120)


def test_a_pool_too_small_for_a_gate_says_so() -> None:
    """No rate of nothing, and how many replicates it takes."""
    found = rates(made_pool(NEEDED - 1))
    assert not found.tiers[0].formed
    for text in (report.page(found), shown(report.render(found), 120)):
        assert f"takes {NEEDED} neighbouring replicates of one kind of machine" in " ".join(text.split())
        assert "0 of 0 (" not in text


def test_the_page_says_which_machine_measured_what() -> None:
    """One by its name; of several how much each did, and nothing is formed across them."""
    one, two = (rates(found) for found in (made_pool(NEEDED), moved(made_pool(NEEDED), 8)))
    assert "on Made CPU; commit" in report.page(one)
    assert f"on Old CPU (8 of them) and Made CPU ({NEEDED - 8} of them); commit" in report.page(two)
    assert (one.tiers[0].formed, two.tiers[0].formed) == (True, False)


def test_the_page_and_the_tables_say_the_same() -> None:
    """Counts with their trials and intervals; other rules beside; the data that it stands on; the noise of a margin."""
    found = rates(made_pool(20, scatter=0.002))
    page, words = report.page(found), shown(report.render(found), 120)
    (tier,) = found.tiers
    assert tier.alarms[0].rate.trials == report.FORMED
    (detection,) = tier.detections
    assert (detection.key, detection.share) == (KEY, "+5%")
    assert detection.measured == pytest.approx(1.05, abs=0.01)
    assert detection.slower.share > 0.9
    for text in (page, words):
        assert "pytest-benchmark mean:5%" in text
        assert report.counted(detection.slower) in text
    assert "20 replicates" in " ".join(page.split())
    assert SLOWED.removeprefix("base ").removesuffix(" work") in page
    (spread,) = tier.spread
    assert (spread.path, spread.margin) == ("compiled step", 0.03)
    assert 0.001 < spread.deviation < 0.02


@pytest.fixture
def on_cluster(calibration: Calibration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[str]]:
    """Return a collection whose pieces a made cluster measures, one folder for each."""
    asked: list[str] = []

    def measure(pieces: list[Piece], connect: object, into: Path, **_: Any) -> None:
        for piece in pieces:
            asked.append(" ".join(piece.words))
            counts = dict(zip(piece.words[1::2], map(int, piece.words[2::2]), strict=False))
            one = replace(calibration, first=counts["--first"])
            collect(one, into / piece.name, replicates=counts["--replicates"], gates=counts["--gates"])

    def collected(**wanted: Any) -> list[str]:
        asked.clear()
        calibrate.collect_on(None, tmp_path / "pool", **wanted, words=[], say=asked.append)  # type: ignore[arg-type]
        return [*asked]

    monkeypatch.setattr(calibrate.cluster, "measure", measure)
    return collected


def test_machines_of_a_cluster_measure_a_replicate_or_a_gate_each(
    calibration: Calibration, on_cluster: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Together they are what one machine measures; what is there is not measured again."""
    assert on_cluster(replicates=3, gates=1) == [
        *(f"calibrate --replicates 1 --gates 0 --first {number}" for number in range(3)),
        "calibrate --replicates 0 --gates 1 --first 0",
    ]
    collect(calibration, tmp_path / "one", replicates=3, gates=1)
    pools = [[(r.replicate, r.cell, r.repeat_s) for r in pooled(tmp_path / name)] for name in ("pool", "one")]
    assert pools[0] == pools[1]
    assert len(gates(tmp_path / "pool")) == 1
    assert on_cluster(replicates=4, gates=1) == ["calibrate --replicates 1 --gates 0 --first 3"]
    assert not (tmp_path / "pool" / "pieces").exists()


def test_what_came_back_before_a_session_was_killed_is_added(
    calibration: Calibration, on_cluster: Callable[..., list[str]], tmp_path: Path
) -> None:
    collect(calibration, tmp_path / "pool" / "pieces" / "replicate-000", replicates=1, gates=0)
    assert on_cluster(replicates=1, gates=0) == []
    assert {record.replicate for record in pooled(tmp_path / "pool")} == {0}


def test_replicates_of_another_kind_of_machine_are_refused(
    calibration: Calibration, on_cluster: Callable[..., list[str]], tmp_path: Path
) -> None:
    """Noise is a machine's: a pool of two would be that of neither."""
    on_cluster(replicates=1, gates=0)
    file = tmp_path / "pool" / calibrate.POOLS["called"]
    file.write_bytes(file.read_bytes().replace(pooled(tmp_path / "pool")[0].machine.encode(), b"Another CPU"))
    with pytest.raises(ExpectedError, match=r"one kind of machine; received .*Another CPU"):
        on_cluster(replicates=2, gates=0)
