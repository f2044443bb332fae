"""Tests of exports on real frameworks: each format of each recipe predicts what the model in Keras predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.backends import BACKENDS
from bench.plan import formats
from bench.plan.formats import EVERY_FORMAT
from models.recipes import RECIPES
from tests.bench import fresh

# One start of each format: the tests ask what it predicts, not how long it takes.
PROGRAM = """
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from bench.plan import formats
from bench.protocol import Export
from bench.worker import operations, reviews
from bench.worker.programs import Unsupported
from bench.worker.training import exports
from datasets import cache
from models.recipes import RECIPES

exports.STARTS, exports.ROWS = 1, 32
corpus = cache.load(Path("{folder}"))
few = replace(corpus, train=corpus.train.slice(0, 600), test=corpus.test.slice(0, 600))
recipe = RECIPES["{recipe}"]
data = reviews.of(replace(recipe, phases=(replace(recipe.phases[-1], held_out=0),)), few)
request = Export("{recipe}", 0, {{"final": 1}}, "compiled loop", ["numpy"])
answer = exports.train_and_export(data, request, tell=lambda **values: None)["exports"]
timed, refused = [], {{}}
for one in formats.EXPORTED:
    if keras.backend.backend() in one.backends:
        try:
            operations.prepare(data, phase="predict", path=one.name, batch_size=3).complete(2)
            timed.append(one.name)
        except Unsupported as error:
            refused[one.name] = str(error)
print(json.dumps({{"exports": answer, "timed": timed, "refused": refused}}))
"""

# Of the lstm's loop over time: OpenVINO has no lists of tensors, and LiteRT's interpreter none of TensorFlow's own.
REFUSED = {("lstm", "tensorflow"): {"OpenVINO", "LiteRT"}}


@pytest.fixture(scope="module", params=[(recipe, backend) for recipe in RECIPES for backend in BACKENDS], ids="-".join)
def exported(request: pytest.FixtureRequest, corpus_folder: Path) -> Any:
    """What one recipe on one backend gave, with their names."""
    recipe, backend = request.param
    return recipe, backend, fresh.answer(PROGRAM.format(folder=corpus_folder, recipe=recipe), backend)


@pytest.mark.framework
def test_every_format_is_there_or_says_why_not(exported: Any) -> None:
    """Keras's own file on two backends, and all that Keras exports from this one."""
    recipe, backend, answer = exported
    found = {(one["format"], one["backend"]) for one in answer["exports"]["formats"]}
    expected = {one.name for one in formats.EXPORTED if backend in one.backends} - REFUSED.get((recipe, backend), set())
    assert found == {("Keras", backend), ("Keras", "numpy"), *((name, backend) for name in expected)}
    assert set(answer["exports"]["failed"]) == REFUSED.get((recipe, backend), set())


@pytest.mark.framework
def test_every_format_predicts_what_keras_predicts(exported: Any) -> None:
    """In float32 up to the order of sums, in a process of its own; with weights in int8 nearly so."""
    _, _, answer = exported
    for one in answer["exports"]["formats"]:
        exact = EVERY_FORMAT[one["format"]].exact
        assert one["prediction_difference"] <= (1e-5 if exact else 0.05), one
        if one["figure"] is not None:
            assert one["figure"] == pytest.approx(answer["exports"]["figure"], abs=0 if exact else 0.01), one


@pytest.mark.framework
def test_a_format_says_its_size_and_its_start(exported: Any) -> None:
    """Weights in int8 take less of the disk than in float32."""
    _, backend, answer = exported
    sizes = {one["format"]: one["bytes"] for one in answer["exports"]["formats"] if one["backend"] == backend}
    assert sizes["int8"] < 0.6 * sizes["Keras"]
    for one in answer["exports"]["formats"]:
        assert all(one[name][0] > 0 for name in ("import_s", "load_s", "first_prediction_s"))


@pytest.mark.framework
def test_what_is_exported_can_be_timed(exported: Any) -> None:
    """The same formats are paths of prediction; what has no export is unsupported there as well."""
    _, _, answer = exported
    assert set(answer["refused"]) == set(answer["exports"]["failed"])
    assert set(answer["timed"]) == {one["format"] for one in answer["exports"]["formats"]} - {"Keras"}


MISSING = """
import importlib.util, json
from bench.plan.formats import EVERY_FORMAT
from bench.worker.serving import exporting
importlib.util.find_spec = lambda name: None
try:
    exporting.require(EVERY_FORMAT["ONNX"])
except exporting.Unsupported as error:
    print(json.dumps(str(error)))
"""


@pytest.mark.framework
def test_a_format_whose_package_is_missing_names_the_extra() -> None:
    """Exports are an extra: a run says what would install them."""
    assert fresh.answer(MISSING, "jax") == "ONNX without the package onnxruntime (the extra `serving` installs it)"


SAID = """
import json
from bench.worker.serving import exporting
error = RuntimeError("Check failed\\n-- No conversion rule found for operations: TensorList\\n")
log = "INFO: Created a delegate\\nTraceback\\nonnx.Invalid: no Op in /tmp/a-1/b/model.onnx\\n    [more]\\n"
print(json.dumps([exporting.said(error), exporting.said_last(log), exporting.said_last("")]))
"""


@pytest.mark.framework
def test_a_reason_names_what_is_missing_and_no_folder_of_this_machine() -> None:
    """A converter says much; of it one line is kept, which records may hold."""
    assert fresh.answer(SAID, "jax") == [
        "RuntimeError: No conversion rule found for operations: TensorList",
        "onnx.Invalid: no Op in model.onnx",
        "no words",
    ]
