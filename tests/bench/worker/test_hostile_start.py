"""How a worker starts where its environment or its user's file is broken, and how it ends with its session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench import ROOT
from bench.backends import BACKENDS
from bench.plan.targets import Target
from bench.runner.process import WorkerLost, WorkerProcess
from datasets.locate import open_corpus
from tests.models.test_user_recipes import GOOD

# A killed process's children are gone within a second; a busy machine may need longer to run them at all.
GONE_S = 15.0


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parsed corpus: the real reviews where KERASMARK_DATA names them, else the synthetic ones."""
    data = os.environ.get("KERASMARK_DATA") or "synthetic"
    return open_corpus(data, environ=os.environ, cache_root=tmp_path_factory.mktemp("cache")).folder


def greeting_of(target: Target, corpus: Path, log: Path) -> str:
    """Return what a real worker of ``target`` greets with, or why it does not."""
    worker = WorkerProcess(target, corpus=corpus, log=log)
    try:
        return str(worker.hello.settings)
    except WorkerLost as error:
        return str(error)
    finally:
        worker.kill()


@pytest.mark.framework
@pytest.mark.parametrize(
    ("backend", "setting", "seen"),
    [
        ("jax", "import jax; jax.config.update('jax_enable_x64', True)", "x64 is True"),
        ("jax", "import jax; jax.config.update('jax_disable_jit', True)", "jit is False"),
        ("jax", "import keras; keras.config.set_floatx('float64')", "floatx is float64"),
        ("tensorflow", "import tensorflow as tf; tf.config.run_functions_eagerly(True)", "jit is False"),
    ],
)
def test_a_file_of_recipes_that_changes_the_work_is_refused(
    backend: str, setting: str, seen: str, corpus: Path, tmp_path: Path
) -> None:
    """No variable shows it: the worker asks the framework itself, after the file was run."""
    file = tmp_path / "recipe.py"
    file.write_text(f"{setting}\n{GOOD}", encoding="utf-8")
    reason = greeting_of(Target(backend, recipes=file), corpus, tmp_path / "log")
    assert "WrongSetting: expected floatx float32" in reason
    assert seen in reason


@pytest.mark.framework
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_reports_what_is_in_force_and_the_same_at_every_start(
    backend: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that changes speed alone is recorded; nothing in a greeting differs by chance."""
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere/libmissing.so")  # the system complains in the log and goes on
    first, again = (greeting_of(Target(backend), corpus, tmp_path / "log") for _ in range(2))
    assert first == again
    assert "'TF_NUM_INTRAOP_THREADS': '1'" in first
    assert "'LD_PRELOAD': 'libmissing.so'" in first
    assert "'jit': True" in first
    if backend == "tensorflow":
        assert "'intra_op_threads': " in first


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "raise ImportError('libcudart.so.12: cannot open shared object file')",
            "did not start: ImportError: libcudart",
        ),
        ("import os; os.abort()", "its process was ended by SIGABRT"),
        ("import os; os._exit(0)", "its process ended with exit status 0"),
    ],
)
def test_a_framework_that_cannot_be_imported_is_told_in_one_line(
    code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing library, a crash at import, an exit: the target has no worker, and the run goes on without it."""
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = greeting_of(Target("jax"), tmp_path, tmp_path / "log")
    assert reason in found
    assert "\n" not in found


SESSION = """
import sys, time
from pathlib import Path
from bench.plan.targets import Target
from bench.runner.process import WorkerProcess
worker = WorkerProcess(Target("jax"), corpus=Path("."), log=Path(sys.argv[1]), module="tests.bench.worker.stubborn")
print(worker._process.pid, flush=True)
time.sleep(600)
"""


def test_a_worker_that_trains_ends_with_its_killed_session(tmp_path: Path) -> None:
    """It went on for up to 15 s, beside the resumed run: it and its children are gone with the session's pipe."""
    words = [sys.executable, "-c", SESSION, str(tmp_path / "log")]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        worker = psutil.Process(int(session.stdout.readline()))
        until = time.monotonic() + GONE_S
        while not worker.children() and time.monotonic() < until:
            time.sleep(0.05)
        members = [worker, *worker.children()]
        assert len(members) == 2
        os.kill(session.pid, signal.SIGKILL)
    assert psutil.wait_procs(members, timeout=GONE_S)[1] == []
