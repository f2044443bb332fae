"""Tests of the store: whole lines on disk, runs that were cut off, damaged files, and finding a run again."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import ROOT
from bench.records import store
from bench.records.schema import Record
from bench.records.store import RECORDS, RunWriter, StoreError
from tests.bench import made

BODY: list[Record] = [made.target(), made.training(), made.failure()]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    """A run that has just begun: its header is written."""
    found = RunWriter(tmp_path / "runs" / "20260731T120000Z-smoke")
    found.append(made.header())
    yield found
    found.close()


def written(folder: Path, *records: Record) -> Path:
    """Write a whole run into ``folder``."""
    writer = RunWriter(folder)
    for record in (made.header(run_id=folder.name), *records):
        writer.append(record)
    writer.close()
    return folder


def lines_of(folder: Path) -> list[bytes]:
    """Return the lines of the run in ``folder``."""
    return (folder / RECORDS).read_bytes().splitlines(keepends=True)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The header first, then every record in the order of its arrival."""
    run = store.read(written(tmp_path / "a", *BODY))
    assert (run.folder, run.header, run.records) == (tmp_path / "a", made.header(run_id="a"), tuple(BODY))


def test_a_run_without_a_record_is_a_run(tmp_path: Path) -> None:
    """Interrupted before its first step, it can still say what it was."""
    assert store.read(written(tmp_path / "a")).records == ()


def test_a_record_is_on_disk_before_the_next_step(writer: RunWriter) -> None:
    """After each append the file holds whole lines only, while the run is still going on."""
    for count, record in enumerate(BODY, start=2):
        writer.append(record)
        lines = (writer.folder / RECORDS).read_bytes().splitlines(keepends=True)
        assert len(lines) == count
        assert all(line.endswith(b"\n") for line in lines)
        assert store.read(writer.folder).records[-1] == record


