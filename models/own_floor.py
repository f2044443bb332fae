"""A user's floor: the arithmetic of their model by hand, which is driven and checked like the suite's own floors.

The file's `floor(recipe)` returns two functions in the terms of the running backend, or None where it has none for it:

    predict(weights, x)   the model's outputs
    loss(weights, x, y)   the loss of a training step, one number

``weights`` are the values of `model.trainable_variables`, then of `model.non_trainable_variables`. Gradients and the
update by the model's optimizer are the suite's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from datasets.errors import ExpectedError
from models import user_recipes
from models.recipes import Recipe

Function = Callable[..., Any]


class ByHand(keras.Model):
    """The weights of ``model``, with the user's functions in place of its layers and its loss."""

    def __init__(self, model: keras.Model, predict: Function, loss: Function) -> None:
        super().__init__(name=f"{model.name}_floor")
        self.layered = model
        self._predict_by_hand, self._loss_by_hand = predict, loss
        self.compile(optimizer=type(model.optimizer).from_config(model.optimizer.get_config()))
        self.built = True  # its weights are those of the model

    def call(self, x: Any, training: bool = False) -> Any:
        """Return the outputs."""
        del training
        return self._predict_by_hand(self._values(), x)

    def compute_loss(self, x: Any = None, y: Any = None, *others: Any, **settings: Any) -> Any:
        """Return the loss of a step."""
        del others, settings
        return self._loss_by_hand(self._values(), x, y)

    def _values(self) -> list[Any]:
        variables = (*self.layered.trainable_variables, *self.layered.non_trainable_variables)
        return [variable.value for variable in variables]


def by_hand(recipe: Recipe, model: keras.Model) -> ByHand | None:
    """Return the floor of ``model`` with its weights; None where the file has none for this backend."""
    found = user_recipes.function(recipe, "floor")(user_recipes.as_written(recipe))
    backend = keras.backend.backend()
    if found is None:
        return None
    if not isinstance(found, tuple) or len(found) != 2 or not all(map(callable, found)):
        raise ExpectedError(
            f"{recipe.name}: expected floor(recipe) to return (predict, loss) on {backend}; received {found!r}"[:300]
        )
    return ByHand(model, *found)
