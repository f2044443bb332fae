"""Tests of the plan: what each profile asks for, how much of it, and in which order."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

import pytest
from scipy import stats

from bench.backends import BACKENDS
from bench.plan import formats, steps
from bench.plan.paths import FLOORS
from bench.plan.steps import (
    PROFILES,
    BaselineTraining,
    Counting,
    Exporting,
    ParityCheck,
    Profile,
    Serving,
    Startup,
    Step,
    Timing,
    Training,
)
from bench.plan.targets import Target
from bench.records.schema import Cell
from models.recipes import RECIPES, Recipe
from models.variations import find

TARGETS = [Target("jax"), Target("tensorflow")]
each_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
each_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)


def planned(profile: Profile, recipes: list[Recipe] | None = None, targets: list[Target] = TARGETS) -> list[Step]:
    """Return the first pass of a whole run, with the profile's own number of seeds."""
    return passes(profile, recipes, targets)[0]


def passes(profile: Profile, recipes: list[Recipe] | None = None, targets: list[Target] = TARGETS) -> list[list[Step]]:
    """Return every pass of a run."""
    return steps.passes(recipes or list(RECIPES.values()), targets, profile, seeds=profile.seeds)


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
                "lstm": {"final": 10},
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
        (
            "serving",
            {
                "dense": {"final": 4},
                "pooling-dropout": {"final": 50},
                "pooling-logits": {"final": 10},
                "lstm": {"final": 10},
            },
        ),
    ],
)
def test_each_profile_trains_so_many_epochs(profile: str, expected: dict[str, dict[str, int]]) -> None:
    """Zero leaves a phase out, what is not mentioned runs its published schedule; `full` runs every one."""
    assert {name: steps.epochs(recipe, PROFILES[profile]) for name, recipe in RECIPES.items()} == expected


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
    assert steps.epochs(recipe, profile).get("final", 0) > 0


@pytest.mark.parametrize(
    ("profile", "first", "later"),
    [
        ("smoke", 8, []),
        ("default", 8, [5, 5, 5, 5]),
        ("full", 37, [6, 6, 6, 6]),
        ("serving", 7, [3, 3, 3, 3]),
    ],
)
def test_a_plan_has_so_many_steps(profile: str, first: int, later: list[int]) -> None:
    """Counted by hand for each recipe: trainings (seeds x paths x 2 targets), parity, one timing for each batch size.

    smoke 2 + 1 + (1 + 3 + 1), default the same; full 20 + 1 + 2 peers + serving + a start + 5 and 3 + 4 counts; serving
    2 + 1 + serving + 3. A later pass times alone.
    """
    assert [len(one) for one in passes(PROFILES[profile])] == [len(RECIPES) * number for number in (first, *later)]


@each_profile
def test_recipes_come_one_after_another_and_accuracy_before_speed(profile: Profile) -> None:
    """A wrong result is known before anything is timed; within a stage, a recipe is encoded once."""
    found = planned(profile)
    stages = {
        Training: 0,
        Exporting: 0,
        ParityCheck: 0,
        BaselineTraining: 0,
        Serving: 0,
        Startup: 1,
        Timing: 1,
        Counting: 2,
    }
    order = {
        Training: 0,
        Exporting: 0,
        ParityCheck: 1,
        BaselineTraining: 2,
        Serving: 3,
        Startup: 4,
        Timing: 5,
        Counting: 6,
    }
    for stage, group in groupby(found, key=lambda step: (getattr(step, "replicate", 0), stages[type(step)])):
        one = list(group)
        assert [name for name, _ in groupby(step.recipe.name for step in one)] == list(RECIPES), stage
        for before, after in pairwise(one):
            assert before.recipe is not after.recipe or order[type(before)] <= order[type(after)]
    assert [stages[type(step)] for step in passes(profile)[0]] == sorted(stages[type(s)] for s in passes(profile)[0])


@each_profile
def test_every_pass_times_the_same_cells(profile: Profile) -> None:
    """One replicate of everything in each pass, numbered from 0; nothing is trained to accuracy twice."""
    every = passes(profile)
    assert len(every) == profile.replicates
    timed = [[step for step in one if isinstance(step, Timing | Startup)] for one in every]
    for number, one in enumerate(timed):
        assert {step.replicate for step in one} == {number}
        assert [replace(step, replicate=0) for step in one] == timed[0]
    assert timed[1:] == every[1:]
    assert all(steps.timings(list(RECIPES.values()), TARGETS, profile, n) == one for n, one in enumerate(timed))


