"""`bench submit`: make one file of a run, for those who publish results."""

from __future__ import annotations

from pathlib import Path

from bench import PROGRAM
from bench.cli import Outcome
from bench.cli.options import RunName, Runs
from datasets.errors import ExpectedError


def submit(name: RunName = "latest", /, *, out: Runs = None, to: Path = Path()) -> Outcome:
    """Make one file of a run: its records, environment and digests.

    Send it to those who publish results; `bench verify FILE` checks it there. A run in which `bench verify` finds a
    fault is refused. The file holds no review, no path and no name of your machine.

    Parameters
    ----------
    to
        Folder to write it to (default: the working directory).
    """
    from bench.analysis.verification import rules
    from bench.cli import execution
    from bench.records import bundle

    run = execution.find(name, out)
    problems = rules.problems(run, submitted=True)
    if problems:
        raise ExpectedError(f"not submitted: {'; '.join(problems)}")
    file = bundle.write(run, to)
    size = f"{len(run.records)} records, {file.stat().st_size / 1e6:.1f} MB"
    return Outcome(f"{file.name}: {size}; check it with `{PROGRAM} verify {file.name}`")
