"""Tests of the plan: what each profile asks for, how much of it, and in which order."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from scipy import stats

from bench import plan
from bench.plan import PROFILES, ParityCheck, Profile, Step, Timing, Training
from bench.record import Cell
from bench.targets import BACKENDS, Target
from models.recipes import RECIPES, Recipe

TARGETS = [Target("jax"), Target("tensorflow")]
each_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
each_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)


def steps(profile: Profile, recipes: list[Recipe] | None = None, targets: list[Target] = TARGETS) -> list[Step]:
    """Return the plan of a whole run, with the profile's own number of seeds."""
    return plan.steps(recipes or list(RECIPES.values()), targets, profile, seeds=profile.seeds)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            "smoke",
            {
                "dense": {"final": 4},
                "pooling-dropout": {"final": 3},
                "pooling-logits": {"final": 2},
                "lstm": {"final": 1},
            },
        ),
        (
            "default",
            {
                "dense": {"validation": 5, "final": 4},
                "pooling-dropout": {"final": 50},
                "pooling-logits": {"final": 10},
                "lstm": {"final": 1},
            },
        ),
        (
            "full",
            {
                "dense": {"validation": 20, "final": 4},
                "pooling-dropout": {"final": 50},
                "pooling-logits": {"final": 10},
                "lstm": {"final": 10},
            },
        ),
    ],
)
def test_each_profile_trains_so_many_epochs(profile: str, expected: dict[str, dict[str, int]]) -> None:
    """Zero leaves a phase out, what is not mentioned runs its published schedule; `full` runs every one."""
    assert {name: plan.epochs(recipe, PROFILES[profile]) for name, recipe in RECIPES.items()} == expected


@each_profile
def test_a_cut_names_a_phase_and_shortens_it(profile: Profile) -> None:
    """A misspelt phase would silently run in full; a longer one is not the published recipe."""
    for name, number in profile.epochs.items():
        recipe, _, phase = name.partition("/")
        assert 0 <= number <= RECIPES[recipe].phase(phase).epochs


@each_recipe
@each_profile
def test_every_profile_trains_every_recipes_final_phase(profile: Profile, recipe: Recipe) -> None:
    """A recipe whose accuracy is not looked at could be timed doing anything."""
    assert plan.epochs(recipe, profile).get("final", 0) > 0


@pytest.mark.parametrize(("profile", "per_recipe"), [("smoke", 8), ("default", 10), ("full", 22)])
def test_a_plan_has_so_many_steps(profile: str, per_recipe: int) -> None:
    """Counted by hand for two targets: trainings (seeds x 2), parity, and a timing for each path and batch size.

    smoke 2 + 1 + (1 + 3 + 1); default 2 + 1 + (1 + 3 + 3); full 10 + 1 + (2 + 6 + 3).
    """
    assert len(steps(PROFILES[profile])) == per_recipe * len(RECIPES)


@each_profile
def test_recipes_come_one_after_another_and_accuracy_before_speed(profile: Profile) -> None:
    """Encoding a recipe takes seconds, so it happens once; a wrong result is known before it is timed."""
    found = steps(profile)
    assert list(dict.fromkeys(step.recipe.name for step in found)) == list(RECIPES)
    order = {Training: 0, ParityCheck: 1, Timing: 2}
    for before, after in pairwise(found):
        assert before.recipe is after.recipe or isinstance(before, Timing)
        assert before.recipe is not after.recipe or order[type(before)] <= order[type(after)]


@each_profile
def test_targets_alternate_over_the_seeds(profile: Profile) -> None:
    """Every seed is trained by every target before the next one: an interrupted run is still comparable."""
    trainings = [step for step in steps(profile, [RECIPES["dense"]]) if isinstance(step, Training)]
    expected = [(seed, target) for seed in range(profile.seeds) for target in TARGETS]
    assert [(step.seed, step.target) for step in trainings] == expected


def test_the_number_of_seeds_can_be_asked_for() -> None:
    """`--seeds` overrides the profile."""
    found = plan.steps([RECIPES["lstm"]], TARGETS, PROFILES["smoke"], seeds=3)
    assert sorted(step.seed for step in found if isinstance(step, Training)) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("count", "pairs"), [(1, 0), (2, 1), (3, 2)])
