"""The exchange of layers' methods for as long as a program is traced; the model is as it was afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Exchange = tuple[Any, str, Callable[..., Any]]  # a layer, the name of its method, what stands in for it


@contextmanager
def exchanging(exchanges: Sequence[Exchange]) -> Iterator[None]:
    """Let each method be what stands in for it inside the block, so that Keras's own calls never meet it."""
    before = [(layer, name, vars(layer).get(name)) for layer, name, _ in exchanges]
    for layer, name, method in exchanges:
        setattr(layer, name, method)
    try:
        yield
    finally:
        for layer, name, own in before:
            if own is None:
                delattr(layer, name)  # the class's method shows again
            else:
                setattr(layer, name, own)
