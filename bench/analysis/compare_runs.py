"""Compare what was measured already: two targets of one run, or two finished runs.

Targets of one run were interleaved: their ratios are of neighbouring blocks. Seconds of two runs are never compared,
since one machine's speed changes within minutes by more than most changes do. Each cell's share of its floor is
compared instead: both were interleaved in their own run, so that the machine's speed cancels out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from bench.analysis import paired_ratio, regression, stats
from bench.analysis.paired_ratio import Ratios
from bench.analysis.rows import ComparisonRow, bounded
from bench.analysis.stats import Estimate
from bench.analysis.summary import Summary
from bench.plan.paths import FLOORS, floor_of
from bench.records import catalog, settings
from bench.records.schema import Cell, TargetFacts
from datasets.errors import ExpectedError

# Two runs that differ in these fields may still be compared: the difference is what the comparison is about.
MAY_DIFFER = ("commit", "profile", "python", "versions")


@dataclass(frozen=True)
class Difference:
    """A field of machine, environment or data in which two runs differ; ``matters`` if it rules out verdicts."""

    field: str
    first: str
    second: str
    matters: bool


@dataclass(frozen=True)
class RunComparison:
    """A comparison of A and B: their names, what differs between them, and each cell that both have.

    run_id  the run of which they are targets; None where they are runs
    """

    first: str
    second: str
    differences: tuple[Difference, ...]
    measure: str
    rows: tuple[ComparisonRow, ...]
    missing: tuple[str, ...]
    run_id: str | None = None

    @cached_property
    def verdicts(self) -> bool:
        """Whether any verdict may be given."""
        return not any(difference.matters for difference in self.differences)


def targets(summary: Summary, first: str, second: str, *, margin: float, alpha: float) -> RunComparison:
    """Compare two targets of one run; ExpectedError if it has no such targets."""
    a, b = (_target(summary, name) for name in (first, second))
    cells = {cell: records for cell, records in summary.timings.items() if cell.phase != "startup"}
    pairs = [(cell.model_copy(update={"target": a}), cell) for cell in cells if cell.target == b]
    both = [(base, cell) for base, cell in pairs if base in cells and not _excluded(summary, base, cell)]
    ratios = Ratios([(cell, base) for base, cell in both], cells, alpha)
    rows = [_row(cell, ratios.estimate((cell, base)), margin=margin) for base, cell in both]
    missing = [cell.operation for base, cell in pairs if (base, cell) not in both]
    return RunComparison(
        a, b, (), "seconds, of neighbouring blocks", tuple(rows), tuple(missing), summary.run.header.run_id
    )


def runs(first: Summary, second: Summary, *, margin: float, alpha: float) -> RunComparison:
    """Compare two finished runs by each cell's seconds over its floor's."""
    mine, others = (_over_floor(summary) for summary in (first, second))
    cells = [cell for cell in others if cell in mine]
    pairs = [(mine[cell], others[cell]) for cell in cells]
    p_values = [stats.welch(*pair) for pair in pairs if min(map(len, pair)) > 1]
    confidence = stats.selected(p_values, alpha)[1]
    rows = [_row(cell, stats.shift(*pair, confidence), margin=margin) for cell, pair in zip(cells, pairs, strict=True)]
    found = differences(first, second)
    every = {cell.name for summary in (first, second) for cell in summary.timings if cell.path not in FLOORS}
    missing = sorted(every - {cell.name for cell in cells})
    names = (first.run.header.run_id, second.run.header.run_id)
    return RunComparison(
        *names, tuple(found), "seconds over the floor's, which took turns", tuple(rows), tuple(missing)
    )


def differences(first: Summary, second: Summary) -> list[Difference]:
    """Return every field in which two runs differ, those that rule out verdicts first."""
    pairs = {name: (field(first), field(second)) for name, field in _FIELDS.items()}
    for target in sorted(set(first.targets) & set(second.targets)):
        facts = (first.targets[target].facts, second.targets[target].facts)
        pairs |= {f"{name} of {target}": (field(facts[0]), field(facts[1])) for name, field in _FACTS.items()}
        pairs |= {f"{name} of {target}": pair for name, pair in _settings(facts[0].settings, facts[1].settings).items()}
    pairs |= _limits(first, second)
    found = [
        Difference(name, *pair, name.split(" ")[0] not in MAY_DIFFER)
        for name, pair in pairs.items()
        if len({*pair}) > 1
    ]
    return sorted(found, key=lambda difference: not difference.matters)


_FIELDS: dict[str, Callable[[Summary], str]] = {
    "processor": lambda s: s.run.header.machine.cpu,
    "processors": lambda s: str(s.run.header.machine.processors),
    "memory": lambda s: f"{s.run.header.machine.memory_gib} GiB",
    "system": lambda s: s.run.header.machine.system,
    "corpus": lambda s: f"{s.run.header.corpus} {s.run.header.corpus_digest[:12]}",
    "python": lambda s: s.run.header.machine.python,
    "profile": lambda s: s.run.header.profile,
    "commit": lambda s: _commit(s),
}

_FACTS: dict[str, Callable[[TargetFacts], str]] = {
    "device": lambda facts: f"{facts.device} {facts.device_name}",
    "versions": lambda facts: ", ".join(f"{name} {version}" for name, version in sorted(facts.versions.items())),
}


# The variables of a target, under the name that schema 3 gives them and the one before, which held these alone.
_VARIABLES = ("variables", "flags")
_FLAGS = (
    *("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS"),
    *("JAX_PLATFORMS", "JAX_CPU_ENABLE_ASYNC_DISPATCH", "PJRT_NPROC", "OMP_NUM_THREADS"),
)


def _settings(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return each setting of a target that both runs recorded, variables one by one."""
    names = [name for name in first if name in second and name not in _VARIABLES]
    return {name: (str(first[name]), str(second[name])) for name in names} | _variables(first, second)


