"""Calibration of the gate: keep replicates of identical and of slowed targets in pools, and run whole gates.

A replicate is a process of each target that times every deciding cell, with artificially slowed targets beside some of
them. There is a pool for each tier, from which gates are simulated. Whole gates are exactly a user's, on identical
targets: they tell how long one takes. An interrupted calibration resumes; a replicate and a gate are kept whole.
"""

from __future__ import annotations

import math
import shutil
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
from bench.plan.gate import CALLED, COMPILED, Gate
from bench.plan.steps import Step, Timing, step_cells
from bench.plan.targets import Target
from bench.records import machine
from bench.records.schema import FailureRecord, TimingRecord
from bench.records.store import Run
from bench.runner import cluster, run, sides
from bench.runner.cluster import Connect, Piece
from bench.runner.process import WorkerLost
from bench.runner.session import Watcher
from bench.runner.sides import Sides
from datasets.errors import ExpectedError
from datasets.locate import Located
from models.recipes import Recipe

FOLDER = RESULTS / "calibration"
POOLS = {COMPILED: "pool.jsonl", CALLED: "pool-called.jsonl"}
GATES = "gates.jsonl"

# Cells that are slowed on each backend, by shares of extra work that their margins should find.
SLOWED = {
    ("pooling-logits", "compiled step"): (0.03, 0.05),
    ("lstm", "compiled step"): (0.03, 0.05),
    ("pooling-dropout", "compiled resident"): (0.03, 0.05),
    ("pooling-logits", "fit"): (0.10,),
    ("dense", "fit"): (0.10,),
    ("pooling-dropout", "predict"): (0.10,),
}
ALPHA = 0.05


