"""Floating-point operations of a recipe's step and prediction, counted by hand.

Both backends and the floor are proved to do the same work, so one count serves all: XLA's own leaves out the repeats
of a loop, and TensorFlow's graphs report none. Counted are matrix products, the sums over looked-up rows and the
optimizer's update. Activations, losses and dropout masks are left out: together they are below a tenth of the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.recipes import Recipe

# Operations of an update for each parameter, as Keras writes it; a root and a division count as one each.
UPDATE_FLOPS = {
    "adam": 12,  # m += (g - m)(1 - b1); v += (g * g - v)(1 - b2); w -= a * m / (sqrt(v) + e)
    "rmsprop": 9,  # v += (g * g - v)(1 - rho); w -= a * g / sqrt(v + e)
}


@dataclass(frozen=True)
class Product:
    """(rows, inner) times (inner, columns), ``times`` over; ``trained_input``: the first factor gets a gradient."""

    rows: int
    inner: int
    columns: int
    times: int = 1
    trained_input: bool = True

    @property
    def flops(self) -> int:
        """One multiplication and one addition a term."""
        return 2 * self.times * self.rows * self.inner * self.columns


def prediction_flops(recipe: Recipe, batch_size: int) -> int:
    """Return the operations of predicting ``batch_size`` reviews."""
    averaged = looked_up(recipe, batch_size) if recipe.family == "pooling" else 0
    return averaged + sum(product.flops for product in products(recipe, batch_size))


def step_flops(recipe: Recipe, batch_size: int) -> int:
    """Return the operations of a training step: the gradient of each factor is one more product.

    The gradient of each looked-up row is added to the table's, whose every row the optimizer updates.
    """
    backward = sum((2 if product.trained_input else 1) * product.flops for product in products(recipe, batch_size))
    update = UPDATE_FLOPS[recipe.optimizer_name] * recipe.parameters
    return prediction_flops(recipe, batch_size) + backward + looked_up(recipe, batch_size) + update


def products(recipe: Recipe, batch_size: int) -> list[Product]:
    """Return every matrix product of a prediction."""
    found, width = _before_head(recipe, batch_size)
    for units in (*recipe.hidden_units, 1):
        found.append(Product(batch_size, width, units, trained_input=bool(found) or recipe.family != "dense"))
        width = units
    return found


def looked_up(recipe: Recipe, batch_size: int) -> int:
    """Return how many values of an embedding's rows ``batch_size`` reviews look up; 0 without an embedding."""
    return batch_size * (recipe.encoding.sequence_length or 0) * recipe.embedding_units


def _before_head(recipe: Recipe, batch_size: int) -> tuple[list[Product], int]:
    """Return the products before the fully connected layers, and how many values a review they output."""
    if recipe.family == "dense":
        return [], recipe.encoding.vocabulary_size
    if recipe.family == "pooling":
        return [], recipe.embedding_units
    units, steps = recipe.lstm_units, recipe.encoding.sequence_length or 0
    gates = 4 * units
    inputs = Product(batch_size, recipe.embedding_units, gates, times=steps)
    return [inputs, Product(batch_size, units, gates, times=steps)], units
