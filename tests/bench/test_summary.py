"""Tests of the summary: each row from records that are made, worked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import reference, store, summary
from bench.record import Record, ReferenceRecord, Sample, TimingRecord
from bench.summary import AccuracyTimeRow, Summary
from models.recipes import RECIPES
from tests.bench import made

TARGETS = ("jax-cpu", "tensorflow-cpu")


def summarized(*records: Record, references: Sequence[ReferenceRecord] = (), **header: object) -> Summary:
    """Return the summary of a run with these records."""
    return Summary(made.run(*records, **header), tuple(references))


def blocks(*seconds: float, repeats: int = 1) -> list[Sample]:
    """Return a warm-up block of 99 s and then one block a turn."""
    warm = Sample(repeats=1, duration_s=99.0, warmup=True)
    return [warm, *(Sample(repeats=repeats, duration_s=s, turn=turn) for turn, s in enumerate(seconds))]


def fits(*steps_s: float, fixed_s: float = 0.5, lengths: tuple[int, int] = (2, 10)) -> list[Sample]:
    """Return a short and a long `fit` a turn: a fixed cost and so many steps of that turn's seconds."""
    return [Sample(repeats=1, duration_s=99.0, warmup=True)] + [
        Sample(repeats=n, duration_s=fixed_s + n * step_s, turn=turn)
        for turn, step_s in enumerate(steps_s)
        for n in lengths
    ]


def calls(*turns: Sequence[float]) -> list[Sample]:
    """Return blocks whose calls had clocks of their own, after a warm-up block that had one for all."""
    warm = Sample(repeats=5, duration_s=99.0, warmup=True)
    return [
        warm,
        *(Sample(repeats=len(t), duration_s=sum(t), calls_s=list(t), turn=i) for i, t in enumerate(turns)),
    ]


def test_a_repeats_seconds_are_its_blocks_share() -> None:
    """Blocks of four repeats that last 2 s, 4 s and 6 s: 0.5, 1.0 and 1.5 s a repeat; warm-up counts in none."""
    record = made.timing(made.cell("train", "train_on_batch"), blocks(2.0, 4.0, 6.0, repeats=4))
    assert summary.per_repeat_s(record) == [0.5, 1.0, 1.5]


def test_a_fits_seconds_are_the_slope_between_its_lengths() -> None:
    """Half a second for calling `fit` at all, whatever the step costs: it is in no step."""
    record = made.timing(made.cell(), fits(0.01, 0.02, 0.03))
    assert summary.per_repeat_s(record) == pytest.approx([0.01, 0.02, 0.03])


def test_training_speed_is_the_batch_over_the_median_step() -> None:
    """Steps of 10 to 60 ms, six turns: median 35 ms, interval 10 to 60 ms; 512 reviews a step."""
    record = made.timing(made.cell(), fits(0.06, 0.01, 0.05, 0.02, 0.04, 0.03), first_call_s=2.5)
    (row,) = summarized(record).training
    assert (row.recipe, row.target, row.path, row.batch_size) == ("dense", "jax-cpu", "fit", 512)
    assert (row.step_s.value, row.step_s.low, row.step_s.high) == pytest.approx((0.035, 0.01, 0.06))
    assert row.reviews_per_s.value == pytest.approx(512 / 0.035)
    assert (row.reviews_per_s.low, row.reviews_per_s.high) == pytest.approx((512 / 0.06, 512 / 0.01))
    assert (row.first_step_s, row.steady, row.struck) == (2.5, True, False)


def test_three_turns_have_a_median_and_no_interval() -> None:
    """The smoke profile shows a speed, and says that its spread is unknown."""
    (row,) = summarized(made.timing(made.cell(), fits(0.01, 0.02, 0.03))).training
    assert row.step_s.value == pytest.approx(0.02)
    assert row.step_s.spread == row.reviews_per_s.spread == math.inf


def test_latencies_are_percentiles_over_all_turns() -> None:
    """1 to 100 ms over ten turns: nearest ranks 50, 90 and 95; batch 512 at the median call."""
    every = [(turn * 10 + call) / 1000 for turn in range(10) for call in range(1, 11)]
    turns = [every[i : i + 10] for i in range(0, 100, 10)]
    (row,) = summarized(made.timing(made.cell("predict", "predict_on_batch"), calls(*turns))).prediction
    assert (row.p50_s, row.p90_s, row.p95_s, row.calls) == (0.050, 0.090, 0.095, 100)
    assert row.reviews_per_s == pytest.approx(512 / 0.050)


def test_a_slow_call_of_one_turn_shows_in_the_percentiles() -> None:
    """Ten of eleven calls take 1 ms, the last one 1 s: it is p95, not averaged away."""
    (row,) = summarized(made.timing(made.cell("predict", "predict"), calls([0.001] * 10, [1.0]))).prediction
    assert (row.p50_s, row.p90_s, row.p95_s) == (0.001, 0.001, 1.0)


