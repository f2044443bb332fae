"""A run: from chosen targets and recipes to a folder of records; it prints nothing and judges nothing."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import budget, cores, machine, plan, remainder, serving, store, targets
from bench.cores import Cores
from bench.plan import Profile, Step
from bench.process import STALL_LIMIT_S, WorkerLost, WorkerProcess
from bench.record import (
    Asked,
    Cell,
    ComparisonRecord,
    PeaksRecord,
    Record,
    ResumedRecord,
    RunHeader,
    TimingRecord,
)
from bench.session import Serve, Session, Watcher
from bench.targets import Target
from datasets.locate import Located
from datasets.tokenise import text_rows
from models.recipes import Recipe

# Reviews that every backend scores with each saved model.
SERVED_REVIEWS = 256

# Returns every record that is on disk by now.
Read = Callable[[], Sequence[Record]]


@dataclass(frozen=True)
class Order:
    """What is asked of a run.

    seeds          trainings to accuracy; None for the profile's
    order_seed     decides who takes the first turn at each cell
    stall_limit_s  a worker that says nothing for so long is taken for hung
    budget_s       seconds to spend: after the first pass, on the cells whose intervals are widest
    comparison     what is decided from the records, for a run that compares targets of one backend
    given          the passes, where they do not follow from recipes and profile
    more           further passes, one after another, each chosen from the records that are there by then
    resumed        an interrupted run that is gone on with: what it has is not measured again
    """

    recipes: Sequence[Recipe]
    targets: Sequence[Target]
    profile: Profile
    seeds: int | None = None
    order_seed: int = 0
    stall_limit_s: float = STALL_LIMIT_S
    budget_s: float | None = None
    comparison: ComparisonRecord | None = None
    given: Sequence[Sequence[Step]] | None = None
    more: Callable[[Read], Iterator[list[Step]]] | None = None
    resumed: store.Run | None = None

    def passes(self) -> list[list[Step]]:
        """Return the work of each pass in its order; with a budget only the first is known beforehand."""
        if self.given is not None:
            return [list(steps) for steps in self.given]
        seeds = self.profile.seeds if self.seeds is None else self.seeds
        every = plan.passes(list(self.recipes), list(self.targets), self.profile, seeds=seeds)
        planned = every[:1] if self.budget_s is not None else every
        return planned if self.resumed is None else remainder.outstanding(planned, self.resumed.records)

    @property
    def asked(self) -> Asked | None:
        """What another process needs to go on with it; None where the passes do not follow from that."""
        if self.given is not None or self.comparison is not None:
            return None
        return Asked(
            recipes=[recipe.name for recipe in self.recipes],
            backends=[target.backend for target in self.targets],
            device=self.targets[0].device,
            seeds=self.seeds,
            budget_s=self.budget_s,
        )


def execute(order: Order, located: Located, *, out: Path, command: str, watch: Watcher) -> store.Run:
    """Do everything that ``order`` asks on the corpus in ``located``, into a new folder under ``out``.

    Each record is on disk before the next step starts: what was measured before an interruption is kept. A run that is
    gone on with stays in its own folder.
    """
    if order.resumed is not None:
        remainder.check(order.resumed, located.corpus)
    writer = _writer(order, located, out, command)

    def read() -> Sequence[Record]:
        return store.read(writer.folder).records

    keep = writer.append if order.resumed is None else _newcomers(order.resumed, writer)
    draw = random.Random(order.order_seed)
    lengths: dict[Cell, tuple[int, ...]] = {}
    try:
        with cores.apart(quiet=any(target.quiet for target in order.targets)) as shared:
            for number, steps in enumerate(_passes(order, read)):
                peaks = number == 0 and order.comparison is None and _lacks_peaks(order, read())
                Session(
                    order.profile,
                    _starter(order, located, writer.logs, shared, hash_seed=plan.replicate(steps)),
                    keep,
                    watch,
                    draw,
                    peaks=peaks,
                    serve=_server(located),
                    cores=shared,
                    lengths=lengths,
                ).run(steps)
    finally:
        writer.close()
    return store.read(writer.folder)


def aside(order: Order, located: Located, *, command: str, watch: Watcher) -> store.Run:
    """Do what ``order`` asks in a folder that is gone afterwards: for those who keep an extract of the records."""
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
        return execute(order, located, out=Path(folder), command=command, watch=watch)


def _writer(order: Order, located: Located, out: Path, command: str) -> store.RunWriter:
    """Return what appends to a new run, its header written, or to the one that is gone on with."""
    now = datetime.now(UTC)
    if order.resumed is not None:
        writer = store.RunWriter(order.resumed.folder, resumed=True)
        at = now.isoformat(timespec="seconds")
        writer.append(ResumedRecord(resumed_at=at, order_seed=order.order_seed, command=command))
        return writer
    writer = store.RunWriter(out / store.run_id(now, order.profile.name))
    writer.append(_header(order, located, writer.folder.name, now, command))
    if order.comparison is not None:
        writer.append(order.comparison)
    return writer


def _newcomers(resumed: store.Run, writer: store.RunWriter) -> Callable[[Record], None]:
    """Return what keeps a record unless the run has its like: of a step that was cut short, some cells were kept."""
    known = {remainder.identity(record) for record in resumed.records} - {None}

    def keep(record: Record) -> None:
        if remainder.identity(record) not in known:
            writer.append(record)

    return keep


def _lacks_peaks(order: Order, records: Sequence[Record]) -> bool:
    return sum(isinstance(record, PeaksRecord) for record in records) < len(order.targets)


def _starter(
    order: Order, located: Located, logs: Path, shared: Cores | None, *, hash_seed: int
) -> Callable[[Target], WorkerProcess]:
    """Return what starts the workers of a pass.

    They share Python's hash seed, the replicate's number: with one for all replicates, a layout of dictionaries that
    favours a side, whose files lie in another folder, would come back in every process.
    """

    def start(target: Target) -> WorkerProcess:
        reason = targets.missing(target)
        if reason is not None:
            raise WorkerLost(f"{target.name}: {reason}")
        return WorkerProcess(
            target,
            corpus=located.folder,
            log=logs / f"{target.name}.log",
            processors=shared.every if shared else None,  # the runner keeps off one, and a child takes after it
            stall_limit_s=order.stall_limit_s,
            hash_seed=hash_seed,
        )

    return start


def _server(located: Located) -> Serve:
    """Return what scores the first test reviews' raw text by saved models under a backend."""

    def serve(models: Sequence[Path], backend: str) -> list[list[float]]:
        reviews = located.corpus.test.text.slice(0, SERVED_REVIEWS)
        return serving.scores(models, [review.decode() for review in text_rows(reviews)], backend)

    return serve


def _passes(order: Order, read: Read) -> Iterator[list[Step]]:
    """Yield the planned passes, then those that a budget or the order's own rule adds."""
    begun = time.monotonic()
    yield from order.passes()
    if order.budget_s is not None:
        yield from _spend(order, read, until=begun + order.budget_s)
    if order.more is not None:
        yield from order.more(read)


def _spend(order: Order, read: Read, *, until: float) -> Iterator[list[Step]]:
    """Yield further replicates of the cells with the widest intervals, for as long as a pass of them fits.

    A pass that measured nothing is the last: its workers did not come up, and would not for the rest of the time.
    """
    timed = [r.replicate for r in read() if isinstance(r, TimingRecord)]
    replicate, known = 1 + max(timed, default=0), 0
    while True:
        every = plan.timings(list(order.recipes), list(order.targets), order.profile, replicate)
        records = [r for r in read() if isinstance(r, TimingRecord)]
        chosen = budget.choose(every, records, left_s=until - time.monotonic())
        if not chosen or len(records) == known:
            return
        yield chosen
        replicate, known = replicate + 1, len(records)


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
        asked=order.asked,
    )
