"""The published error rates of the gate: rows for the terminal and a Markdown page; it measures nothing."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rich.console import Group, RenderableType
from rich.text import Text

from bench.analysis.calibration import error_rates, estimator_noise
from bench.analysis.calibration.error_rates import Key, Pool, Rate, Rule
from bench.analysis.calibration.estimator_noise import Scatter
from bench.exit_codes import ExitCode
from bench.plan import gate
from bench.records.schema import ComparisonRecord
from bench.report.markdown import table
from bench.report.table import Column, section
from bench.runner.calibrate import GateRecord

# Gates formed from the pool, and those for each slowed cell.
FORMED, FORMED_SLOWED = 300, 300


@dataclass(frozen=True)
class AlarmRow:
    """How often gates of identical targets call any cell slower, by one rule, and how many cells it leaves open."""

    rule: str
    rate: Rate
    left_open: Rate


@dataclass(frozen=True)
class LiveRow:
    """What whole gates of one kind said of identical targets, and the minutes that each took; none for all kinds."""

    kind: str
    alarms: Rate
    void: Rate
    left_open: Rate
    minutes: tuple[float, ...]


@dataclass(frozen=True)
class DetectionRow:
    """How often a cell that does so much more is called slower, and faster, by the gate; slower, by other rules."""

    share: str
    key: Key
    slower: Rate
    faster: Rate
    others: dict[str, Rate]


@dataclass(frozen=True)
class Rates:
    """Everything that the calibration says; of gates formed from the pool only where some could be formed.

    needed    replicates that one formed gate takes
    voided    formed gates whose control with extra work does not come out slower
    longest   neighbouring replicates of one kind of machine, the most that there are
    machines  replicates by the kind of machine that measured them
    """

    replicates: int
    needed: int
    longest: int
    cells: int
    alarms: tuple[AlarmRow, ...]
    voided: Rate
    live: tuple[LiveRow, ...]
    detections: tuple[DetectionRow, ...]
    scatter: tuple[Scatter, ...]
    machines: dict[str, int]
    commits: tuple[str, ...]
    corpora: tuple[str, ...]
    first_at: str
    last_at: str

    @property
    def formed(self) -> bool:
        """Whether gates could be formed from the pool."""
        return self.longest >= self.needed


def rates(
    pool: Pool, gates: Sequence[GateRecord], settings: ComparisonRecord, *, notice: Callable[[str], object] = print
) -> Rates:
    """Form gates from ``pool`` and count what each rule says of them."""
    rules: dict[str, Rule] = {
        "this gate": error_rates.interleaved(settings),
        "the same with --no-settle": error_rates.interleaved(settings.model_copy(update={"settle": False})),
        "the same, not interleaved": error_rates.sequential(settings),
        "pytest-benchmark mean:5%": error_rates.mean_rule,
        "Mann-Whitney, blocks pooled": error_rates.mann_whitney,
    }
    formed = error_rates.trials(pool, replicates=settings.replicates, count=FORMED)
    alarms = []
    for name, rule in rules.items():
        notice(f"{len(formed)} gates of identical targets by {name}")
        answered = [rule(pool, trial) for trial in formed]
        alarms.append(AlarmRow(name, error_rates.false_alarms(answered), error_rates.unresolved(answered)))
    records = [record for one in pool.replicates for record in one.values()]
    return Rates(
        replicates=len(pool.replicates),
        needed=error_rates.MAX_ROUNDS * settings.replicates,
        longest=max(map(len, pool.spans), default=0),
        cells=len(pool.keys),
        alarms=tuple(alarms),
        voided=error_rates.voided(pool, formed, settings, label=gate.SLOWED),
        live=tuple(_live(gates)),
        detections=tuple(_detections(pool, settings, rules, notice)),
        scatter=tuple(estimator_noise.table(pool)),
        machines=Counter(pool.machines),
        commits=_each(record.commit for record in records),
        corpora=_each(record.corpus for record in records),
        first_at=min((record.measured_at for record in records), default=""),
        last_at=max((record.measured_at for record in records), default=""),
    )


def terminal(found: Rates) -> RenderableType:
    """Return the tables for a terminal."""
    alarms = [
        Column("rule", lambda row: row.rule),
        Column("false alarms", lambda row: counted(row.rate), number=True),
        Column("95% interval", lambda row: bounds(row.rate), number=True),
        Column("open cells", lambda row: share(row.left_open), number=True),
    ]
    seen = [
        Column("work", lambda row: row.share, key=True),
        Column("cell", lambda row: cell(row.key)),
        Column("found", lambda row: counted(row.slower), number=True),
        Column("95% interval", lambda row: bounds(row.slower), number=True),
        Column("faster", lambda row: str(row.faster.events), number=True),
    ]
    live = [Column(heading, show, number=heading != LIVE[0][0]) for heading, show in LIVE]
    scattered = [Column(heading, show, number=heading != SCATTER[0][0]) for heading, show in SCATTER]
    caption = f"gates of identical targets, {found.cells} cells, from {found.replicates} replicates"
    caption += f"; void: {counted(found.voided)}" if found.voided.trials else ""
    parts = [
        section("Whole gates", "run live on identical targets, two worktrees of one commit", live, found.live, []),
        section("False alarms", caption, alarms, found.alarms if found.formed else [], []),
        section("Slowdowns found", "one slowed cell a gate", seen, found.detections if found.formed else [], []),
        section("Scatter", "SD of identical targets' ratio from process to process", scattered, found.scatter, []),
        Text(_CAUTION if found.formed else _too_few(found), style="dim"),
    ]
    return Group(*[part for part in parts if part is not None])


def page(found: Rates) -> str:
    """Return the page that is published beside the data."""
    alarm_columns = [
        ("rule", lambda row: row.rule),
        ("false alarms", lambda row: counted(row.rate)),
        ("95 % interval", lambda row: bounds(row.rate)),
        ("cells left open", lambda row: share(row.left_open)),
    ]
    others = list(found.detections[0].others) if found.detections else []
    columns = [
        ("more work", lambda row: row.share),
        ("cell", lambda row: cell(row.key)),
        ("called slower", lambda row: counted(row.slower)),
        ("95 % interval", lambda row: bounds(row.slower)),
        ("called faster", lambda row: str(row.faster.events)),
        *((name, _other(name)) for name in others),
    ]
    return _PAGE.format(
        replicates=found.replicates,
        cells=found.cells,
        first=found.first_at[:10],
        last=found.last_at[:10],
        machines=_machines(found),
        commits=", ".join(found.commits),
        corpora=", ".join(found.corpora),
        live=table(LIVE, found.live),
        alarms=table(alarm_columns, found.alarms) if found.formed else f"**Not yet:** {_too_few(found)}.",
        voided=f"\n{_voided(found)}\n" if found.voided.trials else "",
        detections=table(columns, found.detections) if found.formed else f"**Not yet:** {_too_few(found)}.",
        scatter=table(SCATTER, found.scatter),
    )


LIVE: list[tuple[str, Callable[[LiveRow], str]]] = [
    ("gates", lambda row: row.kind),
    ("false alarms", lambda row: f"{row.alarms.events} of {row.alarms.trials}"),
    ("95% interval", lambda row: bounds(row.alarms)),
    ("void", lambda row: str(row.void.events)),
    ("open cells", lambda row: share(row.left_open)),
    ("minutes", lambda row: minutes(row.minutes)),
]

SCATTER: list[tuple[str, Callable[[Scatter], str]]] = [
    ("estimated by", lambda row: row.estimator),
    ("train", lambda row: f"{row.train:.1%}"),
    ("predict", lambda row: f"{row.predict:.1%}"),
]


def counted(rate: Rate) -> str:
    return f"{rate.events} of {rate.trials}" + (f" ({rate.share:.1%})" if rate.trials else "")


def share(rate: Rate) -> str:
    return f"{rate.share:.1%}" if rate.trials else "—"


def bounds(rate: Rate) -> str:
    return "{:.1%} to {:.1%}".format(*rate.interval) if rate.trials else "—"


def minutes(each: Sequence[float]) -> str:
    """Return the median of ``each`` gate's minutes with the shortest and the longest."""
    return f"{statistics.median(each):.0f} ({min(each):.0f} to {max(each):.0f})" if each else "—"


