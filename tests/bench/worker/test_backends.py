"""The backends' folders: the same modules with the same names in each, and no backend is ever taken for another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench import ROOT
from bench.backends import BACKENDS
from tests.bench import fresh

WORKER = ROOT / "bench" / "worker"

# What each backend's folder must hold: its modules, and the names that other modules use.
OFFERED: dict[str, set[str]] = {
    "__init__": set(),
    "call": {"Call"},
    "compiled": {"Predictor", "Trainer"},
    "counters": {"LAUNCHES", "NAME", "TO_DEVICE", "TO_HOST", "forget_programs", "programs", "sizes", "spans"},
    "device": {"compile_function", "forget_peak", "peak_bytes", "probe", "seed", "wait", "wait_uncopied"},
    "distribution": {"EACH_ITS_PART", "alone", "begin", "copies", "scope"},
    "floor": {"Predictor", "Trainer"},
    "layers": {"patched"},
    "loop": {"Loop"},
    "masks": {"dropped"},
    "memory": {"moves"},
    "optimizers": {"like"},
    "recurrence": {"last_output"},
}

# Those of backends that only predict, which compile nothing.
INFERENCE = {
    "__init__": set[str](),
    "counters": OFFERED["counters"],
    "device": OFFERED["device"] - {"compile_function", "wait_uncopied"},
}

# Every entry of the worker that depends on the backend, under one that only predicts.
ENTRIES = """
import json
from bench.worker.programs import Unsupported
from bench.worker import backend, compiled, device, floors
from bench.worker.operations import peaks
from models.model import create
from models.recipes import POOLING_LOGITS as recipe

model = create(recipe)
entries = {
    "module": lambda: backend.module("device"),
    "prove": lambda: device.prove("cpu"),
    "wait": lambda: device.wait(1),
    "wait_for_weights": lambda: device.wait_for_weights(model),
    "compiled.trainer": lambda: compiled.trainer(model),
    "compiled.predictor": lambda: compiled.predictor(model),
    "floors.trainer": lambda: floors.trainer(recipe, model),
    "floors.predictor": lambda: floors.predictor(recipe, model),
    "peaks": peaks.measure,
}
found = {}
for name, entry in entries.items():
    try:
        entry()
    except Unsupported as error:
        found[name] = str(error)
    else:
        found[name] = ""
print(json.dumps(found))
"""


def names(module: Path) -> set[str]:
    """Return the names that a source defines at its top level."""
    found: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_has_a_folder_with_the_same_modules(backend: str) -> None:
    """A reader who knows one backend's folder knows them all; CONTRIBUTING.md tells how to add one."""
    assert {path.stem for path in (WORKER / backend).glob("*.py")} == set(OFFERED)


@pytest.mark.parametrize("module", OFFERED)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_module_of_a_backend_offers_what_others_use(backend: str, module: str) -> None:
    """What is missing fails here by name, not in the middle of a run."""
    assert OFFERED[module] - names(WORKER / backend / f"{module}.py") == set()


def test_only_registered_backends_have_a_folder() -> None:
    """A folder without a row is never used."""
    assert {path.parent.name for path in WORKER.glob("*/floor.py")} == set(BACKENDS)


@pytest.mark.parametrize("module", INFERENCE)
def test_backends_that_only_predict_share_a_folder(module: str) -> None:
    """With those modules alone that a prediction by Keras needs."""
    assert {path.stem for path in (WORKER / "inference").glob("*.py")} == set(INFERENCE)
    assert INFERENCE[module] - names(WORKER / "inference" / f"{module}.py") == set()


@pytest.mark.framework
@pytest.mark.parametrize(("backend", "title"), [("numpy", "NumPy"), ("openvino", "OpenVINO")])
def test_a_backend_that_only_predicts_refuses_what_it_has_no_program_for(backend: str, title: str) -> None:
    """Another backend's programs would run, and measure something else."""
    found = fresh.answer(ENTRIES, backend)
    answered = {name for name, refusal in found.items() if not refusal}
    assert answered == {"module", "prove", "wait", "wait_for_weights"}
    assert {refusal for refusal in found.values() if refusal} == {f"{title}, which only predicts,"}


@pytest.mark.parametrize("path", sorted(WORKER.rglob("*.py")), ids=lambda path: str(path.relative_to(WORKER)))
def test_no_code_of_the_worker_asks_for_a_backend_by_name(path: Path) -> None:
    """`if backend == "jax": ... else: ...` takes every other backend for TensorFlow; the folder is chosen once."""
    compared = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Compare)]
    literals = {part.value for node in compared for part in ast.walk(node) if isinstance(part, ast.Constant)}
    assert not literals & set(BACKENDS)
