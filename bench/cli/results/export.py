"""`bench export`: write a finished run in the format of another tool."""

from __future__ import annotations

from pathlib import Path

from bench.cli import Outcome
from bench.cli.options import RunName, Runs


def export(
    name: RunName = "latest",
    /,
    *,
    format: str = "csv",  # noqa: A002, the word of the command line
    out: Runs = None,
    to: Path | None = None,
) -> Outcome:
    """Write a finished run for another tool, or as CSV.

    Those tools apply their own rules to the numbers.

    Parameters
    ----------
    format
        pytest-benchmark, github-action-benchmark, bencher, benchfmt (benchstat), pyperf or csv.
    to
        File to write (default: standard output).
    """
    from bench.analysis import summary
    from bench.cli import execution
    from bench.exit_codes import ExitCode
    from bench.records import store
    from bench.report import exports
    from datasets import errors
    from datasets.plain_text import plain

    written = errors.find("format", format, exports.FORMATS)
    run = execution.find(name, out)
    text = f"{plain(written(summary.summarize(run))).rstrip()}\n"
    code = int(ExitCode.CELLS_FAILED if execution.say_damage(run) else ExitCode.HELD)
    if to is None:
        return Outcome(text, code)
    store.write_atomically(to, text.encode())
    return Outcome(code=code)
