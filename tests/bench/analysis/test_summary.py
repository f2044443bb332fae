"""Tests of the summary: each row from records that are made, worked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.analysis import best_path, summary
from bench.analysis.rows import TimeToAccuracyRow, TimingRow
from bench.analysis.summary import Summary
from bench.plan import steps
from bench.plan.paths import floor_of
from bench.plan.steps import PROFILES
from bench.plan.targets import Target
from bench.records import reference, store
from bench.records.schema import Record, ReferenceRecord, TimingRecord
from models.recipes import RECIPES
from tests.bench import made
from tests.bench.made import blocks, calls, fits

TARGETS = ("jax-cpu", "tensorflow-cpu")


def summarized(*records: Record, references: Sequence[ReferenceRecord] = (), **header: str) -> Summary:
    """Return the summary of a run with these records."""
    return Summary(made.run(*records, **header), tuple(references))  # type: ignore[arg-type]


def timings(found: Summary, phase: str) -> list[TimingRow]:
    """Return the rows of a phase."""
    return found.document.timed(phase)


def test_training_speed_is_the_batch_over_the_median_step() -> None:
    """Steps of 10 to 60 ms, six turns: median 35 ms, interval 10 to 60 ms; 512 reviews a step."""
    record = made.timing(made.cell(), fits(0.06, 0.01, 0.05, 0.02, 0.04, 0.03), first_call_s=2.5)
    (row,) = timings(summarized(record), "train")
    assert row.cell == made.cell()
    assert (row.seconds, row.seconds_low, row.seconds_high) == pytest.approx((0.035, 0.01, 0.06))
    assert row.reviews_per_s == pytest.approx(512 / 0.035)
    assert (row.first_step_s, row.steady, row.excluded, row.processes) == (2.5, True, False, 1)


def test_three_turns_have_a_median_and_no_interval() -> None:
    """The smoke profile shows a speed, and says that its spread is unknown."""
    (row,) = timings(summarized(made.timing(made.cell(), fits(0.01, 0.02, 0.03))), "train")
    assert row.seconds == pytest.approx(0.02)
    assert row.seconds_low is row.seconds_high is None


def test_calling_fit_costs_its_fixed_seconds() -> None:
    """Half a second beside the steps in three turns, a quarter in three of another process: 0.375 s between them."""
    records = [
        made.timing(made.cell(), fits(0.01, 0.02, 0.03, fixed_s=fixed_s), replicate=number)
        for number, fixed_s in enumerate((0.5, 0.25))
    ]
    assert timings(summarized(*records), "train")[0].call_s == pytest.approx(0.375)
    assert timings(summarized(made.timing(made.cell("train", "floor"), blocks(1.0))), "train")[0].call_s is None


def test_several_replicates_are_one_row() -> None:
    """Steps of 10 and 40 ms in two processes: 20 ms; the first step is that of the first; unsteady once is unsteady."""
    records = [
        made.timing(made.cell(), fits(*[s] * 3), replicate=n, first_call_s=first_s, steady=n == 0)
        for n, (s, first_s) in enumerate(((0.01, 1.0), (0.04, 4.0)))
    ]
    (row,) = timings(summarized(*records), "train")
    assert (row.seconds, row.first_step_s) == (pytest.approx(0.02), 1.0)
    assert row.reviews_per_s == pytest.approx(512 / 0.02)
    assert (row.processes, row.steady) == (2, False)


def with_floor(phase: str, path: str, *, seconds: Sequence[float], floor: Sequence[float]) -> list[TimingRecord]:
    """Return a cell and its floor, which took as many turns."""
    return [
        made.timing(
            made.cell(phase, name),
            calls(*[[value] for value in values]) if phase == "predict" else blocks(*values),
            work={"reviews": 512.0, "megabytes": 1.0},
        )
        for name, values in ((path, seconds), (floor_of(phase, path), floor))
    ]


@pytest.mark.parametrize(
    ("phase", "path"),
    [("train", "train_on_batch"), ("predict", "compiled"), ("vectorize", "encoder"), ("vectorize", "encoder from ids")],
)
def test_the_share_of_the_floor_is_the_floors_seconds_over_the_cells(phase: str, path: str) -> None:
    """Turns of 4, 8 and 2 s beside 2, 2 and 1 s by hand: shares of 1/2, 1/4 and 1/2, so half as fast."""
    found = summarized(*with_floor(phase, path, seconds=(4.0, 8.0, 2.0), floor=(2.0, 2.0, 1.0)))
    row, floor = found.timing_rows
    assert (row.path, row.is_floor, floor.path, floor.is_floor) == (path, False, floor_of(phase, path), True)
    assert row.floor_share == pytest.approx(0.5)
    assert floor.floor_share is None


def test_a_path_may_be_faster_than_the_floor() -> None:
    """The floor is work by hand, not a law: a share above one is shown as it is."""
    row, _ = timings(summarized(*with_floor("train", "fit", seconds=[1.0] * 3, floor=[1.25] * 3)), "train")
    assert row.floor_share == pytest.approx(1.25)


def test_a_path_on_resident_data_is_compared_with_the_floor_on_resident_data() -> None:
    """Handing a batch over took two thirds of a dense floor's time; a path without that is not 3 floors fast."""
    paths_s = {"compiled resident": 1.0, "floor": 3.4, "floor resident": 0.9}
    every = [made.timing(made.cell("predict", path), calls(*[[s]] * 3)) for path, s in paths_s.items()]
    found = {row.path: (row.floor_share, row.is_floor) for row in summarized(*every).timing_rows}
    resident = (pytest.approx(0.9), False)
    assert found == {"compiled resident": resident, "floor": (None, True), "floor resident": (None, True)}


