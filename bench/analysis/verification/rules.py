"""Verify a run: whether its records are whole, unedited, complete, under one setting, and reproducible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

from bench.analysis import accuracy
from bench.analysis.rows import Row
from bench.analysis.verification import plausibility
from bench.records import merge, packages
from bench.records.schema import FinishedRecord, TargetFacts, TargetRecord, TimingRecord
from bench.records.store import Run


class CheckRow(Row):
    """A rule about the records of a run, whether it holds, and what was found."""

    rule: str
    answer: Literal["passed", "failed"]
    found: str = ""


def checks(run: Run, *, submitted: bool = False) -> list[CheckRow]:
    """Return every rule with its answer; of a run that somebody else ``submitted``, whether it is plausible as well."""
    found = [(rule, list(check(run))) for rule, check in _rules(submitted=submitted).items()]
    return [
        CheckRow(rule=rule, answer="failed" if wrong else "passed", found="; ".join(wrong)) for rule, wrong in found
    ]


def problems(run: Run, *, submitted: bool = False) -> list[str]:
    """Return what speaks against relying on ``run``, in words; nothing where every rule holds."""
    return [wrong for check in _rules(submitted=submitted).values() for wrong in check(run)]


def _rules(*, submitted: bool) -> dict[str, Callable[[Run], Iterator[str]]]:
    return {**RULES, **plausibility.RULES} if submitted else RULES


def _readable(run: Run) -> Iterator[str]:
    yield from (f"damaged: {words}" for words in accuracy.unusable(run))


def _unedited(run: Run) -> Iterator[str]:
    yield from (f"edited: {words}" for words in accuracy.edited(run))
    if not run.header.planned:
        yield f"written in record schema {run.header.schema_version}, which has no digests and no plan"


def _complete(run: Run) -> Iterator[str]:
    failures = run.failures()
    if failures:
        first = failures[0]
        yield (
            f"unfinished: {accuracy.pieces(len(failures))} gave no answer, first {first.recipe} {first.work} on "
            f"{first.target}: {first.reason}"
        )
    yield from accuracy.unfinished(run)
    yield from (f"unfinished: shard {shard} is not merged" for shard in merge.lacking(run.header))
    if not any(isinstance(record, TimingRecord) for record in run.records):
        yield "unfinished: it timed nothing"


def _reproducible(run: Run) -> Iterator[str]:
    commit = run.header.commit
    if commit is None and not _installed(run):
        yield "from no git checkout: it cannot be reproduced"
    elif commit is not None and commit.dirty:
        yield f"from a dirty checkout: files differed from commit {commit.revision[:10]}, it cannot be reproduced"


def _installed(run: Run) -> bool:
    """Return whether an installed suite measured: its version is among those of the packages."""
    return any(packages.SUITE in record.facts.versions for record in run.records if isinstance(record, TargetRecord))


def _same_settings(run: Run) -> Iterator[str]:
    """Yield each target whose processes ran other packages or settings than its first one."""
    first: dict[str, TargetFacts] = {}
    for record in run.records:
        if isinstance(record, TargetRecord):
            known = first.setdefault(record.target, record.facts)
            differing = [name for name in _SETTLED if getattr(known, name) != getattr(record.facts, name)]
            if differing:
                yield f"the {' and '.join(differing)} of {record.target} changed during the run"


_SETTLED = ("backend", "device", "device_name", "versions", "settings")


def _plausible(run: Run) -> Iterator[str]:
    """Yield what no clock can have measured: more seconds than passed between a run's begin and its end."""
    ends = [record.finished_at for record in run.records if isinstance(record, FinishedRecord)]
    if not ends:
        return
    spans = [(one.started_at, one.finished_at) for one in run.header.merged] or [(run.header.started_at, ends[-1])]
    passed_s = sum(
        (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() for begin, end in spans
    )
    timings = [record for record in run.records if isinstance(record, TimingRecord)]
    clocked_s = sum(sample.duration_s for r in timings for sample in r.samples if r.cell.phase != "startup")
    if passed_s < 0:
        yield f"it ended {-passed_s:.0f} s before it began: the machine's clock was set back"
    elif clocked_s > passed_s + 1:  # blocks take turns, so that no two have the same seconds; moments are whole seconds
        yield f"its blocks add up to {clocked_s:.0f} s, and the run took {passed_s:.0f} s"


RULES: dict[str, Callable[[Run], Iterator[str]]] = {
    "every line can be read, and nothing occurs twice": _readable,
    "no line was edited after it was measured": _unedited,
    "everything planned was measured": _complete,
    "the commit is known and clean": _reproducible,
    "packages and settings stayed the same": _same_settings,
    "no more seconds were measured than passed": _plausible,
}
