"""Tests of the paths: which ways of driving an operation there are, and to what each applies."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from bench.analysis import best_path
from bench.backends import BACKENDS, EVERY
from bench.plan import formats, paths
from bench.plan.paths import FLOOR, FLOOR_FROM_IDS, FLOOR_FROM_TEXT, FLOORS, PATHS, RESIDENT_FLOOR, Path
from bench.plan.steps import PROFILES
from bench.records.schema import Cell
from models import variations
from models.recipes import RECIPES

# Those of the plans; by those of the phase "harness" the suite measures itself.
PHASES = ("startup", "train", "predict", "vectorize")
each_path = pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.phase} {path.name}")


def cells(name: str, phase: str) -> set[tuple[str, str]]:
    """Return on which recipe and backend a path applies."""
    path = paths.find(phase, name)
    device = path.devices[0]
    return {(r.name, b) for r in RECIPES.values() for b in BACKENDS if paths.applies(path, r, b, device)}


EVERYWHERE = {(recipe, backend) for recipe in RECIPES for backend in BACKENDS}
ON_TENSORFLOW = {(recipe, "tensorflow") for recipe in RECIPES}
ON_DENSE = {("dense", backend) for backend in BACKENDS}


@pytest.mark.parametrize(("phase", "name"), [("train", "fit cudnn=off"), ("predict", "predict_on_batch cudnn=off")])
def test_only_an_lstm_on_a_gpu_can_do_without_cudnn(phase: str, name: str) -> None:
    """On a CPU it is the same as the path that users take."""
    path = paths.find(phase, name)
    for backend in BACKENDS:
        assert [r.name for r in RECIPES.values() if paths.applies(path, r, backend, "gpu")] == ["lstm"]
        assert not any(paths.applies(path, r, backend) for r in RECIPES.values())


@each_path
def test_a_path_is_found_by_its_phase_and_name(path: Path) -> None:
    """Both together are its name: no two paths of a phase share one."""
    assert paths.find(path.phase, path.name) is path
    assert paths.names(path.phase).count(path.name) == 1


@pytest.mark.parametrize(("phase", "name"), [("train", "predict"), ("predict", "fit"), ("train", "Fit"), ("", "fit")])
def test_a_path_of_another_phase_is_not_found(phase: str, name: str) -> None:
    """A misspelt name is told, never skipped."""
    with pytest.raises(KeyError, match=f"the phase '{phase}' has no path '{name}'"):
        paths.find(phase, name)


def test_the_phases_are_those_that_a_cell_may_have() -> None:
    """The record's schema takes every path, and no phase is without one."""
    every = {path.phase for path in PATHS}
    assert set(get_args(Cell.model_fields["phase"].annotation)) == every == {*PHASES, "harness"}


def test_what_can_be_repeated_has_a_floor_of_its_phase() -> None:
    """Training and prediction have the same work by hand, vectorization the least work from text and from ids."""
    floors = [(path.phase, path.name) for path in PATHS if path.name in FLOORS]
    assert floors == [("train", FLOOR), ("predict", FLOOR), ("predict", RESIDENT_FLOOR), *FROM]
    assert {(path.phase, path.floor) for path in PATHS if path.phase not in ("startup", "harness")} == set(floors)


FROM = [("vectorize", FLOOR_FROM_TEXT), ("vectorize", FLOOR_FROM_IDS)]


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("TextVectorization in tf.data", FLOOR_FROM_TEXT),
        ("plain Python", FLOOR_FROM_TEXT),
        ("encoder", FLOOR_FROM_TEXT),
        ("double loop", FLOOR_FROM_IDS),
        ("pad_sequences", FLOOR_FROM_IDS),
        ("encoder from ids", FLOOR_FROM_IDS),
    ],
)
def test_vectorization_is_compared_with_the_floor_that_starts_where_it_does(name: str, floor: str) -> None:
    """A path from ids need not read the text: by the floor from text it would be faster than possible."""
    assert paths.floor_of("vectorize", name) == floor


def test_a_path_of_an_older_version_has_the_floor_of_that_time() -> None:
    """Its records stay readable."""
    assert paths.floor_of("train", "no longer there") == FLOOR


@pytest.mark.parametrize(
    ("name", "floor"), [("compiled resident", RESIDENT_FLOOR), ("compiled", FLOOR), ("predict_on_batch", FLOOR)]
)
def test_a_prediction_on_resident_reviews_has_a_floor_without_a_copy(name: str, floor: str) -> None:
    """Reviews that stay on the device cost none, so a floor that copies would be too slow by that."""
    assert paths.floor_of("predict", name) == floor