@each_profile
def test_targets_alternate_over_the_seeds(profile: Profile) -> None:
    """Every seed is trained by every target before the next one: an interrupted run is still comparable."""
    found = planned(profile, [RECIPES["dense"]])
    trainings = [step.training if isinstance(step, Exporting) else step for step in found]
    trainings = [step for step in trainings if isinstance(step, Training)]
    expected = [(way, seed, to) for way in profile.train_paths for seed in range(profile.seeds) for to in TARGETS]
    assert [(step.path, step.seed, step.target) for step in trainings] == expected


@each_profile
def test_recipes_are_trained_to_accuracy_by_paths_that_a_worker_knows(profile: Profile) -> None:
    """By Keras's `fit` or by the compiled loop; a floor is no way to drive Keras."""
    assert set(profile.train_paths) <= {"fit", "compiled loop"}


def test_the_number_of_seeds_can_be_asked_for() -> None:
    """`--seeds` overrides the profile."""
    found = steps.passes([RECIPES["lstm"]], TARGETS, PROFILES["smoke"], seeds=3)[0]
    assert sorted(step.seed for step in found if isinstance(step, Training)) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("count", "pairs"), [(1, 0), (2, 1), (3, 2)])
def test_each_further_target_is_held_against_the_first(count: int, pairs: int) -> None:
    """Equal work is shown once for each pair with the first; a single target has no pair."""
    targets = [*TARGETS, Target("jax", "gpu")][:count]
    found = [step for step in planned(PROFILES["smoke"], [RECIPES["dense"]], targets) if isinstance(step, ParityCheck)]
    assert [step.targets for step in found] == [(targets[0], other) for other in targets[1:]]
    assert len(found) == pairs


@each_recipe
@each_profile
def test_batch_sizes_are_the_recipes_and_the_plans(profile: Profile, recipe: Recipe) -> None:
    """Training at the published batch size, prediction at 1, 32 and 512 reviews, vectorization of 1,000."""
    timings = [step for step in planned(profile, [recipe]) if isinstance(step, Timing)]
    sizes = {phase: {t.batch_size for t in timings if t.phase == phase} for phase in ("train", "predict", "vectorize")}
    expected = {"train": {recipe.batch_size}, "predict": {1, 32, 512}, "vectorize": {1_000}}
    assert sizes == {phase: expected[phase] if phase in profile.paths else set() for phase in expected}


@each_profile
def test_all_paths_of_a_phase_take_turns_on_all_targets(profile: Profile) -> None:
    """What is compared was measured in one round: paths and the floor, on every target."""
    for step in planned(profile):
        if isinstance(step, Timing):
            assert step.targets == tuple(TARGETS)
            alone = profile.one_review if (step.phase, step.batch_size) == ("predict", 1) else ()
            assert step.paths == alone + profile.paths[step.phase]
            assert any(name in FLOORS for name in step.paths)


def test_the_cells_of_a_timing_are_its_paths_on_each_target_where_they_apply() -> None:
    """`fit jit=on` is no other path on JAX, which compiles anyway: three cells of two paths and two targets."""
    step = Timing(RECIPES["dense"], "train", ("fit jit=on", "fit"), 512, tuple(TARGETS))
    assert [(cell.path, cell.target) for cell in step.cells] == [
        ("fit jit=on", "tensorflow-cpu"),
        ("fit", "jax-cpu"),
        ("fit", "tensorflow-cpu"),
    ]
    assert {(cell.recipe, cell.phase, cell.batch_size) for cell in step.cells} == {("dense", "train", 512)}


def test_a_start_is_five_cells_of_each_target() -> None:
    """Import, build, first step, first prediction and load, at the recipe's batch size."""
    found = steps.step_cells(Startup(RECIPES["lstm"], tuple(TARGETS)))
    names = ("import", "build", "first step", "first prediction", "load")
    expected = [
        Cell(recipe="lstm", phase="startup", path=name, batch_size=RECIPES["lstm"].batch_size, target=target.name)
        for target in TARGETS
        for name in names
    ]
    assert found == expected


