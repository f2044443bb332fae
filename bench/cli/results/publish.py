"""`bench publish`: publish finished runs as tables, charts and a web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bench.cli import Outcome
from bench.cli.options import Flag, Runs
from datasets.errors import ExpectedError


def publish(
    *run: str,
    out: Annotated[
        Path | None, Parameter(help="Folder to publish to (default: results, and in a checkout README.md).")
    ] = None,
    runs: Runs = None,
    anyway: Flag = False,
) -> Outcome:
    """Publish finished runs as tables, charts and a web page.

    Without a run, everything is rendered again from the published documents; the same runs give the same bytes. Writes
    results/MACHINE/DATE-PROFILE.md, .csv and .json for each run, charts of each machine's fullest run, the list in
    results/README.md, the page results/index.html and, in a checkout, the table of its README.md. A run that is
    damaged, edited, unfinished or from a dirty checkout is refused, as `bench verify` says.

    Parameters
    ----------
    run
        Runs to publish: an id, a folder, or "latest".
    anyway
        Publish what would be refused, with the reason beside it.
    """
    from bench import INSTALLED, RESULTS, ROOT
    from bench.analysis import summary
    from bench.analysis.verification import rules as verify
    from bench.cli import execution
    from bench.report.page import published, site

    found = [execution.find(name, runs) for name in run]
    read = [(one, verify.problems(one)) for one in found]
    refused = [f"{one.header.run_id}: {'; '.join(problems)}" for one, problems in read if problems]
    if refused and not anyway:
        raise ExpectedError(f"not published: {'; '.join(refused)}. --anyway publishes it and says so on the page")
    folder = out or RESULTS
    new = [published.of_document(summary.summarize(one).document, problems) for one, problems in read]
    changed = site.publish(folder, new, readme=None if out or INSTALLED else ROOT / "README.md")
    execution.say(f"{len(changed)} files changed in {folder.name}/; the page is {folder.name}/{site.PAGE}")
    return Outcome()
