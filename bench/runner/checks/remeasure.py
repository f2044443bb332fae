"""Measure a cell of somebody's run again, on this machine: shares of the floor should agree, seconds need not."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bench.analysis import summary
from bench.analysis.rows import TimingRow
from bench.plan import paths
from bench.plan.steps import PROFILES, Timing
from bench.plan.targets import Target, missing
from bench.records.store import Run
from bench.runner.run import RunSpec, run_in_scratch_folder
from bench.runner.session import Watcher
from datasets.locate import Located
from models.variations import find

REPLICATES = 3
# Shares of machines with other caches and processors differ; by more than this they are of other work.
TOLERANCE = 1.5


@dataclass(frozen=True)
class Remeasured:
    """A cell's share of the speed of its floor, there and here."""

    cell: str
    there: float
    here: float

    @property
    def agrees(self) -> bool:
        return 1 / TOLERANCE <= self.here / self.there <= TOLERANCE


def chosen(run: Run, seed: int) -> TimingRow | None:
    """Return a random cell that has a floor and can be measured here; None where there is none."""
    rows = [
        row
        for row in summary.summarize(run).document.timings
        if row.has_floor and row.floor_share and not row.is_floor and missing(_target(row)) is None
    ]
    return random.Random(seed).choice(rows) if rows else None


def again(row: TimingRow, located: Located, watch: Watcher, *, seed: int) -> Remeasured:
    """Time the cell of ``row`` and its floor in three processes."""
    recipe, target = find(row.recipe, {}), _target(row)
    both = (row.path, paths.floor_of(row.phase, row.path))
    passes = [
        [Timing(recipe, row.phase, both, row.batch_size, (target,), replicate)] for replicate in range(REPLICATES)
    ]
    spec = RunSpec([recipe], [target], PROFILES["default"], order_seed=seed, fixed_passes=passes)
    done = run_in_scratch_folder(spec, located, command="verify --measure", watch=watch)
    found = next(one for one in summary.summarize(done).document.timings if one.path == row.path)
    return Remeasured(row.cell.name, row.floor_share or 0.0, found.floor_share or 0.0)


def _target(row: TimingRow) -> Target:
    backend, device = row.target.rsplit("-", 1)
    return Target(backend, "gpu" if device == "gpu" else "cpu")