def test_vectorization_speed_counts_reviews_and_megabytes() -> None:
    """1,000 reviews of 1.5 MB together in half a second: 2,000 reviews and 3 MB a second."""
    record = made.timing(
        made.cell("vectorize", "encoder"), blocks(*[1.0] * 6, repeats=2), work={"reviews": 1000.0, "megabytes": 1.5}
    )
    (row,) = summarized(record).vectorization
    assert (row.reviews_per_s.value, row.megabytes_per_s.value) == (2000.0, 3.0)
    assert row.megabytes_per_s.spread == 0.0


@pytest.mark.parametrize("steady", [True, False])
def test_every_row_says_whether_it_was_steady(steady: bool) -> None:
    """A table marks what had not settled when its warm-up ended."""
    work = {"reviews": 1.0, "megabytes": 1.0}
    found = summarized(
        made.timing(made.cell(), fits(0.01), steady=steady),
        made.timing(made.cell("predict", "predict"), calls([0.1]), steady=steady),
        made.timing(made.cell("vectorize", "encoder"), blocks(1.0), steady=steady, work=work),
    )
    rows = [*found.training, *found.prediction, *found.vectorization]
    assert [row.steady for row in rows] == [steady] * 3


def test_rows_stand_in_the_recipes_order_then_path_batch_and_target() -> None:
    """Targets of one operation are neighbours in the table, in whatever order their records arrived."""

    def timed(recipe: str, path: str, size: int, target: str) -> TimingRecord:
        cell = made.cell("predict", path, recipe=recipe, target=target).model_copy(update={"batch_size": size})
        return made.timing(cell, calls([0.1]))

    keys = [
        (recipe, path, size, target)
        for recipe in RECIPES
        for path in ("predict", "predict_on_batch")
        for size in (1, 32, 512)
        for target in TARGETS
    ]
    found = summarized(*(timed(*key) for key in reversed(keys))).prediction
    assert [(row.recipe, row.path, row.batch_size, row.target) for row in found] == keys


def whole_dense(target: str, accuracy: float, seed: int = 0) -> Record:
    """Return a training of dense's final phase."""
    return made.training("dense", target, seed=seed, final=made.result(accuracy=accuracy, epoch_s=[1.0] * 4))


def test_a_failed_accuracy_strikes_that_targets_timings_of_that_recipe() -> None:
    """Wrong work is not fast work: its timings are marked, the other target's and the other recipe's are not."""
    timings = [
        made.timing(made.cell(phase, path, recipe=recipe, target=target), samples)
        for recipe in ("dense", "lstm")
        for target in TARGETS
        for phase, path, samples in (("train", "fit", fits(0.01)), ("predict", "predict", calls([0.1])))
    ]
    references = made.references() + made.references(backend="tensorflow")
    found = summarized(
        whole_dense("jax-cpu", 0.60), whole_dense("tensorflow-cpu", 0.88), *timings, references=references
    )
    struck = {
        (row.recipe, row.target) for row in (*found.training, *found.prediction, *found.time_to_accuracy) if row.struck
    }
    assert struck == {("dense", "jax-cpu")}
    assert [row.struck for row in found.training] == [True, False, False, False]
    assert [row.struck for row in found.prediction] == [True, False, False, False]


@pytest.mark.parametrize("references", [made.references(), []], ids=["passed", "unresolved"])
def test_an_accuracy_that_did_not_fail_strikes_nothing(references: list[ReferenceRecord]) -> None:
    """A missing reference is a question about the suite, not a fault of the target."""
    found = summarized(whole_dense("jax-cpu", 0.88), made.timing(made.cell(), fits(0.01)), references=references)
    assert not found.training[0].struck


@pytest.mark.parametrize(
    ("curve", "seconds"),
    [
        ([0.80, 0.87, 0.89, 0.90], 7.0),  # epochs of 1, 2, 4 and 8 s: reached at the third
        ([0.90, 0.10, 0.10, 0.10], 1.0),
        ([0.80, 0.81, 0.82, 0.879021], 15.0),  # 0.99 * 0.8879: just enough
        ([0.80, 0.81, 0.82, 0.87902], None),
    ],
)
def test_time_to_accuracy_is_the_sum_of_epochs_until_the_curve_first_reached_it(
    curve: list[float], seconds: float | None
) -> None:
    """Dense's is 99 % of the best published validation accuracy: 0.99 * 0.8879 = 0.879021."""
    result = made.result({"val_accuracy": curve, "accuracy": [1.0] * 4}, epoch_s=[1.0, 2.0, 4.0, 8.0])
    whole = made.result(epoch_s=[1.0] * 4)
    (row,) = summarized(made.training(validation=result, final=whole)).time_to_accuracy
    assert row == AccuracyTimeRow("dense", "jax-cpu", "val_accuracy", 0.99 * 0.8879, seconds, 4, False)


