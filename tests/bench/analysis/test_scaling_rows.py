"""Scaling over devices, from made seconds."""

from __future__ import annotations

import pytest

from bench.analysis.machine import scaling
from bench.plan.scaling import label
from bench.records.schema import TimingRecord
from tests.bench import made


def timing(devices: int, batch_size: int, step_s: float, replicate: int) -> TimingRecord:
    cell = made.cell(target=f"jax-cpu@{label(devices)}", batch_size=batch_size)
    return made.timing(cell, made.fits(step_s, step_s, step_s), replicate=replicate)


def test_speed_and_efficiency_against_one_device() -> None:
    """Two devices in half the time are twice as fast: efficiency one. Of a doubled batch, as much time is the same."""
    seconds = {(1, 512): 0.04, (2, 512): 0.02, (4, 512): 0.02, (2, 1024): 0.04, (4, 2048): 0.08}
    timings = [timing(*key, step_s, replicate) for replicate in range(3) for key, step_s in seconds.items()]
    found = {(row.kind, row.devices): row for row in scaling.rows(made.run(*timings))}
    assert {key: pytest.approx(row.speed.value) for key, row in found.items()} == {
        ("strong", 1): 1.0,
        ("strong", 2): 2.0,
        ("strong", 4): 2.0,
        ("weak", 1): 1.0,
        ("weak", 2): 2.0,
        ("weak", 4): 2.0,
    }
    assert found["strong", 4].efficiency == pytest.approx(0.5)
    assert found["weak", 2].batch_size == 1024


def test_backends_are_compared_with_themselves() -> None:
    timings = [timing(1, 512, 0.04, 0), timing(2, 512, 0.02, 0)]
    other = [r.model_copy(update={"cell": made.cell(target=f"tensorflow-cpu@{label(2)}")}) for r in timings[:1]]
    assert {row.backend for row in scaling.rows(made.run(*timings, *other))} == {"jax-cpu"}
