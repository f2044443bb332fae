"""Profiles and their steps: what a run measures on which targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.plan import formats, paths, targets
from bench.plan.paths import FLOOR, FLOOR_FROM_IDS, FLOOR_FROM_TEXT
from bench.plan.targets import Target, trainers
from bench.records import identity
from bench.records.schema import Cell
from models.recipes import Recipe

PREDICT_SIZES = (1, 32, 512)
# Large enough that a call's fixed cost is small, small enough that the double-precision temporaries stay in memory.
VECTORIZE_REVIEWS = 1_000

# Counters of a prediction hardly depend on its number of reviews: one size is enough.
COUNTED_REVIEWS = 32

# The two lengths of a `fit` differ by at least this many seconds: its fixed cost, some ms to 0.1 s, is noisy.
SLOPE_S = 0.25


@dataclass(frozen=True)
class Profile:
    """How much a run measures.

    seeds        trainings to accuracy of each recipe on each target
    train_paths  the paths that drive these trainings
    epochs       phases that are cut short: "recipe/phase" and its epochs; 0 skips the phase
    paths        the timed paths of each phase; a phase without any is skipped
    one_review   paths of prediction that are timed for one review alone
    counted      the paths of each phase whose compilations, operations and bytes are counted
    replicates   fresh processes of each target that time every cell
    turns        blocks of each cell in one replicate, after warm-up
    calls        calls of a latency cell in one replicate, fewer if they are slow
    peers        classical baselines that are trained on each recipe's encoding
    serving      whether every backend serves a model saved by each target
    exports      whether the first training of each target is exported to every format, and each is started
    side_by_side whether targets train to accuracy at the same time, each on a share of the processors
    slope_s      seconds by which the two lengths of a `fit` differ
    block_s      seconds of a block of training steps, since a call costs up to 2 ms; None for the shortest
    """

    name: str
    summary: str
    seeds: int
    train_paths: tuple[str, ...]
    epochs: dict[str, int]
    paths: dict[str, tuple[str, ...]]
    counted: dict[str, tuple[str, ...]]
    replicates: int
    turns: int
    calls: int
    one_review: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    serving: bool = False
    exports: bool = False
    side_by_side: bool = False
    block_s: float | None = None
    slope_s: float = SLOPE_S


def _without_exports(phase: str) -> tuple[str, ...]:
    """Return the paths of ``phase`` that need no other package than Keras and its backend."""
    return tuple(name for name in paths.names(phase) if name not in formats.NAMES)


# What is nearly always the fastest path: with it the others are compared where no floor is written.
FASTEST = {"train": "compiled loop", "predict": "compiled"}

# Scikit-learn's linear models, as `bench.worker.training.classical_baselines` trains them.
BASELINES = ("logistic regression", "linear SVM")

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="a quick check of every stage with every recipe: does the suite work here?",
            seeds=1,
            train_paths=("compiled loop",),
            epochs={
                "dense/validation": 0,
                "dense/final": 4,
                "pooling-dropout/final": 3,
                "pooling-logits/final": 2,
                "lstm/final": 1,
            },
            paths={
                "train": ("fit", FLOOR),
                "predict": ("predict_on_batch", FLOOR),
                "vectorize": ("encoder", FLOOR_FROM_TEXT),
            },
            counted={},
            replicates=1,
            turns=3,
            calls=12,
            side_by_side=True,
        ),
        Profile(
            name="default",
            summary="every recipe to its published accuracy, and every way to call it that matters",
            seeds=1,
            train_paths=("compiled loop",),
            epochs={"dense/validation": 5},
            paths={
                "train": ("fit", "compiled loop", FLOOR),
                "predict": ("predict_on_batch", "compiled", FLOOR),
                "vectorize": ("TextVectorization", "encoder", "encoder from ids", FLOOR_FROM_TEXT, FLOOR_FROM_IDS),
            },
            one_review=("predict",),  # what users call; of 32 and 512 reviews in the full profile
            counted={},
            replicates=5,  # five cost a factor of 1.0 in the interval of moderated variances, three one of 1.4
            turns=3,
            calls=24,
            side_by_side=True,
            block_s=0.2,
        ),
        Profile(
            name="full",
            summary="complete schedules, five seeds, every path",
            seeds=5,
            train_paths=("fit", "compiled loop"),
            epochs={},
            paths={phase: _without_exports(phase) for phase in ("startup", "train", "predict", "vectorize")},
            counted={
                "train": ("fit", "compiled loop", FLOOR),
                "predict": ("predict", "predict_on_batch", "compiled", FLOOR),
            },
            replicates=5,
            turns=10,
            calls=140,  # over five replicates more than MLPerf's 662, from which p99 can be stated
            peers=BASELINES,
            serving=True,
            block_s=0.2,
        ),
        Profile(
            name="serving",
            summary="what serves fastest: every backend and export format, with accuracy, size and start-up",
            seeds=1,
            train_paths=("compiled loop",),
            epochs={"dense/validation": 0},
            paths={"predict": ("predict", "predict_on_batch", "compiled", *formats.NAMES, FLOOR)},
            counted={},
            replicates=5,
            turns=3,
            calls=60,
            serving=True,
            exports=True,
        ),
    )
}


@dataclass(frozen=True)
class Timing:
    """Cells whose blocks are interleaved: every path of a phase on every target, at one batch size, in one replicate.

    turns       blocks of each cell; the profile's number if None
    rare        targets that take every second turn alone
    throughput  whether a block of predictions is timed as a whole, as in every other phase, not call by call
    """

    recipe: Recipe
    phase: str
    paths: tuple[str, ...]
    batch_size: int
    targets: tuple[Target, ...]
    replicate: int = 0
    turns: int | None = None
    throughput: bool = False
    rare: tuple[Target, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.phase} {self.batch_size}"

    @property
    def latency(self) -> bool:
        """Whether each call is timed by itself."""
        return self.phase == "predict" and not self.throughput

    @property
    def side_by_side(self) -> bool:
        """Whether targets compile at the same time: not for training in replicate 0, whose first calls are reported."""
        return self.replicate > 0 or self.phase != "train" or any(target.quiet for target in self.targets)

    @property
    def cells(self) -> list[Cell]:
        """The cells in the order of the paths."""
        return _cells(self.recipe, self.phase, self.paths, self.batch_size, self.targets)


@dataclass(frozen=True)
class Training:
    """A recipe trained to accuracy by one target with one seed; ``epochs`` of each phase that is trained.

    With ``side_by_side``, other targets train at the same time.
    """

    recipe: Recipe
    target: Target
    seed: int
    epochs: dict[str, int]
    path: str
    side_by_side: bool = False

    @property
    def name(self) -> str:
        return f"train to accuracy by {self.path}, seed {self.seed}"

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.target,)


@dataclass(frozen=True)
class Startup:
    """What a fresh process of each target does once: import, build, first step, first prediction, load.

    fresh  whether the step starts processes of its own; otherwise it is the first work of those of the pass
    """

    recipe: Recipe
    targets: tuple[Target, ...]
    replicate: int = 0
    fresh: bool = True

    @property
    def name(self) -> str:
        return "startup"


@dataclass(frozen=True)
class Counting:
    """The deterministic counts of an operation, on every target at the same time: compilations, operations, bytes."""

    recipe: Recipe
    phase: str
    path: str
    batch_size: int
    targets: tuple[Target, ...]

    @property
    def name(self) -> str:
        return f"count {self.phase} {self.path} {self.batch_size}"

    @property
    def cells(self) -> list[Cell]:
        """The operation on each target that has it."""
        return _cells(self.recipe, self.phase, (self.path,), self.batch_size, self.targets)


@dataclass(frozen=True)
class ParityCheck:
    """Two targets compared from the same weights."""

    recipe: Recipe
    targets: tuple[Target, Target]

    @property
    def name(self) -> str:
        return "parity"


@dataclass(frozen=True)
class Serving:
    """Each target trains a model for an epoch and saves it; every installed backend scores raw text with it."""

    recipe: Recipe
    targets: tuple[Target, ...]

    @property
    def name(self) -> str:
        return "serving"

    @property
    def epochs(self) -> dict[str, int]:
        """One epoch of the last phase: enough for scores that differ."""
        return {self.recipe.phases[-1].name: 1}


@dataclass(frozen=True)
class Exporting:
    """A training whose last model is then exported to every format, and started in fresh processes.

    served_on  the backends beside the target's own that load Keras's file
    """

    training: Training
    served_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.training.name}, then export"

    @property
    def recipe(self) -> Recipe:
        return self.training.recipe

    @property
    def target(self) -> Target:
        return self.training.target

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.training.targets


@dataclass(frozen=True)
class BaselineTraining:
    """A classical baseline, trained in the process of one target."""

    recipe: Recipe
    target: Target
    baseline: str

    @property
    def name(self) -> str:
        return f"train a {self.baseline}"

    @property
    def targets(self) -> tuple[Target, ...]:
        return (self.target,)


Step = Training | Timing | Startup | Counting | ParityCheck | Serving | Exporting | BaselineTraining


def passes(recipes: list[Recipe], targets: list[Target], profile: Profile, *, seeds: int) -> list[list[Step]]:
    """Return the steps of each pass in order; each pass starts fresh processes.

    The first pass also trains to accuracy, before anything is timed, and counts.
    """
    chosen = tuple(targets)
    trained = [step for recipe in recipes for step in _trained(recipe, chosen, profile, seeds)]
    counted = [step for recipe in recipes for step in _counted(recipe, chosen, profile)]
    timed = [timings(recipes, targets, profile, replicate) for replicate in range(profile.replicates)]
    return [[*trained, *timed[0], *counted], *timed[1:]]


def timings(recipes: list[Recipe], targets: list[Target], profile: Profile, replicate: int) -> list[Step]:
    """Return the steps that one replicate times."""
    return [step for recipe in recipes for step in _timed(recipe, tuple(targets), profile, replicate)]


def replicate(steps: Sequence[Step]) -> int:
    """Return the replicate of a pass: 0 if it times nothing."""
    return max((step.replicate for step in steps if isinstance(step, Timing | Startup)), default=0)


def epochs(recipe: Recipe, profile: Profile) -> dict[str, int]:
    """Return the epochs of each phase that ``profile`` trains; a variation is cut short where its recipe is."""
    most = {phase.name: profile.epochs.get(f"{recipe.base}/{phase.name}", phase.epochs) for phase in recipe.phases}
    wanted = {phase.name: min(phase.epochs, most[phase.name]) for phase in recipe.phases}
    return {name: number for name, number in wanted.items() if number}


def left_out(recipes: list[Recipe], targets: list[Target], profile: Profile) -> list[Cell]:
    """Return the cells of the full profile that ``profile`` does not measure."""
    every, mine = (
        {cell for step in timings(recipes, targets, one, 0) for cell in step_cells(step)}
        for one in (PROFILES["full"], profile)
    )
    return sorted(every - mine, key=lambda cell: cell.name)


def together(steps: Sequence[Step]) -> list[list[Step]]:
    """Group neighbouring steps that are done together, in their order; most steps stand alone.

    The timings of a replicate go round together, so that the turns of each lie apart in time; a gate's have turns of
    their own. Targets may train the same at the same time.
    """
    return [list(group) for _, group in groupby(steps, key=_together)]


def _together(step: Step) -> object:
    match step:
        case Timing(turns=None):
            return "timing", step.replicate
        case Training(side_by_side=True):
            return "training", step.recipe.name, step.seed, step.path
        case _:
            return id(step)


def step_cells(step: Step) -> list[Cell]:
    """Return the cells that ``step`` measures, none if it times nothing."""
    if isinstance(step, Startup):
        return [cell for target in step.targets for cell in startup_cells(step, target.name)]
    return step.cells if isinstance(step, Timing) else []


def identities(step: Step, target: str | None = None) -> list[str]:
    """Return the identities of the records that ``step`` makes, perhaps those of one target alone."""
    return [found for name, found in _identities(step) if target in (None, name)]


def _identities(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the target and the identity of each record that ``step`` makes."""
    recipe = step.recipe.name
    match step:
        case Timing() | Startup():
            yield from ((cell.target, identity.timing(cell, step.replicate)) for cell in step_cells(step))
        case Training():
            yield step.target.name, identity.training(recipe, step.target.name, seed=step.seed, path=step.path)
        case Counting():
            yield from ((cell.target, identity.counters(cell)) for cell in step.cells)
        case ParityCheck():
            names = tuple(target.name for target in step.targets)
            yield from ((name, identity.parity(recipe, names)) for name in names)
        case Serving():
            for target in step.targets:
                for backend in targets.installed_serving_backends():
                    yield target.name, identity.serving(recipe, target.name, backend)
        case Exporting():
            yield from _identities(step.training)
            yield step.target.name, identity.exports(recipe, step.target.name)
        case BaselineTraining():
            yield step.target.name, identity.baseline(recipe, step.baseline)