def test_a_record_is_synced(writer: RunWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut costs the step that runs, not the ones before it."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    writer.append(made.target())
    assert len(synced) == 1


def test_records_of_several_threads_are_lines_of_one_chain(writer: RunWriter) -> None:
    """Two workers that fail at once are told from two threads: neither line is torn, nor taken for an edited one."""
    with ThreadPoolExecutor(8) as pool:
        for number in range(400):
            pool.submit(writer.append, made.failure(f"work {number}"))
    run = store.read(writer.folder)
    assert (len(run.records), run.damage) == (400, ())


def test_a_reason_with_line_breaks_stays_one_line(writer: RunWriter) -> None:
    """Tracebacks have line breaks, and so have the separators of Unicode."""
    record = made.failure().model_copy(update={"reason": "one\ntwo\n\nthree\u2028four"})
    writer.append(record)
    assert store.read(writer.folder).records == (record,)


def test_logs_have_a_folder_beside_the_records(writer: RunWriter) -> None:
    """A failure's log is named relative to the run's folder."""
    assert writer.logs.is_dir()
    assert writer.logs == writer.folder / "logs"


def test_the_cut_last_line_of_an_interrupted_run_is_dropped(tmp_path: Path) -> None:
    """Wherever the last line was cut, its newline alone included, what was whole before it is kept."""
    folder = written(tmp_path / "a", *BODY)
    content = (folder / RECORDS).read_bytes()
    start = content.rindex(b"\n", 0, -1) + 1
    for end in range(start, len(content)):
        (folder / RECORDS).write_bytes(content[:end])
        assert store.read(folder).records == tuple(BODY[:-1])


@pytest.mark.parametrize("content", [b"", b'{"kind":"run","schema_ver'], ids=["empty", "cut header"])
def test_a_file_without_a_whole_line_holds_no_record(content: bytes, tmp_path: Path) -> None:
    """Killed while its header was written, a run is none."""
    folder = written(tmp_path / "a")
    (folder / RECORDS).write_bytes(content)
    with pytest.raises(StoreError, match="holds no record"):
        store.read(folder)


@pytest.mark.parametrize(
    "damage",
    [
        b"not json\n",
        b"\0\0\0\0\n",
        b"\xff\xfe\n",
        b"\n",
        b'{"kind":"dream"}\n',
        b'{"kind":"failure","recipe":"dense"}\n',
        made.failure().model_dump_json().encode()[:-20] + b"\n",
    ],
)
def test_a_damaged_line_hides_no_other_and_is_named_by_its_number(damage: bytes, tmp_path: Path) -> None:
    """What is whole is read; a line that is not says which it is, and is never passed over in silence."""
    folder = written(tmp_path / "a", *BODY)
    lines = lines_of(folder)
    (folder / RECORDS).write_bytes(b"".join([*lines[:2], damage, *lines[3:]]))
    run = store.read(folder)
    assert run.records == (BODY[0], *BODY[2:])
    (lost,) = [one for one in run.damage if one.lost]
    assert str(lost).startswith("line 3 does not fit record schema 3: ")


@pytest.mark.parametrize("number", range(4))
def test_a_line_that_was_edited_by_hand_is_told_by_its_number(number: int, tmp_path: Path) -> None:
    """Each line has a digest over itself and the one before; that is no security, it is honesty."""
    folder = written(tmp_path / "a", *BODY)
    lines = lines_of(folder)
    lines[number] = lines[number].replace(b"jax", b"jox").replace(b"Made", b"Mode").replace(b"dense", b"dance")
    (folder / RECORDS).write_bytes(b"".join(lines))
    (edited,) = store.read(folder).damage
    assert (edited.line, edited.reason, edited.lost) == (number + 1, store.EDITED, False)


@pytest.mark.parametrize("change", ["removed", "inserted", "swapped"])
def test_a_line_that_was_taken_out_put_in_or_moved_shows(change: str, tmp_path: Path) -> None:
    """Every record by itself is whole and fits the schema."""
    folder = written(tmp_path / "a", *BODY)
    one, two, three, four = lines_of(folder)
    extra = lines_of(written(tmp_path / "b", made.peaks()))[1]
    changed = {
        "removed": [one, two, four],
        "inserted": [one, two, extra, three, four],
        "swapped": [one, three, two, four],
    }
    (folder / RECORDS).write_bytes(b"".join(changed[change]))
    assert store.EDITED in {damage.reason for damage in store.read(folder).damage}


@pytest.mark.parametrize("record", [made.training(), made.peaks(), made.parity(), made.comparison(), made.header()])
def test_a_record_that_occurs_twice_is_a_damaged_line_and_counts_once(record: Record, tmp_path: Path) -> None:
    """The same line three times read as three processes that agree to the last digit."""
    run = store.read(written(tmp_path / "a", *[record] * 3))
    assert len(run.records) == (0 if record.kind == "run" else 1)
    assert [damage.line for damage in run.damage] == ([2, 3, 4] if record.kind == "run" else [3, 4])


def test_a_cell_that_was_timed_again_after_a_resume_counts_as_it_was_timed_last(tmp_path: Path) -> None:
    """A later attempt replaces the earlier one; twice in one attempt is damage."""
    first, again = (made.timing(made.cell(), made.blocks(s), attempt=n) for n, s in enumerate((0.1, 0.2)))
    run = store.read(written(tmp_path / "a", first, made.resumed(), again))
    assert [record for record in run.records if record.kind == "timing"] == [again]
    assert run.damage == ()


def test_a_line_without_end_is_damaged_and_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was filled with something else is not read into memory whole."""
    monkeypatch.setattr(store, "LONGEST_LINE", 4096)
    folder = written(tmp_path / "a", *BODY)
    with (folder / RECORDS).open("ab") as lines:
        lines.write(b"x" * 1_000_000 + b"\n")
    run = store.read(folder)
    assert (run.records, [damage.line for damage in run.damage]) == (tuple(BODY), [5])


def test_damage_that_was_measured_again_is_damage_no_more(tmp_path: Path) -> None:
    """A resumed run says which lines it could not read; an edited line stays one."""
    folder = written(tmp_path / "a", *BODY)
    lines = lines_of(folder)
    lines[1] = b"lost\n"
    (folder / RECORDS).write_bytes(b"".join(lines))
    writer = RunWriter(folder, resumed=True)
    writer.append(made.resumed().model_copy(update={"damaged": [2]}), BODY[0], made.finished())
    writer.close()
    run = store.read(folder)
    assert [damage.line for damage in run.damage] == [2]
    assert (run.open_damage, run.finished) == ([], True)


def test_a_run_that_is_written_has_a_holder_whom_the_error_names(tmp_path: Path) -> None:
    """Two resumes at once overwrote each other: the second one is refused until the first has ended."""
    folder = written(tmp_path / "a", *BODY)
    holder = RunWriter(folder, resumed=True)
    holder.append(made.resumed().model_copy(update={"process": 4711}))
    with pytest.raises(StoreError, match=r"a is being written by process 4711 \(python -m bench run --resume latest\)"):
        RunWriter(folder, resumed=True)
    assert store.is_being_written(folder)
    holder.close()
    assert not store.is_being_written(folder)
    RunWriter(folder, resumed=True).close()


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    """Killed with SIGKILL, a writer leaves no lock behind."""
    folder = written(tmp_path / "a", *BODY)
    code = (
        "import sys, time; from pathlib import Path; from bench.records.store import RunWriter\n"
        "writer = RunWriter(Path(sys.argv[1]), resumed=True); print('locked', flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert store.is_being_written(folder)
        process.kill()
    RunWriter(folder, resumed=True).close()


def test_a_full_disk_costs_the_record_at_hand_alone(tmp_path: Path) -> None:
    """A real limit of the system on the file's size: what was whole stays whole, and the error says what to do."""
    folder = written(tmp_path / "a", *BODY)
    size = (folder / RECORDS).stat().st_size
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from bench.records import store; from tests.bench import made\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 100},) * 2)\n"
        "writer = store.RunWriter(Path(sys.argv[1]), resumed=True)\n"
        "try: writer.append(made.training(), made.peaks('tensorflow-cpu'))\n"
        "except store.StoreError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "cannot write to a: File too large; what was measured before is kept: make room, "
        "then resume it with --resume a\n"
    )
    assert (folder / RECORDS).stat().st_size == size
    assert store.read(folder).records == tuple(BODY)


