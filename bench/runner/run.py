"""Run the steps of chosen targets and recipes and write a folder of records."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.analysis.planning import budget, resume
from bench.plan import shards, steps, targets
from bench.plan.shards import Shard
from bench.plan.steps import Profile, Step
from bench.plan.targets import Target
from bench.records import identity, machine, reference, settings, store
from bench.records.schema import (
    Cell,
    ComparisonRecord,
    FinishedRecord,
    PeaksRecord,
    PlanRecord,
    Record,
    ResumedRecord,
    RunHeader,
    RunOptions,
    ShardOptions,
    TimingRecord,
)
from bench.runner import affinity, scoring, scratch
from bench.runner.affinity import Cores
from bench.runner.process import STALL_LIMIT_S, WorkerLost, WorkerProcess
from bench.runner.session import Serve, Session, Watcher
from datasets.locate import Located
from datasets.tokenise import text_rows
from models.recipes import RECIPES, Recipe

# Reviews that each backend scores with every saved model.
SERVED_REVIEWS = 256

# Returns every record on disk so far.
ReadRecords = Callable[[], Sequence[Record]]


@dataclass(frozen=True)
class RunSpec:
    """What a run measures, and how.

    seeds          trainings to accuracy; None for the profile's
    order_seed     decides who takes the first turn at each cell
    stall_limit_s  a worker that sends nothing for this long counts as hung
    budget_s       time budget: after the first pass it is spent on the cells with the widest intervals
    comparison     the rule of a run that compares targets of one backend
    fixed_passes   the passes, if they do not follow from recipes and profile
    next_passes    further passes, each chosen from the records so far
    resumed        the interrupted run to resume: what it has is not measured again
    shard          the part of the run that is measured; all of it if None
    """

    recipes: Sequence[Recipe]
    targets: Sequence[Target]
    profile: Profile
    seeds: int | None = None
    order_seed: int = 0
    stall_limit_s: float = STALL_LIMIT_S
    budget_s: float | None = None
    comparison: ComparisonRecord | None = None
    fixed_passes: Sequence[Sequence[Step]] | None = None
    next_passes: Callable[[ReadRecords], Iterator[list[Step]]] | None = None
    resumed: store.Run | None = None
    shard: Shard | None = None

    def planned(self) -> list[list[Step]]:
        """Return the steps of each pass in order; with a budget only the first pass is known beforehand."""
        if self.fixed_passes is not None:
            return [list(steps) for steps in self.fixed_passes]
        every = self._whole()
        mine = self.shard.part(every) if self.shard else every
        return mine[:1] if self.budget_s is not None else mine

    def _whole(self) -> list[list[Step]]:
        """Return the steps of each pass of every shard."""
        seeds = self.profile.seeds if self.seeds is None else self.seeds
        return steps.passes(list(self.recipes), list(self.targets), self.profile, seeds=seeds)

    def plan(self) -> PlanRecord:
        """Return the record of what is planned."""
        return resume.plan(self.planned(), self.peaks_by)

    @property
    def peaks_by(self) -> tuple[Target, ...]:
        """The targets that measure the machine's peaks: those of the first pass that train; a comparison needs none."""
        if self.comparison is not None:
            return ()
        first = [target for step in next(iter(self.planned()), ()) for target in step.targets]
        return targets.trainers(list(dict.fromkeys(first or self.targets)))

    def passes(self) -> list[list[Step]]:
        """Return what is planned and not measured yet."""
        return self.planned() if self.resumed is None else resume.outstanding(self.planned(), self.resumed.records)

    @property
    def options(self) -> RunOptions | None:
        """What is needed to resume the run; None if its passes do not follow from that."""
        if self.fixed_passes is not None or self.comparison is not None:
            return None
        return RunOptions(
            recipes=[recipe.name for recipe in self.recipes],
            backends=[target.backend for target in self.targets],
            device=self.targets[0].device,
            seeds=self.seeds,
            budget_s=self.budget_s,
            shard=self._shard_options,
        )

    @property
    def _shard_options(self) -> ShardOptions | None:
        if self.shard is None:
            return None
        return ShardOptions(
            number=self.shard.number, of=self.shard.of, with_work=shards.with_work(self._whole(), self.shard.of)
        )


def own_recipes(recipes: Sequence[Recipe]) -> tuple[Recipe, ...]:
    """Return those of ``recipes`` that are not the suite's own, as records have them: without a machine's path."""
    return tuple(replace(one, file=Path(one.file).name) for one in recipes if one.name not in RECIPES)


