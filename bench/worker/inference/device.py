"""The device of a backend that only predicts: the processor; its calls return once they have computed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.worker.serving.serve import keep_float32

keep_float32()


def probe() -> tuple[str, str]:
    """Return the kind of the device and its name."""
    return "cpu", "cpu"


def reported() -> dict[str, Any]:
    """Return nothing: these backends have no setting that changes the work."""
    return {}


def share_compilations(folder: str) -> None:
    """Do nothing: no program is kept on disk."""
    del folder


def peak_bytes() -> int | None:
    """Return None: the processor's memory is the process's."""
    return None


def forget_peak() -> None:
    """Do nothing."""


def move(variables: Sequence[object]) -> None:
    """Do nothing: what predicts may have a copy of its own."""
    del variables


def seed(value: int) -> None:
    """Set the seeds that Keras draws from."""
    random.seed(value)
    np.random.seed(value)


def wait(value: Any) -> None:
    """Return at once: ``value`` is computed."""
    del value
