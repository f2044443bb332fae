"""The masks: how many bits tell a rate, and what both backends make of them, on arrays of awkward sizes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.backends import BACKENDS
from bench.worker import programs
from tests.bench import fresh

RATES = (0.5, 0.25, 0.2, 0.1, 0.9)
SHAPES = ((1, 1), (3, 7), (513, 255))
DRAWS = 40

PROGRAM = f"""
import importlib, json

import keras
import numpy as np

backend = keras.backend.backend()
masks = importlib.import_module(f"bench.worker.{{backend}}.masks")


def seed(number):
    if backend == "jax":
        return keras.ops.convert_to_tensor(np.array([number, 7], np.uint32))
    return keras.ops.convert_to_tensor(np.array([number, 7], np.int32))


def draw(shape, rate):
    found = [
        np.asarray(masks.dropped(keras.ops.ones(shape, "float32"), rate, seed(number))) for number in range({DRAWS})
    ]
    return {{
        "shape": found[0].shape,
        "values": sorted(set(np.unique(np.stack(found)).tolist())),
        "zeros": float(np.mean(np.stack(found) == 0)),
        "distinct": len({{one.tobytes() for one in found}}),
        "columns": float(np.ptp(np.mean(np.stack(found) == 0, axis=(0, 1)))),
    }}


print(json.dumps([[draw(shape, rate) for rate in {RATES}] for shape in {SHAPES}]))
"""


@pytest.mark.parametrize("rate", [0.5, 0.25, 0.75, 1 / 256])
def test_eight_bits_tell_a_rate_exactly_where_they_can(rate: float) -> None:
    bits, least = programs.threshold(rate)
    assert (bits, least / 2**bits) == (8, rate)


@pytest.mark.parametrize("rate", [0.2, 0.1, 1 / 3, 0.9, 0.999])
def test_sixteen_tell_the_others_within_a_hundred_thousandth(rate: float) -> None:
    bits, least = programs.threshold(rate)
    assert bits == 16
    assert least / 2**bits == pytest.approx(rate, abs=1e-5)


@pytest.fixture(scope="module", params=BACKENDS)
def drawn(request: pytest.FixtureRequest) -> list[list[dict[str, Any]]]:
    """What one fresh process of a backend drew, by shape and rate."""
    found: list[list[dict[str, Any]]] = fresh.answer(PROGRAM, request.param)
    return found


@pytest.mark.framework
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_share_of_the_values_goes_and_the_rest_makes_up_for_it(
    drawn: list[list[dict[str, Any]]], shape: tuple[int, int], rate: float
) -> None:
    """As many zeros as the rate says, within five standard errors, also where pieces of the last word are left."""
    found = drawn[SHAPES.index(shape)][RATES.index(rate)]
    count = DRAWS * math.prod(shape)
    assert tuple(found["shape"]) == shape
    assert abs(found["zeros"] - rate) <= 5 * math.sqrt(rate * (1 - rate) / count)
    assert all(value == 0 or value == pytest.approx(1 / (1 - rate)) for value in found["values"])


@pytest.mark.framework
@pytest.mark.parametrize("rate", RATES)
def test_each_seed_has_a_mask_and_no_column_is_favoured(drawn: list[list[dict[str, Any]]], rate: float) -> None:
    """The pieces of a word are as random as words: every column of the largest array loses the same share."""
    found = drawn[-1][RATES.index(rate)]
    rows = DRAWS * SHAPES[-1][0]
    assert found["distinct"] == DRAWS
    assert found["columns"] <= 10 * math.sqrt(rate * (1 - rate) / rows)
