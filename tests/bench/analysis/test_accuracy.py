"""Tests of the checks: every answer to every rule, with bands that are worked by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest

from bench.analysis import accuracy
from bench.analysis.accuracy import Figure
from bench.analysis.rows import AccuracyRow
from bench.plan.steps import PROFILES, epochs
from bench.records import identity
from bench.records.schema import PhaseResult, ReferenceRecord
from models.recipes import RECIPES, Published, Recipe
from tests.bench import made

DENSE, LSTM = RECIPES["dense"], RECIPES["lstm"]

# Twenty reference seeds at 0.88 ± 0.005: s = 0.005 * sqrt(20 / 19), and Student's t for 19 degrees of freedom is 3.8834
# at two-sided 99.9 %, so one run of a correct backend lies within 3.8834 * s * sqrt(1 + 1/20) = 0.020414 of the mean.
WIDTH = 3.883406 * 0.005 * math.sqrt(20 / 19) * math.sqrt(1 + 1 / 20)


def whole(recipe: Recipe) -> dict[str, int]:
    """Return the published schedule."""
    return {phase.name: phase.epochs for phase in recipe.phases}


def checked(
    *measured: float,
    corpus: str = "imdb",
    references: Sequence[ReferenceRecord] = tuple(made.references()),
    backend: str = "jax",
) -> AccuracyRow:
    """Return the deciding check of dense's test accuracy (published: 0.8787), one measured value a seed."""
    trained = [made.training(seed=s, final=made.result(accuracy=value)) for s, value in enumerate(measured)]
    found = accuracy.accuracy(
        DENSE, "jax-cpu", backend, trained=trained, epochs={"final": 4}, corpus=corpus, references=references
    )
    (decisive,) = [row for row in found if row.decides]
    return decisive


def cut_short(
    recipe: Recipe, result: PhaseResult, epoch: int, references: Sequence[ReferenceRecord] = (), corpus: str = "imdb"
) -> list[AccuracyRow]:
    """Return the checks of a final phase that was cut short after ``epoch``."""
    trained = [made.training(recipe.name, final=result)]
    return accuracy.accuracy(
        recipe, "jax-cpu", "jax", trained=trained, epochs={"final": epoch}, corpus=corpus, references=references
    )


def test_the_band_reaches_from_the_published_figure_to_the_reference_and_a_width_further() -> None:
    """Published 0.8787 lies below the reference's mean 0.88: the band is 0.8787 - 0.0204 to 0.88 + 0.0204."""
    row = checked(0.88)
    assert pytest.approx(0.020414, abs=1e-6) == WIDTH
    assert row.band == pytest.approx((0.8787 - WIDTH, 0.88 + WIDTH), abs=1e-6)
    assert row.expected == pytest.approx(0.88)


def test_a_reference_below_the_published_figure_widens_the_band_downwards() -> None:
    """Today's Keras may do a little worse than the source's release: that is not this backend's fault."""
    row = checked(0.86, references=made.references(mean=0.86))
    assert row.band == pytest.approx((0.86 - WIDTH, 0.8787 + WIDTH), abs=1e-6)
    assert row.answer == "passed"


def test_more_seeds_narrow_the_band() -> None:
    """The mean of five scatters less: sqrt(1/5 + 1/20) instead of sqrt(1 + 1/20)."""
    row = checked(*[0.88] * 5)
    width = WIDTH * math.sqrt(1 / 5 + 1 / 20) / math.sqrt(1 + 1 / 20)
    assert row.band == pytest.approx((0.8787 - width, 0.88 + width), abs=1e-6)
    assert row.seeds == 5


@pytest.mark.parametrize(
    ("measured", "answer", "reason"),
    [
        (0.5000, "failed", "0.5000 is below 0.8583: the published figure is not reached"),
        (0.8582, "failed", "0.8582 is below 0.8583: the published figure is not reached"),
        (0.8584, "passed", "within the band"),
        (0.8787, "passed", "within the band"),
        (0.9003, "passed", "within the band"),
        (0.9005, "failed", "0.9005 is above 0.9004: suspiciously good, look for a data leak"),
        (0.9999, "failed", "0.9999 is above 0.9004: suspiciously good, look for a data leak"),
    ],
)
def test_an_accuracy_passes_within_its_band_and_fails_on_either_side(measured: float, answer: str, reason: str) -> None:
    """Too low is a wrong computation, too high a leak of the labels: both fail, each with its words."""
    row = checked(measured)
    assert (row.answer, row.reason) == (answer, reason)


