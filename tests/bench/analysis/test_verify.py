"""The rules about a run's records: each is broken once, and says what it found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.summary import summarize
from bench.analysis.verification import rules as verify
from bench.records import identity, store
from bench.records.machine import Commit
from bench.records.schema import Record
from bench.records.store import Run
from bench.report.tables.words import measured_by
from tests.bench import made, published


def kept(folder: Path, *records: Record) -> Run:
    """Write a run and read it again: the whole one if no records are given."""
    return store.read(published.write(folder / "run", *records))


def test_nothing_speaks_against_a_whole_run_of_a_clean_checkout(tmp_path: Path) -> None:
    """Every rule passes, and there are as many answers as rules."""
    found = verify.checks(kept(tmp_path))
    assert [check.answer for check in found] == ["passed"] * len(verify.RULES)


def ended(*records: Record) -> Run:
    """Return a run with these records alone."""
    return Run(Path("made"), made.header(), records)


TIMED = made.timing(made.cell(), made.blocks(0.1))


@pytest.mark.parametrize(
    ("rule", "run", "words"),
    [
        (
            "clean",
            made.run(TIMED, commit=Commit(revision="a" * 40, dirty=True)),
            "files differed from commit aaaaaaaaaa",
        ),
        ("clean", made.run(TIMED, commit=None), "from no git checkout"),
        (
            "planned",
            made.run(TIMED, made.failure()),
            "1 piece of work gave no answer, first dense parity on tensorflow",
        ),
        ("planned", made.run(made.training()), "it timed nothing"),
        (
            "planned",
            made.run(TIMED, made.plan(identity.peaks("jax-cpu"))),
            "its records lack 1 piece of work, first peaks of jax-cpu",
        ),
        ("planned", ended(TIMED, made.resumed()), "was interrupted"),
        ("settings", made.run(TIMED, made.target(settings={"x64": True})), "the settings of jax-cpu changed"),
        ("settings", made.run(TIMED, made.target(versions={"keras": "9"})), "the versions of jax-cpu changed"),
        (
            "seconds",
            made.run(made.timing(made.cell(), made.blocks(*[3_000.0] * 2))),
            "add up to 6099 s, and the run took",
        ),
        ("seconds", ended(TIMED, made.finished("2026-07-31T11:00:00+00:00")), "it ended 3600 s before it began"),
        ("edited", made.run(TIMED, schema_version=2), "record schema 2, which has no digests and no plan"),
    ],
)
def test_each_rule_is_broken_by_what_it_is_about(rule: str, run: Run, words: str) -> None:
    """And by nothing else: the other rules pass."""
    (failed,) = [check for check in verify.checks(run) if check.answer == "failed"]
    assert rule in failed.rule
    assert words in failed.found
    assert verify.problems(run) == [failed.found]


def test_the_version_of_an_installed_suite_stands_for_a_commit() -> None:
    """What measured can be installed again; the first line of a report names it."""
    versions = {"keras": "3.15.1", "kerasmark": "0.1.0"}
    measured = Run(Path("made"), made.header(commit=None), (made.target(versions=versions), TIMED, made.finished()))
    assert {check.answer for check in verify.checks(measured) if "commit" in check.rule} == {"passed"}
    assert measured_by(summarize(measured).document) == "kerasmark 0.1.0"


def test_a_line_that_was_changed_on_disk_breaks_its_rule(tmp_path: Path) -> None:
    """Unreadable, repeated, edited: the number of the line is told."""
    folder = published.write(tmp_path / "run")
    whole = (folder / store.RECORDS).read_bytes().splitlines(keepends=True)
    changes = {
        "damaged: line 5 does not fit": [*whole[:4], b"x\n", *whole[5:]],
        "edited: line 4 was edited": [*whole[:3], whole[3].replace(b"dense", b"danse"), *whole[4:]],
        "damaged: line 5 repeats dense trained": [*whole[:4], whole[3], *whole[4:]],
    }
    for words, lines in changes.items():
        (folder / store.RECORDS).write_bytes(b"".join(lines))
        assert any(problem.startswith(words) for problem in verify.problems(store.read(folder)))


def test_a_run_that_was_cut_short_is_unfinished_wherever_it_was_cut(tmp_path: Path) -> None:
    """The first 9 of 14 lines of a run with one replicate were published, and `show` said "passed"."""
    folder = published.write(tmp_path / "run")
    whole = (folder / store.RECORDS).read_bytes().splitlines(keepends=True)
    for count in range(1, len(whole)):
        (folder / store.RECORDS).write_bytes(b"".join(whole[:count]))
        assert any(problem.startswith("unfinished") for problem in verify.problems(store.read(folder)))
    assert replace(made.run(TIMED), records=()).finished is False
