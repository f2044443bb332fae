"""Tests of the answers: one estimator in every table, swapped without loss, and chained where a document has none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.analysis import answers
from bench.analysis.rows import AnswerRow, BestPathRow, TimingRow
from bench.analysis.summary import Summary
from bench.records.schema import Record, RunHeader
from bench.records.store import Run
from tests.bench import made, published, written

Shares = dict[tuple[str, str], tuple[float, float, float]]


def summary() -> Summary:
    """Return the summary of a made run of every recipe and path on two targets."""
    return summarized(written.full_records())


def summarized(records: Sequence[Record]) -> Summary:
    header, *rest = records
    assert isinstance(header, RunHeader)
    return Summary(Run(Path("made"), header, (*rest, made.finished())), ())


def answer(ratio: float = 2.0, low: float | None = 1.6, high: float | None = 2.5) -> AnswerRow:
    """Return one answer: JAX over TensorFlow at training dense."""
    fields: dict[str, Any] = {
        "recipe": "dense",
        "phase": "train",
        "path": "fit",
        "batch_size": 512,
        "target": "jax-cpu",
        "view": "best",
        "rival": "tensorflow-cpu",
        "rival_path": "compiled loop",
    }
    return AnswerRow(**fields, ratio=ratio, ratio_low=low, ratio_high=high)


def test_the_best_view_has_the_numbers_of_the_best_paths() -> None:
    """Two tables of one run never disagree on a factor: one is made of the other."""
    found = summarized(written.records())
    best = {(r.recipe, r.phase, r.batch_size): r for r in found.best_paths if r.fastest}
    rows = [row for row in found.answers if row.view == "best"]
    assert len(rows) == len(best) > 0
    for row in map(answers.faster, rows):
        known = best[row.recipe, row.phase, row.batch_size]
        assert (row.target, row.path, row.rival, row.rival_path) == (
            known.target,
            known.path,
            known.rival,
            known.rival_path,
        )
        assert row.ratio == pytest.approx(known.advantage)


def test_the_first_target_of_the_tables_comes_first_in_every_answer() -> None:
    """So that a chart has one axis, and a ratio below one says that the other is faster."""
    rows = summary().answers
    assert {(row.target, row.rival) for row in rows} == {("jax-cpu", "tensorflow-cpu")}


def test_as_called_is_fit_and_predict_and_without_predict_one_call_on_a_batch() -> None:
    """What people call; a run that did not time it shows the nearest path, by its name."""
    rows = [row for row in summary().answers if row.view == "as called"]
    assert {(row.phase, row.path, row.rival_path) for row in rows} == {
        ("train", "fit", "fit"),
        ("predict", "predict", "predict"),
    }
    few = summarized(written.records()).answers
    assert {row.path for row in few if (row.view, row.phase) == ("as called", "predict")} == {"predict_on_batch"}


@pytest.mark.parametrize("ends", [(1.6, 2.5), (None, 2.5), (1.6, None)])
def test_the_faster_target_first_swaps_the_ends(ends: tuple[float | None, float | None]) -> None:
    """The reciprocal of a ratio has the reciprocal ends, the other way round; what is unknown stays so."""
    slow = answer(0.5, None if ends[1] is None else 1 / ends[1], None if ends[0] is None else 1 / ends[0])
    fast = answers.faster(slow)
    assert (fast.target, fast.path, fast.rival, fast.rival_path) == (
        "tensorflow-cpu",
        "compiled loop",
        "jax-cpu",
        "fit",
    )
    assert (fast.ratio, fast.ratio_low, fast.ratio_high) == (2.0, *(end and pytest.approx(end) for end in ends))
    assert answers.faster(fast) is fast


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(1.01, 3, True), (0.2, 0.99, True), (0.9, 1.1, False), (None, 0.9, True), (None, None, False)],
)
def test_two_targets_are_told_apart_where_the_interval_excludes_one(
    low: float | None, high: float | None, told: bool
) -> None:
    """On either side; an end that is not known excludes nothing."""
    assert answer(0.95 if high and high < 1 else 1.05, low, high).told_apart is told


def timed(target: str, path: str, shares: Shares) -> TimingRow:
    """Return a timing with this share of the floor."""
    value, low, high = shares[target, path]
    return TimingRow(
        recipe="dense",
        phase="train",
        path=path,
        batch_size=512,
        target=target,
        seconds=1.0,
        floor_share=value,
        floor_share_low=low,
        floor_share_high=high,
        processes=5,
        steady=True,
        excluded=False,
    )


def test_an_older_document_gets_its_answers_by_a_chain_of_ratios() -> None:
    """By hand: JAX is 1.2 times as fast by the loop; fit has .5 of the loop's share on JAX, .25 on TensorFlow.

    So fit is 1.2 x .5 / .25 = 2.4 times as fast. Each of the five factors has an interval of a factor e^.1 to either
    side, and five of them together e^(.1 sqrt 5).
    """
    centres = {("jax-cpu", "fit"): 0.5, ("jax-cpu", "compiled loop"): 1.0}
    centres |= {("tensorflow-cpu", "fit"): 0.2, ("tensorflow-cpu", "compiled loop"): 0.8}
    shares = {key: (value, value / math.exp(0.1), value * math.exp(0.1)) for key, value in centres.items()}
    best = BestPathRow(
        recipe="dense",
        phase="train",
        path="compiled loop",
        batch_size=512,
        target="jax-cpu",
        rival="tensorflow-cpu",
        rival_path="compiled loop",
        advantage=1.2,
        advantage_low=1.2 / math.exp(0.1),
        advantage_high=1.2 * math.exp(0.1),
    )
    rows = [
        timed(target, path, shares) for path in ("fit", "compiled loop") for target in ("jax-cpu", "tensorflow-cpu")
    ]
    called, fastest = answers.of_document(published.one(timings=rows, best_paths=[best]))
    assert (fastest.view, fastest.ratio, fastest.derived) == ("best", 1.2, False)
    assert (called.view, called.path, called.rival_path, called.derived) == ("as called", "fit", "fit", True)
    half = math.exp(0.1 * math.sqrt(5))
    assert (called.ratio, called.ratio_low, called.ratio_high) == pytest.approx((2.4, 2.4 / half, 2.4 * half))


def test_a_document_whose_rows_do_not_fit_together_has_no_answer_made_up() -> None:
    """A best path that no timing has, and a share that is not known."""
    one = published.one()
    best = [row.model_copy(update={"path": "another"}) for row in one.best_paths]
    found = answers.of_document(one.model_copy(update={"best_paths": best, "answers": []}))
    assert all(row.view == "best" for row in found)
