"""The compiled loop against `fit` on the four models of examples/own: as accurate over five seeds, and how much faster.

Both train each model from the same seeds in one process, in turns. An epoch's seconds are those of its steps, of the
epochs after the first, which compiles. The reviews come from KERASMARK_DATA, or are synthetic.
"""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from bench.backends import BACKENDS
from tests.bench import fresh

pytestmark = pytest.mark.framework

SEEDS = 5
# As accurate: what decides differs by less than this share of it, or by less than twice its standard error.
TOLERANCE = 0.02
# How many times as fast as `fit` the loop is to be, and where it is not: the arithmetic is most of a step there.
AIM, OTHERS = 1.3, {"jax": {"digits": 0.9, "transformer": 0.9}, "tensorflow": {"transformer": 0.9}}

PROGRAM = """
import json
import os
import statistics
from pathlib import Path

from bench.protocol import Train
from bench.worker import reviews
from bench.worker.training import phases
from datasets.locate import open_corpus
from models import user_recipes

(recipe,) = [r for r in user_recipes.load(Path("examples/own/every.py").resolve()) if r.name == "{name}"]
corpus = open_corpus(os.environ.get("KERASMARK_DATA") or "synthetic", environ=os.environ).corpus


def trained(path, seed):
    request = Train(recipe.name, seed, {{"final": max(3, recipe.phases[0].epochs)}}, path)
    result = phases.train(reviews.of(recipe, corpus), request, tell=lambda **_: None)[0]["final"]
    figures = {{"accuracy": result.get("test_accuracy"), "loss": result.get("test_loss"), **result["test"]}}
    return {{"value": figures[recipe.metric], "epoch_s": statistics.median(result["epoch_s"][1:])}}


found = {{"fit": [], "compiled loop": []}}
for seed in range({seeds}):
    for path in sorted(found, reverse=bool(seed % 2)):
        found[path].append(trained(path, seed))
print(json.dumps(found))
"""


@pytest.mark.parametrize("name", ["tabular", "digits", "quantile", "transformer"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_compiled_loop_is_as_accurate_as_fit_and_faster(
    backend: str, name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Users replace `fit` by it: it must learn the same, and where it does not pay, the table says so."""
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath / "examples" / "own"))
    found: dict[str, Any] = fresh.answer(PROGRAM.format(seeds=SEEDS, name=name), backend)
    values = {path: [one["value"] for one in each] for path, each in found.items()}
    fit, loop = (statistics.fmean(values[path]) for path in ("fit", "compiled loop"))
    error = sum(statistics.variance(each) / SEEDS for each in values.values()) ** 0.5
    pairs = zip(found["fit"], found["compiled loop"], strict=True)
    least, *_, most = ratios = sorted(one["epoch_s"] / other["epoch_s"] for one, other in pairs)
    print(
        f"\n{backend} {name}: fit {fit:.4f}, compiled loop {loop:.4f} (standard error of the difference {error:.4f}); "
        f"an epoch {statistics.median(ratios):.2f} times as fast ({least:.2f} to {most:.2f})"
    )
    assert abs(loop - fit) <= max(TOLERANCE * abs(fit), 2 * error)
    assert most >= OTHERS.get(backend, {}).get(name, AIM)