@pytest.mark.parametrize("measured", [0.5, 0.88, 0.99])
def test_without_reference_seeds_nothing_is_decided(measured: float) -> None:
    """A published figure alone has no scatter: the answer is "unresolved" and says what would settle it."""
    row = checked(measured, references=())
    assert (row.answer, row.band, row.expected) == ("unresolved", None, None)
    assert "run `bench reference`" in row.reason


def test_another_backends_seeds_are_no_reference() -> None:
    """Backends scatter differently."""
    assert checked(0.88, backend="tensorflow").answer == "unresolved"


def test_two_reference_seeds_decide_nothing() -> None:
    """Their band would be 637 deviations wide, a check that nothing fails: three are the least that decide."""
    assert checked(0.88, references=made.references()[:2]).answer == "unresolved"
    assert checked(0.88, references=made.references()[:3]).answer == "passed"


def test_over_seeds_the_best_and_the_worst_are_dropped() -> None:
    """One unlucky seed of five does not fail a backend; the mean of the middle three is checked."""
    row = checked(0.5, 0.87, 0.88, 0.89, 0.99)
    assert row.measured == pytest.approx(0.88)
    assert (row.answer, row.seeds) == ("passed", 5)


def test_synthetic_reviews_are_held_against_their_own_reference_alone() -> None:
    """No published value is about made-up reviews: not in the band, and not in the difference."""
    references = made.references(mean=0.70)
    row = checked(0.71, corpus="synthetic", references=references)
    assert (row.published, row.answer) == (None, "passed")
    assert row.band == pytest.approx((0.70 - WIDTH, 0.70 + WIDTH), abs=1e-6)
    assert row.difference == pytest.approx(0.01)
    assert checked(0.8787, corpus="synthetic", references=references).answer == "failed"


@pytest.mark.parametrize("references", [made.references(), []], ids=["reference", "none"])
def test_the_difference_is_to_the_published_figure(references: list[ReferenceRecord]) -> None:
    """0.8800 measured, 0.8787 published, whatever the reference seeds gave."""
    assert checked(0.88, references=references).difference == pytest.approx(0.0013)


def test_without_any_figure_there_is_no_difference() -> None:
    """Synthetic reviews without a reference: nothing to subtract from."""
    assert checked(0.88, corpus="synthetic", references=()).difference is None


@pytest.mark.parametrize("loss", [0.0, 0.3110, 9.9])
def test_a_figure_that_does_not_decide_passes_and_says_so(loss: float) -> None:
    """The loss is shown beside the accuracy; neither it nor the validation curve fails a run."""
    found = accuracy.accuracy(
        DENSE,
        "jax-cpu",
        "jax",
        trained=[made.training(final=made.result(accuracy=0.88, loss=loss))],
        epochs={"final": 4},
        corpus="imdb",
        references=made.references(),
    )
    shown = {row.figure: row for row in found}["test loss"]
    assert (shown.answer, shown.decides) == ("passed", False)
    assert shown.reason == "shown for comparison, not decisive"
    assert (shown.published, shown.measured) == (0.3110, loss)


def test_a_verdict_says_what_was_seen_and_the_limit() -> None:
    """Rule, recipe, target, value, limit, answer and reason: enough to act on without the table."""
    verdict = accuracy.verdict(checked(0.99))
    assert (verdict.rule, verdict.recipe, verdict.target) == ("accuracy", "dense", "jax-cpu")
    assert (verdict.seen, verdict.limit, verdict.answer) == ("0.9900", "0.8583 to 0.9004", "failed")
    assert accuracy.verdict(checked(0.88, references=())).limit == "none"


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_whole_schedule_is_held_against_every_published_figure(recipe: Recipe) -> None:
    """All of them, in the source's order; at most one decides a phase, and one decides the recipe."""
    found = accuracy.figures(recipe, whole(recipe), corpus="imdb")
    assert [(f.phase, f.metric, f.published) for f, _ in found] == [
        (p.phase, p.metric, p.values[-1]) for p in recipe.published
    ]
    assert [f.phase for f, decides in found if decides] == ["final"]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_synthetic_reviews_have_the_same_figures_without_values(recipe: Recipe) -> None:
    """The figures do not change with the corpus; the published values do."""
    real = accuracy.figures(recipe, whole(recipe), corpus="imdb")
    made_up = accuracy.figures(recipe, whole(recipe), corpus="synthetic")
    assert [(f.name, decides) for f, decides in made_up] == [(f.name, decides) for f, decides in real]
    assert {f.published for f, _ in made_up} == {None}


