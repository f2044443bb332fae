"""The project's encoder against Keras's `TextVectorization` in a parallel map, in turns within one process."""

from __future__ import annotations

import statistics

import pytest

from tests.bench import fresh

RATIOS = """
import json, os

from datasets.locate import open_corpus
from models.recipes import RECIPES
from tests.benchmarks.text_encoding import __main__ as comparison
from tests.benchmarks.text_encoding.candidates import CANDIDATES, ENCODER, LAYER

corpus = open_corpus(os.environ.get("KERASMARK_DATA") or "synthetic", environ=os.environ).corpus
text = corpus.train.text.slice(0, comparison.REVIEWS)
found = {}
for recipe in RECIPES.values():
    works = {name: CANDIDATES[name](corpus, recipe.encoding, text) for name in (LAYER, ENCODER)}
    comparison.measured(works, turns=2)
    found[recipe.name] = comparison.ratios(comparison.measured(works, turns=15), ENCODER)
print(json.dumps(found))
"""


@pytest.mark.framework
def test_the_encoder_is_at_least_twice_as_fast_as_keras_s_layer_in_a_parallel_map() -> None:
    """For every recipe, from raw text to rows; TensorFlow takes all cores and the encoder one."""
    found: dict[str, list[float]] = fresh.answer(RATIOS, "tensorflow")
    for name, ratios in found.items():
        middle = statistics.median(ratios)
        print(f"{name}: {middle:.2f} times as fast as TextVectorization ({min(ratios):.2f} to {max(ratios):.2f})")
    assert all(statistics.median(ratios) > 2 for ratios in found.values())
