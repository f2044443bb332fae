"""The overview of a run in sentences, the most useful first: may it be believed, which backend, which path."""

from __future__ import annotations

from collections import Counter

from bench.analysis.rows import BestPathRow, RunDocument, once
from bench.report.tables.columns import interval, significant
from bench.report.tables.speed import told_apart
from bench.report.tables.words import name, work


def sentences(document: RunDocument) -> list[str]:
    """Return what the run says, first whether it may be believed, then what to use."""
    if document.is_comparison:
        return _decision(document)
    return [*_accuracy(document), *_headline(document), *_advice(document)]


def _accuracy(document: RunDocument) -> list[str]:
    decided = [row for row in document.accuracy if row.decides]
    if not decided:
        return ["No accuracy was judged: its timings are of work that nothing proves right."]
    failed = [row for row in decided if row.answer != "passed"]
    if not failed:
        where = " and ".join(name(document, target) for target in once(row.target for row in decided))
        return [f"Accuracy first: all {len(decided)} figures that decide passed on {where}.", *_unequal(document)]
    words = [f"{row.recipe} on {name(document, row.target)} ({row.figure}: {row.answer})" for row in failed]
    words_ = f"{len(failed)} of {len(decided)} figures that decide did not pass: {'; '.join(words)}"
    return [f"Accuracy first: {words_}.", *_unequal(document)]


def _unequal(document: RunDocument) -> list[str]:
    """Say where backends do not do the same work from the same weights; nothing where they do."""
    apart = [f"{row.recipe} ({row.targets})" for row in document.parity if row.answer != "passed"]
    apart += [f"{row.recipe} served on {row.served_on}" for row in document.serving if row.answer != "passed"]
    return [f"Not the same work from the same weights: {'; '.join(apart)}."] if apart else []


def _headline(document: RunDocument) -> list[str]:
    """Count for how much of the work which backend is told apart as the faster one."""
    found = []
    for phase, verb in (("train", "For training"), ("predict", "For prediction")):
        rows = [row for row in document.best_paths if row.phase == phase and row.rival is not None]
        if not rows:
            continue
        wins = Counter(row.target for row in rows if told_apart(row))
        words = [f"{name(document, target)} is faster in {count}" for target, count in wins.most_common()]
        open_ = len(rows) - sum(wins.values())
        words += [f"{open_} cannot be told apart"] if open_ else []
        found.append(f"{verb}, each backend by its best path: of {len(rows)} comparisons, {', '.join(words)}.")
    return found


def _advice(document: RunDocument) -> list[str]:
    chosen = [row for row in document.best_paths if row.fastest and (row.phase == "train" or row.batch_size == 1)]
    return [_sentence(document, row) for row in chosen]


def _sentence(document: RunDocument, row: BestPathRow) -> str:
    rate = f" ({significant(row.reviews_per_s)} reviews/s)" if row.reviews_per_s else ""
    words = f"{row.recipe}, {work(row.phase, row.batch_size)}: {name(document, row.target)} by {row.path!r}{rate}"
    if row.rival is not None and row.advantage is not None:
        ends = interval(row, "advantage") or "no interval"
        other = f"{name(document, row.rival)} by {row.rival_path!r}"
        told = f"{significant(row.advantage)} times as fast as {other} ({ends})"
        open_ = f"not told apart from {other} ({significant(row.advantage)}, {ends})"
        words += f", {told if told_apart(row) else open_}"
    if row.speedup is not None and (row.speedup_low or 0) > 1:
        words += f"; {significant(row.speedup)} times as fast as {row.usual!r} on the same backend"
    return f"{words}."


def _decision(document: RunDocument) -> list[str]:
    sides = "; ".join(f"{label_}: {words}" for label_, words in document.sides.items())
    answers = Counter(row.answer for row in document.deciding)
    words = [f"{count} {answer}" for answer, count in answers.most_common()] or ["nothing decided"]
    found = [f"Compared: {sides}.", f"Of the cells that decide: {', '.join(words)}."]
    controls = [row for row in document.comparisons if row.control is not None]
    if document.void:
        found.append("The gate is void: a control failed, so its answers mean nothing.")
    elif controls:
        found.append(f"All {len(controls)} controls held.")
    worse = [row for row in document.counter_changes if row.worse]
    return [*found, *([f"{len(worse)} exact counters rose."] if worse else [])]