def startup_cells(step: Startup, target: str) -> list[Cell]:
    """Return the cells that one fresh process of ``target`` measures."""
    size = step.recipe.batch_size
    return [
        Cell(recipe=step.recipe.name, phase="startup", path=name, batch_size=size, target=target)
        for name in paths.names("startup")
    ]


def expected_s(step: Step) -> float:
    """Return roughly how long ``step`` takes on two cores, to show the time left: only proportions matter."""
    if isinstance(step, Training):
        each = EPOCH_S.get(step.recipe.base, {}).get(step.target.backend, 5.0)
        return (6 + sum(number * each for number in step.epochs.values())) / (2 if step.side_by_side else 1)
    if isinstance(step, Exporting):
        return expected_s(step.training) + START_S * (len(formats.EXPORTED) + len(step.served_on))
    if isinstance(step, Timing):
        return CELL_S[step.phase] * (1.6 if step.recipe.family == "lstm" else 1) * len(step.cells)
    return OTHER_S.get(type(step).__name__, 3.0) * len(step.targets)


# Seconds an epoch and seconds a cell on a two-core machine, only to show the time left.
EPOCH_S: dict[str, dict[str, float]] = {
    "dense": {"jax": 1.2, "tensorflow": 1.2},
    "pooling-dropout": {"jax": 0.8, "tensorflow": 1.0},
    "pooling-logits": {"jax": 1.5, "tensorflow": 2.2},
    "lstm": {"jax": 25.0, "tensorflow": 27.0},
}
CELL_S: dict[str, float] = {"train": 2.8, "predict": 0.7, "vectorize": 0.5}
START_S = 10.0  # three fresh processes of a format
OTHER_S: dict[str, float] = {"Startup": 10.0, "Serving": 30.0, "BaselineTraining": 12.0, "ParityCheck": 1.5}


