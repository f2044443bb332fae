"""The error rates of the gate: for the terminal, and as the page of results/calibration."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.calibration import coverage, error_rates, estimator_noise
from bench.analysis.calibration.coverage import Coverage
from bench.analysis.calibration.error_rates import Key, Pool, Rate, Rule
from bench.analysis.calibration.estimator_noise import Scatter
from bench.analysis.rows import once
from bench.exit_codes import ExitCode
from bench.plan import gate
from bench.records.schema import ComparisonRecord
from bench.report import markdown, terminal
from bench.report.tables.columns import Column, Table, table
from bench.runner.calibrate import GateRecord

PAGE = Path(__file__).with_suffix(".md")  # the words around the tables

CAUTION = "interval: Clopper and Pearson's; gates from a pool share replicates, which it does not know"

# Gates formed from the pool, and those for each slowed cell.
FORMED, FORMED_SLOWED = 300, 300


@dataclass(frozen=True)
class AlarmRow:
    """How often one rule calls any cell of identical targets slower, and how many cells it leaves unresolved."""

    rule: str
    rate: Rate
    unresolved: Rate


@dataclass(frozen=True)
class LiveRow:
    """What whole gates of one kind said of identical targets, and the minutes that each took; none for all kinds."""

    kind: str
    alarms: Rate
    void: Rate
    unresolved: Rate
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
    coverage: tuple[Coverage, ...]
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
        coverage=tuple(coverage.table(pool)),
        machines=Counter(pool.machines),
        commits=tuple(once(record.commit for record in records)),
        corpora=tuple(once(record.corpus for record in records)),
        first_at=min((record.measured_at for record in records), default=""),
        last_at=max((record.measured_at for record in records), default=""),
    )


def render(found: Rates) -> RenderableType:
    """Return the tables for a terminal."""
    formed = (alarms(found), detections(found)) if found.formed else ()
    caution = CAUTION if found.formed else _too_few(found)
    made = (live(found), *formed, noise(found), intervals(found))
    return terminal.group([*map(terminal.section, made), Text(caution, style="dim")])


def page(found: Rates) -> str:
    """Return the page that is published beside the data."""
    not_yet = f"**Not yet:** {_too_few(found)}."
    return PAGE.read_text(encoding="utf-8").format(
        replicates=found.replicates,
        cells=found.cells,
        first=found.first_at[:10],
        last=found.last_at[:10],
        machines=_machines(found),
        commits=", ".join(found.commits),
        corpora=", ".join(found.corpora),
        live=markdown.body(live(found)),
        alarms=markdown.body(alarms(found)) if found.formed else not_yet,
        voided=f"\n{_voided(found)}\n" if found.voided.trials else "",
        detections=markdown.body(detections(found)) if found.formed else not_yet,
        scatter=markdown.body(noise(found)),
        coverage=markdown.body(intervals(found)),
    )


def live(found: Rates) -> Table:
    """Return what whole gates said of identical targets."""
    columns = (
        Column("kind", "gates"),
        Column("alarms", "false alarms", "right", lambda row: f"{row.alarms.events} of {row.alarms.trials}"),
        Column("interval", "95% interval", "right", lambda row: bounds(row.alarms)),
        Column("void", "void", "count", lambda row: row.void.events),
        Column("unresolved", "unresolved", "right", lambda row: share(row.unresolved)),
        Column("minutes", "minutes", "right", lambda row: minutes(row.minutes)),
    )
    return table(
        "live", "Whole gates", "run live on identical targets, two worktrees of one commit", columns, found.live
    )


def alarms(found: Rates) -> Table:
    """Return how often each rule raises a false alarm."""
    columns = (
        Column("rule", "rule"),
        Column("alarms", "false alarms", "right", lambda row: counted(row.rate)),
        Column("interval", "95% interval", "right", lambda row: bounds(row.rate)),
        Column("unresolved", "unresolved", "right", lambda row: share(row.unresolved)),
    )
    caption = f"gates of identical targets, {found.cells} cells, from {found.replicates} replicates"
    caption += f"; void: {counted(found.voided)}" if found.voided.trials else ""
    return table("alarms", "False alarms", caption, columns, found.alarms)


def detections(found: Rates) -> Table:
    """Return how often a slowed cell is found."""
    others = list(found.detections[0].others) if found.detections else []
    columns = (
        Column("share", "work", merge=True),
        Column("cell", "cell", value=lambda row: cell(row.key)),
        Column("slower", "found", "right", lambda row: counted(row.slower)),
        Column("interval", "95% interval", "right", lambda row: bounds(row.slower)),
        Column("faster", "faster", "count", lambda row: row.faster.events),
        *[Column(name, name, "right", partial(_by_rule, name), wide=True) for name in others],
    )
    return table("detections", "Slowdowns found", "one slowed cell a gate", columns, found.detections)


def noise(found: Rates) -> Table:
    """Return how far identical targets' ratios scatter, by estimator."""
    columns = (
        Column("estimator", "estimated by"),
        Column("train", "train", "tenths"),
        Column("predict", "predict", "tenths"),
    )
    caption = "SD of identical targets' ratio from process to process"
    return table("noise", "Estimator noise", caption, columns, found.scatter)


def intervals(found: Rates) -> Table:
    """Return how often 95 % intervals of identical targets cover one."""
    columns = (
        Column("phase", "phase", merge=True),
        Column("replicates", "processes", "count", merge=True),
        Column("drawn", "drawn"),
        Column("plain", "Student", "right", lambda row: share(row.plain)),
        Column("moderated", "moderated", "right", lambda row: share(row.moderated)),
        Column("narrower", "narrower by", "percent"),
    )
    caption = "how often 95% intervals of identical targets cover one"
    return table("coverage", "Coverage", caption, columns, found.coverage)


def counted(rate: Rate) -> str:
    return f"{rate.events} of {rate.trials}" + (f" ({rate.share:.1%})" if rate.trials else "")


def share(rate: Rate) -> str | None:
    return f"{rate.share:.1%}" if rate.trials else None


def bounds(rate: Rate) -> str | None:
    return "{:.1%} to {:.1%}".format(*rate.interval) if rate.trials else None


def minutes(each: Sequence[float]) -> str | None:
    """Return the median of ``each`` gate's minutes with the shortest and the longest."""
    return f"{statistics.median(each):.0f} ({min(each):.0f} to {max(each):.0f})" if each else None


def cell(key: Key) -> str:
    return " ".join(map(str, key))


def _by_rule(name: str, row: DetectionRow) -> str | None:
    return f"{row.others[name].share:.0%}" if row.others[name].trials else None


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
    settled = f"{kept.replicates} processes" + (", a second round" if kept.settled else ", --no-settle")
    return settled + (", slowed targets beside" if kept.slowed else "")


def _voided(found: Rates) -> str:
    many = f"{counted(found.voided)} void ({bounds(found.voided)})"
    return (
        f"The control with 10 % more work, which every gate has, would have made {many}\n"
        "by not coming out slower. Only whole gates can tell what the other control, the base again, does."
    )


def _too_few(found: Rates) -> str:
    needed = f"a gate formed from the pool takes {found.needed} neighbouring replicates of one kind of machine"
    return f"{needed}, and there are {found.longest} so far"


def _machines(found: Rates) -> str:
    """Return the kinds of machine in words, each with its replicates where there are several."""
    if len(found.machines) < 2:
        return "".join(found.machines)
    return " and ".join(f"{machine} ({count} of them)" for machine, count in found.machines.items())
