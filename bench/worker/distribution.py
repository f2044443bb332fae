"""Data-parallel training on several devices, of one process or of several, by the backend's own engine."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from bench.worker import backend
from bench.worker.reviews import Encoded
from models import model
from models.recipes import Recipe


@dataclass(frozen=True)
class Member:
    """This process among those that train one model together.

    rank       its number, from 0 on
    addresses  host and port of each, in their order; empty where this process trains alone
    """

    rank: int = 0
    addresses: tuple[str, ...] = ()

    @property
    def processes(self) -> int:
        return len(self.addresses) or 1


_devices, _member = 1, Member()


def begin(devices: int, member: Member = _member) -> None:
    """Let every model that `create` makes from now on train on so many devices, each on its share of a batch.

    ``devices`` are those of all processes together, in equal parts. On the CPU they are simulated: the processor's
    cores serve all of them. Raises ValueError where there are fewer.
    """
    global _devices, _member
    if devices > 1:
        backend.module("distribution").begin(devices, member)
        _devices, _member = devices, member


def devices() -> int:
    """Return how many devices train."""
    return _devices


def processes() -> int:
    """Return how many processes train together."""
    return _member.processes


def leads() -> bool:
    """Whether this process is the first of them, which alone writes files."""
    return _member.rank == 0


def create(recipe: Recipe, **settings: Any) -> keras.Model:
    """Return the compiled model of ``recipe``, its weights on each device; RuntimeError where they are not."""
    if _devices == 1:
        return model.create(recipe, **settings)
    distributed = backend.module("distribution")
    with distributed.scope():
        made = model.create(recipe, **settings)
    found = {distributed.copies(variable) for variable in made.trainable_variables}
    if found != {_devices}:
        raise RuntimeError(f"expected every weight on {_devices} devices; they are on {sorted(found)}")
    return made


def alone() -> AbstractContextManager[object]:
    """Return the context in which models are of this process alone."""
    context: AbstractContextManager[object] = backend.module("distribution").alone()
    return context


def share(data: Encoded, batch_size: int) -> tuple[Encoded, int]:
    """Return the rows that this process hands to `fit`, and of how many of them a batch of ``batch_size`` consists.

    All of them, but where each process hands over its part of every batch. Rows of a last batch that cannot be parted
    equally are left out.
    """
    parts = processes()
    if parts == 1 or not backend.module("distribution").EACH_ITS_PART:
        return data, batch_size
    if batch_size % parts:
        raise ValueError(f"expected batches that {parts} processes can part; received {batch_size}")
    return data.taken(rows_of(len(data), batch_size, _member.rank, parts)), batch_size // parts


def rows_of(rows: int, batch_size: int, rank: int, parts: int) -> np.ndarray:
    """Return the numbers of the rows of process ``rank``, of ``parts``: its part of each batch of ``rows`` rows."""
    numbers = np.arange(rows // parts * parts)
    batches = np.split(numbers, range(batch_size, len(numbers), batch_size))
    return np.concatenate([np.split(batch, parts)[rank] for batch in batches])
