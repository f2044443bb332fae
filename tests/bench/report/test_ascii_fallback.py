"""Tests of the lookalikes: a terminal without Unicode shows every report, its columns where they were."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT
from bench.report import ascii_fallback
from tests.bench import written


def written_in(encoding: str, text: str) -> str:
    """Return ``text`` as a stream of that encoding keeps it."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    ascii_fallback.use(stream)
    stream.write(text)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_a_character_has_one_in_its_place() -> None:
    """One for one: a table that was laid out before is still straight."""
    text = "±70% — 2.5× · †…┏━┓"
    assert written_in("ascii", text) == "~70% - 2.5x * +.+-+"
    assert len(written_in("ascii", text)) == len(text)


def test_what_an_encoding_has_stays() -> None:
    """Latin-1 knows ± and ×."""
    assert written_in("latin-1", "±2× —") == "±2× -"


def test_a_character_without_a_lookalike_is_a_question_mark() -> None:
    """Never an error: the report matters more than a letter."""
    assert written_in("ascii", "映画 film") == "?? film"


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}], ids=["plain", "NO_COLOR"])
def test_a_report_reads_the_same_in_ascii(tmp_path: Path, columns: str, more: dict[str, str]) -> None:
    """In an ASCII locale, in a pipe, whatever the width: every line, and as wide as with Unicode."""
    folder = tmp_path / "20260731T120000Z-smoke"
    written.write_run(folder)

    def show(encoding: str) -> list[str]:
        environment = {**os.environ, **more, "COLUMNS": columns, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        command = [sys.executable, "-m", "bench", "show", str(folder)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
        assert b"bug" not in done.stderr, done.stderr.decode(encoding)
        return done.stdout.decode(encoding).splitlines()

    ascii_lines, lines = show("ascii"), show("utf-8")
    assert not any("\x1b" in line for line in ascii_lines)
    assert max(map(len, ascii_lines)) <= int(columns)
    assert len(ascii_lines) == len(lines)
