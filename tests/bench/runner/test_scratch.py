"""Temporary folders: removed with their process, and after one that was killed by the next that begins."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bench import ROOT
from bench.runner import scratch


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files of its own, here and in every process that is started."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def age(folder: Path) -> None:
    """Let ``folder`` be older than one that a process may just have made."""
    old = time.time() - 2 * scratch.YOUNG_S
    os.utime(folder, (old, old))


def test_a_folder_is_removed_after_its_use(temporary: Path) -> None:
    with scratch.folder() as folder:
        (folder / "weights").write_bytes(b"x")
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(temporary: Path) -> None:
    """Each killed run kept a folder in /tmp; the folder of a living process stays."""
    code = (
        "import time; from bench.runner.scratch import ScratchFolder\n"
        "print((made := ScratchFolder()).path, flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        age(left)
        scratch.ScratchFolder().remove()
        assert left.is_dir()
        process.kill()
    scratch.ScratchFolder().remove()
    assert list(temporary.iterdir()) == []


def test_nothing_else_is_removed(temporary: Path) -> None:
    """Folders of other programs, links and young folders."""
    (temporary / "somebody-elses").mkdir()
    (temporary / "kerasmark-link").symlink_to(temporary / "somebody-elses")
    (temporary / "kerasmark-young").mkdir()
    age(temporary / "somebody-elses")
    scratch.ScratchFolder().remove()
    assert len(list(temporary.iterdir())) == 3