CURVES = [
    (recipe, published, epoch)
    for recipe in RECIPES.values()
    for published in recipe.published
    if len(published.values) > 1
    for epoch in range(1, len(published.values))
]


@pytest.mark.parametrize(("recipe", "published", "epoch"), CURVES, ids=lambda v: getattr(v, "name", None))
def test_a_phase_that_was_cut_short_is_held_against_its_curve_there(
    recipe: Recipe, published: Published, epoch: int
) -> None:
    """After e epochs the e-th value of the source's curve decides, and no figure of the whole schedule is looked at."""
    found = accuracy.figures(recipe, {published.phase: epoch}, corpus="imdb")
    assert found == [(Figure(published.phase, published.metric, epoch, published.values[epoch - 1]), True)]


@pytest.mark.parametrize("epoch", [1, 3, 49])
def test_a_cut_short_phase_without_a_published_curve_is_held_against_the_reference(epoch: int) -> None:
    """The article about pooling-dropout prints its last epoch alone: before it, only the reference seeds can tell."""
    recipe = RECIPES["pooling-dropout"]
    assert accuracy.figures(recipe, {"final": epoch}, corpus="imdb") == [
        (Figure("final", "val_accuracy", epoch, None), True)
    ]


@pytest.mark.parametrize(("measured", "answer"), [(0.70, "failed"), (0.7199, "passed"), (0.80, "failed")])
def test_a_cut_short_lstm_is_checked_by_its_training_accuracy_at_that_epoch(measured: float, answer: str) -> None:
    """The tutorial prints 0.7250 for epoch 2; ten reference seeds at 0.73 and ten at 0.74 ran all ten epochs.

    0.7250 - 0.0204 = 0.7046 and 0.735 + 0.0204 = 0.7554: the last epoch's value does not enter.
    """
    seeds = [
        made.reference(s, recipe="lstm", final=made.result({"accuracy": [0.6, 0.73 + s % 2 / 100, *[0.85] * 8]}))
        for s in range(20)
    ]
    (row,) = cut_short(LSTM, made.result({"accuracy": [0.6, measured]}), 2, seeds)
    assert row.figure == "training accuracy, epoch 2"
    assert row.published == 0.7250
    assert row.band == pytest.approx((0.7250 - WIDTH, 0.735 + WIDTH), abs=1e-6)
    assert row.answer == answer


def test_a_cut_short_phase_of_synthetic_reviews_has_no_published_value() -> None:
    """Not even where the source prints the whole curve."""
    (row,) = cut_short(LSTM, made.result({"accuracy": [0.6, 0.7]}), 2, corpus="synthetic")
    assert (row.published, row.answer) == (None, "unresolved")


def test_a_phase_that_was_left_out_is_not_checked() -> None:
    """The smoke profile trains no validation phase of dense: its curve is not checked."""
    found = accuracy.figures(DENSE, {"final": 4}, corpus="imdb")
    assert {figure.phase for figure, _ in found} == {"final"}


@pytest.mark.parametrize(
    ("metric", "epoch", "expected"),
    [
        ("test_accuracy", None, "test accuracy"),
        ("test_loss", None, "test loss"),
        ("best_val_accuracy", None, "best validation accuracy"),
        ("val_accuracy", 5, "validation accuracy, epoch 5"),
        ("val_loss", 20, "validation loss, epoch 20"),
        ("accuracy", 10, "training accuracy, epoch 10"),
        ("loss", 50, "training loss, epoch 50"),
    ],
)
def test_a_figure_is_named_in_words(metric: str, epoch: int | None, expected: str) -> None:
    """A running training figure is never mistaken for a test's."""
    assert Figure("final", metric, epoch, None).name == expected


@pytest.mark.parametrize(
    ("predictions", "losses", "answer"),
    [
        (0.0, [0.0], "passed"),
        (2e-7, [2e-7, 1e-7], "passed"),
        (1e-5, [1e-5], "passed"),
        (1.01e-5, [0.0], "failed"),
        (0.0, [1e-7, 1.01e-5, 1e-7], "failed"),
        (1e-4, [1e-4], "failed"),
        (math.inf, [0.0], "failed"),
        (math.nan, [0.0], "failed"),
    ],
)
def test_parity_fails_beyond_its_tolerance(predictions: float, losses: list[float], answer: str) -> None:
    """Summation order explains 2e-7; 1e-5 is still allowed, the worst step decides, and no number never passes."""
    assert accuracy.parity(made.parity(predictions=predictions, losses=losses)).answer == answer


