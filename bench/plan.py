"""The plan: which work a profile asks of which targets, step by step; it runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bench.targets import Target
from models.recipes import Recipe

PREDICT_SIZES = (1, 32, 512)
# Large enough that a call's fixed cost is small, small enough that the double-precision temporaries stay in memory.
VECTORIZE_REVIEWS = 1_000


@dataclass(frozen=True)
class Profile:
    """How much of everything a run does.

    seeds          trainings to accuracy of each recipe on each target
    epochs         where a phase is cut short: "recipe/phase" and its epochs; 0 leaves the phase out
    paths          the ways of each phase that are timed
    turns          blocks of each timed cell on each target, after warm-up
    calls          calls of a latency cell in all turns together, at least
    """

    name: str
    summary: str
    seeds: int
    epochs: dict[str, int]
    paths: dict[str, tuple[str, ...]]
    turns: int
    calls: int


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="every recipe, a word of everything: does the suite work here?",
            seeds=1,
            epochs={
                "dense/validation": 0,
                "dense/final": 4,
                "pooling-dropout/final": 3,
                "pooling-logits/final": 2,
                "lstm/final": 1,
            },
            paths={"train": ("fit",), "predict": ("predict_on_batch",), "vectorize": ("encoder",)},
            turns=3,
            calls=30,
        ),
        Profile(
            name="default",
            summary="every recipe to its published accuracy, the lstm to its first epoch",
            seeds=1,
            epochs={"dense/validation": 5, "lstm/final": 1},
            paths={
                "train": ("fit",),
                "predict": ("predict_on_batch",),
                "vectorize": ("TextVectorization", "encoder", "encoder from ids"),
            },
            turns=8,
            calls=80,
        ),
        Profile(
            name="full",
            summary="complete schedules, five seeds, every path",
            seeds=5,
            epochs={},
            paths={
                "train": ("fit", "train_on_batch"),
                "predict": ("predict", "predict_on_batch"),
                "vectorize": ("TextVectorization", "encoder", "encoder from ids"),
            },
            turns=30,
            calls=662,  # MLPerf's early-stopping bound: from here on p99 can be stated
        ),
    )
}


@dataclass(frozen=True)
class Timing:
    """A timed operation on every target that takes turns at it."""

    recipe: Recipe
    phase: str
    path: str
    batch_size: int
    targets: tuple[Target, ...]

    @property
    def name(self) -> str:
        return f"{self.phase} {self.path} {self.batch_size}"

    @property
    def latency(self) -> bool:
        """Whether each call has a clock of its own."""
        return self.phase == "predict"


@dataclass(frozen=True)
class Training:
    """A recipe trained to accuracy by one target with one seed; ``epochs`` of each phase that is trained."""

    recipe: Recipe
    target: Target
    seed: int
    epochs: dict[str, int]

    @property
    def name(self) -> str:
        return f"train to accuracy, seed {self.seed}"

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.target,)


@dataclass(frozen=True)
class ParityCheck:
    """Two targets, one set of weights."""

    recipe: Recipe
    targets: tuple[Target, Target]

    @property
    def name(self) -> str:
        return "parity"


Step = Training | Timing | ParityCheck


def steps(recipes: list[Recipe], targets: list[Target], profile: Profile, *, seeds: int) -> list[Step]:
    """Return the work in its order: recipe by recipe, since encoding one takes seconds; accuracy before speed."""
    return [step for recipe in recipes for step in _recipe_steps(recipe, tuple(targets), profile, seeds)]


def epochs(recipe: Recipe, profile: Profile) -> dict[str, int]:
    """Return the epochs of each phase that ``profile`` trains."""
    wanted = {phase.name: profile.epochs.get(f"{recipe.name}/{phase.name}", phase.epochs) for phase in recipe.phases}
    return {name: number for name, number in wanted.items() if number}


def expected_s(step: Step) -> float:
    """Return roughly how long ``step`` takes on two cores: only the proportions matter, for the time left."""
    if isinstance(step, Training):
        return 3 + sum(number * EPOCH_S[step.recipe.name][step.target.backend] for number in step.epochs.values())
    return 4.0 * len(step.targets)


# Seconds an epoch on a two-core machine; used for the time left alone.
EPOCH_S: dict[str, dict[str, float]] = {
    "dense": {"jax": 1.0, "tensorflow": 1.0},
    "pooling-dropout": {"jax": 1.1, "tensorflow": 1.4},
    "pooling-logits": {"jax": 1.2, "tensorflow": 4.0},
    "lstm": {"jax": 12.0, "tensorflow": 19.0},
}


def _recipe_steps(recipe: Recipe, targets: tuple[Target, ...], profile: Profile, seeds: int) -> list[Step]:
    trained = epochs(recipe, profile)
    found: list[Step] = [Training(recipe, target, seed, trained) for seed in range(seeds) for target in targets]
    found += [ParityCheck(recipe, (targets[0], other)) for other in targets[1:]]
    for phase, paths in profile.paths.items():
        for path in paths:
            found += [Timing(recipe, phase, path, size, targets) for size in _sizes(recipe, phase)]
    return found


def _sizes(recipe: Recipe, phase: str) -> tuple[int, ...]:
    return {"train": (recipe.batch_size,), "predict": PREDICT_SIZES, "vectorize": (VECTORIZE_REVIEWS,)}[phase]
