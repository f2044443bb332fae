"""A sample of reviews with their labels, and what each recipe's encoding makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from datasets.corpus import Corpus, Split
from datasets.encoding import PADDING_ID, TEXT_UNKNOWN_ID, decode_keras, decode_text, encode_sequences, sequences
from datasets.tokenise import UNKNOWN_ID
from models.recipes import Recipe


@dataclass(frozen=True)
class Encoded:
    """One review as a recipe's model receives it.

    form   "multi_hot" or "padded"
    ids    the ids that reach the model, in order; for multi-hot in rising order, each once
    words  the same as words; a word outside the vocabulary is "?"
    width  length of the model's input row
    lost   share of the review's tokens that do not reach the model: cut off, or unknown
    """

    recipe: str
    form: Literal["multi_hot", "padded", "arrays"]
    ids: tuple[int, ...]
    words: str
    width: int
    lost: float


@dataclass(frozen=True)
class Sampled:
    """One review: its index in the split, label (1 is positive), text as published, words decoded from Keras ids."""

    split: Literal["train", "test"]
    index: int
    label: int
    text: str
    decoded: str
    encodings: tuple[Encoded, ...]


def draw(
    corpus: Corpus, recipes: Sequence[Recipe], *, count: int, seed: int, split: Literal["train", "test"] = "train"
) -> list[Sampled]:
    """Return ``count`` random reviews of a split, without repeats."""
    rows = len(getattr(corpus, split))
    chosen = np.random.default_rng(seed).choice(rows, size=min(count, rows), replace=False)
    return [_sampled(corpus, recipes, split, int(index)) for index in chosen]


def _sampled(corpus: Corpus, recipes: Sequence[Recipe], split: Literal["train", "test"], index: int) -> Sampled:
    one = getattr(corpus, split).slice(index, index + 1)
    return Sampled(
        split=split,
        index=index,
        label=int(one.labels[0]),
        text=bytes(one.text.values.tobytes()).decode(),
        decoded=decode_keras(one.keras_ids.values, corpus.word_index),
        encodings=tuple(_encoded(corpus, recipe, one) for recipe in recipes),
    )


def _encoded(corpus: Corpus, recipe: Recipe, one: Split) -> Encoded:
    encoding = recipe.encoding
    limited = sequences(one, encoding)
    row = encode_sequences(limited, encoding)[0]
    ids = np.flatnonzero(row) if encoding.form == "multi_hot" else row[row != PADDING_ID]
    by_keras = encoding.words == "keras_ids"
    words = decode_keras(ids, corpus.word_index) if by_keras else decode_text(ids, corpus.tokens)
    unknown = UNKNOWN_ID if by_keras else TEXT_UNKNOWN_ID
    # A multi-hot row holds every id once, so count the tokens behind its ids.
    known = limited.values if encoding.form == "multi_hot" else ids
    lost = 1 - int(np.sum(known != unknown)) / max(1, len(limited.values))
    return Encoded(recipe.name, encoding.form, tuple(int(i) for i in ids), words, len(row), lost)
