"""Whether workers start here: their frameworks import and run on the devices of their targets."""

from __future__ import annotations

from collections.abc import Sequence

from bench.plan.targets import Target
from bench.runner import scratch
from bench.runner.process import WorkerProcess, WorkFailed, running


def answers(targets: Sequence[Target]) -> dict[str, tuple[bool, str]]:
    """Return whether the worker of each target started, with its device and the seconds of the import, or why not."""
    with scratch.folder() as folder:
        return {target.name: _answer(WorkerProcess(target, corpus=None, log=folder / "log")) for target in targets}


def _answer(worker: WorkerProcess) -> tuple[bool, str]:
    try:
        with running(worker):
            hello = worker.hello
            return True, f"runs on {hello.device_name}, imported in {hello.import_s:.1f} s"
    except WorkFailed as error:
        return False, str(error).removeprefix(f"{worker.target.name} did not start: ")
