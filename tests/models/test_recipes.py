"""Tests of the recipes: every published fact, written out a second time, and how a recipe is found."""

from __future__ import annotations

import pytest

from datasets.encoding import Encoding
from datasets.errors import UsageError
from models import recipes
from models.recipes import DENSE, LSTM, POOLING_DROPOUT, POOLING_LOGITS, RECIPES, Optimizer, Phase, Published, Recipe

each_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)

DENSE_VAL_ACCURACY = (
    ".8690 .8879 .8826 .8820 .8826 .8837 .8744 .8778 .8784 .8716 .8719 .8705 .8720 .8678 .8679 .8639 .8678 .8658 .8656 "
    ".8658"
)
LOGITS_VAL_ACCURACY = ".7750 .8230 .8470 .8612 .8688 .8730 .8732 .8772 .8782 .8792"
LSTM_ACCURACY = ".6281 .7250 .7200 .7919 .8062 .8156 .8247 .8339 .8406 .8502"

# (recipe, phase, metric, epoch, value): each single figure and each value of each curve that a source prints.
PUBLISHED: list[tuple[Recipe, str, str, int | None, float]] = [
    *((DENSE, "validation", "val_accuracy", e, float(v)) for e, v in enumerate(DENSE_VAL_ACCURACY.split(), start=1)),
    (DENSE, "validation", "val_loss", 5, 0.2918),
    (DENSE, "validation", "val_loss", 20, 0.7014),
    (DENSE, "final", "test_accuracy", None, 0.8787),
    (DENSE, "final", "test_loss", None, 0.3110),
    (POOLING_DROPOUT, "final", "loss", 50, 0.2869),
    (POOLING_DROPOUT, "final", "accuracy", 50, 0.9193),
    (POOLING_DROPOUT, "final", "val_loss", 50, 0.3204),
    (POOLING_DROPOUT, "final", "val_accuracy", 50, 0.8899),
    (POOLING_DROPOUT, "final", "best_val_accuracy", None, 0.8909),
    (POOLING_DROPOUT, "final", "test_accuracy", None, 0.88228),
    *((POOLING_LOGITS, "final", "val_accuracy", e, float(v)) for e, v in enumerate(LOGITS_VAL_ACCURACY.split(), 1)),
    (POOLING_LOGITS, "final", "test_accuracy", None, 0.8741),
    (POOLING_LOGITS, "final", "test_loss", None, 0.3099),
    *((LSTM, "final", "accuracy", e, float(v)) for e, v in enumerate(LSTM_ACCURACY.split(), start=1)),
    (LSTM, "final", "loss", 10, 0.3365),
]


def words(value: object) -> str | None:
    """Return a recipe's name, for the names of tests."""
    return value.name if isinstance(value, Recipe) else None


def test_there_are_four_recipes_under_their_own_names() -> None:
    """Two of the five sources publish the same model: dense."""
    assert list(RECIPES) == ["dense", "pooling-dropout", "pooling-logits", "lstm"]
    assert all(recipe.name == name for name, recipe in RECIPES.items())


@pytest.mark.parametrize(("recipe", "phase", "metric", "epoch", "value"), PUBLISHED, ids=words)
def test_each_published_value_is_the_sources(
    recipe: Recipe, phase: str, metric: str, epoch: int | None, value: float
) -> None:
    """A slip of one digit would let a wrong backend pass, or fail a right one."""
    figures = [p for p in recipe.published if (p.phase, p.metric) == (phase, metric)]
    found = [p.values[0] if epoch is None else p.at(epoch) for p in figures]
    assert [v for v in found if v is not None] == [value]


@each_recipe
def test_no_value_is_published_that_the_source_does_not_state(recipe: Recipe) -> None:
    """As many values as the source prints, and no more."""
    assert sum(len(p.values) for p in recipe.published) == sum(entry[0] is recipe for entry in PUBLISHED)