def _trained(recipe: Recipe, targets: tuple[Target, ...], profile: Profile, seeds: int) -> list[Step]:
    trained = epochs(recipe, profile)
    training = trainers(targets)
    found: list[Step] = [
        Training(recipe, target, seed, trained, path, profile.side_by_side)
        for path in profile.train_paths
        for seed in range(seeds)
        for target in training
    ]
    if profile.exports:
        found = [_exporting(step, targets) if isinstance(step, Training) and step.seed == 0 else step for step in found]
    first = (*training, *targets)[0]
    found += [ParityCheck(recipe, (first, other)) for other in targets if other != first]
    if recipe.reads_text and training:
        found += [BaselineTraining(recipe, first, peer) for peer in profile.peers]
    if recipe.reads_reviews and profile.serving and training:
        found += [Serving(recipe, training)]
    return found


def _exporting(training: Training, targets: tuple[Target, ...]) -> Exporting:
    """Return ``training`` with its exports; backends that only predict load the file of the first target alone."""
    first = training.target == trainers(targets)[0]
    return Exporting(training, tuple(one.backend for one in targets if not one.trains) if first else ())


def _timed(recipe: Recipe, targets: tuple[Target, ...], profile: Profile, replicate: int) -> list[Step]:
    training = trainers(targets)
    found: list[Step] = [Startup(recipe, training, replicate)] if "startup" in profile.paths and training else []
    for phase in ("train", "predict", "vectorize"):
        named = [(size, _names(recipe, profile, phase, size)) for size in _sizes(recipe, phase)]
        able = targets if phase == "predict" else training
        timed = [Timing(recipe, phase, names, size, able, replicate) for size, names in named if names]
        found += [timing for timing in timed if timing.cells]
    return found


