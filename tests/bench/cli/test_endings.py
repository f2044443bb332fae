"""How the command line ends where its reader is gone, a disk is full, a stream is closed or Ctrl-C comes twice.

Each is made for real: processes of `python -m bench`, /dev/full, closed descriptors, the system's limit on files.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.exit_codes import ExitCode
from tests.bench import written

ROOT = Path(__file__).resolve().parents[3]
# A start of Python and its libraries on a busy machine; what hangs takes longer.
LIMIT_S = 60
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one finished run, called "a-run"."""
    folder = tmp_path_factory.mktemp("runs")
    written.write_run(folder / "a-run")
    return folder


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "bench", *words]


def ended(*words: str, limit: Callable[[], None] | None = None, **streams: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    kept = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(command(*words), cwd=ROOT, text=True, check=False, timeout=LIMIT_S, preexec_fn=limit, **kept)


def of_run(runs: Path) -> dict[str, tuple[str, ...]]:
    """Return commands that print a run: a table by rich, a document as it is, help by cyclopts."""
    out = ("a-run", "--out", str(runs))
    return {"show": ("show", *out), "json": ("show", *out, "--json"), "export": ("export", *out), "help": ("--help",)}


WORDS = ("show", "json", "export", "help")


def one_line(said: str) -> bool:
    return said.startswith("bench: ") and said.count("\n") == 1 and said.endswith("\n")


@pytest.mark.parametrize("name", WORDS)
def test_a_reader_that_is_gone_ends_it_silently(runs: Path, name: str) -> None:
    """As `bench export | head` should: status 141, as shells report SIGPIPE, and nothing on stderr."""
    process = subprocess.Popen(
        command(*of_run(runs)[name]), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    _, said = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, said) == (ExitCode.READER_GONE, "")


@needs_full
@pytest.mark.parametrize("name", WORDS)
def test_a_full_disk_is_told_in_one_line(runs: Path, name: str) -> None:
    """Even where it shows only as the last bytes are written."""
    with FULL.open("w") as full:
        done = ended(*of_run(runs)[name], stdout=full)
    assert done.returncode == ExitCode.UNUSABLE
    assert done.stderr == "bench: cannot write standard output: No space left on device\n"


@pytest.mark.parametrize("name", ["show", "json", "export"])
def test_a_closed_output_is_told_in_one_line(runs: Path, name: str) -> None:
    """What was to be printed is lost: that is no success."""
    done = ended(*of_run(runs)[name], limit=lambda: os.close(1), stdout=None)
    assert done.returncode == ExitCode.UNUSABLE
    assert done.stderr == "bench: cannot write standard output: Bad file descriptor\n"


def test_an_error_that_nobody_can_read_is_still_a_status(runs: Path) -> None:
    """With stderr closed, or full, or without a reader: the same status, and no word on standard output."""
    words = ("show", "nothing", "--out", str(runs))
    done = ended(*words, limit=lambda: os.close(2), stderr=None)
    assert (done.returncode, done.stdout) == (ExitCode.UNUSABLE, "")
    if FULL.exists():
        with FULL.open("w") as full:
            done = ended(*words, stderr=full)
        assert (done.returncode, done.stdout) == (ExitCode.UNUSABLE, "")
    reader, writer = os.pipe()
    os.close(reader)
    done = ended(*words, stderr=writer)
    os.close(writer)
    assert (done.returncode, done.stdout) == (ExitCode.UNUSABLE, "")


WRITTEN = """
import os, sys
from bench import __main__ as line

def command(*_, **__):
    with open(sys.argv[1], "w") as file:
        file.write("records")
        for number in (1, 2):
            os.write(number, b"a library's words")

line.app = command
sys.exit(line.program())
"""


def test_a_file_never_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """What a library writes to standard output or stderr would stand among the records."""

    def close() -> None:
        for number in range(3):
            os.close(number)

    file = tmp_path / "records"
    done = subprocess.run(
        [sys.executable, "-c", WRITTEN, str(file)], cwd=ROOT, check=False, timeout=LIMIT_S, preexec_fn=close
    )
    assert (done.returncode, file.read_text()) == (ExitCode.HELD, "records")


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, 256))


