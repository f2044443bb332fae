"""Calibration of the gate: run whole gates on identical targets and keep their replicates in a pool.

In the first `SLOWED_GATES`, artificially slowed targets take turns beside the gate's own in some cells; the gate does
not see them, the pool keeps them. Later gates are exactly a user's, so that they tell how long one takes. An
interrupted calibration resumes; a gate is kept whole or not at all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench import RESULTS, ROOT
from bench.analysis import regression
from bench.analysis.calibration import replicate_pool
from bench.analysis.calibration.replicate_pool import PoolRecord
from bench.exit_codes import of_comparison
from bench.plan import gate
from bench.plan.gate import Gate
from bench.plan.steps import Step, Timing
from bench.plan.targets import Target
from bench.records import machine
from bench.records.schema import Cell, FailureRecord, PlanRecord, TimingRecord
from bench.records.store import Run
from bench.runner import run, sides
from bench.runner.process import WorkerLost
from bench.runner.session import Watcher
from bench.runner.sides import Sides
from datasets.locate import Located
from models.recipes import Recipe

FOLDER = RESULTS / "calibration"
POOL, GATES = "pool.jsonl", "gates.jsonl"

# Shares of extra work, and the cells slowed by them on each backend, beside the gate's own control (dense, 10 %).
SHARES = (0.03, 0.05, 0.10)
SLOWED = (("pooling-logits", "train"), ("lstm", "train"), ("pooling-dropout", "predict"))
# 48 replicates are enough for a detection rate; slowed targets took a third of the first gate's time.
SLOWED_GATES = 6

MARGIN, ALPHA = 0.03, 0.05


class GateRecord(BaseModel):
    """One whole gate on identical targets.

    slowed           whether slowed targets took turns beside its own; a user's gate has none
    settled          whether cells unresolved after the first round got a second one, which the pool does not keep
    duration_s       includes slowed targets and the second round
    first_replicate  number in the pool of its first replicate
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    measured_at: str
    machine: str
    commit: str
    corpus: str
    slowed: bool = True
    settled: bool = False
    duration_s: float
    first_replicate: int
    replicates: int
    turns: int
    answers: dict[str, regression.Answer]
    smallest: dict[str, float]
    flagged: list[str]
    void: bool
    exit_code: int


@dataclass(frozen=True)
class Calibration:
    """What is measured in every gate, and on which reviews."""

    recipes: Sequence[Recipe]
    targets: Sequence[Target]
    located: Located
    watch: Watcher
    revision: str = "HEAD"
    replicates: int = gate.PROFILE.replicates
    turns: int = gate.PROFILE.turns

    def add_gate(self, folder: Path, identical: Sides, *, number: int) -> GateRecord:
        """Run whole gate ``number`` on ``identical`` sides; keep its replicates and its answers in ``folder``."""
        begun = time.monotonic()
        planned = Gate(self.recipes, identical.targets, self.replicates, self.turns, beside=False)
        slowed = number < SLOWED_GATES
        passes = [[_with_slowed(step) if slowed else step for step in steps] for steps in planned.passes()]
        spec = identical.run_spec(planned, margin=MARGIN, alpha=ALPHA, order_seed=number)
        done = run.run_in_scratch_folder(
            replace(spec, fixed_passes=passes), self.located, command="calibrate", watch=self.watch
        )
        first = replicate_pool.next_replicate(replicate_pool.load(folder / POOL))
        measured = self._replicates(done, first, commit=next(iter(identical.labels.values())))
        _check_complete(done, passes, measured)
        replicate_pool.append(folder / POOL, [record for records in measured for record in records])
        record = self._record(planned, done, time.monotonic() - begun, first, slowed=slowed)
        with (folder / GATES).open("ab") as into:
            into.write(record.model_dump_json().encode() + b"\n")
        return record

    def _replicates(self, done: Run, first: int, *, commit: str) -> list[list[PoolRecord]]:
        """Return the first round's records of every cell that the pool keeps, by replicate, numbered from ``first``."""
        own = [r for r in done.records if isinstance(r, TimingRecord) and r.cell.label != gate.ITSELF]
        return [
            replicate_pool.condense(
                done, [r for r in own if r.replicate == number], replicate=first + number, commit=commit
            )
            for number in range(self.replicates)
        ]

    def _record(self, planned: Gate, done: Run, duration_s: float, first_replicate: int, *, slowed: bool) -> GateRecord:
        decision = regression.decide(_seen_by(planned, done))
        deciding = [row for row in decision.cells if row.decides]
        commit = machine.commit(ROOT)
        return GateRecord(
            measured_at=done.header.started_at,
            machine=done.header.machine.title,
            commit=commit.revision[:10] if commit else "",
            corpus=done.header.corpus,
            slowed=slowed,
            settled=planned.settle,
            duration_s=round(duration_s, 1),
            first_replicate=first_replicate,
            replicates=self.replicates,
            turns=self.turns,
            answers={row.cell.name: row.answer or "unresolved" for row in deciding},
            smallest={row.cell.name: float(f"{row.min_detectable or math.inf:.4g}") for row in deciding},
            flagged=[cell.name for cell in decision.flagged()],
            void=decision.void,
            exit_code=int(of_comparison(decision)),
        )


