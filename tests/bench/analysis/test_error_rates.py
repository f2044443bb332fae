"""The error rates, from made pools whose truth is known: identical targets, slowed ones, and machines that drift."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.analysis.calibration import error_rates, estimator_noise, parallel, replicate_pool
from bench.analysis.calibration.error_rates import Key, Pool, Rate, Rule, Trial
from bench.analysis.calibration.replicate_pool import PoolRecord
from bench.analysis.regression import Answer
from tests.bench import made

TURNS = 12
SLOWED = "base +5% work"
KEY = ("dense", "train", "compiled step", 512, "jax-cpu")
NEEDED = 2 * 8
RULE = made.comparison(replicates=8, controls={})


def made_pool(
    replicates: int = 40, *, scatter: float = 0.01, drift: Callable[[int], float] = lambda _: 1.0, seed: int = 0
) -> Pool:
    """Return a pool of one cell: each process off by some per cent, each block by some more; slowed by 5 %."""
    draw = random.Random(seed)
    records = []
    for number in range(replicates):
        for label, factor in (("base", 1.0), ("head", 1.0), (SLOWED, 1.05)):
            process = math.exp(draw.gauss(0, scatter))
            blocks = [0.01 * factor * drift(number) * process * math.exp(draw.gauss(0, 0.02)) for _ in range(TURNS)]
            records.append(record(number, label, blocks))
    return Pool.of(records)


def moved(found: Pool, replicates: int) -> Pool:
    """Return ``found`` with its first ``replicates`` measured on another kind of machine."""
    records = [r for one in found.replicates for r in one.values()]
    return Pool.of([r.model_copy(update={"machine": "Old CPU"}) if r.replicate < replicates else r for r in records])


def record(replicate: int, label: str, blocks: list[float]) -> PoolRecord:
    return PoolRecord(
        replicate=replicate,
        measured_at=f"2026-07-31T12:{replicate:02}:00+00:00",
        machine="Made CPU",
        commit="aaaaaaaaaa",
        corpus="imdb",
        cell=made.cell("train", "compiled step", target=f"jax-cpu@{label}"),
        repeats=2,
        repeat_s=blocks,
    )


def answered(found: Pool, formed: Sequence[Trial], rule: Rule) -> list[dict[Key, Answer]]:
    return [rule(found, trial) for trial in formed]


def test_a_pool_knows_what_every_replicate_has() -> None:
    """Identical cells by their key; slowed ones by label."""
    found = made_pool(3)
    assert found.keys == [KEY]
    assert found.slowed == {SLOWED: [KEY]}


def test_a_cell_that_one_replicate_lacks_is_left_out() -> None:
    """What was not measured everywhere cannot stand in a gate."""
    every = [record(n, label, [0.01] * 3) for n in range(2) for label in ("base", "head", SLOWED)]
    assert Pool.of(every[:-2]).keys == []


def test_slowdowns_are_sought_where_something_was_slowed() -> None:
    """Later gates slow nothing: slowed cells are decided from the replicates that have them."""
    early = made_pool(5)
    plain = [r for one in made_pool(9).replicates[5:] for (_, label), r in one.items() if label != SLOWED]
    whole = Pool.of([*(r for one in early.replicates for r in one.values()), *plain])
    assert (len(whole.replicates), whole.slowed) == (9, {SLOWED: [KEY]})
    assert whole.having(KEY, SLOWED).replicates == early.replicates
    assert whole.having(KEY, SLOWED) is whole.having(KEY, SLOWED)
    assert early.having(KEY, SLOWED) is early


def test_gates_are_formed_of_neighbours_in_time() -> None:
    """A search and what confirms, without a replicate in common, in order, within a stretch that goes round."""
    formed = error_rates.trials(made_pool(40), replicates=8, count=50)
    assert len(formed) == 50
    for trial in formed:
        chosen = [*trial.search, *trial.confirm]
        after_first = [(index - chosen[0]) % 40 for index in chosen]
        assert after_first == sorted(set(after_first))
        assert (len(trial.search), len(trial.confirm)) == (8, 8)
        assert after_first[-1] < NEEDED + error_rates.SPARE
    assert {trial.swapped for trial in formed} == {True, False}


def test_gates_begin_anywhere_in_a_pool_that_is_just_large_enough() -> None:
    """Else all of them would take the same few processes, and their rates would be none or all."""
    formed = error_rates.trials(made_pool(NEEDED), replicates=8, count=200)
    assert {trial.search[0] for trial in formed} == set(range(NEEDED))


def test_a_pool_that_is_too_small_forms_no_gate() -> None:
    assert error_rates.trials(made_pool(NEEDED - 1), replicates=8, count=50) == []


def test_gates_are_formed_of_one_machine() -> None:
    """Twenty replicates of one and of another: none straddles the move, both have their share."""
    found = moved(made_pool(40), 20)
    assert found.spans == [range(20), range(20, 40)]
    formed = error_rates.trials(found, replicates=8, count=50)
    begun = [{index < 20 for index in (*trial.search, *trial.confirm)} for trial in formed]
    assert all(len(machines) == 1 for machines in begun)
    assert {True} in begun
    assert {False} in begun


def test_two_machines_too_short_for_a_gate_form_none() -> None:
    """Fifteen replicates here and fifteen there are no sixteen neighbours."""
    assert error_rates.trials(moved(made_pool(2 * NEEDED - 2), NEEDED - 1), replicates=8, count=50) == []
    assert Pool.of([]).spans == []


def test_identical_targets_hardly_ever_alarm() -> None:
    """At most one gate in a hundred by this gate's rule."""
    found = made_pool()
    formed = error_rates.trials(found, replicates=8, count=200)
    rate = error_rates.false_alarms(answered(found, formed, error_rates.interleaved(RULE)))
    assert rate.trials == 200
    assert rate.events <= 2