class GateRecord(BaseModel):
    """One whole gate on identical targets.

    processes  of each side that each cell took until it was decided
    flagged    cells that were called slower before fresh processes were asked
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[2] = 2
    measured_at: str
    machine: str
    commit: str
    corpus: str
    recipes: list[str]
    duration_s: float
    answers: dict[str, regression.Answer]
    processes: dict[str, int]
    flagged: list[str]
    void: bool
    exit_code: int


@dataclass(frozen=True)
class Calibration:
    """What is measured, and on which reviews; ``first`` is the number of the first replicate or gate."""

    recipes: Sequence[Recipe]
    targets: Sequence[Target]
    located: Located
    watch: Watcher
    revision: str = "HEAD"
    first: int = 0

    def add_replicate(self, folder: Path, identical: Sides) -> None:
        """Time every cell once more in fresh processes, slowed ones included, and add them to the pools."""
        known = {tier: replicate_pool.next_replicate(records(folder, tier)) for tier in POOLS}
        number = self.first + max(known.values())
        planned = Gate(self.recipes, identical.targets, controls=False, counters=False)
        passes = [[_with_slowed(step) for step in steps] for steps in planned.passes_of(number)]
        spec = replace(self._spec(planned, identical, number), fixed_passes=passes, next_passes=None)
        done = run.run_in_scratch_folder(spec, self.located, command="calibrate", watch=self.watch)
        _check_complete(done, passes)
        for tier, name in POOLS.items():
            timed = [r for r in done.records if isinstance(r, TimingRecord) and _tier(r) == tier]
            commit = next(iter(identical.labels.values()))
            replicate_pool.append(
                folder / name, replicate_pool.condense(done, timed, replicate=known[tier], commit=commit)
            )

    def add_gate(self, folder: Path, identical: Sides) -> None:
        """Run a whole gate on ``identical`` sides and keep its answers in ``folder``."""
        begun = time.monotonic()
        planned = Gate(self.recipes, identical.targets)
        spec = self._spec(planned, identical, self.first + len(load_gates(folder / GATES)))
        done = run.run_in_scratch_folder(spec, self.located, command="calibrate", watch=self.watch)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / GATES).open("ab") as into:
            into.write(self._record(done, time.monotonic() - begun).model_dump_json().encode() + b"\n")

    def _spec(self, planned: Gate, identical: Sides, number: int) -> run.RunSpec:
        return identical.run_spec(planned, margin=None, alpha=ALPHA, order_seed=number)

    def _record(self, done: Run, duration_s: float) -> GateRecord:
        decision = regression.decide(done)
        commit = machine.commit(ROOT)
        return GateRecord(
            measured_at=done.header.started_at,
            machine=done.header.machine.title,
            commit=commit.revision[:10] if commit else "",
            corpus=done.header.corpus,
            recipes=[recipe.name for recipe in self.recipes],
            duration_s=round(duration_s, 1),
            answers={row.cell.name: row.answer or "unresolved" for row in decision.cells},
            processes={row.cell.name: row.processes or 0 for row in decision.cells},
            flagged=[row.cell.name for row in decision.cells if row.confirmed is not None],
            void=decision.void,
            exit_code=int(of_comparison(decision)),
        )


def records(folder: Path, tier: str) -> list[PoolRecord]:
    """Return the pool of ``tier`` that is kept in ``folder``."""
    return replicate_pool.load(folder / POOLS[tier])


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
    replicates: int,
    gates: int,
    limit_s: float | None = None,
    notice: Callable[[str], object],
) -> None:
    """Add replicates until the smaller pool has so many, then whole gates; after ``limit_s`` seconds none is started.

    What lost a worker is repeated once, so that one crash does not end hours; WorkerLost the second time.
    """
    end = time.monotonic() + (math.inf if limit_s is None else limit_s)

    with sides.identical(calibration.targets, calibration.revision) as identical:
        while time.monotonic() < end and (number := _fewest(folder)) < replicates:
            notice(f"replicate {number + 1} of {replicates}")
            _repeated_once(lambda: calibration.add_replicate(folder, identical), notice)
        while time.monotonic() < end and (number := len(load_gates(folder / GATES))) < gates:
            notice(f"whole gate {number + 1} of {gates}")
            _repeated_once(lambda: calibration.add_gate(folder, identical), notice)


def collect_on(
    connect: Connect, folder: Path, *, replicates: int, gates: int, words: Sequence[str], say: Callable[[str], object]
) -> None:
    """Do as `collect` does on a Dask cluster, a replicate or a gate on one machine at a time.

    ``words`` are further ones of each command. What came back before an interruption is added all the same.
    """
    into = folder / "pieces"
    _add_all(into, folder)
    have, kept = _fewest(folder), len(load_gates(folder / GATES))
    pieces = [_piece("replicate", number, ("1", "0"), words) for number in range(have, replicates)]
    pieces += [_piece("gate", number, ("0", "1"), words) for number in range(kept, gates)]
    try:
        cluster.measure(pieces, connect, into, results=lambda place: sorted(place.glob("*.jsonl")), say=say)
    finally:
        _add_all(into, folder)


def _add_all(pieces: Path, folder: Path) -> None:
    """Add to ``folder`` what came back."""
    for place in sorted(pieces.glob("[!.]*")):
        merge(place, folder)
        shutil.rmtree(place)
    shutil.rmtree(pieces, ignore_errors=True)


def _piece(what: str, number: int, counts: tuple[str, str], words: Sequence[str]) -> Piece:
    counted = ("--replicates", counts[0], "--gates", counts[1], "--first", str(number))
    return Piece(f"{what}-{number:03}", ("calibrate", *counted, *words))


def merge(found: Path, folder: Path) -> None:
    """Add the replicates and gates in the folder ``found`` to those in ``folder``.

    Raises ExpectedError where they are of another kind of machine: noise is a machine's.
    """
    gates = load_gates(found / GATES)
    pools = {tier: records(found, tier) for tier in POOLS}
    machines = _machines(found) | _machines(folder)
    if len(machines) > 1:
        raise ExpectedError(
            f"expected replicates of one kind of machine; received {', '.join(sorted(machines))}: "
            "calibrate each kind into a folder of its own (--out)"
        )
    for tier, some in pools.items():
        number = replicate_pool.next_replicate(records(folder, tier))
        if some:
            moved = [one.model_copy(update={"replicate": number + one.replicate}) for one in some]
            replicate_pool.append(folder / POOLS[tier], moved)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / GATES).open("ab") as into:
        into.writelines(one.model_dump_json().encode() + b"\n" for one in gates)


def _machines(folder: Path) -> set[str]:
    pooled = {record.machine for tier in POOLS for record in records(folder, tier)}
    return pooled | {record.machine for record in load_gates(folder / GATES)}


def _fewest(folder: Path) -> int:
    """Return how many replicates the smaller pool in ``folder`` has."""
    return min(replicate_pool.next_replicate(records(folder, tier)) for tier in POOLS)


def _repeated_once(work: Callable[[], None], notice: Callable[[str], object]) -> None:
    try:
        work()
    except WorkerLost as error:
        notice(f"{error}; once more")
        work()


def _tier(record: TimingRecord) -> str | None:
    """Return the tier in whose pool a timing belongs."""
    cell = record.cell
    return next((kind.tier for kind in gate.EVERY if (kind.phase, kind.path) == (cell.phase, cell.path)), None)


def _with_slowed(step: Step) -> Step:
    """Return ``step`` with the other side slowed, in the same process, if its cell is one of `SLOWED`."""
    if not isinstance(step, Timing):
        return step
    head, shares = step.targets[-1], SLOWED.get((step.recipe.name, step.paths[0]), ())
    slowed = [gate.with_extra_work(head, share, label=label(share)) for share in shares]
    return replace(step, targets=(*step.targets, *slowed))


def _check_complete(done: Run, passes: Sequence[Sequence[Step]]) -> None:
    """Raise WorkerLost if a cell is missing: a replicate is kept whole or not at all."""
    wanted = {cell.name for steps in passes for step in steps for cell in step_cells(step)}
    lacking = wanted - {r.cell.name for r in done.records if isinstance(r, TimingRecord)}
    if lacking:
        why = {record.reason for record in done.records if isinstance(record, FailureRecord)}
        raise WorkerLost(f"a replicate lacks {len(lacking)} cells: {'; '.join(sorted(why))}")
