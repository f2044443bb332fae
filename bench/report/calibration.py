"""The error rates of the gate: for the terminal, and as the page of results/calibration."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.calibration import coverage, error_rates, estimator_noise, parallel
from bench.analysis.calibration.coverage import Coverage
from bench.analysis.calibration.error_rates import Key, Pool, Rate, Rule, Trial, rate
from bench.analysis.calibration.estimator_noise import Scatter
from bench.analysis.rows import once
from bench.exit_codes import ExitCode
from bench.plan.gate import CALLED, COMPILED
from bench.records.schema import ComparisonRecord
from bench.report import markdown, terminal
from bench.report.tables.columns import Column, Table, table
from bench.runner.calibrate import GateRecord

PAGE = Path(__file__).with_suffix(".md")  # the words around the tables

CAUTION = "interval: Clopper and Pearson's; gates from a pool share replicates, which it does not know"

TIERS = {COMPILED: "Compiled programs", CALLED: "Keras as it is called"}

# Gates formed from the pool, and those for each slowed cell.
FORMED, FORMED_SLOWED = 300, 200


@dataclass(frozen=True)
class AlarmRow:
    """How often one rule calls any cell of identical targets slower, and how many cells it leaves unresolved."""

    rule: str
    rate: Rate
    unresolved: Rate


@dataclass(frozen=True)
class LiveRow:
    """What whole gates of one kind said of identical targets, and the minutes that each took."""

    kind: str
    alarms: Rate
    void: Rate
    unresolved: Rate
    minutes: tuple[float, ...]


@dataclass(frozen=True)
class DetectionRow:
    """How often a cell that does so much more is called slower, and faster, by the gate; slower, by other rules.

    measured  by how much the cell is slower in the pool, as a ratio
    """

    share: str
    key: Key
    measured: float
    slower: Rate
    faster: Rate
    others: dict[str, Rate]


@dataclass(frozen=True)
class SpreadRow:
    """How far identical targets' ratios of one path scatter from process to process, and how many processes it takes.

    processes  of each side until a cell is decided: the median over cells and simulated gates
    """

    phase: str
    path: str
    margin: float
    deviation: float
    worst: float
    processes: float | None


@dataclass(frozen=True)
class TierRates:
    """What the pool of one tier says; of gates formed from it only where some could be formed.

    needed    replicates that one formed gate takes
    longest   neighbouring replicates of one kind of machine, the most that there are
    machines  replicates by the kind of machine that measured them
    """

    tier: str
    replicates: int
    needed: int
    longest: int
    cells: int
    spread: tuple[SpreadRow, ...]
    alarms: tuple[AlarmRow, ...]
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


@dataclass(frozen=True)
class Rates:
    """Everything that the calibration says: each tier by its pool, and whole gates that were run live."""

    tiers: tuple[TierRates, ...]
    live: tuple[LiveRow, ...]


def rates(
    pools: Mapping[str, Pool],
    gates: Sequence[GateRecord],
    settings: ComparisonRecord,
    *,
    notice: Callable[[str], object] = print,
) -> Rates:
    """Form gates from the pool of each tier, and count what each rule says of them."""
    return Rates(
        tuple(_tier(tier, pool, settings, notice) for tier, pool in pools.items() if pool.replicates),
        tuple(_live(gates)),
    )


def _tier(tier: str, pool: Pool, settings: ComparisonRecord, notice: Callable[[str], object]) -> TierRates:
    rules: dict[str, Rule] = {
        "this gate": error_rates.interleaved(settings),
        "the same, not interleaved": error_rates.sequential(settings),
        "pytest-benchmark mean:5%": error_rates.mean_rule,
        "Mann-Whitney, blocks pooled": error_rates.mann_whitney,
    }
    formed = error_rates.trials(pool, replicates=settings.replicates, count=FORMED)
    alarms = []
    for name, rule in rules.items() if formed else ():
        notice(f"{len(formed)} gates of identical targets, {tier}, by {name}")
        answered = parallel.each(partial(rule, pool), formed)
        alarms.append(AlarmRow(name, error_rates.false_alarms(answered), error_rates.unresolved(answered)))
    records = [record for one in pool.replicates for record in one.values()]
    return TierRates(
        tier=tier,
        replicates=len(pool.replicates),
        needed=2 * settings.replicates,
        longest=max(map(len, pool.spans), default=0),
        cells=len(pool.keys),
        spread=tuple(_spread(pool, formed, settings)),
        alarms=tuple(alarms),
        detections=tuple(_detections(pool, settings, rules, notice)),
        scatter=tuple(estimator_noise.table(pool)),
        coverage=tuple(coverage.table(pool)),
        machines=Counter(pool.machines),
        commits=tuple(once(record.commit for record in records)),
        corpora=tuple(once(record.corpus for record in records)),
        first_at=min((record.measured_at for record in records), default=""),
        last_at=max((record.measured_at for record in records), default=""),
    )


def _spread(pool: Pool, formed: Sequence[Trial], settings: ComparisonRecord) -> Iterator[SpreadRow]:
    """Yield a row for each path: the noise that its margin follows from."""
    used = parallel.each(lambda trial: error_rates.used(pool, trial, settings), formed)
    for path in settings.deciding:
        keys = [key for key in pool.keys if key[1:3] == (path.phase, path.path)]
        if not keys or len(pool.replicates) < 2:
            continue
        deviations = [statistics.stdev(pool.against_base(key, error_rates.HEAD)) for key in keys]
        counts = [one[key] for one in used for key in keys]
        yield SpreadRow(
            path.phase,
            path.path,
            path.margin,
            statistics.median(deviations),
            max(deviations),
            statistics.median(counts) if counts else None,
        )


def render(found: Rates) -> RenderableType:
    """Return the tables for a terminal."""
    made = [live(found), *(one for tier in found.tiers for one in _tables(tier))]
    short = [Text(_too_few(tier), style="dim") for tier in found.tiers if not tier.formed]
    return terminal.group([*map(terminal.section, made), *short, Text(CAUTION, style="dim")])


def _tables(tier: TierRates) -> list[Table]:
    formed = [alarms(tier), detections(tier)] if tier.formed else []
    return [spread(tier), *formed, noise(tier), intervals(tier)]


def page(found: Rates) -> str:
    """Return the page that is published beside the data."""
    return PAGE.read_text(encoding="utf-8").format(
        live=markdown.body(live(found)) if found.live else "None has been run by this rule yet.",
        tiers="\n\n".join(map(_section, found.tiers)),
    )


def _section(tier: TierRates) -> str:
    """Return what the pool of one tier says, as a part of the page."""
    measured = (
        f"{tier.replicates} replicates of {tier.cells} cells, {tier.first_at[:10]} to {tier.last_at[:10]}, on "
        f"{_machines(tier)}; commit {', '.join(tier.commits)}; corpus {', '.join(tier.corpora)}."
    )
    parts = [f"## {TIERS[tier.tier]}", measured, *(part for one in _tables(tier) for part in _part(one))]
    return "\n\n".join([*parts, *([] if tier.formed else [f"**Not yet:** {_too_few(tier)}."])])


def _part(one: Table) -> list[str]:
    return [f"### {one.title}", f"{one.caption[:1].upper()}{one.caption[1:]}:", markdown.body(one)] if one.rows else []


def live(found: Rates) -> Table:
    """Return what whole gates said of identical targets."""
    columns = (
        Column("kind", "recipes"),
        Column("alarms", "false alarms", "right", lambda row: f"{row.alarms.events} of {row.alarms.trials}"),
        Column("interval", "95% interval", "right", lambda row: bounds(row.alarms)),
        Column("void", "void", "count", lambda row: row.void.events),
        Column("unresolved", "unresolved", "right", lambda row: share(row.unresolved)),
        Column("minutes", "minutes", "right", lambda row: minutes(row.minutes)),
    )
    return table(
        "live", "Whole gates", "run live on identical targets, two worktrees of one commit", columns, found.live
    )


def spread(found: TierRates) -> Table:
    """Return how noisy each path is, and how many processes it takes to decide."""
    columns = (
        Column("phase", "phase", merge=True),
        Column("path", "path"),
        Column("margin", "margin", "percent"),
        Column("deviation", "median SD", "tenths"),
        Column("worst", "worst SD", "tenths"),
        Column("processes", "processes", "significant"),
    )
    caption = "SD of identical targets' ratio over processes, and the processes until a cell is decided"
    return table("spread", "Noise and margins", caption, columns, found.spread)


def alarms(found: TierRates) -> Table:
    """Return how often each rule raises a false alarm."""
    columns = (
        Column("rule", "rule"),
        Column("alarms", "false alarms", "right", lambda row: counted(row.rate)),
        Column("interval", "95% interval", "right", lambda row: bounds(row.rate)),
        Column("unresolved", "unresolved", "right", lambda row: share(row.unresolved)),
    )
    caption = f"gates of identical targets, {found.cells} cells, from {found.replicates} replicates"
    return table("alarms", "False alarms", caption, columns, found.alarms)


def detections(found: TierRates) -> Table:
    """Return how often a slowed cell is found."""
    others = list(found.detections[0].others) if found.detections else []
    columns = (
        Column("share", "work", merge=True),
        Column("cell", "cell", value=lambda row: cell(row.key)),
        Column("measured", "in the pool", "change"),
        Column("slower", "found", "right", lambda row: counted(row.slower)),
        Column("interval", "95% interval", "right", lambda row: bounds(row.slower)),
        Column("faster", "faster", "count", lambda row: row.faster.events),
        *[Column(name, name, "right", partial(_by_rule, name), wide=True) for name in others],
    )
    return table("detections", "Slowdowns found", "one slowed cell a gate", columns, found.detections)


def noise(found: TierRates) -> Table:
    """Return how far identical targets' ratios scatter, by estimator."""
    columns = (
        Column("estimator", "estimated by"),
        Column("train", "train", "tenths"),
        Column("predict", "predict", "tenths"),
    )
    caption = "SD of identical targets' ratio from process to process"
    return table("noise", "Estimator noise", caption, columns, found.scatter)


