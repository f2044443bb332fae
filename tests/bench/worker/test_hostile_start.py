"""How a worker starts where its environment or its user's file is broken, and how it ends with its session."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from bench import ROOT
from bench.backends import BACKENDS
from bench.plan.targets import Target
from bench.protocol import Prepare
from bench.runner.process import RequestFailed, WorkerLost, WorkerProcess
from tests.models.test_user_recipes import GOOD

# A killed process's children are gone within a second; a busy machine may need longer to run them at all.
GONE_S = 15.0


def started(target: Target, corpus: Path, log: Path) -> WorkerProcess:
    """Start a real worker; one that says nothing for a minute hangs."""
    return WorkerProcess(target, corpus=corpus, log=log, stall_limit_s=60.0)


def loss_of(target: Target, corpus: Path, log: Path) -> str:
    """Return why a real worker of ``target`` does not start, in one line."""
    worker = started(target, corpus, log)
    with closing(worker), pytest.raises(WorkerLost) as caught:
        _ = worker.hello
    assert "\n" not in str(caught.value)
    return str(caught.value)


def written(folder: Path, text: str) -> Path:
    file = folder / "recipe.py"
    file.write_text(text, encoding="utf-8")
    return file


# Settings that change the work, as a file of recipes can make them, and what the worker says of them.
X64, EAGER_JAX = "import jax; jax.config.update('jax_enable_x64', True)", "jax.config.update('jax_disable_jit', True)"
PRECISION = "import jax; jax.config.update('jax_default_matmul_precision', 'bfloat16')"
CHECKS = "import jax; jax.config.update('jax_debug_nans', True)"
KERAS = "import keras; keras.config.set_floatx('float64'); keras.config.set_max_epochs(1)"
EAGER_TF = "import tensorflow as tf; tf.config.run_functions_eagerly(True)"
POLICY = "import keras; keras.config.set_dtype_policy('mixed_bfloat16')"


@pytest.mark.framework
@pytest.mark.parametrize(
    ("backend", "setting", "seen"),
    [
        ("jax", f"{X64}; {EAGER_JAX}", ["jit is False", "x64 is True"]),
        ("jax", f"{PRECISION}; {CHECKS}", ["matmul_precision is bfloat16", "checks is True"]),
        ("jax", KERAS, ["max_epochs is 1", "floatx is float64"]),
        ("tensorflow", f"{EAGER_TF}; {POLICY}", ["dtype_policy is mixed_bfloat16", "jit is False"]),
    ],
)
def test_a_file_of_recipes_that_changes_the_work_is_refused(
    backend: str, setting: str, seen: list[str], corpus_folder: Path, tmp_path: Path
) -> None:
    """No variable shows it: the worker asks the framework itself, after the file was run."""
    file = written(tmp_path, f"{setting}\n{GOOD}")
    reason = loss_of(Target(backend, recipes=file), corpus_folder, tmp_path / "log")
    assert "WrongSetting: expected" in reason
    assert ", ".join(seen) in reason


# A file that leaves threads and exit handlers which would hold a process for ten minutes.
HOLDS = """
import atexit, os, threading, time
print("words " * 100_000)
atexit.register(time.sleep, 600)
threading.Thread(target=time.sleep, args=(600,)).start()
"""

# One that exits when it is asked for a model, and changes a setting when it is asked again.
BUILD = """
def build(recipe, calls=[]):
    import keras, jax
    calls.append(recipe)
    if len(calls) == 1:
        raise SystemExit("no model today")
    jax.config.update("jax_debug_nans", True)
    inputs = keras.Input((8,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(50, 4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
"""


@pytest.mark.framework
@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("raise SystemExit(3)", "did not start: SystemExit: 3"),
        ("os._exit(7)", "its process ended with exit status 7"),
    ],
)
def test_a_file_of_recipes_that_ends_its_process_is_told_at_once(
    end: str, reason: str, corpus_folder: Path, tmp_path: Path
) -> None:
    """Python waits for threads and exit handlers before it ends; the session would wait for five minutes with it."""
    file = written(tmp_path, f"{HOLDS}{end}\n")
    assert reason in loss_of(Target("jax", recipes=file), corpus_folder, tmp_path / "log")


@pytest.mark.framework
def test_a_build_that_exits_or_changes_the_work_costs_its_cell_and_the_worker_ends_as_asked(
    corpus_folder: Path, tmp_path: Path
) -> None:
    """It runs long after the greeting: the settings are asked for after every answer.

    What the file prints goes to the log, and what it leaves behind does not keep the process.
    """
    file = written(tmp_path, f"{HOLDS}{GOOD}{BUILD}")
    prepare = Prepare("mine", "train", "fit", 4)
    with closing(started(Target("jax", recipes=file), corpus_folder, tmp_path / "log")) as worker:
        for reason in ("SystemExit: no model today", "WrongSetting: expected checks False; checks is True"):
            with pytest.raises(RequestFailed, match=reason):
                worker.ask(prepare)
    assert worker._process.returncode == 0
    assert "words words" in (tmp_path / "log").read_text()


@pytest.mark.framework
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_reports_what_is_in_force_and_the_same_at_every_start(
    backend: str, corpus_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that changes speed alone is recorded; nothing in a greeting differs by chance.

    Asked to, it ends by itself: nobody kills it while its session is there.
    """
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.setenv("LD_PRELOAD", "/nowhere/libmissing.so")  # the system complains in the log and goes on
    both = [started(Target(backend), corpus_folder, tmp_path / "log") for _ in range(2)]
    with closing(both[0]), closing(both[1]):
        first, again = (worker.hello.settings for worker in both)
    assert [worker._process.returncode for worker in both] == [0, 0]
    assert first == again == json.loads(json.dumps(first))
    assert first["variables"].items() >= {"TF_NUM_INTRAOP_THREADS": "1", "LD_PRELOAD": "libmissing.so"}.items()
    assert (first["jit"], first["x64"], first["matmul_precision"]) == (True, False, "default")
    assert first.get("onednn", False) is False
    assert ("intra_op_threads" in first) == (backend == "tensorflow")


@pytest.mark.parametrize(
    ("package", "code", "reason"),
    [
        ("keras", "raise ImportError('libcudart.so.12: no such file')", "did not start: ImportError: libcudart"),
        ("keras", "import os; os.abort()", "its process was ended by SIGABRT"),
        ("keras", "import os; os._exit(0)", "its process ended with exit status 0"),
        pytest.param("jax", "raise ImportError('made')", "ImportError: made", marks=pytest.mark.framework),
    ],
)
def test_a_framework_that_cannot_be_imported_is_told_in_one_line(
    package: str, code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing library, a crash at import, an exit: the target has no worker, and the run goes on without it."""
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert reason in loss_of(Target("jax"), tmp_path, tmp_path / "log")


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
        members = [worker, *_children(worker)]
        session.kill()
    left = psutil.wait_procs(members, timeout=GONE_S)[1]
    for process in left:
        process.kill()
    assert (len(members), left) == (2, [])


def _children(process: psutil.Process) -> list[psutil.Process]:
    """Return the children of ``process`` once it has some."""
    until = time.monotonic() + GONE_S
    with suppress(psutil.NoSuchProcess):
        while not process.children() and time.monotonic() < until:
            time.sleep(0.05)
        return process.children()
    return []


IN_A_GROUP_OF_ANOTHER = """
import os, subprocess, sys
request, kept = os.pipe()
answer, given = os.pipe()
words = [sys.executable, "-m", "tests.bench.worker.stubborn", str(request), str(given)]
child = subprocess.Popen(words, pass_fds=(request, given), stdout=subprocess.PIPE)
child.stdout.readline()
os.close(request)
os.close(kept)
print(child.wait(30), flush=True)
"""


def test_a_worker_in_the_group_of_another_ends_alone() -> None:
    """Started by hand it shares the group of its shell, which must live on."""
    words = [sys.executable, "-c", IN_A_GROUP_OF_ANOTHER]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        assert parent.stdout is not None
        said = parent.stdout.readline()
        os.killpg(parent.pid, signal.SIGKILL)  # the worker's own child is left
    assert said == "0\n"
