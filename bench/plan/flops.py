"""Floating-point operations of a recipe's matrix products, counted by hand.

Both backends and the floor are proved to do the same work, so one count serves all. XLA's own count leaves out
loops, and TensorFlow's graphs report none. Element-wise work is left out: it is below a tenth of a dense layer's.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.recipes import Recipe


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
    return sum(product.flops for product in _products(recipe, batch_size))


def step_flops(recipe: Recipe, batch_size: int) -> int:
    """Return the operations of a training step: the gradient of each factor is one more product."""
    return sum((3 if product.trained_input else 2) * product.flops for product in _products(recipe, batch_size))


def _products(recipe: Recipe, batch_size: int) -> list[Product]:
    found, width = _before_head(recipe, batch_size)
    for units in (*recipe.hidden_units, 1):
        found.append(Product(batch_size, width, units, trained_input=bool(found) or recipe.family != "dense"))
        width = units
    return found


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
