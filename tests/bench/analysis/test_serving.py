"""Tests of serving: which format is as good as the model in Keras, and which way to serve is the fastest."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.analysis import serving
from bench.analysis.summary import Summary
from bench.exit_codes import ExitCode, of_run
from bench.records.schema import ExportsRecord, Record
from bench.report import overview
from bench.report.tables import quality as tables
from models.recipes import RECIPES
from tests.bench import made

DENSE = RECIPES["dense"]


def summary(*records: Record) -> Summary:
    return Summary(made.run(*records), ())


def predicted(path: str, seconds: float, batch_size: int = 1) -> Record:
    """Return a prediction by TensorFlow whose every call takes so long."""
    cell = made.cell("predict", path, target="tensorflow-cpu", batch_size=batch_size)
    return made.timing(cell, made.calls([seconds] * 4, [seconds] * 4), work={"reviews": float(batch_size)})


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({}, "passed"),
        ({"prediction_difference": 9e-5}, "passed"),
        ({"prediction_difference": 2e-4}, "failed"),
        ({"prediction_difference": math.nan}, "failed"),
        ({"format": "int8", "prediction_difference": 0.1, "figure": 0.875}, "passed"),
        ({"format": "int8", "prediction_difference": 0.1, "figure": 0.85}, "failed"),
        ({"format": "int8", "figure": None}, "passed"),
    ],
)
def test_a_format_is_as_good_as_the_model_in_keras(change: dict[str, Any], answer: str) -> None:
    """In float32 the predictions agree; with weights in int8 the figure that decides does, within a hundredth of it."""
    (row,) = serving.rows(made.exports(made.exported(**change)), DENSE)
    assert row.answer == answer
    assert bool(row.reason) == (answer == "failed")


def test_an_error_may_not_rise_where_the_least_is_the_best() -> None:
    """A metric has a direction: of an error the larger one is the worse."""
    record = made.exports(made.exported("int8", figure=0.95), figure=0.88, metric="loss")
    assert [next(serving.rows(record, one)).answer for one in (_least("loss"), DENSE)] == ["failed", "passed"]


def _least(metric: str) -> Any:
    from dataclasses import replace

    return replace(DENSE, metric=metric, direction="min")


def test_a_start_is_the_median_of_whole_starts() -> None:
    """Import, loading and the first prediction of one process belong together; the range is over processes."""
    (row,) = serving.rows(made.exports(made.exported()), DENSE)
    assert (row.start_s, row.start_s_low, row.start_s_high) == pytest.approx((0.5, 0.5, 0.6))
    assert row.bytes == 1_000_000


def test_a_format_that_takes_no_such_model_says_why() -> None:
    """A row without numbers: nothing is left out in silence."""
    found = summary(made.exports(failed={"OpenVINO": "no conversion for a loop"}))
    last = found.document.exports[-1]
    assert (last.format, last.answer, last.reason) == ("OpenVINO", "not supported", "no conversion for a loop")
    assert "OpenVINO of dense: no conversion for a loop" in tables.exports(found.document).notes


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (made.exports(), ExitCode.HELD),
        (made.exports(made.exported(prediction_difference=0.1)), ExitCode.ACCURACY),
        (made.exports(made.exported("int8", figure=0.5)), ExitCode.HELD),
        (made.exports(failed={"ONNX": "no conversion"}), ExitCode.HELD),
    ],
)
def test_an_export_in_float32_that_predicts_otherwise_fails_the_run(record: ExportsRecord, code: ExitCode) -> None:
    """It is wrong; fewer bits are a choice, and what has no export is none."""
    found = summary(made.training("dense", "tensorflow-cpu"), made.parity(), record)
    checks = [one for one in found.verdicts if one.rule == "serving"]
    assert of_run([*checks, *[one for one in found.verdicts if one.rule == "parity"]], measured=1) == code


def test_the_fastest_way_is_named_with_what_it_takes() -> None:
    """One sentence for a recipe: for one row and for many, then accuracy, size and start of each."""
    found = summary(
        predicted("predict_on_batch", 0.008),
        predicted("ONNX", 0.001),
        predicted("int8", 0.0005),
        predicted("predict_on_batch", 0.010, 512),
        predicted("ONNX", 0.020, 512),
        made.exports(),
    )
    (said,) = overview.serving(found.document)
    assert said == (
        "Serve dense: one review by ONNX from TensorFlow, 1.00 ms a call, 8.0 times as fast as `predict_on_batch`; "
        "512 reviews by `predict_on_batch` on TensorFlow, 10.0 ms a call. "
        "ONNX on TensorFlow: accuracy 0.8800, 1.0 MB, 0.50 s to the first prediction of a fresh process. "
        "Keras on TensorFlow: accuracy 0.8800, 1.0 MB, 0.50 s to the first prediction of a fresh process."
    )


def test_a_run_without_exports_says_which_backend_is_faster_instead() -> None:
    """Most runs export nothing."""
    assert overview.serving(summary(predicted("predict_on_batch", 0.008)).document) == []
