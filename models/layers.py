"""The layers of a recipe's model with their parameters, from its fields alone: no framework is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from models.recipes import Recipe


@dataclass(frozen=True)
class Layer:
    """One layer of Keras's: its class, its settings in words, and how many parameters are trained."""

    kind: str
    settings: str = ""
    parameters: int = 0

    @property
    def title(self) -> str:
        return f"{self.kind}({self.settings})" if self.settings else self.kind


def of(recipe: Recipe) -> list[Layer]:
    """Return the layers of `models.families` for ``recipe``; nothing for a user's own model."""
    return list(FAMILIES[recipe.family](recipe)) if recipe.family in FAMILIES else []


def _dense(recipe: Recipe) -> Iterator[Layer]:
    yield from _head(recipe, recipe.encoding.vocabulary_size, recipe.dropouts)


def _pooling(recipe: Recipe) -> Iterator[Layer]:
    after_embedding, after_pooling, *after_hidden = recipe.dropouts
    yield _embedding(recipe, recipe.encoding.vocabulary_size)
    yield _dropout(after_embedding)
    yield Layer("GlobalAveragePooling1D")
    yield _dropout(after_pooling)
    yield from _head(recipe, recipe.embedding_units, after_hidden)


def _lstm(recipe: Recipe) -> Iterator[Layer]:
    yield _embedding(recipe, recipe.encoding.vocabulary_size + 1)
    width, units = recipe.embedding_units, recipe.lstm_units
    for _ in range(recipe.lstm_layers):
        yield Layer("LSTM", f"{units}", 4 * units * (width + units + 1))  # four gates
        width = units
    yield from _head(recipe, width, recipe.dropouts)


FAMILIES: dict[str, Callable[[Recipe], Iterator[Layer]]] = {"dense": _dense, "pooling": _pooling, "lstm": _lstm}


def _head(recipe: Recipe, width: int, dropouts: Sequence[float]) -> Iterator[Layer]:
    """Yield the hidden layers with their dropouts, and the output layer, over ``width`` values a review."""
    for position, units in enumerate(recipe.hidden_units):
        yield Layer("Dense", f"{units}, relu", units * (width + 1))
        if dropouts:
            yield _dropout(dropouts[position])
        width = units
    yield Layer("Dense", "1" if recipe.logits else "1, sigmoid", width + 1)


def _embedding(recipe: Recipe, rows: int) -> Layer:
    return Layer("Embedding", f"{rows:,} × {recipe.embedding_units}", rows * recipe.embedding_units)


def _dropout(rate: float) -> Layer:
    return Layer("Dropout", f"{rate:g}")
