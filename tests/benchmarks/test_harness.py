"""The harness measures itself: what the clock costs, whether it tells true, how alike two equal targets come out."""

from __future__ import annotations

import statistics

import pytest

from bench.analysis import paired_ratio, stats
from bench.backends import BACKENDS
from bench.plan.paths import SLEEP_S
from bench.plan.steps import PROFILES
from bench.protocol import Block, Prepare
from bench.runner.interleave import BLOCK_S
from models.recipes import LSTM, RECIPES
from tests.benchmarks.conftest import Measure, Twins, cell, ready

pytestmark = pytest.mark.framework

# The pairs that tell a per cent apart on a noisy machine: the SD of a log-ratio is 0.05 to 0.1.
PAIRS = 200
# Calls of one step and of two steps that tell what calling costs.
CALLS = 150
_BLOCKS_S = {name: profile.block_s for name, profile in PROFILES.items() if profile.block_s is not None}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_empty_block_costs_less_than_a_hundredth_of_the_shortest(twins: Twins, backend: str) -> None:
    """The clock, the wait for the device and the closure together: what they add to any block."""
    worker = twins[backend, 0]
    worker.ask(Prepare("dense", "harness", "nothing", 1))
    empty_s = [worker.ask(Block("harness", "nothing", 1, repeats=1, each=False))["duration_s"] for _ in range(1000)]
    share = statistics.median(empty_s) / BLOCK_S
    print(f"{backend}: an empty block costs {share:.5%} of the shortest block")
    assert share < 0.01


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sleep_of_known_length_comes_out_right(twins: Twins, measure: Measure, backend: str) -> None:
    """Never shorter than asked, and longer by the kernel's delay alone."""
    [record] = measure([ready(cell(backend, "harness", "sleep", 1), twins[backend, 0])], rounds=20)
    measured = paired_ratio.seconds([record]).value
    print(f"{backend}: a sleep of {SLEEP_S * 1e3:.0f} ms measures {measured / SLEEP_S:.3f} times as long")
    assert 1.0 <= measured / SLEEP_S < 1.1


LSTM_CELLS = [("train", "compiled loop", LSTM.batch_size), ("predict", "compiled", 32)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("phase", "path", "batch_size"), LSTM_CELLS)
def test_two_equal_targets_come_out_equal(
    twins: Twins, measure: Measure, backend: str, phase: str, path: str, batch_size: int
) -> None:
    """Two live workers of one target, in turns: their ratio is one to a hundredth, or its interval reaches there."""
    both = [ready(cell(backend, phase, path, batch_size), twins[backend, twin]) for twin in (0, 1)]
    both[1].lengths = both[0].lengths
    records = measure(both, rounds=PAIRS)
    ratio = paired_ratio.ratio([records[0]], [records[1]])
    assert ratio is not None
    print(f"{backend} lstm {phase} {path}: ratio {ratio.value:.4f} ({ratio.low:.4f} to {ratio.high:.4f})")
    assert ratio.low <= 1.01
    assert ratio.high >= 0.99


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", RECIPES)
def test_a_block_adds_less_than_a_hundredth_to_its_steps(
    twins: Twins, measure: Measure, backend: str, name: str
) -> None:
    """What calling the compiled loop costs beside its steps: a hundredth of the full profile's blocks, or below.

    One worker runs one step and two steps in turn; what does not grow is the call's own. It is the same for any number
    of steps, and stands out best from few.
    """
    wanted = cell(backend, "train", "compiled loop", RECIPES[name].batch_size, name)
    runner = ready(wanted, twins[backend, 0])
    runner.lengths = (1, 2)
    [record] = measure([runner], rounds=CALLS)
    measured = [sample.duration_s for sample in record.samples if not sample.warmup]
    pairs = list(zip(measured[::2], measured[1::2], strict=True))
    call_s = stats.median([2 * one_s - two_s for one_s, two_s in pairs])
    shares = {profile: call_s.value / block_s for profile, block_s in _BLOCKS_S.items()}
    said = ", ".join(f"{share:.2%} of a block of the profile {profile}" for profile, share in shares.items())
    print(f"{backend} {name}: a call costs {call_s.value:.2e} s ({call_s.low:.2e} to {call_s.high:.2e}), {said}")
    assert call_s.low < 0.01 * _BLOCKS_S["full"]
