"""Comparing what was measured already: ratios of neighbouring blocks in a run, shares of the floor across runs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.analysis import compare_runs
from bench.analysis.summary import Summary
from bench.exit_codes import ExitCode, of_run_comparison
from bench.records import settings
from bench.records.schema import Record
from bench.records.settings import Settings
from bench.records.store import Run
from bench.report import comparison as report
from bench.report import json as documents
from bench.report.tables.comparison import UNKNOWN
from datasets.errors import ExpectedError
from tests.bench import made
from tests.bench.made import blocks
from tests.bench.report.test_terminal import shown

OPTIONS = {"margin": 0.03, "alpha": 0.05}
STEADY = (0.99, 1.0, 1.01)


def timed(path: str, seconds: Sequence[float], *, target: str = "jax-cpu") -> list[Record]:
    """Return a replicate of a training path for each of ``seconds`` a step."""
    cell = made.cell("train", path, target=target)
    return [made.timing(cell, blocks(*[s] * 3), replicate=n) for n, s in enumerate(seconds)]


def summary(*records: Record, name: str = "first", **header: Any) -> Summary:
    facts = [made.target("jax-cpu"), made.target("tensorflow-cpu")]
    return Summary(Run(Path("made"), made.header(run_id=name, **header), (*facts, *records)), ())


def run_of(share: float, *, speed: float = 1.0, name: str = "first", **header: Any) -> Summary:
    """Return a run whose `fit` takes ``share`` times its floor, on a machine at a speed of the day."""
    records = timed("fit", [0.01 * share * s / speed for s in STEADY]) + timed("floor", [0.01 / speed] * 3)
    return summary(*records, name=name, **header)


def test_two_runs_are_compared_by_their_shares_of_the_floor() -> None:
    """On a day half as fast a `fit` of 2.5 floors is 25 % slower than one of 2: the day falls out."""
    found = compare_runs.runs(run_of(2.0), run_of(2.5, speed=0.5, name="second"), **OPTIONS)
    (row,) = found.rows
    assert row.ratio is not None
    assert row.ratio == pytest.approx(1.25)
    assert row.answer == "slower"
    assert (found.first, found.second, found.verdicts) == ("first", "second", True)
    assert of_run_comparison(found) == ExitCode.HELD


def test_a_cell_without_a_floor_beside_is_not_compared() -> None:
    """Seconds of two runs say nothing of each other: the cell is named as missing."""
    found = compare_runs.runs(run_of(2.0), summary(*timed("fit", STEADY), name="second"), **OPTIONS)
    assert found.rows == ()
    assert "dense train fit 512 jax-cpu" in found.missing
    assert of_run_comparison(found) == ExitCode.UNRESOLVED


def test_two_targets_of_a_run_are_compared_in_turns() -> None:
    """TensorFlow takes twice as long in every replicate; a backend's name is enough to say which target."""
    both = summary(*timed("fit", STEADY), *timed("fit", [2 * s for s in STEADY], target="tensorflow-cpu"))
    found = compare_runs.targets(both, "jax", "tensorflow-cpu", **OPTIONS)
    (row,) = found.rows
    assert row.ratio is not None
    assert (row.ratio, row.answer) == (pytest.approx(2.0), "slower")
    assert row.cell.target == "tensorflow-cpu"


def test_what_failed_its_accuracy_is_in_no_comparison() -> None:
    """Its timings belong to other work."""
    diverged = made.training(target="jax-cpu", final=made.result(epoch_s=[1.0] * 4, accuracy=math.nan))
    both = summary(diverged, *timed("fit", STEADY), *timed("fit", STEADY, target="tensorflow-cpu"))
    assert compare_runs.targets(both, "jax", "tensorflow", **OPTIONS).rows == ()


def test_one_process_each_tells_nothing() -> None:
    """A ratio is shown, an answer is not."""
    both = summary(*timed("fit", [0.01]), *timed("fit", [0.02], target="tensorflow-cpu"))
    (row,) = compare_runs.targets(both, "jax", "tensorflow", **OPTIONS).rows
    assert row.answer is None
    assert UNKNOWN in shown(report.compared(compare_runs.targets(both, "jax", "tensorflow", **OPTIONS), anyway=False))


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ({"corpus_digest": "e2" * 32}, "corpus"),
        ({"machine": made.MACHINE.model_copy(update={"cpu": "Another CPU"})}, "processor"),
        ({"machine": made.MACHINE.model_copy(update={"memory_gib": 16})}, "memory"),
    ],
)
def test_runs_that_differ_in_what_matters_are_refused(header: dict[str, Any], field: str) -> None:
    """The field is named with what to do; with --anyway there are numbers, and no verdict."""
    found = compare_runs.runs(run_of(2.0), run_of(2.5, name="second", **header), **OPTIONS)
    assert [(d.field, d.matters) for d in found.differences] == [(field, True)]
    refused = shown(report.compared(found, anyway=False))
    assert f"Not compared: {field} differ" in " ".join(refused.split())
    assert "+25" not in refused
    anyway = shown(report.compared(found, anyway=True))
    assert "+25.0%" in anyway
    assert "slower" not in anyway
    assert of_run_comparison(found) == ExitCode.UNRESOLVED