@pytest.mark.parametrize(
    "where", [{"target": "tensorflow-cpu"}, {"recipe": "lstm"}], ids=lambda where: next(iter(where))
)
def test_only_the_floor_of_the_same_work_is_a_floor(where: dict[str, str]) -> None:
    """Another target's floor, or another recipe's, is another work."""
    other = made.timing(made.cell("train", "floor", **where), blocks(1.0))
    found = summarized(made.timing(made.cell("train", "train_on_batch"), blocks(2.0)), other)
    assert all(row.floor_share is None for row in found.timing_rows)


def test_a_share_of_the_floor_needs_neighbouring_blocks() -> None:
    """The floor of another process, or none that came through, gives no share."""
    record, floor = with_floor("train", "train_on_batch", seconds=[2.0] * 3, floor=[1.0] * 3)
    moved = floor.model_copy(update={"replicate": 1})
    assert [row.floor_share for row in summarized(record, moved).timing_rows] == [None, None]
    assert [row.floor_share for row in summarized(record).timing_rows] == [None]


def test_latencies_are_percentiles_over_all_turns() -> None:
    """1 to 100 ms over ten turns: nearest ranks 50, 90 and 95; batch 512 at the median call."""
    every = [(turn * 10 + call) / 1000 for turn in range(10) for call in range(1, 11)]
    turns = [every[i : i + 10] for i in range(0, 100, 10)]
    (row,) = timings(summarized(made.timing(made.cell("predict", "predict_on_batch"), calls(*turns))), "predict")
    assert (row.p50_s, row.p90_s, row.p95_s, row.calls) == (0.050, 0.090, 0.095, 100)
    assert row.p99_s is None
    assert row.reviews_per_s == pytest.approx(512 / 0.050)


@pytest.mark.parametrize(("number", "p99_s"), [(661, None), (662, 0.656), (1_000, 0.990)])
def test_the_99th_percentile_is_stated_from_662_calls_on(number: int, p99_s: float | None) -> None:
    """MLPerf's early-stopping bound, over all replicates; calls of 1, 2, 3 … ms: rank 0.99 · 662 rounded up is 656."""
    every = [(call + 1) / 1000 for call in range(number)]
    cell = made.cell("predict", "compiled")
    halves = [made.timing(cell, calls(part), replicate=n) for n, part in enumerate((every[:300], every[300:]))]
    (row,) = timings(summarized(*halves), "predict")
    assert (row.calls, row.p99_s) == (number, p99_s)


def test_a_slow_call_of_one_turn_shows_in_the_percentiles() -> None:
    """Ten of eleven calls take 1 ms, the last one 1 s: it is p95, not averaged away."""
    (row,) = timings(summarized(made.timing(made.cell("predict", "predict"), calls([0.001] * 10, [1.0]))), "predict")
    assert (row.p50_s, row.p90_s, row.p95_s) == (0.001, 0.001, 1.0)


