"""Speed of a recipe's variations: each takes turns with the recipe itself.

The results go beside the trainings of a sweep, one pool record per cell, variation and replicate. An interrupted
timing resumes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.analysis import paired_ratio
from bench.analysis.calibration import replicate_pool
from bench.analysis.calibration.replicate_pool import PoolRecord
from bench.analysis.stats import Estimate
from bench.plan.gate import PREDICT_REVIEWS
from bench.plan.steps import PROFILES, Step, Timing
from bench.plan.targets import Target
from bench.records.schema import Cell, FailureRecord
from bench.runner import run
from bench.runner.process import WorkerLost
from bench.runner.run import RunSpec
from bench.runner.session import Watcher
from datasets.locate import Located
from models.recipes import Recipe

# The best paths: what a variation costs in training and in serving.
TRAIN, PREDICT = "compiled loop", "compiled"

PUBLISHED = "as published"

REPLICATES = 3
TURNS = 20

# Each variation's seconds over the base's, by variation, backend and phase.
Ratios = dict[tuple[str, str, str], Estimate]


@dataclass(frozen=True)
class SweepTiming:
    """What to time: ``chosen`` begins with the recipe that the others vary."""

    chosen: Sequence[Recipe]
    targets: Sequence[Target]
    located: Located
    watch: Watcher

    def collect(self, file: Path, *, notice: Callable[[str], object]) -> None:
        """Add replicates to ``file`` until each variation has `REPLICATES` of them on every target."""
        while lacking := self._lacking(kept := replicate_pool.load(file)):
            number = replicate_pool.next_replicate(kept)
            notice(f"speed of {len(lacking)} of {len(self.chosen)} variations interleaved, replicate {number + 1}")
            replicate_pool.append(file, self._replicate(lacking, number))

    def steps(self, lacking: Sequence[Recipe], target: Target) -> list[Step]:
        """Return one replicate's work on ``target``: the base and what lacks replicates take turns."""
        base = self.chosen[0]
        sides = tuple(
            replace(target, label=changes(one, base), variation=one.name)
            for one in self.chosen
            if one is base or one in lacking
        )
        sizes = {"train": base.batch_size, "predict": PREDICT_REVIEWS}
        return [
            Timing(base, phase, (path,), sizes[phase], sides, 0, TURNS, throughput=True)
            for phase, path in (("train", TRAIN), ("predict", PREDICT))
        ]

    def _replicate(self, lacking: Sequence[Recipe], number: int) -> list[PoolRecord]:
        passes = [self.steps(lacking, target) for target in self.targets]
        sides = [side for steps in passes for step in steps for side in step.targets]
        order = RunSpec(self.chosen[:1], sides, PROFILES["default"], fixed_passes=passes, order_seed=number)
        done = run.run_in_scratch_folder(order, self.located, command="sweep", watch=self.watch)
        for record in done.records:
            if isinstance(record, FailureRecord):
                raise WorkerLost(f"{record.target}: {record.reason}")
        return replicate_pool.condense(
            done, done.records, replicate=number, commit=done.header.commit.revision if done.header.commit else ""
        )

    def _lacking(self, kept: Sequence[PoolRecord]) -> list[Recipe]:
        base, *others = comparable(self.chosen)
        counted = [(record.cell.label, backend(record.cell)) for record in kept if record.cell.phase == "train"]
        every = [target.backend for target in self.targets]
        return [one for one in others if any(counted.count((changes(one, base), name)) < REPLICATES for name in every)]


def comparable(chosen: Sequence[Recipe]) -> list[Recipe]:
    """Return the base and the variations with its batch size: steps of other sizes do not compare."""
    return [one for one in chosen if one.batch_size == chosen[0].batch_size]


def default_file(trainings: Path) -> Path:
    """Return the file of the speed records beside the file ``trainings``."""
    return trainings.with_name(f"{trainings.stem}-speed.jsonl")


def ratios(records: Sequence[PoolRecord]) -> Ratios:
    """Return each variation's seconds over the base's, from neighbouring blocks of the same replicates."""
    kept: dict[Cell, list[PoolRecord]] = {}
    for record in records:
        kept.setdefault(record.cell, []).append(record)
    found: Ratios = {}
    for cell, mine in kept.items():
        base = cell.model_copy(update={"target": f"{cell.where}@{PUBLISHED}"})
        one = paired_ratio.ratio(*([r.timing(r.replicate) for r in each] for each in (mine, kept.get(base, []))))
        if one is not None:
            found[cell.label, backend(cell), cell.phase] = one
    return found


def changes(recipe: Recipe, base: Recipe) -> str:
    """Return what ``recipe`` changes of ``base``, such as "units=32"."""
    return PUBLISHED if recipe.name == base.name else recipe.name.removeprefix(base.name).strip()


def backend(cell: Cell) -> str:
    """Return the backend of ``cell``."""
    return cell.where.partition("-")[0]
