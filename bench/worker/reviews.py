"""The data of a recipe as arrays, made once and kept while that recipe is in use: encoded reviews, or a user's own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Self

import keras
import numpy as np
import numpy.typing as npt

from datasets.corpus import Corpus, Split
from datasets.encoding import encode_split
from models import own_data, user_recipes
from models.own_data import Arrays
from models.recipes import Phase, Recipe

# Many times what a cache holds, even at 256 ids a review; encoded in a third of a second.
TIMED_REVIEWS = 8_192
# A user's rows may be large; of small data the rows are repeated, so that the largest timed batch is whole.
TIMED_BYTES, LEAST_TIMED = 2**28, 512


@dataclass(frozen=True)
class Encoded:
    """Inputs (rows, …) and their labels: of reviews one array each, the labels float32 (rows, 1)."""

    x: Arrays
    y: Arrays

    def __len__(self) -> int:
        return own_data.rows(self.y)

    def rows(self, start: int, stop: int) -> Encoded:
        """Return the rows ``start`` to ``stop`` as views."""
        return Encoded(own_data.part(self.x, start, stop), own_data.part(self.y, start, stop))

    def taken(self, numbers: npt.NDArray[np.intp]) -> Encoded:
        """Return the rows with these numbers, copied."""
        x, y = keras.tree.map_structure(lambda array: array[numbers], (self.x, self.y))
        return Encoded(x, y)

    def repeated(self, rows: int) -> Encoded:
        """Return so many rows: the first ones, again and again where there are fewer."""
        return self.rows(0, rows) if rows <= len(self) else self.taken(np.arange(rows) % len(self))

    @property
    def row_bytes(self) -> int:
        """Bytes of one row, its labels included."""
        whole = sum(int(array.nbytes) for array in keras.tree.flatten((self.x, self.y)))
        return max(1, whole // len(self))


@dataclass(frozen=True)
class Reviews:
    """The encoded corpus for one recipe; each split is encoded at its first use."""

    corpus: Corpus
    recipe: Recipe
    _parts: dict[str, Encoded] = field(default_factory=dict)

    @cached_property
    def train(self) -> Encoded:
        return self._encode(self.corpus.train)

    @cached_property
    def test(self) -> Encoded:
        return self._encode(self.corpus.test)

    def timed(self, name: Literal["train", "test"]) -> Encoded:
        """Return the first `TIMED_REVIEWS` of a split: every timed path cycles through them."""
        if name in vars(self):  # encoded whole for training
            return getattr(self, name).rows(0, TIMED_REVIEWS)  # type: ignore[no-any-return]
        if name not in self._parts:
            self._parts[name] = self._encode(getattr(self.corpus, name).slice(0, TIMED_REVIEWS))
        return self._parts[name]

    def encodes_for(self, recipe: Recipe) -> bool:
        """Whether its rows are those of ``recipe`` as well."""
        mine = self.recipe
        return mine.reads_text and (recipe.encoding, recipe.text) == (mine.encoding, mine.text)

    def for_recipe(self, recipe: Recipe) -> Self:
        """Return the data of ``recipe``, whose rows are the same ones: what was encoded to be timed is shared."""
        return replace(self, recipe=recipe)

    def seeded(self, seed: int) -> Self:
        """Return the data of the training with ``seed``: reviews are the same for every seed."""
        del seed
        return self

    def phase(self, phase: Phase) -> tuple[Encoded, Encoded | None]:
        """Return what a phase trains on and what it validates on."""
        rows, held = len(self.train), phase.held_out
        if not held:
            return self.train, None
        if phase.held_out_end == "first":
            return self.train.rows(held, rows), self.train.rows(0, held)
        return self.train.rows(0, rows - held), self.train.rows(rows - held, rows)

    def _encode(self, split: Split) -> Encoded:
        labels = np.asarray(split.labels, np.float32).reshape(-1, 1)
        return Encoded(encode_split(split, self.recipe.encoding), labels)


@dataclass(frozen=True)
class OwnArrays(Reviews):
    """The arrays of a user's model, as `data` of their file returns them for ``seed``."""

    seed: int = 0

    @cached_property
    def train(self) -> Encoded:
        return self._load("train")

    @cached_property
    def test(self) -> Encoded:
        return self._load("test")

    def seeded(self, seed: int) -> Self:
        return self if seed == self.seed else replace(self, seed=seed, _parts={})

    def timed(self, name: Literal["train", "test"]) -> Encoded:
        """Return the rows that every timed path cycles through: up to `TIMED_REVIEWS`, at most `TIMED_BYTES`."""
        if name not in self._parts:
            data: Encoded = getattr(self, name)
            least = max(self.recipe.batch_size, LEAST_TIMED)
            self._parts[name] = data.repeated(max(least, min(TIMED_REVIEWS, TIMED_BYTES // data.row_bytes)))
        return self._parts[name]

    def _load(self, split: Literal["train", "test"]) -> Encoded:
        return Encoded(*own_data.load(user_recipes.function(self.recipe, "data"), self.recipe, split, self.seed))


def of(recipe: Recipe, corpus: Corpus) -> Reviews:
    """Return the data of ``recipe``: reviews of ``corpus``, or what the user's file gives."""
    if not recipe.reads_text:
        return OwnArrays(corpus, recipe)
    return Reviews(corpus if recipe.text is None else own_data.corpus(recipe.text, recipe), recipe)
