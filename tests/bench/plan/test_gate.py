"""The gate: which cells take turns in which processes, and what a fresh round measures; nothing runs here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.cli.compare.gate import DEFAULTS
from bench.plan import gate
from bench.plan.gate import Gate
from bench.plan.steps import Counting, Startup, Step, Timing, step_cells
from bench.plan.targets import Target
from bench.runner import calibrate
from models.recipes import RECIPES

EVERY = list(RECIPES.values())
SIDES = [Target(backend, label=label, quiet=True) for backend in ("jax", "tensorflow") for label in ("base", "head")]


def planned(**changes: object) -> Gate:
    return Gate(**{"recipes": EVERY, "sides": SIDES, "replicates": 2, "counters": False, **changes})  # type: ignore[arg-type]


def timings(steps: list[Step]) -> list[Timing]:
    return [step for step in steps if isinstance(step, Timing)]


def test_a_replicate_is_a_pass_for_each_backend() -> None:
    """Backends are not compared: the workers of one need not wait, and hold memory, while the other's are timed."""
    passes = planned().passes()
    assert len(passes) == 4
    assert [{t.backend for step in steps for t in step.targets} for steps in passes] == [{"jax"}, {"tensorflow"}] * 2
    assert [{step.replicate for step in timings(steps)} for steps in passes] == [{0}, {0}, {1}, {1}]


def test_the_base_and_the_head_take_turns_at_every_deciding_cell() -> None:
    """Four recipes, every kind of cell that applies, both sides in one step each."""
    deciding = timings(planned(controls=False).passes()[0])
    assert [(s.recipe.name, s.phase, s.paths[0], s.turns) for s in deciding] == [
        (name, kind.phase, kind.path, kind.turns) for name in RECIPES for kind in gate.KINDS
    ]
    assert {tuple(t.label for t in step.targets) for step in deciding} == {("base", "head")}
    assert all(step.throughput and not step.latency for step in deciding)


@pytest.mark.parametrize("tier", gate.TIERS)
def test_a_tier_can_be_left_out(tier: str) -> None:
    """Someone who changes a layer may ask for programs alone, in half of the time."""
    kinds = {(step.phase, step.paths[0]) for step in timings(planned(tiers=[tier]).passes()[0])}
    assert kinds == {(kind.phase, kind.path) for kind in gate.KINDS if kind.tier == tier}


def test_start_up_is_the_first_work_of_fresh_processes() -> None:
    """Once something was compiled it is no start; who starts first alternates, since caches are warm for the second."""
    passes = planned().passes()
    first = [steps[0] for steps in passes]
    assert all(isinstance(step, Startup) and not step.fresh for step in first)
    assert [[target.label for target in step.targets] for step in first[::2]] == [["base", "head"], ["head", "base"]]


def test_the_controls_take_turns_at_some_of_the_first_recipe_s_cells() -> None:
    """The same target again and one with a tenth more work are neighbours of the pair whose gate they prove."""
    steps = timings(planned().passes()[1])
    every = ["base", "head", gate.ITSELF, gate.SLOWED]
    proved = {kind.path for kind in gate.KINDS if kind.proved}
    for step in steps:
        wanted = every if step.recipe.name == "dense" and step.paths[0] in proved else every[:2]
        assert [target.label for target in step.targets] == wanted
    assert [t.extra_work for t in steps[0].targets] == [0, 0, 0, gate.EXTRA_WORK]
    assert {kind.tier for kind in gate.KINDS if kind.proved} == set(gate.TIERS)


def test_every_target_that_takes_part_is_told() -> None:
    """Two sides and two controls for each backend, all of them quiet, with names of their own."""
    found = planned().targets()
    assert len({target.name for target in found}) == len(found) == 8
    assert all(target.quiet for target in found)


def test_exact_counters_are_counted_once_on_each_side() -> None:
    """In processes of their own, before anything is timed: they are deterministic, and warm the caches of files."""
    passes = planned(counters=True).passes()
    counts = [[step for step in steps if isinstance(step, Counting)] for steps in passes]
    assert [len(found) for found in counts] == [28, 28, 0, 0, 0, 0]
    assert [len(steps) for steps in passes[:2]] == [28, 28]
    assert {target.label for step in counts[0] for target in step.targets} == {"base", "head"}


def test_what_users_call_is_counted_as_well_as_what_is_compiled() -> None:
    """Most slowdowns of Keras lie in its host path, which the compiled programs do not take."""
    counted = [s for s in planned(recipes=EVERY[:1], counters=True).passes()[0] if isinstance(s, Counting)]
    assert [(step.phase, step.path, step.batch_size) for step in counted] == [
        ("train", "compiled step", 512),
        ("predict", "compiled resident", 32),
        ("train", "fit", 8),
        ("train", "train_on_batch", 8),
        ("predict", "predict", 1),
        ("predict", "predict_on_batch", 1),
        ("predict", "eager", 1),
    ]


def test_a_further_process_times_the_open_cells_alone() -> None:
    """No control and no other cell: only the pairs that are not decided."""
    made = planned()
    flagged = [c for step in timings(made.passes()[0]) for c in step.cells if c.target == "jax-cpu@head"][:1]
    (steps,) = made.round(5, flagged)
    assert [step.replicate for step in timings(steps)] == [5]
    assert {t.label for step in steps for t in step.targets} == {"base", "head"}
    assert all(set(flagged) < set(step_cells(step)) for step in steps)


def test_a_further_process_may_be_one_of_start_up() -> None:
    """The whole start is measured again, in a process that does nothing else first."""
    made = planned()
    (start,) = [step for step in made.passes()[0] if isinstance(step, Startup)]
    asked = [cell for cell in step_cells(start) if cell.target == "jax-cpu@head"][:1]
    (steps,) = made.round(3, asked)
    assert [type(step) for step in steps] == [Startup]


def test_a_control_is_asked_again_without_the_sides() -> None:
    """Its own target and the base; with a side's cell that is flagged as well, in one step of both."""
    made = planned()
    every = [c for step in timings(made.passes()[0]) for c in step.cells]
    again = [c for c in every if c.target == f"jax-cpu@{gate.ITSELF}"][:1]
    head = [c for c in every if c.target == "jax-cpu@head"][:1]
    for asked, labels in ((again, ["base", gate.ITSELF]), (again + head, ["base", "head", gate.ITSELF])):
        (some,) = made.round(2, asked)
        assert [[target.label for target in step.targets] for step in some] == [labels]


def test_nothing_open_is_nothing_to_time() -> None:
    assert list(planned().round(1, [])) == []


def test_controls_are_the_base_in_everything_but_their_work() -> None:
    """The same checkout, packages and device; the slowed one works in the process of the other."""
    base = SIDES[0]
    again, slowed = gate.controls(base)
    assert replace(again, label="base") == base
    assert replace(slowed, label="base", extra_work=0.0, host=None) == base
    assert (again.process, slowed.process) == (again, again)


def test_the_command_line_s_numbers_are_the_gate_s() -> None:
    """They stand there twice, since importing the gate would keep `--help` waiting."""
    assert (DEFAULTS.replicates, DEFAULTS.alpha) == (gate.MOST, calibrate.ALPHA)


def test_a_margin_of_one_s_own_is_that_of_programs() -> None:
    """Calls have margins that follow from their noise."""
    margins = {
        (path.tier, path.path): path.margin
        for path in gate.comparison(planned(), {"base": "x"}, margin=0.01, alpha=0.05).deciding
    }
    assert margins["compiled", "compiled step"] == 0.01
    assert margins["called", "fit"] == next(kind.margin for kind in gate.KINDS if kind.path == "fit")