@each_path
def test_a_path_names_backends_that_exist_and_says_what_it_is(path: Path) -> None:
    """A misspelt backend would silently leave its cells out; a reader who has to choose needs a line."""
    assert set(path.backends) <= set(EVERY)
    assert path.summary
    assert len(path.summary) <= 80


@each_path
def test_a_path_is_defined_by_the_lines_that_a_user_writes(path: Path) -> None:
    """Three lines of Python at most, which a reader of the page can take over; the harness times nothing of Keras."""
    compile(path.code, path.name, "exec")
    lines = path.code.splitlines()
    assert len(lines) <= 3
    assert bool(lines) == (path.phase != "harness")


def test_no_lines_are_left_of_a_path_that_is_gone() -> None:
    """Each entry belongs to a path."""
    assert set(paths.CODE) <= {(path.phase, path.name) for path in PATHS}


@pytest.mark.parametrize(
    ("phase", "name", "expected"),
    [
        ("train", "fit", EVERYWHERE),
        ("train", FLOOR, EVERYWHERE),
        ("train", "fit jit=on", ON_TENSORFLOW),  # JAX compiles every fit by XLA
        ("train", "fit jit=off", ON_TENSORFLOW),
        ("vectorize", "double loop", ON_DENSE),  # only dense's reviews are multi-hot
        ("vectorize", "row assignment", ON_DENSE),
        ("vectorize", "pad_sequences", EVERYWHERE - ON_DENSE),
        ("vectorize", "encoder", EVERYWHERE),
    ],
)
def test_a_path_applies_where_it_differs(phase: str, name: str, expected: set[tuple[str, str]]) -> None:
    """Worked out by hand from the recipes' encodings and what the backends offer."""
    assert cells(name, phase) == expected


@each_path
def test_every_path_applies_somewhere(path: Path) -> None:
    """What no recipe on no backend can be driven by is no path."""
    assert cells(path.name, path.phase)


def test_only_fits_are_lines_over_their_steps() -> None:
    """`fit` prepares before its first step, so its cost has two parts; every other path is one call a repeat."""
    assert {path.name for path in PATHS if path.slope} == {name for name in paths.names("train") if "fit" in name}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_profile_asks_for_paths_that_exist_and_for_the_floor(profile: object) -> None:
    """A share of the floor needs the floor in the same round."""
    for phase, names in profile.paths.items():  # type: ignore[attr-defined]
        assert set(names) <= set(paths.names(phase))
        assert phase == "startup" or {paths.floor_of(phase, name) for name in names} <= set(names)


def test_the_full_profile_leaves_out_exports_alone() -> None:
    """What neither `--profile full` nor `--profile serving` measures, nothing does."""
    exported = set(formats.NAMES)
    assert {phase: set(names) for phase, names in PROFILES["full"].paths.items()} == {
        phase: set(paths.names(phase)) - exported for phase in PHASES
    }
    assert exported <= set(PROFILES["serving"].paths["predict"])


def test_the_usual_paths_exist() -> None:
    """Advice holds every other path against them, in every profile."""
    for phase, name in best_path.USUAL.items():
        assert all(name in profile.paths.get(phase, (name,)) for profile in PROFILES.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dense units=4 hidden_layers=3 dropout=0.5", True),
        ("dense optimizer=adam batch_size=64", True),
        ("pooling-plain", True),
        ("lstm lstm_units=8 dropout=0.5", True),
        ("dense optimizer=sgd", False),
        ("dense optimizer=adamw", False),  # its floor would be that of Adam, without the decay
        ("lstm-stacked", False),
        ("lstm lstm_dropout=0.25", False),
        ("lstm recurrent_dropout=0.25", False),
        ("pooling-logits embedding=keras", False),
    ],
)
def test_a_variation_has_a_floor_where_that_does_its_arithmetic(name: str, expected: bool) -> None:
    """A floor that did other work would be a wrong share in every table."""
    recipe = variations.find(name)
    assert paths.has_floor(recipe) is expected
    floors = [path for path in PATHS if path.name in (FLOOR, RESIDENT_FLOOR)]
    assert {paths.applies(path, recipe, "jax") for path in floors} == {expected}
    assert paths.applies(paths.find("vectorize", FLOOR_FROM_TEXT), recipe, "jax")


def test_a_user_s_model_has_no_floor() -> None:
    """Whatever it is called, nobody wrote its arithmetic by hand."""
    assert not paths.has_floor(replace(RECIPES["dense"], family="own"))