@pytest.mark.parametrize(
    "step",
    [
        Training(RECIPES["dense"], TARGETS[0], 0, {"final": 4}, "fit"),
        ParityCheck(RECIPES["dense"], (TARGETS[0], TARGETS[1])),
    ],
    ids=lambda step: step.name,
)
def test_what_times_nothing_has_no_cell(step: Step) -> None:
    """A training and a comparison have records of their own."""
    assert steps.step_cells(step) == []


@each_recipe
@pytest.mark.parametrize(("profile", "left"), [("smoke", {"dense": 78}), ("default", {"dense": 62}), ("full", {})])
def test_a_profile_leaves_so_many_cells_to_the_full_one(profile: str, left: dict[str, int], recipe: Recipe) -> None:
    """Counted by hand for two targets and dense, the others have two vectorizations less.

    full: starts 5 x 2; training 7 on both, 2 on TensorFlow; 9 predictions x 3 sizes x 2; vectorization 9 x 2: 98.
    smoke has 2 + 2 x 3 + 2 = 10 of them on each target, default 3 + 3 x 3 + 1 + 5 = 18.
    """
    fewer = 0 if recipe.name == "dense" or profile == "full" else 2
    assert len(steps.left_out([recipe], TARGETS, PROFILES[profile])) == left.get("dense", 0) - fewer


@each_profile
def test_what_is_measured_and_what_is_left_out_are_all_cells_of_the_full_profile(profile: Profile) -> None:
    """No cell is in neither list, and none is in both; exports belong to a profile of their own."""

    def cells(one: Profile) -> set[Cell]:
        return {cell for step in planned(one) for cell in steps.step_cells(step)}

    left = steps.left_out(list(RECIPES.values()), TARGETS, profile)
    assert len(set(left)) == len(left)
    assert cells(profile).isdisjoint(left)
    exported = {cell for cell in cells(profile) if cell.path in formats.NAMES}
    assert (cells(profile) - exported) | set(left) == cells(PROFILES["full"])
    assert not exported or profile.exports


@each_profile
def test_no_two_steps_have_one_name(profile: Profile) -> None:
    """A failure names its recipe, target and work: together they tell which step it was."""
    names = [(step.recipe.name, step.name, tuple(t.name for t in step.targets)) for step in planned(profile)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("phase", "latency"), [("train", False), ("vectorize", False), ("predict", True)])
def test_only_predictions_are_timed_call_by_call(phase: str, latency: bool) -> None:
    """Throughput is one clock over many repeats, latency a clock for each call."""
    assert Timing(RECIPES["dense"], phase, (), 1, ()).latency is latency


def test_a_step_is_named_by_its_work() -> None:
    """As the progress line and a failure's record show it."""
    dense = RECIPES["dense"]
    training = Training(dense, TARGETS[0], 2, {"final": 4}, "compiled loop")
    assert Timing(dense, "train", ("fit", "floor"), 512, ()).name == "train 512"
    assert (training.name, training.targets) == ("train to accuracy by compiled loop, seed 2", (TARGETS[0],))
    assert Startup(dense, ()).name == "startup"
    assert ParityCheck(dense, (TARGETS[0], TARGETS[1])).name == "parity"


def test_the_full_profile_makes_as_many_calls_as_the_99th_percentile_needs() -> None:
    """MLPerf's early stopping: 662 is the least number of calls where one slow call still proves p99 with 99 %.

    By the binomial: P(at most 1 of n calls above the percentile) falls to 1 % at n = 662.
    """
    calls = 662
    assert PROFILES["full"].calls * PROFILES["full"].replicates >= calls
    assert stats.binom.cdf(1, calls, 0.01) <= 0.01 < stats.binom.cdf(1, calls - 1, 0.01)


@each_profile
def test_profiles_are_known_by_their_own_names(profile: Profile) -> None:
    """The command line, the run's folder and the header use one word."""
    assert PROFILES[profile.name] is profile


@pytest.mark.parametrize("backend", BACKENDS)
@each_recipe
def test_the_time_left_can_be_told_for_every_training(recipe: Recipe, backend: str) -> None:
    """Each recipe has its seconds an epoch on each backend, and more epochs take longer."""
    short = Training(recipe, Target(backend), 0, {"final": 1}, "fit")
    assert 0 < steps.expected_s(short) < steps.expected_s(replace(short, epochs={"final": 2}))