@pytest.mark.parametrize(
    "field",
    [
        {"started_at": "../../x"},
        {"started_at": "/etc/2026-07-31T12:00:00+00:00"},
        {"started_at": "yesterday"},
        {"run_id": "../a"},
        {"run_id": "x" * 5_000},
        {"profile": "a/b"},
        {"corpus": "../../reference"},
    ],
)
def test_what_becomes_a_path_is_checked_by_the_schema(field: dict[str, str], tmp_path: Path) -> None:
    """A header's moment became a file name: `publish` wrote outside its folder."""
    folder = written(tmp_path / "a")
    body = {**json.loads(made.header().model_dump_json()), **field}
    (folder / RECORDS).write_text(json.dumps(body) + "\n")
    with pytest.raises(StoreError, match=f"line 1 does not fit record schema 3.*{next(iter(field))}"):
        store.read(folder)


@pytest.mark.parametrize("target", ["../jax-cpu", "jax/cpu", "a\\b", "", "x" * 300])
def test_a_target_names_no_other_folder(target: str, tmp_path: Path) -> None:
    """Its name is that of its log."""
    folder = written(tmp_path / "a", made.target())
    lines = lines_of(folder)
    body = {**json.loads(made.target().model_dump_json()), "target": target}
    (folder / RECORDS).write_bytes(lines[0] + json.dumps(body).encode() + b"\n")
    assert store.read(folder).records == ()


def test_no_word_of_a_record_drives_a_terminal(tmp_path: Path) -> None:
    """Escape sequences, C1 controls, overrides of the writing direction: replaced when they are read."""
    hostile = "a\x1b[2Jb\x07c\x9bd\u202ee\x7ff\rg"
    run = store.read(written(tmp_path / "a", made.failure().model_copy(update={"reason": hostile})))
    (record,) = run.records
    assert record.reason == "a\ufffd[2Jb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg"  # type: ignore[union-attr]


