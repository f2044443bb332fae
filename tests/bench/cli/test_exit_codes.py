"""Tests of the exit codes: what each number means, and which finding wins."""

from __future__ import annotations

from typing import get_args

import pytest

from bench.analysis.accuracy import Answer, Verdict
from bench.exit_codes import ExitCode, of_run

RULES = ("accuracy", "parity", "completeness")


def verdict(rule: str, answer: str) -> Verdict:
    """Return a verdict of which only the rule and the answer count."""
    return Verdict(rule, "dense", "jax-cpu", "0.88", "none", answer, "made")  # type: ignore[arg-type]


HELD = verdict("accuracy", "passed")
WRONG = [verdict("accuracy", "failed"), verdict("parity", "failed")]
MISSING = verdict("completeness", "failed")
UNDECIDED = verdict("accuracy", "unresolved")


def test_the_numbers_are_those_that_scripts_rely_on() -> None:
    """They are an interface: 0 to 6, 70 for a bug (sysexits.h), 130 = 128 + SIGINT, 141 = 128 + SIGPIPE."""
    assert {code.name: int(code) for code in ExitCode} == {
        "HELD": 0,
        "REGRESSION": 1,
        "USAGE": 2,
        "ACCURACY": 3,
        "UNRESOLVED": 4,
        "CELLS_FAILED": 5,
        "UNUSABLE": 6,
        "BUG": 70,
        "INTERRUPTED": 130,
        "READER_GONE": 141,
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ("passed", {"accuracy": 0, "parity": 0, "completeness": 0}),
        ("unresolved", {"accuracy": 4, "parity": 4, "completeness": 4}),
        ("failed", {"accuracy": 3, "parity": 3, "completeness": 5}),
    ],
)
def test_each_answer_to_each_rule_has_its_code(rule: str, answer: str, codes: dict[str, int]) -> None:
    """Wrong results are 3, missing ones 5, undecided ones 4; nothing but passing is 0."""
    assert answer in get_args(Answer)
    assert of_run([HELD, verdict(rule, answer), HELD], measured=3) == codes[rule]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda v: v.rule)
def test_wrong_results_win_over_missing_and_undecided_ones(wrong: Verdict) -> None:
    """Whoever reads only the status must hear of the gravest finding, wherever it stands."""
    assert of_run([UNDECIDED, MISSING, HELD, wrong], measured=3) is ExitCode.ACCURACY
    assert of_run([wrong, MISSING, UNDECIDED], measured=3) is ExitCode.ACCURACY


def test_missing_results_win_over_undecided_ones() -> None:
    """A cell that gave no answer is a failure; a figure without a reference is a question."""
    assert of_run([UNDECIDED, MISSING, HELD], measured=3) is ExitCode.CELLS_FAILED


def test_a_run_without_a_verdict_is_not_held() -> None:
    """Nothing compared is a failure, never a pass."""
    assert of_run([], measured=3) is ExitCode.UNRESOLVED


@pytest.mark.parametrize("verdicts", [[], [MISSING], [MISSING, UNDECIDED, *WRONG]])
def test_a_run_that_measured_nothing_says_that_the_environment_is_not_usable(verdicts: list[Verdict]) -> None:
    """Where no worker came up, no verdict can be trusted to tell."""
    assert of_run(verdicts, measured=0) is ExitCode.UNUSABLE