def test_vectorization_speed_counts_reviews_and_megabytes() -> None:
    """1,000 reviews of 1.5 MB together in half a second: 2,000 reviews and 3 MB a second."""
    record = made.timing(
        made.cell("vectorize", "encoder"), blocks(*[1.0] * 6, repeats=2), work={"reviews": 1000.0, "megabytes": 1.5}
    )
    (row,) = timings(summarized(record), "vectorize")
    assert (row.reviews_per_s, row.megabytes_per_s) == (2000.0, 3.0)
    assert row.seconds_low == row.seconds_high == row.seconds


@pytest.mark.parametrize("steady", [True, False])
def test_every_row_says_whether_it_was_steady(steady: bool) -> None:
    """A table marks what had not settled when its warm-up ended."""
    work = {"reviews": 1.0, "megabytes": 1.0}
    found = summarized(
        made.timing(made.cell(), fits(0.01), steady=steady),
        made.timing(made.cell("predict", "predict"), calls([0.1]), steady=steady),
        made.timing(made.cell("vectorize", "encoder"), blocks(1.0), steady=steady, work=work),
    )
    assert [row.steady for row in found.timing_rows] == [steady] * 3


def test_rows_stand_in_the_recipes_order_then_batch_path_and_target() -> None:
    """Cells that took turns are neighbours in the table, in whatever order their records arrived."""

    def timed(recipe: str, path: str, size: int, target: str) -> TimingRecord:
        cell = made.cell("predict", path, recipe=recipe, target=target).model_copy(update={"batch_size": size})
        return made.timing(cell, calls([0.1]))

    keys = [
        (recipe, path, size, target)
        for recipe in RECIPES
        for size in (1, 32, 512)
        for path in ("predict", "predict_on_batch", "floor")
        for target in TARGETS
    ]
    found = [row.cell for row in summarized(*(timed(*key) for key in reversed(keys))).timing_rows]
    assert [(cell.recipe, cell.path, cell.batch_size, cell.target) for cell in found] == keys


def whole_dense(target: str, accuracy: float, seed: int = 0) -> Record:
    """Return a training of dense's final phase."""
    return made.training("dense", target, seed=seed, final=made.result(accuracy=accuracy, epoch_s=[1.0] * 4))


def test_a_failed_accuracy_strikes_that_targets_timings_of_that_recipe() -> None:
    """Wrong work is not fast work: its timings are marked, the other target's and the other recipe's are not."""
    timed = [
        made.timing(made.cell(phase, path, recipe=recipe, target=target), samples)
        for recipe in ("dense", "lstm")
        for target in TARGETS
        for phase, path, samples in (("train", "fit", fits(0.01)), ("predict", "predict", calls([0.1])))
    ]
    references = made.references() + made.references(backend="tensorflow")
    found = summarized(whole_dense("jax-cpu", 0.60), whole_dense("tensorflow-cpu", 0.88), *timed, references=references)
    excluded = {(row.recipe, row.target) for row in found.timing_rows if row.excluded}
    assert excluded == {("dense", "jax-cpu")}
    assert [row.excluded for row in timings(found, "train")] == [True, False, False, False]
    assert [row.excluded for row in timings(found, "predict")] == [True, False, False, False]


@pytest.mark.parametrize("references", [made.references(), []], ids=["passed", "unresolved"])
def test_an_accuracy_that_did_not_fail_strikes_nothing(references: list[ReferenceRecord]) -> None:
    """A missing reference is a question about the suite, not a fault of the target."""
    found = summarized(whole_dense("jax-cpu", 0.88), made.timing(made.cell(), fits(0.01)), references=references)
    assert not found.timing_rows[0].excluded


