"""A run: from chosen targets and recipes to a folder of records; it prints nothing and judges nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, plan, store, targets
from bench.plan import Profile, Step
from bench.process import STALL_LIMIT_S, WorkerLost, WorkerProcess
from bench.record import RunHeader
from bench.session import Session, Watcher
from bench.targets import Target
from datasets.locate import Located
from models.recipes import Recipe


@dataclass(frozen=True)
class Order:
    """What is asked of a run.

    seeds          trainings to accuracy; None for the profile's
    order_seed     decides who takes the first turn at each cell
    stall_limit_s  a worker that says nothing for so long is taken for hung
    """

    recipes: Sequence[Recipe]
    targets: Sequence[Target]
    profile: Profile
    seeds: int | None = None
    order_seed: int = 0
    stall_limit_s: float = STALL_LIMIT_S

    def steps(self) -> list[Step]:
        """Return the work in its order."""
        seeds = self.profile.seeds if self.seeds is None else self.seeds
        return plan.steps(list(self.recipes), list(self.targets), self.profile, seeds=seeds)


def execute(order: Order, located: Located, *, out: Path, command: str, watch: Watcher) -> store.Run:
    """Do everything that ``order`` asks on the corpus in ``located``, into a new folder under ``out``.

    Each record is on disk before the next step starts: what was measured before an interruption is kept.
    """
    started = datetime.now(UTC)
    writer = store.RunWriter(out / store.run_id(started, order.profile.name))
    writer.append(_header(order, located, writer.folder.name, started, command))

    def start(target: Target) -> WorkerProcess:
        reason = targets.missing(target)
        if reason is not None:
            raise WorkerLost(f"{target.name}: {reason}")
        log = writer.logs / f"{target.name}.log"
        return WorkerProcess(target, corpus=located.folder, log=log, stall_limit_s=order.stall_limit_s)

    session = Session(order.profile, start, writer.append, watch, random.Random(order.order_seed))
    try:
        session.run(order.steps(), order.targets)
    finally:
        writer.close()
    return store.read(writer.folder)


def _header(order: Order, located: Located, run_id: str, started: datetime, command: str) -> RunHeader:
    return RunHeader(
        run_id=run_id,
        started_at=started.isoformat(timespec="seconds"),
        profile=order.profile.name,
        corpus=located.corpus.name,
        corpus_digest=located.corpus.digest,
        order_seed=order.order_seed,
        command=command,
        machine=machine.machine(),
        commit=machine.commit(),
    )