def _names(recipe: Recipe, profile: Profile, phase: str, batch_size: int) -> tuple[str, ...]:
    """Return the paths of a phase that are timed at one batch size; without a floor, the fastest way stands for it."""
    alone = profile.one_review if (phase, batch_size) == ("predict", 1) else ()
    names = (*alone, *profile.paths.get(phase, ()))
    if paths.has_floor(recipe) or FLOOR not in names:
        return names
    return tuple(dict.fromkeys(FASTEST[phase] if name == FLOOR else name for name in names))


def _counted(recipe: Recipe, targets: tuple[Target, ...], profile: Profile) -> list[Step]:
    sizes = {"train": recipe.batch_size, "predict": COUNTED_REVIEWS}
    found = [
        Counting(recipe, phase, name, sizes[phase], targets)
        for phase, names in profile.counted.items()
        for name in names
    ]
    return [step for step in found if step.cells]


def _cells(
    recipe: Recipe, phase: str, names: tuple[str, ...], batch_size: int, targets: tuple[Target, ...]
) -> list[Cell]:
    return [
        Cell(recipe=recipe.name, phase=phase, path=name, batch_size=batch_size, target=target.name)  # type: ignore[arg-type]
        for name in names
        for target in targets
        if paths.applies(paths.find(phase, name), recipe, target.backend, target.device)
    ]


def _sizes(recipe: Recipe, phase: str) -> tuple[int, ...]:
    return {"train": (recipe.batch_size,), "predict": PREDICT_SIZES, "vectorize": (VECTORIZE_REVIEWS,)}[phase]