def cell(key: Key) -> str:
    recipe, phase, path, batch_size, where = key
    return f"{recipe} {phase} {path} {batch_size} {where}"


def _detections(
    pool: Pool, settings: ComparisonRecord, rules: dict[str, Rule], notice: Callable[[str], object]
) -> list[DetectionRow]:
    own, *others = rules
    found = []
    for label, keys in pool.slowed.items():
        for key in keys:
            part = pool.having(key, label)
            formed = error_rates.trials(part, replicates=settings.replicates, count=FORMED_SLOWED, seed=1)
            if not formed:
                continue
            notice(f"{len(formed)} gates with {label} in {cell(key)}")

            asked = partial(error_rates.detections, part, formed, label=label, key=key)

            by_others = {name: asked(rules[name], wanted="slower") for name in others}
            slower, faster = (asked(rules[own], wanted=answer) for answer in ("slower", "faster"))
            found.append(
                DetectionRow(label.removeprefix("base ").removesuffix(" work"), key, slower, faster, by_others)
            )
    return sorted(found, key=lambda row: int(row.share.strip("+%")))


_CAUTION = "interval: Clopper and Pearson's; gates from a pool share replicates, which it does not know"


def _live(gates: Sequence[GateRecord]) -> Iterator[LiveRow]:
    """Yield a row for each kind of gate that was run, and one for all where there are several kinds."""
    kinds: dict[str, list[GateRecord]] = {}
    for one in gates:
        kinds.setdefault(_kind(one), []).append(one)
    for kind, some in kinds.items():
        yield _live_row(kind, some)
    if len(kinds) > 1:
        yield replace(_live_row("all of them", gates), minutes=())  # of different work


