"""The gate: several targets of each backend, in cells with as little noise as the hardware allows.

A compared target runs one framework thread on one core. The cells that decide are of two tiers. Those of the tier
"compiled" run Keras's own layers as one compiled program on resident data: what remains is the work of the layers.
Those of the tier "called" are what people call, on few rows, so that the cost of Keras around the layers shows. The
first recipe's cells are measured on two further targets as well: the base again and the base with extra work. Their
answers are known, so they prove the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.plan import paths
from bench.plan.steps import Counting, Profile, Startup, Step, Timing, step_cells
from bench.plan.targets import Target
from bench.records.schema import Cell, ComparisonRecord, DecidingPath, PhaseName
from models.recipes import Recipe

COMPILED, CALLED = "compiled", "called"
TIERS = (COMPILED, CALLED)


@dataclass(frozen=True)
class Kind:
    """The cells of one path that decide.

    margin   within which they are the same; of programs it follows from results/calibration, of calls from a pilot of
             three processes, until these have a pool as well
    turns    blocks of each cell in one process
    rows     of one repeat; the recipe's batch size if None
    proved   whether the controls are measured as well
    """

    tier: str
    phase: PhaseName
    path: str
    margin: float
    turns: int
    rows: int | None = None
    proved: bool = True


# Reviews of a prediction of compiled programs: one size is enough, since the cost of layers shows at each.
PREDICT_REVIEWS = 32

KINDS = (
    Kind(COMPILED, "train", "compiled step", margin=0.03, turns=20),
    Kind(COMPILED, "predict", "compiled resident", margin=0.03, turns=20, rows=PREDICT_REVIEWS),
    Kind(CALLED, "train", "fit", margin=0.05, turns=5, rows=8),
    Kind(CALLED, "train", "train_on_batch", margin=0.10, turns=10, rows=8, proved=False),
    Kind(CALLED, "predict", "predict", margin=0.05, turns=12, rows=1),
    Kind(CALLED, "predict", "predict_on_batch", margin=0.05, turns=10, rows=1, proved=False),
    Kind(CALLED, "predict", "eager", margin=0.10, turns=8, rows=1, proved=False),
    Kind(CALLED, "vectorize", "TextVectorization", margin=0.10, turns=8, rows=100, proved=False),
)
# What a fresh process does once: all of them are one step of the pass.
STARTUP = tuple(Kind(CALLED, "startup", path, margin=0.25, turns=1, proved=False) for path in paths.names("startup"))

EVERY = (*KINDS, *STARTUP)

# Processes of each side before the first look, and the most of a stage.
FEWEST, MOST = 3, 14

EXTRA_WORK = 0.10
ITSELF, SLOWED = "base again", "base +10% work"

PROFILE = Profile(
    name="gate",
    summary="targets of one backend compared in cells with little noise",
    seeds=0,
    train_paths=(),
    epochs={},
    paths={},
    counted={
        "train": ("compiled step", "fit", "train_on_batch"),
        "predict": ("compiled resident", "predict", "predict_on_batch", "eager"),
    },
    replicates=MOST,
    turns=40,
    calls=60,
    slope_s=0.08,
)


@dataclass(frozen=True)
class Gate:
    """What is compared, and how often.

    sides       the targets that are compared, of every backend, each backend's base first
    replicates  the most processes of each side in a stage: the search, and what confirms a slowdown
    tiers       whose cells are measured
    counters    whether processes of their own count first
    controls    whether the first recipe's cells are also measured on the base again and on the base with extra work
    """

    recipes: Sequence[Recipe]
    sides: Sequence[Target]
    replicates: int = MOST
    tiers: Sequence[str] = TIERS
    controls: bool = True
    counters: bool = True

    @property
    def kinds(self) -> list[Kind]:
        return [kind for kind in EVERY if kind.tier in self.tiers]

    @property
    def fewest(self) -> int:
        """Processes of each side before the first look."""
        return min(FEWEST, self.replicates)

    def targets(self) -> list[Target]:
        """Return every target, controls included."""
        found = list(self.sides)
        if self.controls:
            found += [control for backend in self._backends() for control in controls(self._of(backend)[0])]
        return found

    def passes(self) -> list[list[Step]]:
        """Return what is measured before the first look: counters first, then a pass for each process and backend.

        Counting warms the caches of files that start-up reads.
        """
        counted = [self._counted(self._of(backend)) for backend in self._backends()] if self.counters else []
        return [*counted, *(steps for replicate in range(self.fewest) for steps in self.passes_of(replicate))]

    def passes_of(self, replicate: int) -> list[list[Step]]:
        """Return a pass of each backend over every cell, numbered ``replicate``."""
        return [[*self._timed(self._of(backend), replicate)] for backend in self._backends()]

    def round(self, replicate: int, cells: Sequence[Cell]) -> Iterator[list[Step]]:
        """Yield a pass of each backend that has some of ``cells``: one more process of each side for these alone."""
        for backend in self._backends():
            sides = self._of(backend)
            steps = [_restricted(step, cells, sides[0].label) for step in self._timed(sides, replicate)]
            wanted: list[Step] = [step for step in steps if step is not None]
            if wanted:
                yield wanted

    def _timed(self, sides: tuple[Target, ...], replicate: int) -> list[Timing | Startup]:
        """Return the steps of one process of each side: start-up, which must come first, then recipe by recipe."""
        found = [self._timing(recipe, kind, sides, replicate) for recipe in self.recipes for kind in self._repeated]
        order = sides[::-1] if replicate % 2 else sides  # the first process to start has no warm caches
        begun = [Startup(self.recipes[0], order, replicate, fresh=False)] if CALLED in self.tiers else []
        return [*begun, *(step for step in found if step.cells)]

    @property
    def _repeated(self) -> list[Kind]:
        return [kind for kind in self.kinds if kind.phase != "startup"]

    def _timing(self, recipe: Recipe, kind: Kind, sides: tuple[Target, ...], replicate: int) -> Timing:
        proved = self.controls and kind.proved and recipe == self.recipes[0]
        rare = controls(sides[0]) if proved else ()  # so large a difference shows in few turns
        size = kind.rows or recipe.batch_size
        measured = (*sides, *rare)
        return Timing(
            recipe, kind.phase, (kind.path,), size, measured, replicate, kind.turns, throughput=True, rare=rare
        )

    def _counted(self, sides: tuple[Target, ...]) -> list[Step]:
        return [
            Counting(recipe, kind.phase, kind.path, kind.rows or recipe.batch_size, sides)
            for recipe in self.recipes
            for kind in self._repeated
            if kind.path in PROFILE.counted.get(kind.phase, ())
        ]

    def _backends(self) -> list[str]:
        return list(dict.fromkeys(target.backend for target in self.sides))

    def _of(self, backend: str) -> tuple[Target, ...]:
        return tuple(target for target in self.sides if target.backend == backend)


def controls(base: Target) -> tuple[Target, Target]:
    """Return the two controls: the base again in a process of its own, and with extra work in the same process.

    A process that had measured less before would have another heap, and its programs other times.
    """
    again = replace(base, label=ITSELF)
    return again, with_extra_work(again, EXTRA_WORK, label=SLOWED)


def with_extra_work(target: Target, share: float, *, label: str) -> Target:
    """Return a target that does the same as ``target`` with ``share`` more work, in the process of ``target``."""
    return replace(target, label=label, extra_work=share, host=target)


def comparison(gate: Gate, sides: dict[str, str], *, margin: float | None, alpha: float) -> ComparisonRecord:
    """Return the rule of the gate, recorded before it measures; ``sides`` says what each label stands for.

    ``margin`` is that of the compiled tier, where it is not the usual one.
    """
    deciding = [
        DecidingPath(
            phase=kind.phase,
            path=kind.path,
            tier=kind.tier,
            margin=margin if margin is not None and kind.tier == COMPILED else kind.margin,
        )
        for kind in gate.kinds
    ]
    return ComparisonRecord(
        sides=sides,
        alpha=alpha,
        fewest=gate.fewest,
        replicates=gate.replicates,
        deciding=deciding,
        controls={"itself": ITSELF, "extra work": SLOWED} if gate.controls else {},
    )


def _restricted(step: Timing | Startup, wanted: Sequence[Cell], base: str) -> Timing | Startup | None:
    """Return ``step`` with the base and those targets of which a cell is ``wanted``; None if none is."""
    names = {cell.target for cell in step_cells(step) if cell in wanted}
    chosen = tuple(target for target in step.targets if target.name in names or target.label == base)
    return replace(step, targets=chosen) if names else None
