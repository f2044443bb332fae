"""The models, built by Keras: their parameters and shapes are the published ones; outputs become probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import layers
from models.recipes import RECIPES
from models.variations import OPTIMIZERS, PROPOSED, find

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module")
def create() -> Any:
    """Return `models.model.create`, which imports Keras."""
    from models.model import create

    return create


@pytest.mark.parametrize("name", RECIPES)
def test_a_model_has_the_published_number_of_parameters(create: Any, name: str) -> None:
    """A layer too many or too wide is another model."""
    assert create(RECIPES[name]).count_params() == RECIPES[name].parameters


@pytest.mark.parametrize("name", [*RECIPES, *PROPOSED])
def test_the_layers_that_a_reader_is_told_are_those_of_the_model(create: Any, name: str) -> None:
    """Class by class and parameter by parameter, though no framework counts them for the report."""
    recipe = find(name)
    told = [(layer.kind, layer.parameters) for layer in layers.of(recipe)]
    assert told == [(type(layer).__name__, layer.count_params()) for layer in create(recipe).layers]


@pytest.mark.parametrize("name", RECIPES)
def test_a_model_maps_a_batch_of_reviews_to_one_score_each(create: Any, name: str) -> None:
    """Input (batch, vocabulary or ids), output (batch, 1)."""
    recipe = RECIPES[name]
    width = recipe.encoding.sequence_length or recipe.encoding.vocabulary_size
    model = create(recipe)
    assert model.input_shape == (None, width)
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize("name", RECIPES)
def test_a_model_is_compiled_with_the_recipe_s_optimizer(create: Any, name: str) -> None:
    """RMSprop or Adam, at Keras's default rate, as every source says."""
    recipe = RECIPES[name]
    optimizer = create(recipe).optimizer
    assert type(optimizer).__name__.lower() == recipe.optimizer.name
    assert float(optimizer.learning_rate) == pytest.approx(0.001)


@pytest.mark.parametrize("name", RECIPES)
def test_the_threshold_of_the_metric_fits_the_output(create: Any, name: str) -> None:
    """A logit is positive above 0, a probability above one half."""
    recipe = RECIPES[name]
    last = create(recipe).layers[-1].activation.__name__
    assert last == ("linear" if recipe.logits else "sigmoid")


def test_pooling_dropout_has_its_three_dropouts_and_its_penalty(create: Any) -> None:
    """Dropout after the embedding, the pooling and the hidden layer; L2 on the hidden kernel alone."""
    layers = [type(layer).__name__ for layer in create(RECIPES["pooling-dropout"]).layers]
    assert layers == ["Embedding", "Dropout", "GlobalAveragePooling1D", "Dropout", "Dense", "Dropout", "Dense"]
    assert len(create(RECIPES["pooling-dropout"]).losses) == 1


@pytest.mark.parametrize("name", PROPOSED)
def test_a_proposed_variation_is_built(create: Any, name: str) -> None:
    """Every recipe that data derives is a model that Keras can make."""
    assert create(find(name)).output_shape == (None, 1)


def test_two_stacked_lstms_hand_on_sequences(create: Any) -> None:
    """The first returns its outputs at every step, the second its last one."""
    recurrent = [layer for layer in create(find("lstm-stacked")).layers if type(layer).__name__ == "LSTM"]
    assert [layer.return_sequences for layer in recurrent] == [True, False]


def test_the_dropouts_of_an_lstm_are_those_of_the_recipe(create: Any) -> None:
    """A quarter of the inputs, a quarter of the state, then half of the hidden layer."""
    layers = create(find("lstm-dropout")).layers
    (recurrent,) = [layer for layer in layers if type(layer).__name__ == "LSTM"]
    assert (recurrent.dropout, recurrent.recurrent_dropout) == (0.25, 0.25)
    assert [layer.rate for layer in layers if type(layer).__name__ == "Dropout"] == [0.5]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_keras_s_at_its_default_rate(create: Any, name: str) -> None:
    """The rates written in the table are those that Keras would take; SGD has its momentum."""
    optimizer = create(find(f"dense optimizer={name} units=2 vocabulary_size=10")).optimizer
    assert type(optimizer).__name__.lower() == name
    assert float(optimizer.learning_rate) == pytest.approx(float(type(optimizer)().learning_rate))
    assert getattr(optimizer, "momentum", 0.0) == (0.9 if name == "sgd" else 0.0)


@pytest.fixture(scope="module")
def probabilities() -> Any:
    """Return `models.model.probabilities`, whose module imports Keras."""
    from models.model import probabilities

    return probabilities


@pytest.mark.parametrize(
    ("score", "expected"), [(0.0, 0.5), (math.log(3), 0.75), (-math.log(3), 0.25), (math.log(99), 0.99)]
)
def test_a_logit_is_the_logarithm_of_the_odds(probabilities: Any, score: float, expected: float) -> None:
    """Three to one is 0.75."""
    assert probabilities(np.array([score]), logits=True) == pytest.approx([expected])


@settings(deadline=None)
@given(score=st.floats(-700, 700))
def test_the_probabilities_of_a_logit_and_its_negative_are_one_together(probabilities: Any, score: float) -> None:
    """The recipe with logits is judged as the recipes with a sigmoid are."""
    pair = probabilities(np.array([score, -score]), logits=True)
    assert pair.sum() == pytest.approx(1.0)
    assert (pair >= 0).all()


def test_probabilities_stay_and_become_double_precision(probabilities: Any) -> None:
    """Scores come in float32, shape (rows, 1): what follows is computed in float64, shape (rows,)."""
    found = probabilities(np.array([[0.25], [0.5]], np.float32), logits=False)
    assert found.dtype == np.float64
    assert found.tolist() == [0.25, 0.5]