def test_a_timing_takes_longer_with_more_targets() -> None:
    """They take turns, so their times add up."""
    one, two = (Timing(RECIPES["lstm"], "train", ("fit",), 32, tuple(TARGETS[:count])) for count in (1, 2))
    assert steps.expected_s(two) == 2 * steps.expected_s(one) > 0


def test_a_timing_takes_longer_with_more_paths() -> None:
    """Each cell is prepared and warmed up; one that does not apply costs nothing."""
    paths_s = [
        steps.expected_s(Timing(RECIPES["dense"], "train", names, 512, (TARGETS[0],)))
        for names in (("fit",), ("fit", "floor"), ("fit", "floor", "fit jit=on"))
    ]
    assert 0 < 2 * paths_s[0] == paths_s[1] == paths_s[2]


@each_profile
def test_every_step_of_a_plan_has_an_expected_time(profile: Profile) -> None:
    """The progress line adds them up."""
    assert all(steps.expected_s(step) > 0 for one in passes(profile) for step in one)


@pytest.mark.parametrize("profile", ["default", "full"])
def test_only_first_steps_are_prepared_alone(profile: str) -> None:
    """The first call of a training is reported, in the first pass; everything else may compile beside others."""
    timed = [step for one in passes(PROFILES[profile]) for step in one if isinstance(step, Timing)]
    alone = {(step.phase, step.replicate) for step in timed if not step.side_by_side}
    assert alone == {("train", 0)}


def test_a_variation_is_cut_short_where_its_recipe_is() -> None:
    """A quick check stays quick; fewer epochs than the cut stay fewer, and a user's model runs its own."""
    smoke = PROFILES["smoke"]
    found = {name: steps.epochs(find(name), smoke) for name in ("lstm embedding=keras", "pooling-dropout epochs=2")}
    assert found == {"lstm embedding=keras": {"final": 1}, "pooling-dropout epochs=2": {"final": 2}}
    assert steps.epochs(replace(RECIPES["lstm"], name="mine", family="own"), smoke) == {"final": 10}


def test_without_a_floor_the_fastest_path_stands_for_it() -> None:
    """Else the smallest profile would time one path alone, with nothing to compare it with."""
    timed = [step for step in planned(PROFILES["smoke"], [find("dense optimizer=sgd")]) if isinstance(step, Timing)]
    assert {step.phase: step.paths for step in timed} == {
        "train": ("fit", "compiled loop"),
        "predict": ("predict_on_batch", "compiled"),
        "vectorize": ("encoder", "floor from text"),
    }
    counted = [step for step in planned(PROFILES["full"], [find("dense optimizer=sgd")]) if isinstance(step, Counting)]
    assert {step.path for step in counted} == {"fit", "compiled loop", "predict", "predict_on_batch", "compiled"}


@each_profile
def test_a_backend_that_only_predicts_predicts_and_is_compared(profile: Profile) -> None:
    """From the weights of one that trains; it trains nothing, and whatever else a run does is done by the others."""
    both = planned(profile, targets=[Target("numpy"), Target("jax")])
    mine = [step for step in both if "numpy-cpu" in {target.name for target in step.targets}]
    assert {type(step) for step in mine} <= {ParityCheck, Timing, Counting}
    assert [step.targets[0].name for step in mine if isinstance(step, ParityCheck)] == ["jax-cpu"] * len(RECIPES)
    cells = [cell for step in both if isinstance(step, Timing) for cell in step.cells if cell.target == "numpy-cpu"]
    assert {(cell.phase, cell.path) for cell in cells} <= {("predict", "predict"), ("predict", "predict_on_batch")}
    assert {cell.batch_size for cell in cells} == {1, 32, 512}
    others = [step for step in planned(profile, targets=[Target("jax")]) if isinstance(step, Training)]
    assert [step for step in both if isinstance(step, Training)] == others


def test_backends_that_only_predict_can_be_measured_by_themselves() -> None:
    """Compared with each other, since there is nobody who trains."""
    found = planned(PROFILES["default"], targets=[Target("numpy"), Target("openvino")])
    assert {type(step) for step in found} == {ParityCheck, Timing}
