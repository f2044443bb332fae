"""The reviews of a recipe as arrays, encoded once and kept while that recipe is in use."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from datasets.corpus import Corpus, Split
from datasets.encoding import Rows, encode_split
from models.recipes import Phase, Recipe

Labels = npt.NDArray[np.float32]

# Many times what a cache holds, even at 256 ids a review; encoded in a third of a second.
TIMED_REVIEWS = 8_192


@dataclass(frozen=True)
class Encoded:
    """Inputs (rows, …) and their labels, float32 (rows, 1)."""

    x: Rows
    y: Labels

    def rows(self, start: int, stop: int) -> Encoded:
        """Return the rows ``start`` to ``stop`` as views."""
        return Encoded(self.x[start:stop], self.y[start:stop])


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

    def phase(self, phase: Phase) -> tuple[Encoded, Encoded | None]:
        """Return what a phase trains on and what it validates on."""
        rows, held = len(self.train.y), phase.held_out
        if not held:
            return self.train, None
        if phase.held_out_end == "first":
            return self.train.rows(held, rows), self.train.rows(0, held)
        return self.train.rows(0, rows - held), self.train.rows(rows - held, rows)

    def _encode(self, split: Split) -> Encoded:
        labels = np.asarray(split.labels, np.float32).reshape(-1, 1)
        return Encoded(encode_split(split, self.recipe.encoding), labels)
