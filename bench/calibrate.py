"""The calibration: replicates for the pool and whole gates on identical targets, added to what is there already.

Both go on where an interrupted one stopped: a replicate, or a gate, is kept whole or not at all.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench import contest, gate, judge, machine, pool, run
from bench.contest import Contest
from bench.exit_codes import of_comparison
from bench.gate import Gate
from bench.plan import Step, Timing
from bench.pool import PoolRecord
from bench.process import WorkerLost
from bench.record import FailureRecord
from bench.run import Order
from bench.session import Watcher
from bench.store import Run
from bench.targets import ROOT, Target
from datasets.locate import Located
from models.recipes import Recipe

FOLDER = ROOT / "results" / "calibration"
POOL, GATES = "pool.jsonl", "gates.jsonl"

# Real extra work, and the cells of each backend that are slowed by it.
SHARES = (0.03, 0.05, 0.10)
SLOWED = (("dense", "train"), ("pooling-logits", "train"), ("lstm", "train"), ("pooling-dropout", "predict"))

MARGIN, ALPHA = 0.03, 0.05


class GateRecord(BaseModel):
    """One whole gate on identical targets, as it was run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    measured_at: str
    machine: str
    commit: str
    corpus: str
    duration_s: float
    replicates: int
    turns: int
    answers: dict[str, judge.Answer]
    smallest: dict[str, float]
    flagged: list[str]
    void: bool
    exit_code: int


@dataclass(frozen=True)
class Calibration:
    """What is calibrated, and with what."""

    recipes: Sequence[Recipe]
    targets: Sequence[Target]
    located: Located
    watch: Watcher
    revision: str = "HEAD"
    replicates: int = gate.PROFILE.replicates
    turns: int = gate.PROFILE.turns
    stall_limit_s: float = 300.0

    def add_replicate(self, file: Path, contestants: Contest, *, order_seed: int) -> None:
        """Measure every gate cell once more, identical and slowed targets alive together, and keep it."""
        number = pool.next_replicate(pool.load(file))
        passes = [self.steps(contestants, backend) for backend in self._backends()]
        done = self._execute(
            Order(self.recipes, contestants.targets, gate.PROFILE, given=passes, order_seed=order_seed)
        )
        found = pool.condense(
            done.records,
            replicate=number,
            measured_at=done.header.started_at,
            machine=done.header.machine.title,
            commit=next(iter(contestants.sides.values())),
            corpus=done.header.corpus,
        )
        missing = done_cells(passes) - {record.cell.name for record in found}
        if missing:
            why = {record.reason for record in done.records if isinstance(record, FailureRecord)}
            raise WorkerLost(f"a replicate lacks {len(missing)} cells: {'; '.join(sorted(why))}")
        pool.append(file, found)

    def steps(self, contestants: Contest, backend: str) -> list[Step]:
        """Return one replicate's work on ``backend``."""
        sides = tuple(target for target in contestants.targets if target.backend == backend)
        return [
            Timing(
                recipe,
                phase,
                (path,),
                gate.size(recipe, phase),
                (*sides, *(_slowed(sides[0]) if (recipe.name, phase) in SLOWED else ())),
                0,
                self.turns,
                throughput=True,
            )
            for recipe in self.recipes
            for phase, path in gate.DECIDING
        ]

    def add_gate(self, file: Path, contestants: Contest, *, order_seed: int) -> GateRecord:
        """Run one whole gate and keep what it said."""
        begun = time.monotonic()
        planned = Gate(self.recipes, contestants.targets, self.replicates, self.turns, beside=False)
        done = self._execute(contest.order(contestants, planned, margin=MARGIN, alpha=ALPHA, order_seed=order_seed))
        record = self._record(done, time.monotonic() - begun)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as into:
            into.write(record.model_dump_json().encode() + b"\n")
        return record

    def _execute(self, order: Order) -> Run:
        with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
            order = replace(order, stall_limit_s=self.stall_limit_s)
            return run.execute(order, self.located, out=Path(folder), command="calibrate", watch=self.watch)

    def _record(self, done: Run, duration_s: float) -> GateRecord:
        decision = judge.decide(done)
        deciding = [judged for judged in decision.cells if judged.decides]
        commit = machine.commit(ROOT)
        return GateRecord(
            measured_at=done.header.started_at,
            machine=done.header.machine.title,
            commit=commit.revision[:10] if commit else "",
            corpus=done.header.corpus,
            duration_s=round(duration_s, 1),
            replicates=self.replicates,
            turns=self.turns,
            answers={judged.cell.name: judged.answer for judged in deciding},
            smallest={judged.cell.name: float(f"{judged.smallest:.4g}") for judged in deciding},
            flagged=[cell.name for cell in decision.flagged()],
            void=decision.void,
            exit_code=int(of_comparison(decision)),
        )

    def _backends(self) -> list[str]:
        return list(dict.fromkeys(target.backend for target in self.targets))


def load_gates(file: Path) -> list[GateRecord]:
    """Return every gate that was kept, in the order of time."""
    return [GateRecord.model_validate_json(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def label(share: float) -> str:
    """Return the label of the base with ``share`` more work."""
    return f"base +{share:.0%} work"


def done_cells(passes: Sequence[Sequence[Step]]) -> set[str]:
    """Return the names of all cells that a replicate must have."""
    return {cell.name for steps in passes for step in steps if isinstance(step, Timing) for cell in step.cells}


@dataclass(frozen=True)
class Wanted:
    """How much there should be, all sessions together, and after how many seconds nothing new is begun."""

    replicates: int
    gates: int
    limit_s: float | None = None


def collect(calibration: Calibration, wanted: Wanted, *, folder: Path, notice: Callable[[str], object]) -> None:
    """Add replicates, then whole gates, until there is as much as is wanted or the time is up."""
    begun = time.monotonic()

    def early() -> bool:
        return wanted.limit_s is None or time.monotonic() - begun < wanted.limit_s

    with contest.identical(calibration.targets, calibration.revision) as contestants:
        while early() and (number := pool.next_replicate(pool.load(folder / POOL))) < wanted.replicates:
            notice(f"replicate {number + 1} of {wanted.replicates}")
            calibration.add_replicate(folder / POOL, contestants, order_seed=number)
        while early() and (number := len(load_gates(folder / GATES))) < wanted.gates:
            notice(f"whole gate {number + 1} of {wanted.gates}")
            calibration.add_gate(folder / GATES, contestants, order_seed=number)


def _slowed(base: Target) -> list[Target]:
    return [replace(base, label=label(share), extra_work=share) for share in SHARES]


def records(folder: Path) -> list[PoolRecord]:
    """Return the pool that is kept in ``folder``."""
    return pool.load(folder / POOL)
