"""The models, built by Keras: their parameters and shapes are the published ones."""

from __future__ import annotations

from typing import Any

import pytest

from models.recipes import RECIPES

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
