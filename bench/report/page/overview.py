"""The overview of a published run: which backend and which path, in sentences that a reader can stop after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.report.numbers import significant
from bench.report.page.rows import BestRow, Published
from bench.report.page.table import interval, label, work
from bench.report.words import listed

# How backends write themselves.
NAMES = {"jax": "JAX", "tensorflow": "TensorFlow", "openvino": "OpenVINO", "sklearn": "scikit-learn"}


def sentences(published: Published) -> list[str]:
    """Return what the run says, first whether it may be believed, then what to use."""
    if published.is_comparison:
        return _decision(published)
    return [*_accuracy(published), *_headline(published), *_advice(published)]


def name(published: Published, target: str) -> str:
    """Return a target as its makers write it."""
    short = label(published, target)
    return NAMES.get(short, short)


def speed(published: Published, phase: str) -> str:
    """Say how far the usual path stays behind its floor, for a chart of ``phase``."""
    usual = {"train": "fit", "predict": "predict_on_batch"}[phase]
    rows = [row for row in published.timed if (row.phase, row.path) == (phase, usual) and row.share and not row.struck]
    if not rows:
        return "No path was timed beside its floor."
    low, high = min(rows, key=lambda row: row.share or 0), max(rows, key=lambda row: row.share or 0)
    ends = [f"{row.share:.0%} ({row.recipe} on {name(published, row.target)})" for row in (low, high) if row.share]
    return f"{usual} reaches from {' to '.join(ends)} of the speed of the same work written by hand."


def reached(published: Published) -> str:
    """Say how long training took until it was good enough."""
    found = [row for row in published.reached if row.seconds is not None and not row.struck]
    recipes = dict.fromkeys(row.recipe for row in found)
    words = []
    for recipe in recipes:
        rows = [row for row in found if row.recipe == recipe]
        times = ", ".join(f"{name(published, row.target)} {significant(row.seconds or 0)} s" for row in rows)
        words.append(f"{recipe}: {times}")
    missing = dict.fromkeys(row.recipe for row in published.reached if row.seconds is None)
    tail = f" Not reached in the epochs that were trained: {', '.join(missing)}." if missing else ""
    return (f"Seconds of training until 99 % of the published accuracy: {'; '.join(words)}." if words else "") + tail


def curves(published: Published) -> str:
    """Say what the curves are."""
    seeds = dict.fromkeys(row.seed for row in published.curves)
    return (
        f"Training as dots, validation as a line, the published figures dashed behind; seed {listed(map(str, seeds))}."
    )


def step(shares: Sequence[dict[str, Any]]) -> str:
    """Say which part of a step is largest, and how often."""
    largest: Counter[str] = Counter()
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in shares:
        groups.setdefault((row["recipe"], row["target"]), []).append(row)
    for rows in groups.values():
        largest[max(rows, key=lambda row: float(row["share"]))["part"]] += 1
    words = [f"{part} in {count}" for part, count in largest.most_common()]
    return f"The largest part of a step by fit, over {len(groups)} recipes and backends: {', '.join(words)}."


def _accuracy(published: Published) -> list[str]:
    decided = [row for row in published.accuracy if row.decides]
    if not decided:
        return ["No accuracy was judged: its timings are of work that nothing proves right."]
    failed = [row for row in decided if row.answer != "passed"]
    if not failed:
        where = " and ".join(name(published, target) for target in dict.fromkeys(row.target for row in decided))
        return [f"Accuracy first: all {len(decided)} figures that decide passed on {where}.", *_unequal(published)]
    words = [f"{row.recipe} on {name(published, row.target)} ({row.figure}: {row.answer})" for row in failed]
    words_ = f"{len(failed)} of {len(decided)} figures that decide did not pass: {'; '.join(words)}"
    return [f"Accuracy first: {words_}.", *_unequal(published)]


def _unequal(published: Published) -> list[str]:
    """Say where backends do not do the same work from the same weights; nothing where they do."""
    apart = [f"{row.recipe} ({row.targets})" for row in published.parity if row.answer != "passed"]
    apart += [f"{row.recipe} served on {row.served_on}" for row in published.serving if row.answer != "passed"]
    return [f"Not the same work from the same weights: {'; '.join(apart)}."] if apart else []


def _headline(published: Published) -> list[str]:
    """Count for how much of the work which backend is told apart as the faster one."""
    found = []
    for phase, verb in (("train", "For training"), ("predict", "For prediction")):
        rows = [row for row in published.best if row.phase == phase and row.rival is not None]
        if not rows:
            continue
        wins = Counter(row.target for row in rows if _told(row))
        words = [f"{name(published, target)} is faster in {count}" for target, count in wins.most_common()]
        open_ = len(rows) - sum(wins.values())
        words += [f"{open_} cannot be told apart"] if open_ else []
        found.append(f"{verb}, each backend by its best path: of {len(rows)} comparisons, {', '.join(words)}.")
    return found


def _advice(published: Published) -> list[str]:
    chosen = [row for row in published.best if row.phase == "train" or row.batch_size == 1]
    return [_sentence(published, row) for row in chosen]


def _sentence(published: Published, row: BestRow) -> str:
    rate = f" ({significant(row.reviews_per_s)} reviews/s)" if row.reviews_per_s else ""
    words = f"{row.recipe}, {work(row.phase, row.batch_size)}: {name(published, row.target)} by {row.path!r}{rate}"
    if row.rival is not None and row.times is not None:
        ends = interval(row.times_low, row.times_high) or "no interval"
        other = f"{name(published, row.rival)} by {row.rival_path!r}"
        told = f"{significant(row.times)} times as fast as {other} ({ends})"
        words += f", {told}" if _told(row) else f", not told apart from {other} ({significant(row.times)}, {ends})"
    if row.over_usual is not None and (row.over_usual_low or 0) > 1:
        words += f"; {significant(row.over_usual)} times as fast as {row.usual!r} on the same backend"
    return f"{words}."


def _told(row: BestRow) -> bool:
    return row.times_low is not None and row.times_low > 1


def _decision(published: Published) -> list[str]:
    sides = "; ".join(f"{label_}: {words}" for label_, words in published.sides.items())
    answers = Counter(row.answer for row in published.verdicts if row.decides)
    words = [f"{count} {answer}" for answer, count in answers.most_common()] or ["nothing decided"]
    found = [f"Compared: {sides}.", f"Of the cells that decide: {', '.join(words)}."]
    controls = [row for row in published.verdicts if row.control is not None]
    if published.void:
        found.append("The gate is void: a control did not come out as it had to, so its answers mean nothing.")
    elif controls:
        found.append(f"All {len(controls)} controls held.")
    worse = [row for row in published.counts if row.after > row.before]
    return [*found, *([f"{len(worse)} exact counters rose."] if worse else [])]