def _variables(first: dict[str, Any], second: dict[str, Any]) -> dict[str, tuple[str, str]]:
    both: list[dict[str, str]] = [next((of[key] for key in _VARIABLES if key in of), {}) for of in (first, second)]
    older = any("variables" not in of for of in (first, second))
    names = _FLAGS if older else sorted({*both[0], *both[1]})
    return {name: (str(both[0].get(name, "unset")), str(both[1].get(name, "unset"))) for name in names}


def _limits(first: Summary, second: Summary) -> dict[str, tuple[str, str]]:
    """Return the limits of both runs' processes; an older run does not say."""
    known = [settings.limits(s.run.header.settings) for s in (first, second) if s.run.header.settings is not None]
    return {name: (known[0][name], known[1][name]) for name in known[0]} if len(known) == 2 else {}


def _commit(summary: Summary) -> str:
    commit = summary.run.header.commit
    return "none" if commit is None else commit.title


def _target(summary: Summary, name: str) -> str:
    """Return the target with this name, or the only one of the backend with this name."""
    known = list(summary.targets)
    found = catalog.meant(name, known)
    if len(found) != 1:
        raise ExpectedError(
            f"no run and no target {name!r}: the run {summary.run.header.run_id} has the targets "
            f"{', '.join(known) or 'none'}"
        )
    return found[0]


def _excluded(summary: Summary, *cells: Cell) -> bool:
    """Whether an accuracy failed: then the timing is excluded, since it belongs to other work."""
    return any(map(summary.excludes, cells))


def _over_floor(summary: Summary) -> dict[Cell, list[float]]:
    """Return the log-ratios of seconds to the floor's of each cell that has a floor, one a replicate."""
    found = {}
    for cell, records in summary.timings.items():
        floors = summary.timings.get(cell.model_copy(update={"path": floor_of(cell.phase, cell.path)}))
        if cell.path not in FLOORS and floors and not _excluded(summary, cell):
            found[cell] = paired_ratio.log_ratios(records, floors)
    return found


def _row(cell: Cell, estimate: Estimate | None, *, margin: float) -> ComparisonRow:
    row = partial(ComparisonRow, **cell.model_dump(), **bounded("ratio", estimate), decides=False)
    if estimate is None or not math.isfinite(estimate.high):
        return row(answer=None, reason="too few processes: one is not enough")
    return row(answer=regression.answer(estimate, told_apart=estimate.excludes(1), margin=margin), reason="")