@pytest.mark.parametrize(
    ("curve", "seconds", "epoch"),
    [
        ([0.80, 0.87, 0.89, 0.90], 7.0, 3.0),  # epochs of 1, 2, 4 and 8 s: reached at the third
        ([0.90, 0.10, 0.10, 0.10], 1.0, 1.0),
        ([0.80, 0.81, 0.82, 0.879021], 15.0, 4.0),  # 0.99 * 0.8879: just enough
        ([0.80, 0.81, 0.82, 0.87902], None, None),
    ],
)
def test_time_to_accuracy_is_the_sum_of_epochs_until_the_curve_first_reached_it(
    curve: list[float], seconds: float | None, epoch: float | None
) -> None:
    """Dense's is 99 % of the best published validation accuracy: 0.99 * 0.8879 = 0.879021."""
    result = made.result({"val_accuracy": curve, "accuracy": [1.0] * 4}, epoch_s=[1.0, 2.0, 4.0, 8.0])
    whole = made.result(epoch_s=[1.0] * 4)
    (row,) = summarized(made.training(validation=result, final=whole)).time_to_accuracy
    assert row == TimeToAccuracyRow(
        recipe="dense",
        target="jax-cpu",
        path="fit",
        metric="val_accuracy",
        accuracy=0.99 * 0.8879,
        seconds=seconds,
        seeds=1,
        epochs=4,
        excluded=False,
        reached_epoch=epoch,
    )


def test_of_targets_that_trained_side_by_side_the_time_to_accuracy_is_computed() -> None:
    """Two epochs of 30 steps, each step 0.1 s when timed alone: 6 s, whatever the epochs took beside each other."""
    result = made.result({"val_accuracy": [0.80, 0.89], "accuracy": [1.0] * 2}, epoch_s=[50.0, 70.0])
    whole = made.result(epoch_s=[1.0] * 4)
    trained = made.training(validation=result.model_copy(update={"steps": 30}), final=whole)
    step = made.timing(made.cell("train", "fit"), made.blocks(0.1, 0.1, 0.1))
    (row,) = summarized(trained.model_copy(update={"processors": 1}), step).time_to_accuracy
    assert (row.computed, row.reached_epoch, row.seconds) == (True, 2.0, pytest.approx(6.0))
    (untimed,) = summarized(trained.model_copy(update={"processors": 1})).time_to_accuracy
    assert (untimed.reached_epoch, untimed.seconds) == (2.0, None)


def test_a_failed_accuracy_strikes_the_time_to_it() -> None:
    """A curve that was reached by wrong work was reached by nothing."""
    trained = made.training(
        validation=made.result({"val_accuracy": [0.9]}), final=made.result(accuracy=0.60, epoch_s=[1.0] * 4)
    )
    (row,) = summarized(trained, references=made.references()).time_to_accuracy
    assert row.excluded


def test_each_path_has_its_own_time_to_accuracy() -> None:
    """`fit` reaches in 3 s what the compiled loop reaches in 1 s: two rows, in the order of the paths, never a mean."""
    trained = [
        made.training("lstm", seed=0, path=path, final=made.result({"accuracy": [0.9]}, epoch_s=[second]))
        for path, second in (("compiled loop", 1.0), ("fit", 3.0))
    ]
    assert [(row.path, row.seconds) for row in summarized(*trained).time_to_accuracy] == [
        ("fit", 3.0),
        ("compiled loop", 1.0),
    ]


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


def test_starts_are_one_row_for_each_recipe_and_target() -> None:
    """Four paths of a fresh process; two processes of 1 and 4 s are 2 s, by the middle of their logarithms."""
    seconds = {"import": (1.0, 4.0), "build": (0.5, 0.5), "first step": (2.0, 2.0)}
    records = [
        made.timing(made.cell("startup", path, target=target), blocks(value)[1:], replicate=number)
        for target in TARGETS
        for path, values in seconds.items()
        for number, value in enumerate(values)
    ]
    rows = summarized(*records).startup
    assert [(row.recipe, row.target) for row in rows] == [("dense", target) for target in TARGETS]
    assert (rows[0].import_s, rows[0].build_s, rows[0].first_step_s) == pytest.approx((2.0, 0.5, 2.0))
    assert rows[0].first_prediction_s is None