def intervals(found: TierRates) -> Table:
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
            asked = partial(error_rates.answers, formed=formed, label=label, key=key)
            alone = part.only(key)
            by_others = {name: rate(asked(alone, rule=rules[name]), "slower") for name in others}
            answered = asked(part, rule=rules[own])
            slower, faster = rate(answered, "slower"), rate(answered, "faster")
            found.append(
                DetectionRow(
                    label.removeprefix("base ").removesuffix(" work"),
                    key,
                    math.exp(statistics.fmean(part.against_base(key, label))),
                    slower,
                    faster,
                    by_others,
                )
            )
    return sorted(found, key=lambda row: int(row.share.strip("+%")))


def _live(gates: Sequence[GateRecord]) -> Iterator[LiveRow]:
    """Yield a row for each kind of gate that was run."""
    kinds: dict[str, list[GateRecord]] = {}
    for one in gates:
        kinds.setdefault(", ".join(one.recipes), []).append(one)
    for kind, some in kinds.items():
        yield LiveRow(
            kind,
            Rate(sum(one.exit_code == ExitCode.REGRESSION for one in some), len(some)),
            Rate(sum(one.void for one in some), len(some)),
            error_rates.unresolved([one.answers for one in some]),
            tuple(one.duration_s / 60 for one in some),
        )


def _too_few(found: TierRates) -> str:
    needed = f"a gate formed from a pool takes {found.needed} neighbouring replicates of one kind of machine"
    return f"{needed}, and the tier {found.tier} has {found.longest} so far"


def _machines(found: TierRates) -> str:
    """Return the kinds of machine in words, each with its replicates where there are several."""
    if len(found.machines) < 2:
        return "".join(found.machines)
    return " and ".join(f"{machine} ({count} of them)" for machine, count in found.machines.items())
