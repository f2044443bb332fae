"""`bench compare`: compare two finished runs, or two targets of one run."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Alpha, Flag, Json, Margin, Runs


def compare(
    first: str,
    second: str,
    /,
    *,
    run: str = "latest",
    margin: Margin = 0.03,
    alpha: Alpha = 0.05,
    anyway: Flag = False,
    out: Runs = None,
    json: Json = False,
) -> Outcome:
    """Compare two finished runs, or two targets of one run.

    Targets of one run took turns, so their seconds are compared; without --run it is the newest run that timed both.
    Two runs did not: each cell's seconds are first divided by those of its floor, which took turns with it. `~` marks a
    cell where no difference can be told. Runs of different machines, settings or reviews are refused.

    Parameters
    ----------
    first
        The base of every ratio: a run's id or folder, or a target such as jax.
    second
        The run or target that is compared with it.
    run
        The run that has the two targets: its id, its folder, or "latest".
    anyway
        If the runs differ in a field that matters, print the numbers without verdicts.
    """
    from bench.analysis import compare_runs, summary
    from bench.cli import execution
    from bench.exit_codes import ExitCode, of_run_comparison
    from bench.records import catalog, store
    from bench.report import comparison
    from bench.report import json as documents

    names, wanted = (first, second), catalog.of_kind("run")
    if any(name == "latest" or catalog.named(name, out or store.DEFAULT_FOLDER) for name in names):
        compared = [summary.summarize(execution.find(name, out, wanted)) for name in names]
        found = compare_runs.runs(compared[0], compared[1], margin=margin, alpha=alpha)
    else:
        compared = [summary.summarize(execution.find(run, out, catalog.with_targets(first, second)))]
        found = compare_runs.targets(compared[0], first, second, margin=margin, alpha=alpha)
    damaged = [summary for summary in compared if execution.say_damage(summary.run)]
    code = ExitCode.CELLS_FAILED if damaged else of_run_comparison(found)
    shown = documents.compared(found, code) if json else comparison.compared(found, anyway=anyway)
    return Outcome(shown, int(code))