def _live_row(kind: str, gates: Sequence[GateRecord]) -> LiveRow:
    return LiveRow(
        kind,
        Rate(sum(one.exit_code == ExitCode.REGRESSION for one in gates), len(gates)),
        Rate(sum(one.void for one in gates), len(gates)),
        error_rates.unresolved([one.answers for one in gates]),
        tuple(one.duration_s / 60 for one in gates),
    )


def _kind(kept: GateRecord) -> str:
    """Return what a gate was, in words."""
    settled = f"{kept.replicates} processes" + (", open cells settled" if kept.settled else ", --no-settle")
    return settled + (", slowed targets beside" if kept.slowed else "")


def _voided(found: Rates) -> str:
    many = f"{counted(found.voided)} void ({bounds(found.voided)})"
    return (
        f"The control with 10 % more work, which every gate has, would have made {many}\n"
        "by not coming out slower. What the other control, the base again, does, whole gates alone can tell."
    )


def _too_few(found: Rates) -> str:
    needed = f"a gate formed from the pool takes {found.needed} neighbouring replicates of one kind of machine"
    return f"{needed}, and there are {found.longest} so far"


def _machines(found: Rates) -> str:
    """Return the kinds of machine in words, each with its replicates where there are several."""
    if len(found.machines) < 2:
        return "".join(found.machines)
    return " and ".join(f"{machine} ({count} of them)" for machine, count in found.machines.items())


def _other(name: str) -> Callable[[DetectionRow], str]:
    return lambda row: f"{row.others[name].share:.0%}" if row.others[name].trials else "—"


def _each(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


_PAGE = """# How often the gate is wrong

Measured, not promised: `python -m bench calibrate` (`./nox -s calibrate`) added {replicates} replicates of
{cells} gate cells between {first} and {last} on {machines}; commit {commits}; corpus {corpora}.
A replicate is a fresh process of each target: two worktrees of one commit, and in the first gates the base with 3, 5
and 10 % more real work (matrix products in NumPy inside the timed region): "slowed targets beside".

## False alarms: identical targets, any cell called slower and confirmed

Whole gates, run live over every recipe and both backends, without what a gate shows beside:

{live}

A void gate answers nothing: a control failed. Gates at commit 31d0bbc5f6 and before did not ask a failing control
again, and one in twenty of those may be void by chance.

Gates formed from the pool by the code that judges real ones, each from a stretch of neighbouring replicates of one
kind of machine: a first batch, one for the cells that it leaves open (none with `--no-settle`), and as many that
confirm. They share replicates, so that the intervals (Clopper and Pearson's) are narrower than they should be. A cell
is left open where the gate says neither "same" nor "slower" or "faster"; the last two rules always say something:

{alarms}
{voided}
## Slowdowns found

One slowed cell a gate, all others identical, formed from the replicates that have it. The last columns: how often the
gate with `--no-settle` and other rules call the same cell slower, which is worth no more than their false alarms above.

{detections}

## Why neighbouring blocks

How far the ratio of identical targets scatters from process to process, when it is estimated from the same blocks in
other ways; standard deviation, root mean square over the cells of a phase:

{scatter}

The data are in `pool.jsonl` (a line for each cell of each target in each replicate: seconds of a repeat, turn by
turn) and `gates.jsonl` (whole gates). `python -m bench calibrate --show` computes this page again from them.
"""
