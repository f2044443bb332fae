"""The report of a bisection, on the terminal and in Markdown, as golden files that are read before they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.analysis.bisection import evidence, result
from bench.analysis.bisection.result import Result
from bench.exit_codes import ExitCode, of_bisection
from bench.records.schema import FailureRecord, Record
from bench.records.store import Run
from bench.report import json as documents
from bench.report.bisection import report
from tests.bench import made
from tests.bench.made import blocks
from tests.bench.report.test_terminal import held, shown

COMMITS = {
    "aaaaaaaaaa": "release 1.0",
    "bbbbbbbbbb": "fix a typo",
    "cccccccccc": "cast every input to <float64> | *twice*",
    "dddddddddd": "update the notes",
    "eeeeeeeeee": "release 1.1",
}
GOOD, TYPO, CAST, NOTES, BAD = COMMITS
OFF = (0.998, 1.0, 1.002, 0.999, 1.001, 1.0)


def measured(stage: int, seconds: dict[str, float], *, path: str = "train", processes: int = 3) -> list[Record]:
    """Return the records of one step: these milliseconds, each process off by up to 0.2 %."""
    cells = {"train": ("train", "compiled step"), "predict": ("predict", "compiled resident")}
    return [
        made.timing(
            made.cell(*cells[path], target=f"jax-cpu@{label}"),
            blocks(*[each * (OFF[number] if label == BAD else 1.0)] * 3),
            replicate=evidence.replicate(stage, number),
        )
        for number in range(processes)
        for label, each in seconds.items()
    ]


def bisected(*records: Record, **rule: object) -> Result:
    """Return a bisection with these records."""
    decides = made.comparison(sides=COMMITS, replicates=6, **rule)
    header = made.header(profile="bisect", run_id="20260731T120000Z-bisect")
    return result.of(Run(Path("made"), header, (decides, *records, made.finished())))


@pytest.fixture
def found() -> Result:
    """A bisection whose middle commit is the culprit, whose neighbour does not build, in two cells."""
    ends, both = {GOOD: 0.010, BAD: 0.011}, ("train", "predict")
    lost = f"dense train compiled step 512 jax-cpu@{TYPO}, process {evidence.replicate(3, 0)}"
    failure = made.failure().model_copy(update={"target": f"jax-cpu@{TYPO}", "reason": "no wheel", "lost": [lost]})
    steps = [
        *(record for stage in (0, 1) for path in both for record in measured(stage, ends, path=path)),
        *(record for path in both for record in measured(2, {**ends, CAST: 0.011}, path=path)),
    ]
    assert isinstance(failure, FailureRecord)
    return bisected(*steps, failure)


@pytest.fixture
def proved() -> Result:
    """A bisection that found its culprit and proved it."""
    ends = {GOOD: 0.010, BAD: 0.011}
    return bisected(
        *measured(0, ends),
        *measured(1, ends),
        *measured(2, {**ends, CAST: 0.011}),
        *measured(3, {GOOD: 0.010, TYPO: 0.010, CAST: 0.011, BAD: 0.011}),
        *measured(4, {TYPO: 0.010, CAST: 0.011}, processes=5),
    )


def test_a_proved_culprit_reads_as_its_golden_file(proved: Result) -> None:
    """The culprit with its title first, its change with an interval, then the steps, in 80 columns."""
    held("bisection.txt", shown(report.render(proved), 80))
    held("bisection.md", report.page(proved))


def test_an_interval_reads_as_its_golden_file(found: Result) -> None:
    """What may be the culprit, and why no more can be said."""
    held("bisection-interval.txt", shown(report.render(found), 80))


def test_a_title_is_no_markup(proved: Result) -> None:
    """It comes from somebody's repository."""
    page = report.page(proved)
    assert "<float64>" not in page
    assert "*twice*" not in page.replace("\\*", "")


def test_a_program_gets_every_step_and_the_exit_status(proved: Result, found: Result) -> None:
    """0 for a culprit that is proved, 4 for an interval."""
    for one, code, ending in ((proved, ExitCode.HELD, "found"), (found, ExitCode.UNRESOLVED, "interval")):
        document = json.loads(documents.bisected(one, of_bisection(one.conclusion)))
        assert document["exit_code"] == code
        assert document["conclusion"]["ending"] == ending
        assert CAST in document["conclusion"]["culprits"]
        assert list(document["candidates"]) == list(COMMITS)
        assert len({row["step"] for row in document["steps"]}) == len(one.state.steps)


def test_ends_that_are_no_search_say_why() -> None:
    """Equal, swapped, or slower only once."""
    several = measured(0, {GOOD: 0.010, BAD: 0.010}, processes=6)
    assert report.verdict(bisected(*several)) == (
        f"Nothing to search: {BAD} is not told apart from {GOOD} as slower in any cell"
    )
    several = measured(0, {GOOD: 0.011, BAD: 0.010}, processes=6)
    assert report.verdict(bisected(*several)) == (
        f"Nothing to search: {BAD} is faster than {GOOD} in dense train compiled step 512 jax-cpu; swap the two?"
    )
    once = [*measured(0, {GOOD: 0.010, BAD: 0.011}), *measured(1, {GOOD: 0.010, BAD: 0.010}, processes=6)]
    assert report.verdict(bisected(*once)).endswith(
        "was slower than aaaaaaaaaa at first, but fresh processes do not confirm it"
    )


def test_only_a_bisection_has_this_report() -> None:
    """A gate's records are decided by another rule."""
    with pytest.raises(ValueError, match="expected the records of a bisection"):
        result.of(made.run(made.comparison()))
