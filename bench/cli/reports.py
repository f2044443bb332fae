"""The reports of finished runs as outcomes: tables for people or a document for programs, and the exit status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.outcome import Outcome

if TYPE_CHECKING:
    from bench.records.store import Run


def of_run(done: Run, *, json: bool) -> Outcome:
    """Return every table of a run, or all of it as a document."""
    from bench import exit_codes
    from bench.analysis import summary
    from bench.report import document, terminal

    found = summary.summarize(done)
    code = exit_codes.of_run(found.verdicts, measured=found.measured)
    return Outcome(document.render(found, code) if json else terminal.render(found), int(code))


def of_comparison(done: Run, *, json: bool, markdown: Path | None, allow_unresolved: bool) -> Outcome:
    """Return the report of a run that compared targets, and write its summary where asked."""
    from bench import exit_codes
    from bench.analysis import regression
    from bench.records import store
    from bench.report import comparison, document
    from bench.report import markdown as pages

    decision = regression.decide(done)
    code = exit_codes.of_comparison(decision, allow_unresolved=allow_unresolved)
    if markdown is not None:
        store.write_atomically(markdown, pages.comparison(done).encode())
    shown = document.comparison(done, decision, code) if json else comparison.render(done)
    return Outcome(shown, int(code))