def execute(spec: RunSpec, located: Located, *, out: Path, command: str, watch: Watcher) -> store.Run:
    """Run ``spec`` on the corpus in ``located`` and write a new folder under ``out``, or that of the resumed run.

    Each record is on disk before the next step starts, so that an interruption loses nothing.
    """
    if spec.resumed is not None:
        resume.require_same_setup(spec.resumed, located.corpus)
        resume.require_same_recipes(spec.resumed, own_recipes(spec.recipes))
        resume.require_same_work(spec.resumed, spec.comparison, spec.plan())
    writer = _writer(spec, located, out, command)
    try:
        _measure(spec, located, writer, watch)
        writer.append(FinishedRecord(finished_at=_now()))
    finally:
        writer.close()
    return store.read(writer.folder)


def _measure(spec: RunSpec, located: Located, writer: store.RunWriter, watch: Watcher) -> None:
    """Do every pass that the run lacks, and those that a budget or a comparison's further rounds add."""

    def read() -> Sequence[Record]:
        return store.read(writer.folder).records

    keep = writer.append if spec.resumed is None else _append_new(spec.resumed, writer)
    draw = random.Random(spec.order_seed)
    lengths: dict[Cell, tuple[int, ...]] = {}
    quiet = any(target.quiet for target in spec.targets)
    with affinity.separated(quiet=quiet) as shared, scratch.folder() as compilations:
        for number, work in enumerate(_passes(spec, read, writer)):
            peaks = number == 0 and _lacks_peaks(spec, read())
            start = partial(_start, spec, located, writer.logs, shared, hash_seed=steps.replicate(work))
            Session(
                spec.profile,
                partial(start, compilations=compilations) if _shares(spec, work) else start,
                keep,
                watch,
                draw,
                peaks=peaks,
                serve=_server(located, spec.targets),
                cores=shared,
                lengths=lengths,
                start_cold=start,
            ).run(work, () if work else spec.targets)


def run_in_scratch_folder(spec: RunSpec, located: Located, *, command: str, watch: Watcher) -> store.Run:
    """Run ``spec`` in a temporary folder, for callers that keep only an extract of the records."""
    with scratch.folder() as folder:
        return execute(spec, located, out=folder, command=command, watch=watch)


def _writer(spec: RunSpec, located: Located, out: Path, command: str) -> store.RunWriter:
    """Return the writer of a new run, its header and plan written, or of the resumed one."""
    if spec.resumed is not None:
        return _resumed_writer(spec, spec.resumed, command)
    now = datetime.now(UTC)
    part = f"-shard-{spec.shard.number}-of-{spec.shard.of}" if spec.shard else ""  # machines may begin in one moment
    writer = store.RunWriter(out / store.run_id(now, f"{spec.profile.name}{part}"))
    writer.append(_header(spec, located, writer.folder.name, now, command), *_work(spec))
    for known in reference.of_users(spec.recipes, located.corpus.digest):
        reference.append(writer.folder / reference.RUN_FILE, known)
    return writer


def _work(spec: RunSpec) -> list[Record]:
    """Return what a run is to do: the rule by which it decides, if it compares targets, and its plan."""
    rule = [] if spec.comparison is None else [spec.comparison]
    return [*rule, spec.plan()]


def _resumed_writer(spec: RunSpec, resumed: store.Run, command: str) -> store.RunWriter:
    """Return the writer of a run that is resumed; StoreError if another process has resumed it since it was read."""
    writer = store.RunWriter(resumed.folder, resumed=True)
    if len(store.read(resumed.folder).records) != len(resumed.records):
        writer.close()
        raise store.StoreError(f"{resumed.folder.name} was resumed by another process just now: give the command again")
    unsaid = [record for record in _work(spec) if not any(isinstance(known, type(record)) for known in resumed.records)]
    writer.append(
        *unsaid,  # the line was cut
        ResumedRecord(
            resumed_at=_now(),
            order_seed=spec.order_seed,
            command=command,
            process=os.getpid(),
            damaged=[damage.line for damage in resumed.damage if damage.lost],
        ),
    )
    return writer


