"""The command that publishes finished runs: `publish`."""

from __future__ import annotations

from pathlib import Path

from bench.cli import options
from bench.cli.options import Flag
from bench.cli.outcome import Outcome


def publish(*run: str, out: Path | None = None, runs: Path | None = None, anyway: Flag = False) -> Outcome:
    """Publish finished runs as tables, charts and a page that people read; without a run, make all of them again.

    Writes results/MACHINE/DATE-PROFILE.md, .csv and .json for each run, pictures of each machine's newest, the list in
    results/README.md, the page results/index.html and the table of README.md, and adds the run to the history. The
    same runs give the same bytes. A run that is damaged, unfinished or from a dirty checkout is refused.

    Parameters
    ----------
    run
        Runs to publish: an id, a folder, or "latest".
    out
        Folder to publish to; results if not given. README.md is written for that one alone.
    runs
        Folder in which runs are kept; results/runs if not given.
    anyway
        Publish what would be refused, and say why wherever it is shown.
    """
    from bench import ROOT
    from bench.records import store
    from bench.report.page import preflight, site, snapshot
    from bench.report.page.rows import PublishError

    read = [preflight.read(store.find(name, runs or store.DEFAULT_FOLDER)) for name in run]
    refused = [(one.header.run_id, found) for one, found in read if found]
    if refused and not anyway:
        words = "; ".join(f"{run_id}: {'; '.join(found)}" for run_id, found in refused)
        raise PublishError(f"not published: {words}. --anyway publishes it and says so on the page")
    folder = out or ROOT / "results"
    for one, found in read:
        site.keep(snapshot.of_run(one, found), folder)
        site.remember(one, found, folder)
    changed = site.write(folder, readme=ROOT / "README.md" if out is None else None)
    options.say(f"{len(changed)} files changed in {folder.name}/, the page is {folder.name}/{site.PAGE}")
    return Outcome()
