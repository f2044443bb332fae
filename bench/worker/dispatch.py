"""Dispatch of requests: each to the module that does the work; prepared operations are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from bench.protocol import (
    Block,
    Count,
    Export,
    Json,
    Learn,
    Message,
    Parity,
    Peaks,
    Peer,
    Prepare,
    Release,
    Startup,
    Train,
)
from bench.worker import clock, operations, reviews
from bench.worker.clock import Operation
from bench.worker.operations import counters, extra, peaks, startup
from bench.worker.reviews import Reviews
from bench.worker.training import exports, parity, phases
from bench.worker.training.train_and_save import train_and_save
from datasets import cache
from datasets.corpus import OWN
from models import user_recipes
from models.recipes import Recipe
from models.variations import find

# An operation's recipe, phase, path and batch size.
Key = tuple[str, str, str, int]


class Dispatcher:
    """Answers requests over one corpus; ``tell`` reports progress and returns when a clock may run again."""

    def __init__(
        self, corpus_folder: Path | None, tell: Callable[..., None], *, import_s: float, user_file: Path | None = None
    ) -> None:
        self._corpus = cache.load(corpus_folder) if corpus_folder else OWN
        loaded = [] if user_file is None else user_recipes.load(user_file)
        self._user_recipes: dict[str, Recipe] = {recipe.name: recipe for recipe in loaded}
        self._tell = tell
        self._reviews: dict[str, Reviews] = {}
        self._import_s = import_s
        self._operations: dict[Key, Operation] = {}
        self._slowed: dict[tuple[Key, float], Operation] = {}  # the same with a share of extra work
        self._handlers: dict[type[Message], Callable[[Any], Json]] = {
            Train: self._train,
            Learn: self._learn,
            Export: self._export,
            Peer: self._peer,
            Startup: self._startup,
            Prepare: self._prepare,
            Block: self._block,
            Release: self._release,
            Parity: self._parity,
            Peaks: self._peaks,
            Count: self._count,
        }

    def answer(self, request: Message) -> Json:
        """Do the work of ``request`` and return the values of its `Done`."""
        return self._handlers[type(request)](request)

    def _train(self, request: Train) -> Json:
        return {"phases": phases.train(self._for(request.recipe), request, tell=self._tell)[0]}

    def _learn(self, request: Learn) -> Json:
        return train_and_save(self._for(request.recipe), request, tell=self._tell)

    def _export(self, request: Export) -> Json:
        return exports.train_and_export(self._for(request.recipe), request, tell=self._tell)

    def _peer(self, request: Peer) -> Json:
        from bench.worker.training import classical_baselines  # imports scikit-learn: a second that few workers need

        return classical_baselines.measure(self._for(request.recipe), request.name)

    def _startup(self, request: Startup) -> Json:
        return {"seconds": startup.measure(self._for(request.recipe), import_s=self._import_s)}

    def _prepare(self, request: Prepare) -> Json:
        key = (request.recipe, request.phase, request.path, request.batch_size)
        operation = self._operations.get(key) or operations.prepare(
            self._for(request.recipe), phase=request.phase, path=request.path, batch_size=request.batch_size
        )
        first = clock.block(operation, repeats=1, each=False)
        clock.freeze()
        self._operations[key] = operation
        return {
            "first_call_s": first["duration_s"],
            "work": operation.work,
            "largest": operation.largest,
            "resolved": operation.resolved,
        }

    def _block(self, request: Block) -> Json:
        wanted = self._prepared(request)
        operation = self._slow(wanted, request.extra_work) if request.extra_work else self._operations[wanted]
        return clock.block(operation, repeats=request.repeats, each=request.each, lead=request.lead)

    def _slow(self, wanted: Key, share: float) -> Operation:
        """Return an operation with extra work, measured where the clock will run: alone, on its core."""
        if (wanted, share) not in self._slowed:
            self._slowed[wanted, share] = extra.add(self._operations[wanted], share)
        return self._slowed[wanted, share]

    def _prepared(self, request: Block) -> Key:
        """Return the key of the operation that ``request`` names, the only one of its kind where it names no recipe."""
        wanted = (request.phase, request.path, request.batch_size)
        found = [key for key in self._operations if key[1:] == wanted and request.recipe in ("", key[0])]
        if len(found) != 1:
            raise RuntimeError(f"expected an operation that was prepared once; {wanted} was {len(found)} times")
        return found[0]

    def _release(self, request: Release) -> Json:
        del request
        self._operations.clear()
        self._slowed.clear()
        return {}

    def _parity(self, request: Parity) -> Json:
        return parity.answer(self._for(request.recipe), request)

    def _peaks(self, request: Peaks) -> Json:
        del request
        return peaks.measure()

    def _count(self, request: Count) -> Json:
        return counters.count(self._for(request.recipe), request)

    def _for(self, recipe: str) -> Reviews:
        """Return the data of ``recipe``; others are kept while operations of theirs are prepared.

        Whole splits of dense take 2 GB: reviews that were encoded for training are forgotten at the next recipe.
        """
        if not self._operations and self._reviews.keys() != {recipe}:
            self._forget()
        if recipe not in self._reviews:
            self._reviews[recipe] = self._data(find(recipe, self._user_recipes))
        return self._reviews[recipe]

    def _data(self, recipe: Recipe) -> Reviews:
        """Return the data of ``recipe``; variations with one encoding share its rows."""
        same = next((one for one in self._reviews.values() if one.encodes_for(recipe)), None)
        return same.for_recipe(recipe) if same else reviews.of(recipe, self._corpus)

    def _forget(self) -> None:
        """Forget the reviews, graphs and names of every recipe so far: those of a whole session would accumulate."""
        self._reviews.clear()
        clock.unfreeze()
        keras.utils.clear_session()
        clock.freeze()
