"""The gate: what a comparison of targets of one backend measures, pass by pass.

Gate cells have little noise, so that small differences show: Keras's own layers in one compiled program, data
resident on the device, one framework thread on one core, the runner on another, and interleaved blocks. The cells
that users call themselves are timed as well and decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.plan.steps import Counting, Profile, Step, Timing
from bench.plan.targets import Target
from bench.records.schema import Cell, ComparisonRecord
from models.recipes import Recipe

TRAIN, PREDICT = "compiled step", "compiled resident"
DECIDING = (("train", TRAIN), ("predict", PREDICT))
BESIDE = (("train", ("fit",)), ("predict", ("predict_on_batch",)))

# Reviews of a prediction: one size is enough, since the cost of layers shows at each.
PREDICT_REVIEWS = 32
# Prediction blocks have twice the noise of training steps: so many times the turns.
PREDICT_TURNS = 2
# Replicates and turns of the cells that are only shown.
BESIDE_REPLICATES = 3
BESIDE_TURNS = 6

EXTRA_WORK = 0.10
ITSELF, SLOWED = "base again", "base +10% work"

PROFILE = Profile(
    name="gate",
    summary="targets of one backend compared in cells with little noise",
    seeds=0,
    train_paths=(),
    epochs={},
    paths={"train": (TRAIN, "fit"), "predict": (PREDICT, "predict_on_batch")},
    counted={"train": (TRAIN,), "predict": (PREDICT,)},
    replicates=7,
    turns=40,
    calls=60,
)


@dataclass(frozen=True)
class Gate:
    """What is compared, and how often.

    sides       the targets that are compared, of every backend, each backend's base first
    controls    whether the first recipe's cells are also measured on the base again and on the base with extra work
    beside      whether the cells that users call themselves are measured as well
    settle      whether cells that the first round leaves unresolved are measured in a second one
    """

    recipes: Sequence[Recipe]
    sides: Sequence[Target]
    replicates: int = PROFILE.replicates
    turns: int = PROFILE.turns
    controls: bool = True
    beside: bool = True
    settle: bool = True

    def targets(self) -> list[Target]:
        """Return every target, controls included."""
        found = list(self.sides)
        if self.controls:
            found += [control for backend in self._backends() for control in controls(self._of(backend)[0])]
        return found

    def passes(self) -> list[list[Step]]:
        """Return the first round: each replicate a pass for every backend; counters in the first."""
        return [self._pass(backend, replicate) for replicate in range(self.replicates) for backend in self._backends()]

    def round(self, number: int, cells: Sequence[Cell]) -> Iterator[list[Step]]:
        """Yield round ``number``, fresh processes for ``cells`` alone, as many as the first had."""
        for replicate in range(number * self.replicates, (number + 1) * self.replicates):
            for backend in self._backends():
                steps = [_restricted(step, cells) for step in self._deciding(self._of(backend), replicate)]
                wanted: list[Step] = [step for step in steps if step is not None]
                if wanted:
                    yield wanted

    def _pass(self, backend: str, replicate: int) -> list[Step]:
        sides = self._of(backend)
        steps: list[Step] = [self._with_controls(step) for step in self._deciding(sides, replicate)]
        if self.beside and replicate < BESIDE_REPLICATES:
            steps += [step for recipe in self.recipes for step in _beside(recipe, sides, replicate)]
        if replicate == 0:
            steps += self._counted(sides)
        return sorted(steps, key=lambda step: self.recipes.index(step.recipe))  # encoding one takes seconds

    def _deciding(self, sides: tuple[Target, ...], replicate: int) -> list[Timing]:
        return [
            Timing(
                recipe,
                phase,
                (path,),
                size(recipe, phase),
                sides,
                replicate,
                self.turns * (PREDICT_TURNS if phase == "predict" else 1),
                throughput=True,
            )
            for recipe in self.recipes
            for phase, path in DECIDING
        ]

    def _with_controls(self, step: Timing) -> Timing:
        """Add the controls to the first recipe's cells."""
        if not self.controls or step.recipe != self.recipes[0]:
            return step
        return replace(step, targets=(*step.targets, *controls(step.targets[0])))

    def _counted(self, sides: tuple[Target, ...]) -> list[Step]:
        return [
            Counting(step.recipe, step.phase, path, step.batch_size, sides)
            for step in self._deciding(sides, 0)
            for path in step.paths
        ]

    def _backends(self) -> list[str]:
        return list(dict.fromkeys(target.backend for target in self.sides))

    def _of(self, backend: str) -> tuple[Target, ...]:
        return tuple(target for target in self.sides if target.backend == backend)


def size(recipe: Recipe, phase: str) -> int:
    """Return the reviews of one repeat of a gate cell."""
    return recipe.batch_size if phase == "train" else PREDICT_REVIEWS


def controls(base: Target) -> tuple[Target, Target]:
    """Return the two controls: the base again, and the base with extra work."""
    return replace(base, label=ITSELF), replace(base, label=SLOWED, extra_work=EXTRA_WORK)


def comparison(gate: Gate, sides: dict[str, str], *, margin: float, alpha: float) -> ComparisonRecord:
    """Return the rule of the gate, recorded before it measures; ``sides`` says what each label stands for."""
    return ComparisonRecord(
        sides=sides,
        margin=margin,
        alpha=alpha,
        replicates=gate.replicates,
        deciding=list(DECIDING),
        controls={"itself": ITSELF, "extra work": SLOWED} if gate.controls else {},
        settle=gate.settle,
    )


def _beside(recipe: Recipe, sides: tuple[Target, ...], replicate: int) -> list[Timing]:
    return [
        Timing(recipe, phase, paths, size(recipe, phase), sides, replicate, BESIDE_TURNS) for phase, paths in BESIDE
    ]


def _restricted(step: Timing, wanted: Sequence[Cell]) -> Timing | None:
    """Return ``step`` with the sides, the controls or both, as far as their cells are ``wanted``; None if none is."""
    base, again = step.targets[0], controls(step.targets[0])
    cells = replace(step, targets=(*step.targets, *again)).cells
    names = {cell.target for cell in cells if cell in wanted}
    sides = step.targets if names & {side.name for side in step.targets} else (base,)
    targets = (*sides, *(control for control in again if control.name in names))
    return replace(step, targets=targets) if len(targets) > 1 else None