def test_a_drifting_machine_fools_a_rule_that_does_not_interleave() -> None:
    """Every replicate 5 % slower than the one before: the head, timed later, seems slower; in turns it does not."""
    found = made_pool(drift=lambda number: 1.05**number)
    formed = error_rates.trials(found, replicates=8, count=60)
    in_turns = error_rates.false_alarms(answered(found, formed, error_rates.interleaved(RULE)))
    assert in_turns.events == 0
    pairs = [found.log_ratio(KEY, "head", n + 1, "base", n) for n in range(30)]
    assert min(pairs) > 0.01


def test_blocks_pooled_as_if_independent_cry_wolf() -> None:
    """What differs from process to process counts as many times as there are blocks: Mann-Whitney alarms at random."""
    found = made_pool(scatter=0.03)
    formed = error_rates.trials(found, replicates=8, count=100)
    pooled = error_rates.false_alarms(answered(found, formed, error_rates.mann_whitney))
    ours = error_rates.false_alarms(answered(found, formed, error_rates.interleaved(RULE)))
    assert pooled.share > 0.1
    assert ours.share < 0.03


@pytest.mark.parametrize("scatter", [0.002, 0.004])
def test_a_slowdown_is_found_where_processes_agree(scatter: float) -> None:
    """5 % among processes that differ by some tenths of a per cent: nine gates in ten, and none calls it faster."""
    found = made_pool(scatter=scatter)
    formed = error_rates.trials(found, replicates=8, count=60)
    rule = error_rates.interleaved(RULE)
    answered = error_rates.answers(found, formed, rule, label=SLOWED, key=KEY)
    assert error_rates.rate(answered, "slower").share >= 0.9
    assert error_rates.rate(answered, "faster").events == 0


def test_clear_cells_take_few_processes_and_noisy_ones_more() -> None:
    """That is where the time goes."""
    quiet, noisy = (
        statistics.fmean(
            error_rates.used(found, trial, RULE)[KEY] for trial in error_rates.trials(found, replicates=8, count=40)
        )
        for found in (made_pool(scatter=0.001), made_pool(scatter=0.01))
    )
    assert quiet < 5
    assert noisy > quiet + 1


