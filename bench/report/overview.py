"""The overview of a run in sentences, the most useful first: may it be believed, which backend, which path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.analysis import answers
from bench.analysis.rows import AnswerRow, RunDocument, View, once
from bench.report.tables import words
from bench.report.tables.answers import VIEWS
from bench.report.tables.columns import sentence, significant
from bench.report.tables.words import name


def sentences(document: RunDocument) -> list[str]:
    """Return what the run says, first whether it may be believed, then what to use."""
    if document.is_comparison:
        return _decision(document)
    return [*accuracy(document), *headline(document)]


def accuracy(document: RunDocument) -> list[str]:
    """Say whether the accuracy is right, and whether backends do the same work."""
    decided = [row for row in document.accuracy if row.decides]
    unjudged = words.unjudged(document)
    if not decided and unjudged:
        return [f"No accuracy was judged, since nothing is published of {_and(unjudged)}.", *_unequal(document)]
    if not decided:
        return ["No accuracy was judged: its timings are of work that nothing proves right."]
    open_ = f" That of {_and(unjudged)} was not judged: nothing is published of it." if unjudged else ""
    failed = [row for row in decided if row.answer != "passed"]
    if not failed:
        where = " and ".join(name(document, target) for target in once(row.target for row in decided))
        return [
            f"Accuracy first: all {len(decided)} figures that decide passed on {where}.{open_}",
            *_unequal(document),
        ]
    words_ = [f"{row.recipe} on {name(document, row.target)} ({row.figure}: {row.answer})" for row in failed]
    said = f"{len(failed)} of {len(decided)} figures that decide did not pass: {'; '.join(words_)}"
    return [f"Accuracy first: {said}.{open_}", *_unequal(document)]


def headline(document: RunDocument) -> list[str]:
    """Say which backend is faster on this machine: a sentence a view, then what the first step takes."""
    waits = [sentence(words.FIT_WAITS)] if document.waits_in_fit and document.answers else []
    return [*(said for view in VIEWS for said in _view(document, view)), *waits, *_first_step(document)]


def doubts(document: RunDocument) -> list[str]:
    """Return what makes a reader doubt a run, none of which is a failure."""
    return [*document.warnings, *_doubts(document)]


def _doubts(document: RunDocument) -> Iterator[str]:
    shaky = sum(not row.steady for row in document.timings)
    if document.dirty:
        yield "measured with uncommitted changes, which nobody can measure again"
    if words.busy(document):
        yield words.taken(document)
    if shaky:
        yield f"{shaky} of {len(document.timings)} cells were not steady when warm-up ended"
    for gpu in document.gpus:
        if gpu.slowed_by:
            yield f"the clock rate of GPU {gpu.number} was held down: {', '.join(gpu.slowed_by)}"
    if document.timings and max(row.processes for row in document.timings) == 1:
        yield "one process of each target: intervals cover its own noise only, and another may differ by more"


def _view(document: RunDocument, view: View) -> list[str]:
    """Say in one sentence which backend is faster in one view; nothing where no two were timed."""
    rows = [row for row in document.answers if row.view == view]
    smallest = min((row.batch_size for row in rows if row.phase == "predict"), default=0)
    works = [
        [row for row in rows if row.phase == "train"],
        [row for row in rows if row.batch_size == smallest and row.phase == "predict"],
    ]
    said = [_work(document, work_) for work_ in works if work_]
    return [f"{VIEWS[view][:1].upper()}{VIEWS[view][1:]}, {'; '.join(said)}."] if said else []


def _work(document: RunDocument, rows: Sequence[AnswerRow]) -> str:
    """Say for how many recipes which backend does a piece of work faster, by what factors."""
    known = [answers.faster(row) for row in rows]
    what = _what(document, known[0])
    said = [
        _wins(document, [row for row in known if row.told_apart and row.target == target], len(rows))
        for target in once(row.target for row in known)
    ]
    open_ = [row.recipe for row in known if not row.told_apart]
    words_ = [one for one in said if one]
    words_ += [f"not told apart for {_and(open_)}"] if open_ else []
    return f"{what} is {', '.join(words_)}"


def _wins(document: RunDocument, rows: Sequence[AnswerRow], of: int) -> str:
    """Return by what factors a target is the faster one, with the ends of all intervals."""
    if not rows:
        return ""
    factors, lows, highs = (
        [getattr(row, name_) or 0.0 for row in rows] for name_ in ("ratio", "ratio_low", "ratio_high")
    )
    where = "" if len(rows) == of else f" for {_and([row.recipe for row in rows])}"
    ends = (
        f"{significant(min(lows))} to {significant(max(highs))}" if all(highs) else f"from {significant(min(lows))} on"
    )
    return f"{_range(factors)} times as fast on {name(document, rows[0].target)}{where} (95% intervals {ends})"


def _what(document: RunDocument, row: AnswerRow) -> str:
    """Return a piece of work as the subject of a sentence: "`fit`", "`predict` of one review", "training"."""
    many = words.many(document, row.batch_size)
    if row.view == "best":
        return "training" if row.phase == "train" else f"predicting {many}"
    return f"`{row.path}`" if row.phase == "train" else f"`{row.path}` of {many}"


def _first_step(document: RunDocument) -> list[str]:
    """Say what users wait for before the first step has ended, compilation included: that is no ratio of blocks."""
    first = {
        target: [
            row.first_step_s
            for row in document.timed("train")
            if row.target == target and row.path == "fit" and row.first_step_s
        ]
        for target in document.devices
    }
    said = [f"{_range(seconds)} s on {name(document, target)}" for target, seconds in first.items() if seconds]
    return [f"The first step of `fit`, compilation included, takes {', '.join(said)}."] if len(said) > 1 else []


def _range(values: Sequence[float]) -> str:
    ends = once(significant(value) for value in (min(values), max(values)))
    return " to ".join(ends)


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _unequal(document: RunDocument) -> list[str]:
    """Say where backends do not do the same work from the same weights; nothing where they do."""
    apart = [f"{row.recipe} ({row.targets})" for row in document.parity if row.answer != "passed"]
    apart += [f"{row.recipe} served on {row.served_on}" for row in document.serving if row.answer != "passed"]
    return [f"Not the same work from the same weights: {'; '.join(apart)}."] if apart else []


def _decision(document: RunDocument) -> list[str]:
    sides = "; ".join(f"{label_}: {words}" for label_, words in document.sides.items())
    answers = Counter(row.answer for row in document.deciding)
    words = [f"{count} {answer}" for answer, count in answers.most_common()] or ["nothing decided"]
    found = [f"Compared: {sides}.", f"Of the cells that decide: {', '.join(words)}."]
    controls = [row for row in document.comparisons if row.control is not None]
    if document.void:
        found.append("The gate is void: the base differed from itself, so its answers mean nothing.")
    elif controls and all(row.passed for row in controls):
        found.append(f"All {len(controls)} controls held.")
    elif controls:
        found.append('A control with 10 % more work was not found: "same" is taken back in its tier.')
    failing = [row for row in document.counter_changes if row.fails]
    return [*found, *([f"{len(failing)} exact counters rose."] if failing else [])]
