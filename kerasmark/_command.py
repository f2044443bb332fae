"""Commands of the suite in a process of their own, answered by their JSON document."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_START = Path(__file__).resolve().parent / "_start.py"


class CommandFailed(RuntimeError):
    """A command ended without a document; its message is the command's own line.

    status  its exit status: 2 usage error, 6 data, device or environment unusable, 70 a bug in kerasmark
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def answered(*words: str, **options: Any) -> dict[str, Any]:
    """Return the document that the command of ``words`` and ``options`` prints; its notes go to standard error."""
    command = [sys.executable, str(_START), *words, *_words(options), "--json"]
    with tempfile.TemporaryFile() as printed:
        with subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True, errors="replace") as process:
            try:
                last = _passed_on(process)
            except BaseException:
                process.terminate()  # it ends its workers and keeps what it measured
                raise
        printed.seek(0)
        return _document(printed.read(), process.returncode, last)


def _words(options: Mapping[str, Any]) -> list[str]:
    """Return ``options`` as words of the command line; those that are None or empty are left out."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    return [word for name, value in given.items() for word in (f"--{name}", *_values(value))]


def _values(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, tuple) else [str(value)]


def _passed_on(process: subprocess.Popen[str]) -> str:
    """Write each line of standard error as it comes, and return the last one."""
    last = ""
    assert process.stderr is not None
    for line in process.stderr:
        sys.stderr.write(line)
        last = line.strip() or last
    return last


def _document(printed: bytes, status: int, last: str) -> dict[str, Any]:
    try:
        found = json.loads(printed)
    except ValueError as error:
        raise CommandFailed(last or f"kerasmark ended with exit status {status} and said nothing", status) from error
    if not isinstance(found, dict):
        raise CommandFailed(f"expected one JSON document; received {str(found)[:80]}", status)
    return found