@pytest.mark.parametrize(
    ("recipe", "phases"),
    [
        (DENSE, (Phase("validation", 20, 512, held_out=10_000, held_out_end="first"), Phase("final", 4, 512))),
        (POOLING_DROPOUT, (Phase("final", 50, 512, held_out=7_500, held_out_end="last", restore_best=True),)),
        (POOLING_LOGITS, (Phase("final", 10, 32, held_out=5_000),)),
        (LSTM, (Phase("final", 10, 32),)),
    ],
    ids=words,
)
def test_the_schedule_is_the_sources(recipe: Recipe, phases: tuple[Phase, ...]) -> None:
    """Epochs, batch size, what is held out and from which end, and whether the best checkpoint is restored."""
    assert recipe.phases == phases


@pytest.mark.parametrize(
    ("recipe", "reviews", "steps"),
    [(DENSE, 25_000, 49), (POOLING_DROPOUT, 17_500, 35), (POOLING_LOGITS, 20_000, 625), (LSTM, 25_000, 782)],
    ids=words,
)
def test_an_epoch_has_the_steps_of_the_sources_progress_bar(recipe: Recipe, reviews: int, steps: int) -> None:
    """17,500 of 25,000 reviews train at 30 % held out, 20,000 at 5,000; 625 steps are printed for pooling-logits."""
    final = recipe.phase("final")
    assert 25_000 - final.held_out == reviews
    assert -(-reviews // final.batch_size) == steps


@pytest.mark.parametrize(
    ("recipe", "encoding"),
    [
        (DENSE, Encoding("keras_ids", 10_000, "multi_hot")),
        (POOLING_DROPOUT, Encoding("keras_ids", 10_000, "padded", 256, keep="last")),
        (POOLING_LOGITS, Encoding("text", 10_000, "padded", 250, keep="first")),
        (LSTM, Encoding("text", 1_000, "padded", 100, keep="first")),
    ],
    ids=words,
)
def test_the_data_is_encoded_as_in_the_source(recipe: Recipe, encoding: Encoding) -> None:
    """`pad_sequences` keeps the last ids of a long review by default, `TextVectorization` the first."""
    assert recipe.encoding == encoding


@pytest.mark.parametrize(
    ("recipe", "embedding", "lstm", "hidden", "dropouts", "l2", "logits"),
    [
        (DENSE, 0, 0, (16, 16), (), 0.0, False),
        (POOLING_DROPOUT, 16, 0, (16,), (0.5, 0.5, 0.5), 0.001, False),
        (POOLING_LOGITS, 16, 0, (), (0.2, 0.2), 0.0, True),
        (LSTM, 128, 64, (64,), (), 0.0, False),
    ],
    ids=words,
)
def test_the_model_has_the_sources_layers(
    recipe: Recipe,
    embedding: int,
    lstm: int,
    hidden: tuple[int, ...],
    dropouts: tuple[float, ...],
    l2: float,
    logits: bool,
) -> None:
    """Units, rates, penalty, and whether the last layer has an activation."""
    assert (recipe.embedding_units, recipe.lstm_units, recipe.hidden_units) == (embedding, lstm, hidden)
    assert (recipe.dropouts, recipe.l2, recipe.logits) == (dropouts, l2, logits)


@pytest.mark.parametrize(
    ("recipe", "name"),
    [(DENSE, "rmsprop"), (POOLING_DROPOUT, "adam"), (POOLING_LOGITS, "adam"), (LSTM, "adam")],
    ids=words,
)
def test_the_optimizer_is_the_sources_at_its_default_rate(recipe: Recipe, name: str) -> None:
    """No source changes Keras's learning rate, 0.001."""
    assert recipe.optimizer == Optimizer(name, 0.001)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recipe", "metric", "value"),
    [
        (DENSE, "test_accuracy", 0.8787),
        (POOLING_DROPOUT, "test_accuracy", 0.88228),
        (POOLING_LOGITS, "test_accuracy", 0.8741),
        (LSTM, "accuracy", 0.8502),
    ],
    ids=words,
)
def test_one_figure_decides_a_recipe(recipe: Recipe, metric: str, value: float) -> None:
    """The test accuracy, or for the tutorial that states none, its last running training accuracy."""
    (figure,) = [p for p in recipe.published if p.decides]
    assert (figure.phase, figure.metric, figure.values[-1]) == ("final", metric, value)


