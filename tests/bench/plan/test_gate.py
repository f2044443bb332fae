"""The gate: which cells take turns in which processes, and what a fresh round measures; nothing runs here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cli.compare.gate import DEFAULTS
from bench.plan import gate, steps
from bench.plan.gate import Gate
from bench.plan.steps import Counting, Step, Timing
from bench.plan.targets import Target
from bench.runner import calibrate
from models.recipes import RECIPES

EVERY = list(RECIPES.values())
SIDES = [Target(backend, label=label, quiet=True) for backend in ("jax", "tensorflow") for label in ("base", "head")]


def planned(**changes: object) -> Gate:
    return Gate(**{"recipes": EVERY, "sides": SIDES, "replicates": 2, "turns": 5, **changes})  # type: ignore[arg-type]


def timings(steps: list[Step]) -> list[Timing]:
    return [step for step in steps if isinstance(step, Timing)]


def test_a_replicate_is_a_pass_for_each_backend() -> None:
    """Backends are not compared: the workers of one need not wait, and hold memory, while the other's are timed."""
    passes = planned().passes()
    assert len(passes) == 4
    assert [{t.backend for step in steps for t in step.targets} for steps in passes] == [{"jax"}, {"tensorflow"}] * 2
    assert [{step.replicate for step in timings(steps)} for steps in passes] == [{0}, {0}, {1}, {1}]


def test_the_base_and_the_head_take_turns_at_every_deciding_cell() -> None:
    """Four recipes, training and prediction, both sides in one step each."""
    deciding = timings(planned(controls=False, beside=False).passes()[0])
    assert [(s.recipe.name, s.phase, s.paths) for s in deciding] == [
        (name, phase, (path,)) for name in RECIPES for phase, path in gate.DECIDING
    ]
    assert {tuple(t.label for t in step.targets) for step in deciding} == {("base", "head")}
    assert all(step.throughput and not step.latency for step in deciding)
    assert [step.turns for step in deciding] == len(RECIPES) * [5, 5 * gate.PREDICT_TURNS]


def test_the_controls_take_turns_at_the_first_recipe_s_cells() -> None:
    """The same target again and one with a tenth more work are neighbours of the pair whose gate they prove."""
    steps = timings(planned(beside=False).passes()[1])
    labels = {step.recipe.name: [t.label for t in step.targets] for step in steps}
    assert labels["dense"] == ["base", "head", gate.ITSELF, gate.SLOWED]
    assert labels["lstm"] == ["base", "head"]
    assert [t.extra_work for t in steps[0].targets] == [0, 0, 0, gate.EXTRA_WORK]


def test_every_target_that_takes_part_is_told() -> None:
    """Two sides and two controls for each backend, all of them quiet, with names of their own."""
    found = planned().targets()
    assert len({target.name for target in found}) == len(found) == 8
    assert all(target.quiet for target in found)


def test_what_users_drive_is_timed_in_the_first_replicates_alone() -> None:
    """It decides nothing and costs much."""
    passes = planned(replicates=gate.BESIDE_REPLICATES + 1).passes()
    paths = [{path for step in timings(steps) for path in step.paths} for steps in passes[::2]]
    assert ["fit" in found for found in paths] == [True] * gate.BESIDE_REPLICATES + [False]


def test_exact_counters_are_counted_once_on_each_side() -> None:
    """In the first replicate only: they are deterministic."""
    counts = [[step for step in steps if isinstance(step, Counting)] for steps in planned().passes()]
    assert [len(found) for found in counts] == [8, 8, 0, 0]
    assert {target.label for step in counts[0] for target in step.targets} == {"base", "head"}


def test_a_fresh_batch_measures_the_flagged_cells_alone_with_new_replicates() -> None:
    """As many processes as the first round had, and no control: only the pair is re-measured."""
    made = planned()
    flagged = [c for step in timings(made.passes()[0]) for c in step.cells if c.target == "jax-cpu@head"][:1]
    passes = list(made.round(1, flagged))
    assert [[step.replicate for step in timings(steps)] for steps in passes] == [[2], [3]]
    assert [step.replicate for steps in made.round(2, flagged) for step in timings(steps)] == [4, 5]
    assert all(set(flagged) < set(steps.step_cells(step)) for some in passes for step in some)
    assert {t.label for steps in passes for step in steps for t in step.targets} == {"base", "head"}


def test_a_control_is_asked_again_without_the_sides() -> None:
    """Its own target and the base; with a side's cell that is flagged as well, in one step of both."""
    made = planned()
    every = [c for step in timings(made.passes()[0]) for c in step.cells]
    again = [c for c in every if c.target == f"jax-cpu@{gate.ITSELF}"][:1]
    head = [c for c in every if c.target == "jax-cpu@head"][:1]
    for asked, labels in ((again, ["base", gate.ITSELF]), (again + head, ["base", "head", gate.ITSELF])):
        for some in made.round(2, asked):
            assert [[target.label for target in step.targets] for step in some] == [labels]
    assert len(list(made.round(2, again))) == 2


def test_nothing_flagged_is_nothing_to_confirm() -> None:
    assert list(planned().round(1, [])) == []


@pytest.mark.parametrize("phase", ["train", "predict"])
def test_recipes_of_one_kind_share_the_size_of_their_cells(phase: str) -> None:
    """Training takes the recipe's own batch size, prediction one size for all."""
    sizes = {gate.size(recipe, phase) for recipe in EVERY}
    assert sizes == ({32} if phase == "predict" else {512, 32})


def test_controls_are_the_base_in_everything_but_their_work() -> None:
    """The same checkout, packages and device."""
    base = SIDES[0]
    again, slowed = gate.controls(base)
    assert replace(again, label="base") == base
    assert replace(slowed, label="base", extra_work=0.0) == base


def test_the_command_line_s_numbers_are_the_gate_s() -> None:
    """They stand there twice, since importing the gate would keep `--help` waiting."""
    assert (DEFAULTS.replicates, DEFAULTS.turns) == (gate.PROFILE.replicates, gate.PROFILE.turns)
    assert (DEFAULTS.margin, DEFAULTS.alpha) == (calibrate.MARGIN, calibrate.ALPHA)
    default = Gate(EVERY, SIDES)
    assert (DEFAULTS.beside, DEFAULTS.settle) == (default.beside, default.settle)