def test_a_file_that_is_too_large_for_the_system_is_told_in_one_line(runs: Path, tmp_path: Path) -> None:
    """Nothing is left of it, and the file that was there stays."""
    file = tmp_path / "a.csv"
    file.write_text("before")
    done = ended("export", "a-run", "--out", str(runs), "--to", str(file), limit=small_files)
    assert done.returncode == ExitCode.UNUSABLE
    assert one_line(done.stderr)
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.csv", "before")]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("name", WORDS)
def test_an_output_that_reaches_the_limit_of_a_file_is_told_in_one_line(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, unbuffered: str
) -> None:
    """Python's last attempt to write says nothing more; without its buffer it would drop the rest and say nothing."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with (tmp_path / "shown").open("w") as into:
        done = ended(*of_run(runs)[name], stdout=into, limit=small_files)
    assert done.returncode == ExitCode.UNUSABLE
    assert done.stderr == "bench: cannot write standard output: File too large\n"


def test_a_folder_in_place_of_a_file_is_told_in_one_line(runs: Path, tmp_path: Path) -> None:
    """Whatever the system refuses is the user's to mend, and never a bug with a traceback."""
    done = ended("export", "a-run", "--out", str(runs), "--to", str(tmp_path))
    assert done.returncode == ExitCode.UNUSABLE
    assert one_line(done.stderr)
    assert "Is a directory" in done.stderr


def test_a_run_with_an_endless_name_is_told_in_one_short_line(runs: Path) -> None:
    """Its beginning and what to do about it."""
    done = ended("show", "x" * 5_000, "--out", str(runs))
    assert done.returncode == ExitCode.UNUSABLE
    assert one_line(done.stderr)
    assert len(done.stderr) < 520
    assert "xxx … xxx" in done.stderr or "x …" in done.stderr


def test_no_word_of_the_command_line_drives_the_terminal(runs: Path) -> None:
    """An error names what was given: without the control characters in it."""
    for words in (("show", "\x1b[2J\x9b\u202e", "--out", str(runs)), ("export", "--format", "\x1b]0;x\x07")):
        done = ended(*words)
        assert one_line(done.stderr)
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*done.stderr}


TOLD = """
import sys
from bench import __main__ as line
from bench.report import terminal

def command(*_, **__):
    for _ in range(100):
        terminal.console(stderr=True).print("progress")
    return line.Outcome("measured")

line.app = command
sys.exit(line.program())
"""


def test_a_measurement_continues_where_its_progress_cannot_be_written() -> None:
    """Hours of work end in their results, whatever happened to stderr: full, without a reader, closed."""
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open(FULL if FULL.exists() else os.devnull, os.O_WRONLY)
    streams: list[dict[str, Any]] = [{"stderr": full}, {"stderr": writer}, {"preexec_fn": lambda: os.close(2)}]
    for stream in streams:
        done = subprocess.run(
            [sys.executable, "-c", TOLD], cwd=ROOT, stdout=subprocess.PIPE, check=False, timeout=LIMIT_S, **stream
        )
        assert (done.returncode, done.stdout) == (ExitCode.HELD, b"measured\n")
    os.close(full)
    os.close(writer)


TWICE = """
import atexit, os, signal, sys
from bench import __main__ as line

def interrupt():
    os.kill(os.getpid(), {signal})

def command(*_, **__):
    try:
        interrupt()
    finally:
        interrupt()

atexit.register(interrupt)
line.app = command
complain = line._complain
def slow(words, code):
    interrupt()
    return complain(words, code)
if {often} > 2:
    line._complain = slow
sys.exit(line.program())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("often", [2, 3])
def test_an_interruption_of_an_interruption_shows_no_traceback(number: int, often: int) -> None:
    """While the first is answered, while that is said, and while Python ends: status 130 each time."""
    script = TWICE.format(signal=int(number), often=often)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    assert done.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