def test_a_parity_verdict_names_both_targets_and_what_was_compared() -> None:
    """The reader sees what "equal" means: how many predictions and losses, and how far apart they may lie."""
    held, broken = (accuracy.parity(made.parity(predictions=p, losses=[0.0, 3e-7])) for p in (1e-7, 1e-3))
    assert (held.rule, held.recipe, held.target) == ("parity", "dense", "jax-cpu = tensorflow-cpu")
    assert (held.seen, held.limit) == ("predictions 1.0e-07, losses 3.0e-07", "1e-05, 1e-05")
    assert held.reason == "1000 predictions and the first 2 losses from equal weights"
    assert broken.reason == held.reason + " differ by more than summation order explains"


def test_each_piece_of_work_without_an_answer_is_a_failing_verdict() -> None:
    """What was not measured is never an empty cell; what was, is no business of this rule."""
    run = made.run(made.failure("parity"), made.training(), made.failure("train fit 32", recipe="lstm"))
    found = accuracy.completeness(run)
    assert [(v.rule, v.recipe, v.target, v.seen, v.limit, v.answer) for v in found] == [
        ("completeness", "dense", "tensorflow-cpu", "nothing", "parity", "failed"),
        ("completeness", "lstm", "tensorflow-cpu", "nothing", "train fit 32", "failed"),
    ]
    assert {v.reason for v in found} == {"it was killed (log: logs/tensorflow-cpu.log)"}


def test_complete_work_has_no_verdict_of_completeness() -> None:
    """Each measurement has its own rule."""
    assert accuracy.completeness(made.run(made.training(), made.parity())) == []


def test_what_was_planned_and_not_measured_is_a_failing_verdict() -> None:
    """An interrupted run with nothing but good cells is no whole run, though no piece of it failed."""
    cells = [made.cell(), made.cell(path="floor")]
    plan = made.plan(*(identity.timing(cell, 0) for cell in cells))
    timings = [made.timing(cell, made.blocks(0.1)) for cell in cells]
    assert accuracy.completeness(made.run(plan, *timings)) == []
    (verdict,) = accuracy.completeness(made.run(plan, timings[0]))
    assert verdict.answer == "failed"
    lost = "its records lack 1 piece of work, first dense train floor 512 jax-cpu, process 0"
    assert verdict.reason == f"unfinished: {lost}; --resume 20260731T120000Z-smoke measures what is missing"


def test_a_failure_whose_work_was_measured_later_fails_nothing() -> None:
    """`--resume` measures it again: the run is as whole as one in which nothing failed."""
    lost = made.cell()
    failure = made.failure(target="jax-cpu").model_copy(update={"lost": [identity.timing(lost, 0)]})
    again = made.timing(lost, made.blocks(0.1), attempt=1)
    assert len(accuracy.completeness(made.run(failure))) == 1
    assert accuracy.completeness(made.run(failure, made.resumed(), again)) == []


def test_a_run_that_did_not_come_to_its_end_is_unfinished() -> None:
    """Cut off after its last record, or still being measured."""
    whole = made.run(made.training())
    for cut in (whole.records[:-1], (*whole.records, made.resumed())):
        (verdict,) = accuracy.completeness(replace(whole, records=cut))
        assert verdict.reason.startswith("unfinished")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_profile_decides_about_every_recipe(recipe: Recipe, profile: object) -> None:
    """However short a profile is, each recipe it times has a figure that its accuracy hangs on."""
    trained = epochs(recipe, profile)  # type: ignore[arg-type]
    assert any(decides for _, decides in accuracy.figures(recipe, trained, corpus="imdb"))


@pytest.mark.parametrize(("difference", "answer"), [(0.0, "passed"), (1e-5, "passed"), (1.1e-5, "failed")])
def test_a_model_served_elsewhere_gives_the_scores_of_its_trainer(difference: float, answer: str) -> None:
    """The tolerance is parity's; the verdict says who trained and who served."""
    verdict = accuracy.serving(made.serving("openvino", difference=difference))
    assert (verdict.rule, verdict.answer) == ("serving", answer)
    assert verdict.target == "jax-cpu served on openvino"