def test_each_further_target_is_held_against_the_first(count: int, pairs: int) -> None:
    """Equal work is shown once for each pair with the first; a single target has nobody to agree with."""
    targets = [*TARGETS, Target("jax", "gpu")][:count]
    found = [step for step in steps(PROFILES["smoke"], [RECIPES["dense"]], targets) if isinstance(step, ParityCheck)]
    assert [step.targets for step in found] == [(targets[0], other) for other in targets[1:]]
    assert len(found) == pairs


@each_recipe
@each_profile
def test_batch_sizes_are_the_recipes_and_the_plans(profile: Profile, recipe: Recipe) -> None:
    """Training at the published batch size, prediction at 1, 32 and 512 reviews, vectorization of 1,000."""
    timings = [step for step in steps(profile, [recipe]) if isinstance(step, Timing)]
    sizes = {phase: {t.batch_size for t in timings if t.phase == phase} for phase in profile.paths}
    assert sizes == {"train": {recipe.batch_size}, "predict": {1, 32, 512}, "vectorize": {1_000}}


@each_profile
def test_every_timing_is_a_cell_on_all_targets(profile: Profile) -> None:
    """Targets take turns at the same work, and the record's schema takes every phase of every plan."""
    for step in steps(profile):
        if isinstance(step, Timing):
            assert step.targets == tuple(TARGETS)
            fields = {"phase": step.phase, "path": step.path, "batch_size": step.batch_size}
            assert Cell.model_validate({"recipe": step.recipe.name, "target": "jax-cpu", **fields}).phase == step.phase


@each_profile
def test_no_two_steps_have_one_name(profile: Profile) -> None:
    """A failure names its recipe, target and work: together they tell which step it was."""
    names = [(step.recipe.name, step.name, tuple(t.name for t in step.targets)) for step in steps(profile)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("phase", "latency"), [("train", False), ("vectorize", False), ("predict", True)])
def test_only_predictions_are_timed_call_by_call(phase: str, latency: bool) -> None:
    """Throughput is one clock over many repeats, latency a clock for each call."""
    assert Timing(RECIPES["dense"], phase, "made", 1, ()).latency is latency


def test_a_step_is_named_by_its_work() -> None:
    """As the progress line and a failure's record show it."""
    dense = RECIPES["dense"]
    assert Timing(dense, "train", "fit", 512, ()).name == "train fit 512"
    assert Training(dense, TARGETS[0], 2, {"final": 4}).name == "train to accuracy, seed 2"
    assert Training(dense, TARGETS[0], 2, {"final": 4}).targets == (TARGETS[0],)
    assert ParityCheck(dense, (TARGETS[0], TARGETS[1])).name == "parity"


def test_the_full_profile_makes_as_many_calls_as_the_99th_percentile_needs() -> None:
    """MLPerf's early stopping: 662 is the least number of calls where one slow call still proves p99 with 99 %.

    By the binomial: P(at most 1 of n calls above the percentile) falls to 1 % at n = 662.
    """
    calls = PROFILES["full"].calls
    assert stats.binom.cdf(1, calls, 0.01) <= 0.01 < stats.binom.cdf(1, calls - 1, 0.01)


@each_profile
def test_profiles_are_known_by_their_own_names(profile: Profile) -> None:
    """The command line, the run's folder and the header use one word."""
    assert PROFILES[profile.name] is profile


@pytest.mark.parametrize("backend", BACKENDS)
@each_recipe
def test_the_time_left_can_be_told_for_every_training(recipe: Recipe, backend: str) -> None:
    """Each recipe has its seconds an epoch on each backend, and more epochs take longer."""
    short = Training(recipe, Target(backend), 0, {"final": 1})
    assert 0 < plan.expected_s(short) < plan.expected_s(replace(short, epochs={"final": 2}))


def test_a_timing_takes_longer_with_more_targets() -> None:
    """They take turns, so their times add up."""
    one, two = (Timing(RECIPES["lstm"], "train", "fit", 32, tuple(TARGETS[:count])) for count in (1, 2))
    assert plan.expected_s(two) == 2 * plan.expected_s(one) > 0