def test_time_to_accuracy_over_seeds_drops_the_best_and_the_worst() -> None:
    """Reached after 1, 2 and 3 epochs of 1 s, 10 s and 100 s: the middle one counts."""
    trained = [
        made.training("lstm", seed=seed, final=made.result({"accuracy": curve}, epoch_s=[second] * 3))
        for seed, (second, curve) in enumerate([(1.0, [0.9] * 3), (10.0, [0.1, 0.9, 0.9]), (100.0, [0.1, 0.1, 0.9])])
    ]
    (row,) = summarized(*trained).time_to_accuracy
    assert (row.seconds, row.metric) == (20.0, "accuracy")


def test_time_to_accuracy_is_missing_where_one_seed_did_not_reach_it() -> None:
    """An average over those that made it would flatter."""
    reached, missed = (
        made.training("lstm", seed=seed, final=made.result({"accuracy": [value]})) for seed, value in enumerate((1, 0))
    )
    (row,) = summarized(reached, missed).time_to_accuracy
    assert row.seconds is None


def test_without_the_phase_that_has_its_curve_a_recipe_has_no_time_to_accuracy() -> None:
    """The smoke profile leaves dense's validation phase out; training accuracy is no stand-in for it."""
    result = made.result({"accuracy": [0.80, 0.95], "loss": [0.5, 0.2]}, epoch_s=[1.0, 1.0])
    assert summarized(made.training(final=result)).time_to_accuracy == []


def test_accuracy_is_judged_at_the_epochs_that_were_trained() -> None:
    """The number of epochs is the record's, whatever the profile of today says."""
    result = made.result({"accuracy": [0.60, 0.70]}, epoch_s=[9.0, 9.0])
    (row,) = summarized(made.training("lstm", final=result)).accuracy
    assert (row.figure, row.published, row.measured) == ("training accuracy, epoch 2", 0.7250, 0.70)


def test_each_target_is_held_against_its_own_backends_reference() -> None:
    """The greeting says which backend a target is."""
    found = summarized(
        whole_dense("jax-cpu", 0.88), whole_dense("tensorflow-cpu", 0.88), references=made.references(backend="jax")
    )
    assert {(row.target, row.answer) for row in found.accuracy if row.decides} == {
        ("jax-cpu", "passed"),
        ("tensorflow-cpu", "unresolved"),
    }


def test_all_seeds_of_a_target_make_one_figure() -> None:
    """Five trainings, one row: the mean of the middle three."""
    trained = [whole_dense("jax-cpu", value, seed) for seed, value in enumerate((0.99, 0.87, 0.5, 0.88, 0.89))]
    (row,) = [row for row in summarized(*trained).accuracy if row.decides]
    assert (row.seeds, row.measured) == (5, pytest.approx(0.88))


def test_the_verdicts_are_of_accuracy_parity_and_completeness() -> None:
    """Everything that can fail a run, and only what decides: the test loss has no verdict."""
    found = summarized(whole_dense("jax-cpu", 0.88), made.parity(), made.failure(), references=made.references())
    assert [(v.rule, v.target, v.answer) for v in found.verdicts] == [
        ("accuracy", "jax-cpu", "passed"),
        ("parity", "jax-cpu = tensorflow-cpu", "passed"),
        ("completeness", "tensorflow-cpu", "failed"),
    ]


def test_measurements_are_trainings_timings_and_comparisons() -> None:
    """A greeting and a failure measured nothing: a run of those alone is not usable."""
    assert summarized(made.failure()).measured == 0
    assert summarized(made.failure(), made.training(), made.parity(), made.timing(made.cell(), [])).measured == 3


def test_a_target_is_what_its_first_worker_said() -> None:
    """A worker that was lost is started again and greets again: the versions are the same, the first import counts."""
    found = summarized(made.target("jax-cpu", import_s=9.0))
    assert tuple(found.targets) == TARGETS
    assert found.targets["jax-cpu"].facts.import_s == 2.0


def test_an_empty_run_has_no_rows() -> None:
    """Interrupted before its first step, it still has a summary."""
    found = Summary(store.Run(Path("made"), made.header(), ()), ())
    assert (found.training, found.prediction, found.vectorization, found.time_to_accuracy) == ([], [], [], [])
    assert (found.accuracy, found.parity, found.failures, found.verdicts, found.measured) == ([], [], [], [], 0)


def test_a_summary_takes_the_reference_of_its_corpus_with_the_same_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeds that were trained on other reviews, or on another edition of these, are no reference."""
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    kept, other = made.reference(0), made.reference(1).model_copy(update={"corpus_digest": "e2" * 32})
    for record in (kept, other):
        reference.append(reference.path("imdb"), record)
    assert summary.summarize(made.run()).references == (kept,)
    assert summary.summarize(made.run(corpus="synthetic")).references == ()
