"""Saved models: weights, vocabulary and recipe in one file of Keras's format.

A `.keras` file is an archive. Beside what Keras writes, two more members let it read raw text again:
`kerasmark/recipe.json` and `kerasmark/vocabulary.txt`. Keras ignores them, so `keras.saving.load_model` opens the
file without this project: every layer in it is Keras's.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from datasets.encoding import Encoding, TextEncoder, encoder
from datasets.errors import ExpectedError
from models import saved_file
from models.embedding import Embedding
from models.model import compile_for, probabilities
from models.recipes import Recipe
from models.saved_file import RECIPE, VOCABULARY

MODEL_FILE = "model.keras"

# Batch size of `score`.
BATCH_SIZE = 512


@dataclass(frozen=True)
class Saved:
    """A model with what it needs to score raw text.

    recipe    its name
    words     the vocabulary, most frequent first
    logits    whether the model's scores are logits
    """

    recipe: str
    encoding: Encoding
    logits: bool
    words: tuple[str, ...]
    model: Any

    @cached_property
    def encode(self) -> TextEncoder:
        """The encoder from texts, bytes of UTF-8, to the model's input."""
        return encoder(self.words, self.encoding)

    def score(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the probability that each text is positive, shape (texts,), by Keras's `predict`."""
        rows = self.encode([text.encode() for text in texts])
        return probabilities(self.model.predict(rows, batch_size=BATCH_SIZE, verbose=0), logits=self.logits)


def save(file: Path, model: keras.Model, recipe: Recipe, words: Sequence[str]) -> None:
    """Write ``model``, trained for ``recipe`` on text of the vocabulary ``words``, to ``file``, a path in .keras.

    A user's model is saved as it is; to load one with layers of its own, a reader needs the user's file.
    """
    (model if recipe.family == "own" else stock(model, recipe)).save(file)
    kept = replace(recipe, file=Path(recipe.file).name)  # no folder of this machine
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(RECIPE, json.dumps(asdict(kept), indent=2))
        archive.writestr(VOCABULARY, "\n".join(words))


def load(place: Path | str) -> Saved:
    """Load the model in ``place``, the file or its folder, on the present backend of Keras.

    Raises ExpectedError where there is no such file, or one that does not hold what a saved model must. No code in it
    is run: Keras refuses a Lambda layer in its safe mode.
    """
    file = find(Path(place))
    kept = saved_file.read(file)
    return Saved(kept.recipe, kept.encoding, kept.logits, kept.words, _model(file))


def _model(file: Path) -> keras.Model:
    """Return the model alone; whatever Keras says of one that it cannot open is one line."""
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)  # scoring needs no loss, no optimizer
        if not isinstance(model, keras.Model):
            raise TypeError(f"a {type(model).__name__}")
    except (OSError, ImportError, RuntimeError, IndexError, MemoryError, *saved_file.MISFITS) as error:  # h5py's too
        raise ExpectedError(
            f"expected {file.name} to hold a model of Keras's own layers, as `train --save` writes it; "
            f"received {saved_file.said(error)}"
        ) from error
    return model


def find(place: Path) -> Path:
    """Return the model's file, which ``place`` is or holds; ExpectedError where there is none."""
    file = place / MODEL_FILE if place.is_dir() else place
    if not file.is_file():
        raise ExpectedError(f"expected a folder with {MODEL_FILE}, or such a file; there is none at {place.name}")
    return file


def stock(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Return ``model`` in layers that are all Keras's, with its weights and the state of its optimizer."""
    plain = compile_for(stock_layers(model), recipe)
    for one in (model, plain):
        one.optimizer.build(one.trainable_variables)
    for copy, original in zip(plain.optimizer.variables, model.optimizer.variables, strict=True):
        copy.assign(original)
    return plain


def stock_layers(model: keras.Model) -> keras.Model:
    """Return ``model`` in layers that are all Keras's, with its weights, not compiled."""
    plain = keras.models.clone_model(model, clone_function=_stock)
    plain.set_weights(model.get_weights())
    return plain


def _stock(layer: keras.layers.Layer) -> keras.layers.Layer:
    kind = keras.layers.Embedding if type(layer) is Embedding else type(layer)
    return kind.from_config(layer.get_config())