@pytest.mark.parametrize(
    ("recipe", "metric", "best"),
    [(DENSE, "val_accuracy", 0.8879), (POOLING_LOGITS, "val_accuracy", 0.8792), (LSTM, "accuracy", 0.8502)],
    ids=words,
)
def test_time_to_accuracy_is_read_at_99_percent_of_the_best_value_of_the_curve(
    recipe: Recipe, metric: str, best: float
) -> None:
    """MLPerf's usual fraction; dense's best is its second epoch, not its last."""
    assert recipe.target_metric == metric
    assert recipe.target_accuracy == pytest.approx(0.99 * best)


@each_recipe
def test_every_recipe_names_its_source_and_what_it_leaves_out(recipe: Recipe) -> None:
    """Only dense's sources state everything; each choice of ours stands beside its recipe, in words."""
    assert recipe.source
    assert bool(recipe.assumptions) is (recipe is not DENSE)


@each_recipe
def test_all_phases_of_a_recipe_have_one_batch_size(recipe: Recipe) -> None:
    """`Recipe.batch_size` speaks for all of them."""
    assert {phase.batch_size for phase in recipe.phases} == {recipe.batch_size}


@each_recipe
def test_every_published_figure_belongs_to_a_phase_and_to_one_of_its_epochs(recipe: Recipe) -> None:
    """A curve has a value for each epoch of its phase; a single figure of a curve says which epoch's it is."""
    for figure in recipe.published:
        phase = recipe.phase(figure.phase)
        if len(figure.values) > 1:
            assert (len(figure.values), figure.epoch) == (phase.epochs, None)
        elif not figure.metric.startswith(("test_", "best_")):
            assert figure.epoch is not None
            assert 1 <= figure.epoch <= phase.epochs


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Published("final", "loss", (0.1, 0.2, 0.3)), [None, 0.1, 0.2, 0.3, None]),
        (Published("final", "loss", (0.2,), epoch=2), [None, None, 0.2, None, None]),
        (Published("final", "test_loss", (0.2,)), [0.2] * 5),
    ],
    ids=["curve", "one epoch", "after the phase"],
)
def test_a_figure_is_told_for_its_epoch_alone(figure: Published, expected: list[float | None]) -> None:
    """Epochs 0 to 4: a curve has 1 to 3, a single value its own epoch, and a test figure belongs to the phase."""
    assert [figure.at(epoch) for epoch in range(5)] == expected


@pytest.mark.parametrize(("name", "held_out"), [("validation", 10_000), ("final", 0)])
def test_a_phase_is_found_by_its_name(name: str, held_out: int) -> None:
    """Dense has two."""
    assert DENSE.phase(name).held_out == held_out


def test_a_phase_that_a_recipe_lacks_is_a_key_error() -> None:
    """Only dense validates in a phase of its own."""
    with pytest.raises(KeyError, match="validation"):
        LSTM.phase("validation")


@each_recipe
def test_a_recipe_is_found_by_its_name(recipe: Recipe) -> None:
    """And it is the same object: recipes are compared and grouped by identity of their data."""
    assert recipes.find(recipe.name) is recipe


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("dens", "dense"),
        ("Dense", "dense"),
        ("pooling-droput", "pooling-dropout"),
        ("pooling_logits", "pooling-logits"),
        ("lstm2", "lstm"),
    ],
)
def test_a_misspelt_recipe_is_told_the_nearest(name: str, nearest: str) -> None:
    """An error says what came, what was probably meant, and what there is."""
    with pytest.raises(UsageError) as caught:
        recipes.find(name)
    (message,) = caught.value.args
    known = "dense, pooling-dropout, pooling-logits, lstm"
    assert message == f"unknown recipe {name!r}: did you mean {nearest!r}? known are {known}"


@pytest.mark.parametrize("name", ["", "bert-xxl-zzz", "123"])
def test_a_recipe_like_no_other_gets_no_guess(name: str) -> None:
    """A far-fetched guess misleads."""
    with pytest.raises(UsageError) as caught:
        recipes.find(name)
    assert caught.value.args[0].startswith(f"unknown recipe {name!r}: known are dense")
