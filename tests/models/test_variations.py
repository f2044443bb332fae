"""Tests of the variations: what a changed setting changes, what it leaves alone, and how a wrong one is refused."""

from __future__ import annotations

import pytest

from datasets.errors import UsageError
from models import variations
from models.recipes import DENSE, LSTM, POOLING_DROPOUT, POOLING_LOGITS, RECIPES, Recipe
from models.variations import PROPOSED, SETTINGS, derive, find, grid

# A word for each setting that every recipe which has it can take.
WORDS = {
    "optimizer": "sgd", "learning_rate": "0.5", "units": "7", "hidden_layers": "3", "embedding": "keras",
    "embedding_units": "5",
    "lstm_units": "9", "lstm_layers": "2", "lstm_dropout": "0.3", "recurrent_dropout": "0.2", "dropout": "0.1",
    "l2": "0.25", "vocabulary_size": "500", "sequence_length": "40", "skip_top": "20", "batch_size": "64",
    "epochs": "2", "held_out": "4000", "restore_best": "yes", "precision": "mixed_bfloat16",
}  # fmt: skip
APPLYING = [(recipe, name) for recipe in RECIPES.values() for name, one in SETTINGS.items() if one.applies(recipe)]


@pytest.mark.parametrize(("recipe", "name"), APPLYING, ids=lambda value: getattr(value, "name", value))
def test_a_derived_recipe_is_found_again_by_its_name(recipe: Recipe, name: str) -> None:
    """A worker hears the name alone, and must derive the same recipe from it."""
    derived = derive(recipe, {name: WORDS[name]})
    assert derived.name == f"{recipe.name} {name}={WORDS[name]}"
    assert find(derived.name) == derived


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_nothing_is_published_of_a_variation(recipe: Recipe) -> None:
    """A changed model is not held against figures of another one, nor does it claim what the source scored."""
    derived = derive(recipe, {"epochs": "2"})
    assert (derived.published, derived.parameters, derived.sentences) == ((), 0, False)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_a_recipe_by_its_own_name_is_the_published_one(recipe: Recipe) -> None:
    """No settings, no variation."""
    assert find(recipe.name) is recipe


@pytest.mark.parametrize("name", PROPOSED)
def test_what_the_sources_propose_has_a_short_name(name: str) -> None:
    """The short name and what it stands for are one recipe, and settings may follow either."""
    assert find(name) == find(PROPOSED[name])
    assert find(f"{name} epochs=1") == find(f"{PROPOSED[name]} epochs=1")


def test_the_proposed_lstms_are_those_of_the_source() -> None:
    """Two stacked LSTM(64); or dropouts of a quarter, then Dense 64 and Dropout one half."""
    stacked, dropping = find("lstm-stacked"), find("lstm-dropout")
    assert (stacked.lstm_layers, stacked.lstm_units) == (2, 64)
    assert (dropping.lstm_dropout, dropping.recurrent_dropout) == (0.25, 0.25)
    assert (dropping.hidden_units, dropping.dropouts) == ((64,), (0.5,))


def test_settings_change_what_they_name() -> None:
    """Worked by hand, one of each kind."""
    assert derive(DENSE, {"units": "32"}).hidden_units == (32, 32)
    assert derive(DENSE, {"hidden_layers": "3"}).hidden_units == (16, 16, 16)
    assert derive(DENSE, {"dropout": "0.5"}).dropouts == (0.5, 0.5)
    assert derive(POOLING_DROPOUT, {"hidden_layers": "2"}).dropouts == (0.5, 0.5, 0.5, 0.5)
    assert derive(POOLING_DROPOUT, {"dropout": "0", "l2": "0"}).dropouts == (0.0, 0.0, 0.0)
    assert derive(POOLING_LOGITS, {"sequence_length": "40"}).encoding.sequence_length == 40
    assert derive(LSTM, {"embedding": "keras"}).embedding == "keras"
    assert derive(DENSE, {"skip_top": "20"}).encoding.skip_top == 20
    assert [phase.epochs for phase in derive(DENSE, {"epochs": "2"}).phases] == [2, 2]
    sgd = derive(DENSE, {"optimizer": "sgd"}).optimizer
    assert (sgd.learning_rate, sgd.momentum) == (0.01, 0.9)
    assert derive(DENSE, {"optimizer": "sgd", "learning_rate": "0.1"}).optimizer.momentum == 0.9


def test_a_grid_has_every_combination() -> None:
    """The last setting changes fastest, so that neighbours in a table differ in one word."""
    names = [recipe.name for recipe in grid(DENSE, {"optimizer": ["rmsprop", "adam"], "units": ["16", "32"]})]
    assert names == [
        "dense optimizer=rmsprop units=16",
        "dense optimizer=rmsprop units=32",
        "dense optimizer=adam units=16",
        "dense optimizer=adam units=32",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dense lstm_units=3", "unknown setting of dense 'lstm_units'"),
        ("dense optimiser=adam", "did you mean 'optimizer'?"),
        ("dense optimizer=nadam", "optimizer: expected one of rmsprop, adam"),
        ("lstm embedding=stock", "embedding: expected summed or keras; received 'stock'"),
        ("dense units=0", "units: expected a whole number from 1; received '0'"),
        ("dense units=many", "units: expected a whole number from 1; received 'many'"),
        ("pooling-dropout dropout=1", "dropout: expected a share from 0, below 1; received '1'"),
        ("pooling-dropout dropout=half", "dropout: expected a share from 0, below 1; received 'half'"),
        ("dense learning_rate=0", "learning_rate: expected a number above 0"),
        ("dense l2=nan", "l2: expected a number from 0 to 10; received 'nan'"),
        ("dense units", "expected SETTING=VALUE"),
        ("dense vocabulary_size=5", "a whole number from 10"),
    ],
)
def test_a_setting_that_means_nothing_is_refused(name: str, words: str) -> None:
    """What was expected, what came, and the nearest name."""
    with pytest.raises(UsageError) as refused:
        find(name)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["", "lstn", "dense,lstm"])
def test_an_unknown_recipe_is_refused(name: str) -> None:
    """With the recipes that there are."""
    with pytest.raises(UsageError, match="known are"):
        find(name)


def test_every_optimizer_of_the_sources_is_there() -> None:
    """RMSprop, Adam, AdaGrad, AdaDelta, SGD with momentum, AdamW."""
    assert set(variations.OPTIMIZERS) == {"rmsprop", "adam", "adamw", "adagrad", "adadelta", "sgd"}
    assert variations.OPTIMIZERS["sgd"].momentum == 0.9
    assert LSTM.optimizer == variations.OPTIMIZERS["adam"]