def test_scores_that_are_no_numbers_fail() -> None:
    """NaN is not within any tolerance."""
    assert accuracy.serving(made.serving(difference=math.nan)).answer == "failed"


@pytest.mark.parametrize(
    ("parts", "losses", "answer", "words"),
    [
        ("", (0.0, 1e-4), "failed", "differ by more than summation order explains"),
        ("embedding", (0.0, 1e-4), "passed", "TensorFlow updates Keras's Embedding otherwise"),
        ("embedding", (1e-4, 1e-4), "failed", "differ by more"),
        ("embedding", (0.0, math.nan), "failed", "differ by more"),
        ("random", (1e-1, 1e-1), "passed", "a layer draws random numbers"),
        ("random", (0.0, 0.0), "passed", "from equal weights$"),
    ],
)
def test_losses_are_judged_as_far_as_correct_backends_agree(
    parts: str, losses: tuple[float, ...], answer: str, words: str
) -> None:
    """Before the first update Keras's own embedding is the same everywhere; predictions draw nothing at all."""
    record = made.parity(losses=losses).model_copy(update={"parts": parts})
    assert accuracy.parity(record).answer == answer
    assert re.search(words, accuracy.parity(record).reason)
    apart = record.model_copy(update={"prediction_difference": 1e-3})
    assert accuracy.parity(apart).answer == "failed"


def own(
    metric: str, *measured: float, direction: Literal["max", "min"], expected: float | None = None
) -> list[AccuracyRow]:
    """Return the figures of a user's recipe, one measured value a seed; a tolerance of 0.02 where one is expected."""
    tolerance = None if expected is None else 0.02
    recipe = Recipe.own("mine", metric=metric, direction=direction, expected=expected, tolerance=tolerance)
    results = [PhaseResult(curves={}, epoch_s=[1.0], test={metric: value}) for value in measured]
    trained = [made.training("mine", seed=seed, final=result) for seed, result in enumerate(results)]
    return accuracy.accuracy(
        recipe, "jax-cpu", "jax", trained=trained, epochs={"final": 1}, corpus="synthetic", references=()
    )


@pytest.mark.parametrize(
    ("direction", "measured", "answer", "low", "high"),
    [
        ("max", 0.48, "passed", 0.48, None),
        ("max", 0.4799, "failed", 0.48, None),
        ("max", 0.99, "passed", 0.48, None),
        ("min", 0.52, "passed", None, 0.52),
        ("min", 0.5201, "failed", None, 0.52),
        ("min", 0.01, "passed", None, 0.52),
    ],
)
def test_a_users_tolerance_says_how_much_worse_passes(
    direction: Literal["max", "min"], measured: float, answer: str, low: float | None, high: float | None
) -> None:
    """A better figure than expected is no failure: users improve their models."""
    (row,) = own("mae", measured, direction=direction, expected=0.5)
    assert (row.answer, row.figure, row.decides) == (answer, "test mae", True)
    assert (row.low, row.high) == (pytest.approx(low) if low else None, pytest.approx(high) if high else None)
    assert accuracy.verdict(row).limit == (f"from {low:.4f}" if low else f"to {high:.4f}")


def test_without_an_expected_value_the_users_metric_is_shown() -> None:
    """It decides nothing until `reference` has measured what passes."""
    (row,) = own("mae", 0.3, 0.5, direction="min")
    assert (row.measured, row.decides, row.answer) == (pytest.approx(0.4), False, "passed")


@pytest.mark.parametrize(
    ("measured", "why"), [(0.9, "the published figure is not reached"), (0.1, "suspiciously good")]
)
def test_a_loss_that_should_fall_fails_above_its_band(measured: float, why: str) -> None:
    """References bound both sides: a loss far below them is as suspicious as an accuracy far above."""
    recipe = Recipe.own("mine", metric="loss", direction="min")
    seeds = [made.reference(s, final=made.result(loss=0.5 + s / 1_000), recipe="mine") for s in range(5)]
    trained = [made.training("mine", final=made.result(loss=measured))]
    (row,) = accuracy.accuracy(
        recipe, "jax-cpu", "jax", trained=trained, epochs={"final": 1}, corpus="own", references=seeds
    )
    assert row.answer == "failed"
    assert why in row.reason