def test_looking_again_finds_more() -> None:
    """5 % among processes that differ by 1.3 %: more looks see it more often, and identical ones never alarm."""
    found = made_pool(scatter=0.013)
    formed = error_rates.trials(found, replicates=8, count=60)
    once, often = (error_rates.interleaved(RULE.model_copy(update={"replicates": most})) for most in (3, 8))
    seen = [
        error_rates.rate(error_rates.answers(found, formed, rule, label=SLOWED, key=KEY), "slower").share
        for rule in (once, often)
    ]
    assert seen[1] > seen[0] + 0.1
    assert error_rates.false_alarms(answered(found, formed, often)).events == 0


def test_the_mean_rule_by_hand() -> None:
    """Means of 10 and 10.6 ms: 6 % is over the limit of 5, 4 % is not."""
    for head_s, answer in ((0.0106, "slower"), (0.0104, "same")):
        made_up = Pool.of([record(0, "base", [0.01, 0.01]), record(0, "head", [head_s, head_s])])
        assert error_rates.mean_rule(made_up, Trial((0,), ())) == {KEY: answer}


def test_swapped_targets_change_places() -> None:
    """A gate in which the head is the faster one becomes one in which it is the slower."""
    made_up = Pool.of([record(0, "base", [0.01] * 3), record(0, "head", [0.02] * 3)])
    assert error_rates.mean_rule(made_up, Trial((0,), (), swapped=True)) == {KEY: "same"}
    assert error_rates.mean_rule(made_up, Trial((0,), ())) == {KEY: "slower"}


def test_a_rate_has_the_exact_interval() -> None:
    """None in 300: at most 1.22 %."""
    assert Rate(0, 300).interval == pytest.approx((0, 0.0122), abs=1e-4)
    assert math.isnan(Rate(0, 0).share)


def test_a_pool_survives_its_file(tmp_path: Path) -> None:
    """Replicates are added whole; a line that was cut by an interruption is none."""
    file = tmp_path / "calibration" / "pool.jsonl"
    assert (replicate_pool.load(file), replicate_pool.next_replicate([])) == ([], 0)
    first = [record(0, "base", [0.01]), record(0, "head", [0.01])]
    replicate_pool.append(file, first)
    file.write_bytes(file.read_bytes() + b'{"replicate": 1, "cut')
    assert replicate_pool.load(file) == first
    replicate_pool.append(file, [record(1, "base", [0.01])])
    assert replicate_pool.load(file) == [*first, record(1, "base", [0.01])]
    assert replicate_pool.next_replicate(first) == 1


def test_a_pool_record_becomes_the_record_of_a_gate() -> None:
    """Seconds a repeat times repeats, a turn each, none of it warm-up."""
    timing = record(3, "head", [0.01, 0.02]).timing(5, target="jax-cpu@base")
    assert (timing.replicate, timing.cell.target) == (5, "jax-cpu@base")
    assert [(s.turn, s.repeats, s.duration_s) for s in timing.samples] == [(0, 2, 0.02), (1, 2, 0.04)]


def test_a_turn_without_a_positive_slope_has_no_ratio() -> None:
    """Noise gives one in some thousand slopes of `fit`; a gate leaves such a turn out, whichever side it is of."""
    found = Pool.of([record(0, "base", [0.01, -0.02, 0.01]), record(0, "head", [0.0, 0.02, 0.02])])
    assert found.against_base(KEY, "head") == [pytest.approx(math.log(2))]
    twice = Pool.of([record(n, label, [-0.02, 0.01, 0.01]) for n in (0, 1) for label in ("base", "head")])
    assert [row.train for row in estimator_noise.table(twice)] == [0.0] * len(estimator_noise.ESTIMATORS)


def test_gates_are_decided_on_every_processor_as_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the trials, by processes that are forked."""
    found = made_pool(scatter=0.013)
    formed = error_rates.trials(found, replicates=8, count=60)
    rule = error_rates.interleaved(RULE)
    monkeypatch.setattr(parallel, "usable_processors", lambda: 2)
    several = parallel.each(lambda trial: rule(found, trial)[KEY], formed)
    monkeypatch.setattr(parallel, "usable_processors", lambda: 1)
    assert several == parallel.each(lambda trial: rule(found, trial)[KEY], formed)
