"""Memory traffic of a recipe's step and prediction, counted by hand: a lower bound, and how much memory it touches.

Each array counts once for each pass of the arithmetic that must read it, and once for being written. What a fused loop
can keep in registers is left out: looked-up rows before their average, an LSTM's state in a prediction, dropout masks.
An array may lie in a cache: which bandwidth it can have follows from the working set (`bench.analysis.roofline`).
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.plan.flops import looked_up, products
from models.recipes import Recipe

# Inputs are float32 or int32, everything else is float32.
VALUE_BYTES = 4
# Arrays as large as the parameters that an optimizer keeps.
STATE_ARRAYS = {"adam": 2, "rmsprop": 1}
# Of each unit and time step of an LSTM: four gates, the cell state and the output, which the gradient needs.
KEPT_VALUES = 6


@dataclass(frozen=True)
class Traffic:
    """Bytes that move, and bytes of all arrays together, each counted once."""

    moved_bytes: int
    working_set_bytes: int


def prediction(recipe: Recipe, batch_size: int) -> Traffic:
    """Return the traffic of predicting ``batch_size`` reviews: inputs, rows and kernels in, each layer's output out."""
    inputs, rows, outputs = _inputs(recipe, batch_size), looked_up(recipe, batch_size), _outputs(recipe, batch_size)
    kernels = _layer_parameters(recipe)
    moved = inputs + rows + kernels + 2 * outputs  # an output is written, and read by the next layer
    touched = inputs + min(rows, recipe.parameters - kernels) + kernels + outputs
    return Traffic(VALUE_BYTES * moved, VALUE_BYTES * touched)


def step(recipe: Recipe, batch_size: int) -> Traffic:
    """Return the traffic of a training step: forward, backward, update.

    Inputs are read in both directions, and each looked-up row's gradient is written. The gradient of an embedding is
    dense: it has every row of the table (`models.embedding`), and the update reads and writes all of them.
    """
    inputs, rows, outputs = _inputs(recipe, batch_size), looked_up(recipe, batch_size), _outputs(recipe, batch_size)
    kept = KEPT_VALUES * batch_size * (recipe.encoding.sequence_length or 0) * recipe.lstm_units
    states = STATE_ARRAYS[recipe.optimizer_name]
    passes = 2 * inputs + 2 * rows + _layer_parameters(recipe) + 5 * outputs + 2 * kept
    update = (4 + 2 * states) * recipe.parameters  # gradient, parameter and states: each written and read
    touched = inputs + 2 * outputs + kept + (2 + states) * recipe.parameters
    return Traffic(VALUE_BYTES * (passes + update), VALUE_BYTES * touched)


def _inputs(recipe: Recipe, batch_size: int) -> int:
    """Return how many numbers a batch is: a multi-hot row or ids for each review."""
    width = recipe.encoding.sequence_length if recipe.encoding.form == "padded" else recipe.encoding.vocabulary_size
    return batch_size * (width or 0)


def _outputs(recipe: Recipe, batch_size: int) -> int:
    """Return how many values the layers output, those of an embedding and within a recurrence left out."""
    before = recipe.lstm_units or recipe.embedding_units
    return batch_size * (before + sum(recipe.hidden_units) + 1)


def _layer_parameters(recipe: Recipe) -> int:
    """Return how many parameters there are beside an embedding's: kernels, and a bias for each column of a layer."""
    every = products(recipe, 1)
    recurrent = 4 * recipe.lstm_units  # its second product adds to the first one's columns
    return sum(product.inner * product.columns + product.columns for product in every) - recurrent