def with_settings(name: str, **settings: Any) -> Summary:
    """Return a run whose only target started under these settings."""
    return Summary(Run(Path("made"), made.header(run_id=name), (made.target(settings=settings),)), ())


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"jit": True}, {"jit": False}, ("jit of jax-cpu", "True", "False")),
        (
            {"variables": {"XLA_FLAGS": "--x", "TF_A": "1"}},
            {"variables": {"TF_A": "1"}},
            ("XLA_FLAGS of jax-cpu", "--x", "unset"),
        ),
        ({"processors": 2, "jit": True}, {"processors": 1, "jit": True}, ("processors of jax-cpu", "2", "1")),
    ],
)
def test_the_setting_that_differs_is_named_alone(
    first: dict[str, Any], second: dict[str, Any], told: tuple[str, str, str]
) -> None:
    """Two dictionaries side by side leave the reader to find it."""
    (found,) = compare_runs.differences(with_settings("first", **first), with_settings("second", **second))
    assert (found.field, found.first, found.second) == told
    assert found.matters


def test_the_hash_seed_is_no_difference() -> None:
    """It changes from replicate to replicate by design."""
    seeds = [settings.variables({"PYTHONHASHSEED": seed, "XLA_FLAGS": "--x"}) for seed in ("0", "1")]
    both = [with_settings(name, variables=seed) for name, seed in zip(("first", "second"), seeds, strict=True)]
    assert compare_runs.differences(*both) == []


def test_what_an_older_run_did_not_record_is_no_difference() -> None:
    """It held seven variables, called flags: those are compared, and of the rest nothing is known."""
    older = with_settings("first", floatx="float32", flags={"XLA_FLAGS": "--x"})
    variables = {"XLA_FLAGS": "--y", "OMP_NUM_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "1"}
    newer = with_settings("second", floatx="float32", jit=True, variables=variables)
    found = compare_runs.differences(older, newer)
    assert [(d.field, d.first, d.second) for d in found] == [
        ("XLA_FLAGS of jax-cpu", "--x", "--y"),
        ("OMP_NUM_THREADS of jax-cpu", "unset", "2"),
    ]
    assert [d.field for d in compare_runs.differences(newer, older)] == [d.field for d in found]


def test_the_limits_of_the_measuring_process_are_compared_where_both_runs_have_them() -> None:
    """`taskset` and a container's quota make another machine of the same one; an older run does not say."""
    two, one = (Settings(usable_processors=n, processor_quota=quota) for n, quota in ((2, None), (1, 0.5)))
    found = compare_runs.differences(run_of(2.0, settings=two), run_of(2.0, settings=one))
    assert [(d.field, d.first, d.second, d.matters) for d in found] == [
        ("usable processors", "2", "1", True),
        ("processor quota", "none", "0.5", True),
    ]
    assert compare_runs.differences(run_of(2.0, settings=two), run_of(2.0)) == []


def test_another_commit_is_told_and_compared() -> None:
    """It may be what the comparison is about."""
    other = run_of(2.0, name="second", commit=made.Commit(revision="b" * 40, dirty=True))
    found = compare_runs.runs(run_of(2.0), other, **OPTIONS)
    (difference,) = found.differences
    assert (difference.field, difference.second, difference.matters) == (
        "commit",
        "bbbbbbbbbb with uncommitted changes",
        False,
    )
    assert found.rows[0].answer == "same"


def test_a_target_that_is_none_names_those_there_are() -> None:
    with pytest.raises(ExpectedError, match=r"no target 'torch': the run first has the targets jax-cpu, tens"):
        compare_runs.targets(summary(), "torch", "jax", **OPTIONS)


def test_the_document_is_plain_json() -> None:
    """No bound is null, never infinity."""
    both = summary(*timed("fit", [0.01]), *timed("fit", [0.02], target="tensorflow-cpu"))
    found = json.loads(documents.compared(compare_runs.targets(both, "jax", "tensorflow", **OPTIONS), ExitCode.HELD))
    assert found["rows"][0]["ratio_high"] is None
    assert found["verdicts"] is True
