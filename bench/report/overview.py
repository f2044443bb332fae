"""The overview of a run in sentences, the most useful first: may it be believed, which backend, which path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.analysis import answers
from bench.analysis import serving as analysis
from bench.analysis.rows import AnswerRow, ExportRow, RunDocument, View, once
from bench.backends import EVERY
from bench.plan.formats import NAMES
from bench.report.tables import words
from bench.report.tables.answers import VIEWS
from bench.report.tables.columns import figure, milliseconds, sentence, significant
from bench.report.tables.words import name


def sentences(document: RunDocument) -> list[str]:
    """Return what the run says, first whether it may be believed, then what to use."""
    if document.is_comparison:
        return _decision(document)
    return [*accuracy(document), *(serving(document) or headline(document))]


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


def serving(document: RunDocument) -> list[str]:
    """Say which way to serve each recipe: a sentence for each; nothing where none was exported."""
    found = analysis.choices(document)
    recipes = once(one.best.recipe for one in found)
    return [_served(document, [one for one in found if one.best.recipe == recipe]) for recipe in recipes]


def _served(document: RunDocument, found: Sequence[analysis.Choice]) -> str:
    """Say by which way one row and many rows of a recipe are predicted fastest, and what that way takes."""
    said = [f"{words.many(document, one.best.batch_size)} by {_way(document, one)}, {_speed(one)}" for one in found]
    takes = once(_takes(one.export) for one in found if one.export is not None)
    costs = f" {' '.join(takes)}" if takes else ""
    return f"Serve {found[0].best.recipe}: {'; '.join(said)}.{costs}"


def _way(document: RunDocument, one: analysis.Choice) -> str:
    where = name(document, one.best.target)
    return f"{one.best.path} from {where}" if one.best.path in NAMES else f"`{one.best.path}` on {where}"


def _speed(one: analysis.Choice) -> str:
    """Say what a call takes, and how much faster that is than the usual way on the same backend."""
    best, call = one.best, f"{milliseconds(one.timing.seconds or 0.0)} ms a call"
    if best.speedup is None or best.usual is None or best.usual == best.path:
        return call
    return f"{call}, {significant(best.speedup, 2)} times as fast as `{best.usual}`"


def _takes(export: ExportRow) -> str:
    """Say what a format takes: its accuracy, size and start-up."""
    worse = "" if export.answer == "passed" else f" ({export.reason})"
    figure_ = figure(export.expected if export.figure is None else export.figure)
    start = f"{significant(export.start_s or 0.0, 2)} s to the first prediction of a fresh process"
    size = f"{significant((export.bytes or 0) / 1e6, 2)} MB"
    of = f"{export.format} on {EVERY[export.backend].title}" if export.backend in EVERY else export.format
    return f"{of}: {export.metric} {figure_}{worse}, {size}, {start}."


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
