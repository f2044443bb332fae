"""Whether a user's labels are such as their loss takes: JAX trains on others without a word, TensorFlow stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import keras

from datasets.errors import ExpectedError
from models import own_data

SPARSE = (keras.losses.SparseCategoricalCrossentropy, keras.losses.sparse_categorical_crossentropy)
BINARY = (keras.losses.BinaryCrossentropy, keras.losses.binary_crossentropy)


def check_labels(model: keras.Model, y: own_data.Arrays, predicted: own_data.Arrays, where: str) -> None:
    """Raise ExpectedError where a label is no class of a categorical loss, or no probability of a binary one.

    ``predicted`` are predictions of any rows. Other losses take any number.
    """
    for loss, (name, labels), output in _paired(model, y, predicted):
        if _is(loss, SPARSE) and getattr(loss, "ignore_class", None) is None:
            most, said = output.shape[-1] - 1, f"a class of the model's {output.shape[-1]} outputs"
        elif _is(loss, BINARY):
            most, said = 1, "that binary cross-entropy takes"
        else:
            continue
        if labels.min() < 0 or labels.max() > most:
            raise ExpectedError(
                f"{where}: expected labels from 0 to {most} in {name}, each {said}; received {labels.min()} to "
                f"{labels.max()}"
            )


def _paired(model: keras.Model, y: own_data.Arrays, predicted: own_data.Arrays) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the loss of each output with its labels and predictions, where each output has a loss."""
    losses, outputs = keras.tree.flatten(model.loss), keras.tree.flatten(predicted)
    labels = list(own_data.leaves(y, "y"))
    if len(losses) == len(labels) == len(outputs):
        with suppress(ValueError):  # an unknown name, of which the first step tells
            yield from zip([keras.losses.get(loss) for loss in losses], labels, outputs, strict=True)


def _is(loss: Any, kinds: tuple[type, Any]) -> bool:
    return isinstance(loss, kinds[0]) or loss is kinds[1]