def _append_new(resumed: store.Run, writer: store.RunWriter) -> Callable[..., None]:
    """Return a function that appends what the run lacks, and cells that were timed again beside one that it lacked."""
    known = {identity.of(record) for record in resumed.records} - {None}
    attempt = 1 + len(resumed.resumed_at)

    def keep(*records: Record) -> None:
        new = [r for r in records if isinstance(r, TimingRecord) or identity.of(r) not in known]
        numbered = [r.model_copy(update={"attempt": attempt}) if isinstance(r, TimingRecord) else r for r in new]
        writer.append(*numbered)

    return keep


def _lacks_peaks(spec: RunSpec, records: Sequence[Record]) -> bool:
    """Whether some of the machine's peaks are still to be measured."""
    return sum(isinstance(record, PeaksRecord) for record in records) < len(spec.peaks_by)


def _shares(spec: RunSpec, work: Sequence[Step]) -> bool:
    """Whether workers of a pass share what they compile: those of later replicates, whose first calls nobody reports.

    A comparison's workers may be of other releases, and what they compile is compared too.
    """
    return spec.fixed_passes is None and spec.comparison is None and steps.replicate(work) > 0


def _start(
    spec: RunSpec,
    located: Located,
    logs: Path,
    shared: Cores | None,
    target: Target,
    *,
    hash_seed: int,
    compilations: Path | None = None,
) -> WorkerProcess:
    """Start the worker of ``target``.

    Python's hash seed is the replicate's number: with one seed for all, a layout of dictionaries that favours one side
    would recur in every process.
    """
    reason = targets.missing(target)
    if reason is not None:
        raise WorkerLost(f"{target.name}: {reason}")
    return WorkerProcess(
        target,
        corpus=located.folder,
        log=logs / f"{target.name}.log",
        processors=shared.every if shared else None,  # the runner keeps off one, and children inherit that
        stall_limit_s=spec.stall_limit_s,
        hash_seed=hash_seed,
        compilations=compilations,
    )


def _server(located: Located, targets: Sequence[Target]) -> Serve:
    """Return the function that scores raw text of the first test reviews with saved models under a backend."""
    file = next((target.recipes for target in targets if target.recipes), None)

    def serve(models: Sequence[Path], backend: str) -> list[list[float]]:
        reviews = located.corpus.test.text.slice(0, SERVED_REVIEWS)
        return scoring.serve(models, [review.decode() for review in text_rows(reviews)], backend, file=file)

    return serve


def _passes(spec: RunSpec, read: ReadRecords, writer: store.RunWriter) -> Iterator[list[Step]]:
    """Yield the planned passes, then those that a budget or ``next_passes`` adds.

    What ``next_passes`` adds is recorded first, and belongs to what a complete run has. What a budget adds does not.
    """
    begun = time.monotonic()
    work = spec.passes()
    yield from work
    if not work and _lacks_peaks(spec, read()):
        yield []
    if spec.budget_s is not None:
        yield from _budget_passes(spec, read, until=begun + spec.budget_s)
    for further in spec.next_passes(read) if spec.next_passes is not None else ():
        left = resume.outstanding([further], read())
        if left:
            writer.append(resume.plan([further]))
            yield from left


def _budget_passes(spec: RunSpec, read: ReadRecords, *, until: float) -> Iterator[list[Step]]:
    """Yield further replicates of the cells with the widest intervals, while the time left allows.

    Stop after a pass that measured nothing: its workers did not start, and would not later.
    """
    timed = [r.replicate for r in read() if isinstance(r, TimingRecord)]
    replicate, known = 1 + max(timed, default=0), 0
    while True:
        every = steps.timings(list(spec.recipes), list(spec.targets), spec.profile, replicate)
        if spec.shard is not None:
            every = [step for step in every if spec.shard.has(step)]
        records = [r for r in read() if isinstance(r, TimingRecord)]
        chosen = budget.choose(every, records, left_s=until - time.monotonic())
        if not chosen or len(records) == known:
            return
        yield chosen
        replicate, known = replicate + 1, len(records)


def _header(spec: RunSpec, located: Located, run_id: str, started: datetime, command: str) -> RunHeader:
    return RunHeader(
        run_id=run_id,
        started_at=started.isoformat(timespec="seconds"),
        profile=spec.profile.name,
        corpus=located.corpus.name,
        corpus_digest=located.corpus.digest,
        order_seed=spec.order_seed,
        command=command,
        machine=machine.machine(),
        commit=machine.commit(),
        options=spec.options,
        settings=settings.settings(),
        process=os.getpid(),
        recipes=own_recipes(spec.recipes),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