def test_a_file_that_begins_with_another_record_is_refused(tmp_path: Path) -> None:
    """Without its header the machine and corpus of a record are unknown."""
    folder = written(tmp_path / "a", *BODY)
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(b"".join(lines[1:]))
    with pytest.raises(StoreError, match="does not begin with a run's header; received a record of kind 'target'"):
        store.read(folder)


@pytest.mark.parametrize("name", ["nowhere", "a-file"])
def test_a_folder_without_a_run_is_said_to_have_none(name: str, tmp_path: Path) -> None:
    """The message says where to look."""
    (tmp_path / "a-file").write_text("")
    with pytest.raises(StoreError, match=r"no run at .*`bench runs` lists what there is"):
        store.read(tmp_path / name)


@pytest.mark.parametrize("logs", [True, False], ids=["whole", "logs deleted"])
def test_a_run_is_never_written_over(logs: bool, tmp_path: Path) -> None:
    """Records are append-only, and a folder holds one run."""
    folder = written(tmp_path / "a", *BODY)
    if not logs:
        (folder / "logs").rmdir()
    with pytest.raises(StoreError, match="cannot write results to"):
        RunWriter(folder)
    assert store.read(folder).records == tuple(BODY)


def test_a_file_in_the_way_is_said_with_the_option_that_helps(tmp_path: Path) -> None:
    """`--out` may have been given a file."""
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError, match="Not a directory; give a folder with --out"):
        RunWriter(tmp_path / "out" / "a")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EROFS, "Read-only file system"), (errno.EACCES, "Permission denied"), (errno.ENOSPC, "No space left")],
)
def test_a_folder_that_cannot_be_written_is_said_with_the_option_that_helps(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout may be read-only: the reason is the system's, what to do is ours."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match=f"{words}.*; give a folder with --out"):
        RunWriter(tmp_path / "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_with_the_option_that_helps(tmp_path: Path) -> None:
    """The same with a real folder."""
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied; give a folder with --out"):
        RunWriter(tmp_path / "a")


@pytest.mark.parametrize(
    ("started", "profile", "expected"),
    [
        (datetime(2026, 7, 31, 9, 5, 7, tzinfo=UTC), "smoke", "20260731T090507.000Z-smoke"),
        (datetime(2026, 12, 1, 23, 59, 59, 999_999, tzinfo=UTC), "full", "20261201T235959.999Z-full"),
    ],
)
def test_a_runs_name_is_its_time_and_profile(started: datetime, profile: str, expected: str) -> None:
    """The name says what it is and sorts by time."""
    assert store.run_id(started, profile) == expected


def test_runs_are_listed_oldest_first_and_nothing_else_is(tmp_path: Path) -> None:
    """Whatever else lies there, a folder with records is a run."""
    names = [f"2026{month:02}01T000000Z-{profile}" for month, profile in [(11, "full"), (2, "smoke"), (10, "default")]]
    for name in names:
        written(tmp_path / name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "page.html").write_text("")
    assert [path.name for path in store.runs(tmp_path)] == sorted(names)
    assert store.runs(tmp_path / "nowhere") == []


def test_a_derived_file_is_made_with_its_folders_and_replaced_whole(tmp_path: Path) -> None:
    """The content is exact, and no temporary file stays behind."""
    file = tmp_path / "page" / "index.html"
    for content in (b"old and long", b"new", b""):
        store.write_atomically(file, content)
        assert file.read_bytes() == content
        assert list(file.parent.iterdir()) == [file]


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the new content is written, the old file stays in place; one step then exchanges them."""
    file = tmp_path / "table.md"
    store.write_atomically(file, b"old")
    seen: list[tuple[bytes, bytes]] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append((target.read_bytes(), self.read_bytes()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    store.write_atomically(file, b"new")
    assert seen == [(b"old", b"new")]
    assert file.read_bytes() == b"new"