def records(folder: Path) -> list[PoolRecord]:
    """Return the pool that is kept in ``folder``."""
    return replicate_pool.load(folder / POOL)


def load_gates(file: Path) -> list[GateRecord]:
    """Return every whole gate in ``file``, oldest first."""
    return [GateRecord.model_validate_json(line) for line in file.read_bytes().splitlines()] if file.exists() else []


def label(share: float) -> str:
    """Return the label of the base with ``share`` more work."""
    return f"base +{share:.0%} work"


def collect(
    calibration: Calibration,
    folder: Path,
    *,
    gates: int,
    limit_s: float | None = None,
    notice: Callable[[str], object],
) -> None:
    """Add whole gates until ``folder`` holds ``gates``; after ``limit_s`` seconds none is started.

    A gate that lost a worker is repeated once, so that one crash does not end a run of hours; WorkerLost the second
    time.
    """
    end = time.monotonic() + (math.inf if limit_s is None else limit_s)
    with sides.identical(calibration.targets, calibration.revision) as identical:
        while time.monotonic() < end and (number := len(load_gates(folder / GATES))) < gates:
            notice(f"whole gate {number + 1} of {gates}")
            try:
                calibration.add_gate(folder, identical, number=number)
            except WorkerLost as error:
                notice(f"{error}; repeating the gate")
                calibration.add_gate(folder, identical, number=number)


def _slowed(base: Target) -> list[Target]:
    """Return ``base`` with each share of more work."""
    return [replace(base, label=label(share), extra_work=share) for share in SHARES]


def _with_slowed(step: Step) -> Step:
    """Return ``step`` with slowed targets if its cell is one of `SLOWED`."""
    if not isinstance(step, Timing) or (step.recipe.name, step.phase) not in SLOWED:
        return step
    return replace(step, targets=(*step.targets, *_slowed(step.targets[0])))


def _seen_by(planned: Gate, done: Run) -> Run:
    """Return ``done`` without the slowed cells, which the gate must not see, and without the plan that names them."""
    own = _cells(planned.passes())
    seen = [
        r for r in done.records if not isinstance(r, PlanRecord) and (not isinstance(r, TimingRecord) or r.cell in own)
    ]
    return replace(done, records=tuple(seen))


def _check_complete(done: Run, passes: Sequence[Sequence[Step]], measured: Sequence[Sequence[PoolRecord]]) -> None:
    """Raise WorkerLost if a replicate lacks cells: a gate is kept whole or not at all."""
    wanted = {cell.name for cell in _cells(passes) if cell.label != gate.ITSELF}
    lacking = [name for records in measured for name in wanted - {record.cell.name for record in records}]
    if lacking:
        why = {record.reason for record in done.records if isinstance(record, FailureRecord)}
        raise WorkerLost(f"a gate lacks {len(lacking)} cells: {'; '.join(sorted(why))}")


def _cells(passes: Sequence[Sequence[Step]]) -> set[Cell]:
    """Return the cells that ``passes`` time."""
    return {cell for steps in passes for step in steps if isinstance(step, Timing) for cell in step.cells}
