"""Which published runs stand where: the newest first, what supersedes what, the one that README and page open on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.analysis import history
from bench.analysis.rows import RunDocument
from bench.report.page import published
from models.recipes import RECIPES

# The list of runs has the others: a page of every run there ever was would not open in time.
MOST_RUNS = 9


def newest_first(runs: Iterable[RunDocument]) -> list[RunDocument]:
    """Return ``runs`` as every list shows them."""
    return sorted(runs, key=lambda one: (one.started_at, one.run_id), reverse=True)


def superseded(found: Sequence[RunDocument]) -> dict[str, RunDocument]:
    """Return the newest run that measured the same on the same machine, for each older one, by its id."""
    newest: dict[tuple[object, ...], RunDocument] = {}
    older = {}
    for one in found:
        machine = one.machine.model_dump_json(exclude={"python"})
        key = (published.folder(one), machine, one.profile, one.corpus, one.recipes)
        if one.is_comparison:
            continue
        if key in newest:
            older[one.run_id] = newest[key]
        elif not history.doubts(one):
            newest[key] = one
    return older


def main(found: Sequence[RunDocument]) -> RunDocument | None:
    """Return the run that the README quotes and the page opens on, of ``found``, newest first.

    It is the fullest of the real reviews that nothing speaks against, of those with the most of the suite's recipes.
    """
    runs = [one for one in found if one.corpus == "imdb" and one.profile in ("default", "full")]
    most = max((_published(one) for one in runs), default=0)
    return next(iter(fullest([one for one in runs if most and _published(one) == most])), None)


def _published(one: RunDocument) -> int:
    """Return how many of the suite's own recipes a run has."""
    return len(one.recipes & RECIPES.keys())


def fullest(found: Sequence[RunDocument]) -> list[RunDocument]:
    """Return one run of each machine, of those, newest first, that nothing speaks against: a picture cannot say what.

    It is the newest with complete schedules and five seeds, or the newest at all where none has them. Runs whose `fit`
    contains waits come after all others, but for those that time predictions alone.
    """
    return _of_each_machine(sorted(found, key=_fullness))  # stable


def _fullness(one: RunDocument) -> tuple[bool, bool, bool]:
    return not one.timed("train"), one.waits_in_fit, one.profile != "full"


def newest(found: Sequence[RunDocument]) -> list[RunDocument]:
    """Return the newest run of each machine that compares backends and that nothing speaks against."""
    return _of_each_machine([one for one in found if one.answers])


def shown(found: Sequence[RunDocument]) -> list[RunDocument]:
    """Return the runs of the page: the newest, and the one that it opens on, however old that is."""
    first = main(found)
    kept = [*found[:MOST_RUNS]]
    if first is not None and first not in kept:
        kept[-1] = first
    return kept


def _of_each_machine(found: Iterable[RunDocument]) -> list[RunDocument]:
    chosen: dict[str, RunDocument] = {}
    for one in found:
        if history.counts(one):
            chosen.setdefault(published.folder(one), one)
    return list(chosen.values())
