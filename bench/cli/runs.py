"""The commands over finished runs: `show`, `runs`, `export` and `history`."""

from __future__ import annotations

from pathlib import Path

from bench.cli import arguments, options
from bench.cli.options import Flag
from bench.cli.outcome import Outcome
from datasets.errors import UsageError


def show(name: str = "latest", /, *, out: Path | None = None, json: Flag = False) -> Outcome:
    """Print every table of a finished run again, from its records alone.

    Parameters
    ----------
    name
        A run's id, its folder, or "latest".
    out
        Folder in which runs are kept; results/runs if not given.
    json
        Print one JSON document instead of tables.
    """
    from bench.cli import reports
    from bench.records import store

    found = store.read(store.find(name, out or store.DEFAULT_FOLDER))
    if found.is_comparison:
        return reports.of_comparison(found, json=json, markdown=None, allow_unresolved=False)
    return reports.of_run(found, json=json)


def runs(*, out: Path | None = None) -> Outcome:
    """List the runs that were kept, oldest first.

    Parameters
    ----------
    out
        Folder in which runs are kept; results/runs if not given.
    """
    from bench.records import store
    from bench.report import lists

    folder = out or store.DEFAULT_FOLDER
    return Outcome(lists.run_list([store.read(path).header for path in store.runs(folder)]))


def export(name: str = "latest", /, *, format: str = "csv", out: Path | None = None, to: Path | None = None) -> Outcome:  # noqa: A002
    """Write a finished run in the format of another tool.

    Parameters
    ----------
    name
        A run's id, its folder, or "latest".
    format
        pytest-benchmark, github-action-benchmark, bencher, benchfmt (benchstat), pyperf or csv.
    out
        Folder in which runs are kept; results/runs if not given.
    to
        File to write; the terminal or a pipe if not given.
    """
    from bench.analysis import summary
    from bench.records import store
    from bench.report import exports

    written = arguments.one_of("--format", format, exports.FORMATS)
    text = written(summary.summarize(store.read(store.find(name, out or store.DEFAULT_FOLDER))))
    text = f"{text.rstrip()}\n"
    if to is None:
        return Outcome(text)
    store.write_atomically(to, text.encode())
    return Outcome()


def history(
    *, add: str | None = None, cell: str | None = None, dirty: bool = False, out: Path | None = None
) -> Outcome:
    """Show the published runs: each cell's share of its floor over time, and where it changed.

    Parameters
    ----------
    add
        Publish this run first: an id, a folder, or "latest".
    cell
        A cell's name or a part of it: its course, run by run, with a chart.
    dirty
        Publish a run from a checkout with uncommitted changes.
    out
        Folder in which runs are kept; results/runs if not given.
    """
    from rich.console import Group

    from bench.analysis import history as published
    from bench.analysis import summary
    from bench.records import store
    from bench.report import history as report
    from bench.report import terminal

    screen = terminal.console()
    if add is not None:
        run = store.read(store.find(add, out or store.DEFAULT_FOLDER))
        new = published.add(published.of_run(summary.summarize(run), dirty=dirty))
        options.say(f"{run.header.run_id} is {'published' if new else 'there already'}")
    courses = published.courses(published.load())
    if cell is None:
        return Outcome(report.overview(courses))
    found = [course for course in courses if cell in course.cell]
    if not found:
        raise UsageError(f"no published run has a cell {cell!r}; `bench history` lists them")
    plain = not screen.encoding.startswith("utf")
    return Outcome(Group(*[report.course(course, width=screen.width, ascii_only=plain) for course in found]))