def test_advice_comes_from_cells_whose_accuracy_held() -> None:
    """Three processes in which the compiled loop is three times as fast; wrong work is never advised."""
    timed = [
        made.timing(made.cell("train", path, target=target), blocks(*[second] * 3), replicate=number)
        for target in TARGETS
        for path, second in (("fit", 3.0), ("compiled loop", 1.0), ("floor", 0.5))
        for number in range(3)
    ]
    references = made.references() + made.references(backend="tensorflow")
    trained = [whole_dense("jax-cpu", 0.60), whole_dense("tensorflow-cpu", 0.88)]
    found = filter(best_path.worthwhile, summarized(*trained, *timed, references=references).best_paths)
    assert [(row.target, row.path, row.speedup) for row in found] == [
        ("tensorflow-cpu", "compiled loop", pytest.approx(3.0))
    ]


def test_what_is_left_out_is_of_the_runs_own_recipes_and_targets() -> None:
    """A smoke run of dense on one backend: what the full profile times of dense there, and smoke does not.

    Worked by hand for JAX: starts 5; training 7 paths less 2; prediction 9 less 2 at each of 3 sizes; vectorization
    9 less 2.
    """
    run = store.Run(Path("made"), made.header(), (made.target("jax-cpu"), made.timing(made.cell(), fits(0.01))))
    left = Summary(run, ()).left_out
    assert len(left) == 5 + 5 + 21 + 7
    assert {(cell.recipe, cell.target) for cell in left} == {("dense", "jax-cpu")}
    assert not any(cell.path in ("floor", "floor from text", "fit jit=on") for cell in left)


@pytest.mark.parametrize("profile", ["full", "another"])
def test_nothing_is_left_out_of_the_full_profile_or_of_an_unknown_one(profile: str) -> None:
    """A run of a profile that is no more has its records, and no plan to hold them against."""
    assert summarized(made.timing(made.cell(), fits(0.01)), profile=profile).left_out == []


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_cell_of_a_plan_has_a_place_in_the_summary(profile: steps.Profile) -> None:
    """Whatever a profile times is in one of the tables, once."""
    targets = [Target("jax"), Target("tensorflow")]
    cells = [c for s in steps.timings(list(RECIPES.values()), targets, profile, 0) for c in steps.step_cells(s)]
    work = {"reviews": 1.0, "megabytes": 1.0}
    found = summarized(
        *(made.timing(c, calls([1.0]) if c.phase == "predict" else blocks(1.0), work=work) for c in cells)
    )
    rows = found.timing_rows
    starts = [second for row in found.startup for second in row.model_dump(exclude={"recipe", "target"}).values()]
    assert {row.cell for row in rows} == {cell for cell in cells if cell.phase != "startup"}
    assert len(rows) + len(starts) == len(cells)
    assert None not in starts
    assert all((row.floor_share is None) is row.is_floor for row in rows)


def test_measurements_are_trainings_timings_and_comparisons() -> None:
    """A greeting and a failure measured nothing: a run of those alone is not usable."""
    assert summarized(made.failure()).measured == 0
    assert (
        summarized(made.failure(), made.training(), made.parity(), made.timing(made.cell(), blocks(1.0))).measured == 3
    )


def test_a_target_is_what_its_first_worker_said() -> None:
    """A worker that was lost is started again and greets again: the versions are the same, the first import counts."""
    found = summarized(made.target("jax-cpu", import_s=9.0))
    assert tuple(found.targets) == TARGETS
    assert found.targets["jax-cpu"].facts.import_s == 2.0


def test_an_empty_run_has_no_rows() -> None:
    """Interrupted before its first step, it still has a summary."""
    found = Summary(store.Run(Path("made"), made.header(), (made.finished(),)), ())
    assert (found.timing_rows, found.time_to_accuracy) == ([], [])
    assert (found.accuracy, found.parity, found.failures, found.verdicts, found.measured) == ([], [], [], [], 0)
    assert (found.startup, found.best_paths, found.left_out) == ([], [], [])


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


def test_each_path_of_training_is_judged_apart() -> None:
    """A path that learns too little fails by itself; averaged with the other, .88 and .84 might pass."""
    whole = [made.training(path=path, final=made.result(epoch_s=[1.0] * 4, accuracy=accuracy))
             for path, accuracy in (("fit", 0.88), ("compiled loop", 0.70))]  # fmt: skip
    found = summarized(*whole, references=made.references())
    decided = {check.path: check.answer for check in found.accuracy if check.decides}
    assert decided == {"fit": "passed", "compiled loop": "failed"}
