"""The list of kept runs: what each one was and answered, newest first, as `bench runs` prints it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.cli.results import runs as command
from bench.cli.results.runs import runs
from bench.records.machine import Machine
from bench.records.schema import Record
from bench.records.store import RECORDS, RunWriter
from bench.report.tables import words
from tests.bench import made, published
from tests.bench.analysis.test_regression import CONTROLS
from tests.bench.report.test_terminal import held, shown

GATE = {"profile": "gate", "command": "python -m bench regress --base main"}


def write(folder: Path, month: int, *found: Record, end: bool = True, **header: Any) -> Path:
    """Write a run of that month; a whole smoke run if no records are given."""
    profile = header.get("profile", "smoke")
    place = folder / f"2026{month:02}01T120000.000Z-{profile}"
    begun = {"run_id": place.name, "started_at": f"2026-{month:02}-01T12:00:00+00:00", **header}
    writer = RunWriter(place)
    writer.append(made.header(**begun), *(found or published.records()[1:]))
    writer.append(*[made.finished(f"2026-{month:02}-01T12:08:20+00:00")] * end)
    writer.close()
    return place


def listed(folder: Path, **options: Any) -> str:
    """Return what the command prints in 80 columns."""
    return shown(runs(out=folder, **options).shown)


def test_the_list_reads_as_its_golden_file(tmp_path: Path) -> None:
    """A gate above the run before it, with kind, cells, duration and answer on one line each."""
    write(tmp_path, 7)
    write(tmp_path, 8, made.comparison(controls=CONTROLS), *published.compared_records(), **GATE)
    write(tmp_path, 9, end=False)
    text = listed(tmp_path)
    held("runs.txt", text)
    assert max(map(len, text.splitlines())) <= 80


def test_a_run_that_is_being_written_says_so(tmp_path: Path) -> None:
    """Its answer is not known yet, and is not kept."""
    place = write(tmp_path, 7, end=False)
    holder = RunWriter(place, resumed=True)
    assert "being measured" in listed(tmp_path)
    holder.close()
    assert "unfinished" in listed(tmp_path)


def test_a_damaged_run_says_so_before_its_answer(tmp_path: Path) -> None:
    """A line that was edited by hand is no measurement."""
    place = write(tmp_path, 7)
    file = place / RECORDS
    file.write_bytes(file.read_bytes().replace(b'"train_s":2.5', b'"train_s":2.0'))
    assert "damaged; " in listed(tmp_path)


def test_machines_and_corpora_stand_above_their_runs(tmp_path: Path) -> None:
    """What all runs share is said once; where they differ, nothing is put under another's name."""
    write(tmp_path, 7)
    assert listed(tmp_path).splitlines()[1] == "Runs — Made CPU, 2 processors, imdb, kind run"
    other = Machine(cpu="Another CPU", processors=4, memory_gib=8, system="Linux x86_64", python="3.12.1")
    write(tmp_path, 8, machine=other)
    write(tmp_path, 9, machine=other, corpus="synthetic")
    lines = listed(tmp_path).splitlines()
    above = [line for line in lines if " processors, " in line]
    assert above == [
        "Another CPU, 4 processors, synthetic",
        "Another CPU, 4 processors, imdb",
        "Made CPU, 2 processors, imdb",
    ]


def test_the_newest_are_listed_and_all_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen of runs, and how many more there are."""
    monkeypatch.setattr(command, "NEWEST", 2)
    for month in (7, 8, 9):
        write(tmp_path, month, made.training())
    text = listed(tmp_path)
    assert [line[:6] for line in text.splitlines() if "-smoke" in line] == ["202609", "202608"]
    assert "1 older: --all lists them" in text
    assert listed(tmp_path, all=True).count("-smoke") == 3


def test_a_run_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    """It is named, and the exit status is 5."""
    write(tmp_path, 7)
    (write(tmp_path, 8) / RECORDS).write_bytes(b"nothing of ours\n")
    found = runs(out=tmp_path)
    assert found.code == 5
    assert "14 passed" not in shown(found.shown)
    assert "20260801T120000.000Z-smoke cannot be read" in shown(found.shown)
    assert "20260701T120000.000Z-smoke" in shown(found.shown)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (500, "8 min"), (3_570, "1 h 0 min"), (13_800, "3 h 50 min")],
)
def test_a_duration_is_told_as_people_say_it(seconds: float, said: str) -> None:
    """No minutes of more than an hour, no fractions."""
    assert words.duration(seconds) == said
