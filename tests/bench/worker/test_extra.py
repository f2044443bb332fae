"""Extra work and cores: a known share more inside the timed region; who works on which core."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bench.plan import gate
from bench.plan.targets import Target, environment
from bench.runner import affinity, run
from bench.runner.run import RunSpec
from bench.worker import clock
from bench.worker.clock import Operation
from bench.worker.operations import extra

AVAILABLE = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


@pytest.fixture
def burned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count products instead of computing them; one repeat lasts as long as a thousand."""
    found: list[int] = []
    monkeypatch.setattr(extra, "_burner", lambda: found.append)
    monkeypatch.setattr(extra, "_ratio", lambda work, burn, most: 1000.0)
    return found


def operation(journal: list[str]) -> Operation:
    return Operation(
        lambda repeats: journal.append(f"run {repeats}"),
        lambda _: journal.append("wait"),
        {"reviews": 1.0},
        largest=64,
        resolved={"jit_compile": True},
    )


@pytest.mark.parametrize(("share", "repeats", "products"), [(0.1, 7, 700), (0.03, 1, 30), (0.05, 3, 150)])
def test_so_many_products_follow_the_work(burned: list[int], share: float, repeats: int, products: int) -> None:
    """A share of what a repeat lasts, for every repeat of a block, after the device is done and before the clock."""
    journal: list[str] = []
    more = extra.add(operation(journal), share)
    clock.block(more, repeats=repeats, each=False)
    assert burned == [products]
    assert journal == [f"run {repeats}", "wait"]


def test_it_is_the_same_operation_for_the_rest(burned: list[int]) -> None:
    """As many reviews, as long a block, the same settings."""
    plain = operation([])
    more = extra.add(plain, 0.1)
    assert (more.largest, more.work, more.resolved) == (plain.largest, plain.work, plain.resolved)


def products(count: int) -> Callable[[int], None]:
    """Return work of so many matrix products a repeat."""
    values = np.ones((extra.SIDE, extra.SIDE), np.float32)

    def run(repeats: int) -> None:
        for _ in range(count * repeats):
            values @ values

    return run


def test_work_inside_of_a_repeat_is_a_share_of_it() -> None:
    """Half of twenty products are some ten in every repeat, however many the call itself costs."""
    burn = extra._burner()

    def made(inside: Callable[[], object]) -> Operation:
        def run(repeats: int) -> None:
            burn(200)
            for _ in range(repeats):
                burn(20)
                inside()

        return Operation(run, lambda _: None, {"reviews": 1.0}, largest=64)

    counted: list[int] = []
    found = extra._injected(replace(made(lambda: None), inject=made), 0.5, burn)
    assert 5 < found < 20
    slowed = extra.add(replace(made(lambda: None), inject=lambda work: made(lambda: [counted.append(0), work()])), 0.5)
    counted.clear()
    slowed.run(7)
    assert len(counted) == 7


def test_the_measure_of_the_work_is_of_the_right_size() -> None:
    """Twenty products a repeat are found to last as long as some twenty, whatever the machine's speed."""
    assert 6 < extra._ratio(products(20), extra._burner(), most=1_000_000) < 80


def test_nothing_is_pinned_where_nobody_is_quiet() -> None:
    with affinity.separated(quiet=False) as chosen:
        assert chosen is None


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="needs two cores and a way to choose")
def test_workers_have_one_core_and_the_runner_the_others() -> None:
    """And everything is as it was afterwards."""
    with affinity.separated(quiet=True) as chosen:
        assert chosen is not None
        assert len(chosen.timed) == 1
        assert chosen.every == AVAILABLE
        assert os.sched_getaffinity(0) == AVAILABLE - chosen.timed
    assert os.sched_getaffinity(0) == AVAILABLE


@pytest.mark.skipif(len(AVAILABLE) < 2, reason="needs two cores and a way to choose")
@pytest.mark.parametrize("quiet", [True, False])
def test_workers_start_with_every_core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quiet: bool) -> None:
    """A child takes after its parent, which keeps off one: importing and compiling on one core took twice as long."""
    given: list[set[int] | None] = []
    monkeypatch.setattr(run, "WorkerProcess", lambda *_, processors, **__: given.append(processors))
    order = RunSpec([], [], gate.PROFILE)
    located = SimpleNamespace(folder=tmp_path)
    with affinity.separated(quiet=quiet) as chosen:
        target = Target("jax", quiet=quiet, python="elsewhere")
        run._start(order, located, tmp_path, chosen, target, hash_seed=0)  # type: ignore[arg-type]
    assert given == [AVAILABLE if quiet else None]


@pytest.mark.parametrize("variable", ["PJRT_NPROC", "NPROC", "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"])
def test_a_quiet_worker_is_told_to_take_one_thread(variable: str) -> None:
    """Each library by its own variable, since a worker that may have every core would count them."""
    found = [environment(Target("jax", quiet=quiet), "", environ={}).get(variable) for quiet in (True, False)]
    assert found == ["1", None]


def test_one_core_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    with affinity.separated(quiet=True) as chosen:
        assert chosen is None
