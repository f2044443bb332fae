"""`bench calibrate`: measure the error rates of the gate."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

from bench.cli import Outcome
from bench.cli.options import ABOVE_ZERO, NOT_NEGATIVE, Data, Flag, On


def calibrate(
    *,
    replicates: Annotated[int, NOT_NEGATIVE] = 40,
    gates: Annotated[int, NOT_NEGATIVE] = 12,
    show: Flag = False,
    minutes: Annotated[float | None, ABOVE_ZERO] = None,
    data: Data = None,
    first: Annotated[int, NOT_NEGATIVE] = 0,
    out: Path | None = None,
    on: On = None,
) -> Outcome:
    """Measure the error rates of the gate, for hours.

    Identical targets are compared, so every slower or faster is wrong: in replicates of all cells, from which gates are
    formed, and in whole gates. An interrupted calibration resumes. The result goes to results/calibration.

    Parameters
    ----------
    replicates
        Number of replicates in total, earlier sessions included.
    gates
        Number of whole gates in total, earlier sessions included.
    show
        Measure nothing; compute the rates from what is there, print them and write the page.
    minutes
        Start nothing further after this many minutes (default: no limit).
    first
        Number of the first replicate or gate: which side starts first alternates.
    out
        Keep what is measured in this folder, and compute nothing.
    """
    from bench.analysis.bisection.step import DEFAULT_RULE
    from bench.analysis.calibration import bisection_rates, error_rates
    from bench.cli import arguments, execution
    from bench.plan import gate
    from bench.plan.gate import Gate
    from bench.records import store
    from bench.report import calibration as report
    from bench.report import terminal
    from bench.report.bisection import rates as bisections
    from bench.report.progress import ProgressReport
    from bench.runner import calibrate as calibration
    from bench.runner import cluster

    arguments.require_checkout("calibrate")
    screen = terminal.console(stderr=True)
    if not show:
        folder = out or calibration.FOLDER
        if on:
            calibration.collect_on(
                partial(cluster.connected, on),
                folder,
                replicates=replicates,
                gates=gates,
                words=execution.words({"data": data}),
                say=execution.say,
            )
            return Outcome()
        targets = [replace(target, quiet=True) for target in arguments.targets(None)]
        with ProgressReport(screen, []) as watch:
            plan = calibration.Calibration(arguments.recipes(None), targets, execution.corpus(data), watch, first=first)
            calibration.collect(
                plan,
                folder,
                replicates=replicates,
                gates=gates,
                limit_s=60 * minutes if minutes else None,
                notice=screen.print,
            )
        if out:
            return Outcome()
    settings = gate.comparison(
        Gate([], [], controls=False),
        dict.fromkeys((error_rates.BASE, error_rates.HEAD), "this commit"),
        margin=None,
        alpha=calibration.ALPHA,
    )
    pools = {tier: error_rates.Pool.of(calibration.records(calibration.FOLDER, tier)) for tier in calibration.POOLS}
    kept = calibration.load_gates(calibration.FOLDER / calibration.GATES)
    found = report.rates(pools, kept, settings, notice=screen.print)
    store.write_atomically(calibration.FOLDER / "README.md", report.page(found).encode())
    screen.print("simulated bisections")
    pool = pools[gate.COMPILED]
    bisected = bisection_rates.table(pool, DEFAULT_RULE)
    store.write_atomically(calibration.FOLDER / "bisection.md", bisections.page(pool, DEFAULT_RULE, bisected).encode())
    return Outcome(terminal.group([report.render(found), terminal.section(bisections.rates(bisected))]))
