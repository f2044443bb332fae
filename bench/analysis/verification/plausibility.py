"""Whether what a run says can have been measured: rules that an honest run keeps, whatever the machine.

They are for runs that others measured. Digests tell an edit by hand; a program can make them again. What such a program
does not know is how the parts of a measurement depend on each other: processor time and seconds, processes and
greetings, backends and what they compile, a plan and its options.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from bench import INSTALLED
from bench.analysis import paired_ratio
from bench.analysis.summary import summarize
from bench.backends import BACKENDS
from bench.plan import steps
from bench.plan.shards import Shard
from bench.plan.steps import PROFILES
from bench.plan.targets import Target
from bench.records import identity, machine
from bench.records.schema import Cell, PlanRecord, Sample, TargetRecord, TimingRecord, TrainingRecord
from bench.records.store import Run
from datasets.errors import ExpectedError
from models.variations import find

# Processor time may be longer than seconds on every processor by so much: counters have steps.
CLOCK_S = 0.03
# The processor time of a second differs between the processes of a cell by less: 1.65 was the most in six default runs.
PROCESSOR_RATIO = 1.75
# Two blocks of 20 ms seldom have the same length to 50 ns; so many in two processes are one process twice.
SAME_BLOCKS = 3


def _processor_time(run: Run) -> Iterator[str]:
    """Yield cells whose processor time does not fit into their seconds, or fits otherwise than in other processes."""
    processors = run.header.machine.processors
    for cell, records in _timed(run).items():
        blocks = [sample for record in records for sample in record.samples]
        if sum(s.processor_s for s in blocks) > sum(s.duration_s for s in blocks) * processors + CLOCK_S:
            yield f"{cell.name} took more processor time than {processors} processors have in its seconds"
        shares = [share for record in records if (share := _share(record.samples))]
        middle = statistics.median(shares) if len(shares) > 2 else 0.0
        if middle and any(not 1 / PROCESSOR_RATIO <= share / middle <= PROCESSOR_RATIO for share in shares):
            yield f"the processor time of a second of {cell.name} differs between processes as in no honest run"


def _share(samples: Sequence[Sample]) -> float:
    """Return the processor seconds of a second; 0 where they are not known."""
    counted = [sample for sample in samples if sample.counts]
    return sum(s.processor_s for s in counted) / sum(s.duration_s for s in counted) if counted else 0.0


def _each_process_once(run: Run) -> Iterator[str]:
    """Yield cells of which two processes measured the same, and targets that greeted less often than they measured."""
    for cell, records in _timed(run).items():
        blocks = [{(s.repeats, s.duration_s) for s in record.samples} for record in records]
        pairs = ((one, other) for place, one in enumerate(blocks) for other in blocks[place + 1 :])
        if any(len(one & other) >= SAME_BLOCKS for one, other in pairs):
            yield f"two processes of {cell.name} have the same blocks"
    greeted = Counter(record.target for record in run.records if isinstance(record, TargetRecord))
    measured: defaultdict[str, set[int]] = defaultdict(set)
    for cell, records in paired_ratio.timings(run.records).items():
        measured[cell.target] |= {record.replicate for record in records}
    for target, replicates in measured.items():
        if greeted[target] < len(replicates):
            yield f"{len(replicates)} processes of {target} measured, and {greeted[target]} began"


def _turns(run: Run) -> Iterator[str]:
    """Yield cells whose blocks are not in the order of their turns, or do not begin with warm-up."""
    for record in (record for records in _timed(run).values() for record in records):
        turns = [sample.turn for sample in record.samples if not sample.warmup]
        if turns != sorted(turns) or set(turns) != set(range(min(turns), max(turns) + 1)):
            yield f"the turns of {record.cell.name} in process {record.replicate} are out of order"
        if not record.samples[0].warmup:
            yield f"{record.cell.name} in process {record.replicate} was not warmed up"


def _backends(run: Run) -> Iterator[str]:
    """Yield targets that are not what their name says, and cells that their backend does not compile so."""
    for record in run.records:
        if isinstance(record, TargetRecord):
            backend, _, device = record.target.partition("@")[0].rpartition("-")
            facts = record.facts
            packages = BACKENDS[backend].distributions if backend in BACKENDS else ()
            if (facts.backend, facts.device) != (backend, device) or not {*packages, backend} & {*facts.versions}:
                yield f"{record.target} ran {facts.backend} on {facts.device} with {', '.join(sorted(facts.versions))}"
    for cell, records in _timed(run).items():
        settings = {repr(sorted(record.resolved.items())) for record in records}
        if len(settings) > 1:
            yield f"{cell.name} had other settings in some process"
        if cell.where.startswith("jax") and cell.path == "fit" and not records[0].resolved.get("jit_compile", True):
            yield f"{cell.name} was not compiled, which `fit` on JAX always is"


def _planned(run: Run) -> Iterator[str]:
    """Yield what the run's options ask for and its plan lacks.

    Nothing where that cannot be told: of another version's plans, and of recipes that are not the suite's own.
    """
    options, profile = run.header.options, PROFILES.get(run.header.profile)
    plans = [work for record in run.records if isinstance(record, PlanRecord) for work in record.work]
    if options is None or profile is None or run.header.recipes or not plans or not _plans_alike(run):
        return
    try:
        recipes = [find(name, {}) for name in options.recipes]
    except ExpectedError:
        return  # a recipe of another version
    targets = [Target(backend, options.device) for backend in options.backends]
    seeds = profile.seeds if options.seeds is None else options.seeds
    passes = steps.passes(recipes, targets, profile, seeds=seeds)
    if options.shard is not None:
        numbers = [one.shard for one in run.header.merged] or [options.shard.number]
        passes = [work for number in numbers for work in Shard(number, options.shard.of).part(passes)]
    known = passes[:1] if options.budget_s else passes
    wanted = {work for each in known for step in each for work in steps.identities(step)}
    lacking = sorted(wanted - {*plans})
    if lacking:
        yield f"its options ask for {len(lacking)} more pieces of work than were planned, first {lacking[0]}"


def _known_commit(run: Run) -> Iterator[str]:
    """Yield that the commit is none of this repository; nothing where that cannot be told."""
    commit = run.header.commit
    if commit is None or INSTALLED or machine.git("rev-parse", "--is-shallow-repository") != "false":
        return
    if machine.git("cat-file", "-t", commit.revision) != "commit":
        yield f"commit {commit.revision[:10]} is none of this repository: fetch it, or nobody can measure this again"


def _trainings(run: Run) -> Iterator[str]:
    """Yield trainings whose curves have another length than their epochs, or that agree to the last digit."""
    seen: dict[str, str] = {}
    for record in run.records:
        if not isinstance(record, TrainingRecord):
            continue
        name = identity.training(record.recipe, record.target, seed=record.seed, path=record.path)
        for phase, result in record.phases.items():
            lengths = {len(curve) for curve in result.curves.values()} | {len(result.epoch_s)}
            if len(lengths) > 1:
                yield f"{name}: the curves of {phase} have {sorted(lengths)} epochs"
            key = repr((record.recipe, phase, result.epoch_s))
            if key in seen and seen[key] != name:
                yield f"{name} and {seen[key]} have the same seconds in every epoch"
            seen[key] = name


def _accurate(run: Run) -> Iterator[str]:
    """Yield figures that decide and lie outside of what the reference's seeds reach, above it or below."""
    for row in summarize(run).document.accuracy:
        if row.decides and row.answer == "failed":
            yield f"{row.figure} of {row.recipe} on {row.target}, {row.measured}, is far from the reference's seeds"


def _timed(run: Run) -> dict[Cell, list[TimingRecord]]:
    """Return the records of each cell that has blocks."""
    return {cell: found for cell, found in paired_ratio.timings(run.records).items() if cell.phase != "startup"}


def _plans_alike(run: Run) -> bool:
    """Return whether the run's commit plans as this checkout does."""
    commit = run.header.commit
    return commit is not None and machine.git("diff", commit.revision, "--stat", "--", "bench/plan", "models") == ""


RULES: dict[str, Callable[[Run], Iterator[str]]] = {
    "processor time fits into seconds": _processor_time,
    "every process measured once": _each_process_once,
    "turns are in their order, after warm-up": _turns,
    "targets are what they are called": _backends,
    "the plan is that of the options": _planned,
    "the commit is one of this repository": _known_commit,
    "trainings are different and whole": _trainings,
    "accuracy is what seeds reach": _accurate,
}
