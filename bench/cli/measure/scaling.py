"""`bench scaling`: how the cost of work grows with a setting, and what more devices are worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bench.cli import Outcome
from bench.cli.options import (
    AT_LEAST_ONE,
    Backends,
    Data,
    DeviceName,
    Json,
    Markdown,
    Names,
    OrderSeed,
    RecipeFile,
    Runs,
)
from datasets.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.summary import Summary
    from bench.exit_codes import ExitCode
    from bench.plan.targets import Target
    from bench.records.store import Run
    from bench.report.tables.columns import Table
    from bench.runner.run import RunSpec
    from models.recipes import Recipe


def scaling(
    recipe: str = "pooling-logits",
    /,
    *,
    over: Names = None,
    devices: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    processes: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    epochs: Annotated[int | None, AT_LEAST_ONE] = None,
    replicates: Annotated[int, AT_LEAST_ONE] = 3,
    backend: Backends = None,
    recipes: RecipeFile = None,
    device: DeviceName = "cpu",
    data: Data = None,
    out: Runs = None,
    order_seed: OrderSeed = None,
    markdown: Markdown = None,
    json: Json = False,
) -> Outcome:
    """How does cost grow with a setting, and with more devices?

    With --over, a training step and a prediction are timed at each value of a setting, all in turns: seconds, the
    exponent by which they grow, and the value from which on nothing is gained.

    Otherwise the recipe trains data-parallel on several devices by the backend's own engine:
    keras.distribution.DataParallel on JAX; tf.distribute.MirroredStrategy on TensorFlow, and among several processes
    MultiWorkerMirroredStrategy. Each number of devices trains to the accuracy of the recipe and is compared with one
    device from the same weights. Then steps of `fit` are timed: strong scaling keeps the batch, weak scaling keeps each
    device's share of it. On the CPU the devices are simulated: they share its cores, and the tables say so.

    Parameters
    ----------
    recipe
        The recipe to train.
    over
        Settings with their values, as in batch_size=1,8,64,512 threads=1,2,all; each is a curve of its own. Any setting
        of `sweep` that is a whole number, and threads.
    devices
        Numbers of devices; 1 is always among them (default: 1 2 4).
    processes
        Numbers of processes that have the devices, in equal parts (default: 1). A processor is one device of
        TensorFlow's in each process.
    epochs
        Epochs of the training to accuracy (default: as published).
    replicates
        Processes of each number of devices, or of each curve.
    """
    from bench.cli import arguments, execution
    from bench.plan.steps import PROFILES
    from bench.runner.run import RunSpec

    if over and (devices or processes or epochs):
        raise UsageError("--over changes settings of one device: drop --devices, --processes and --epochs")
    (chosen,) = arguments.recipes([recipe], recipes)
    backends = arguments.targets(backend, device, recipes)
    spec = RunSpec(
        recipes=[chosen],
        targets=backends,
        profile=replace(PROFILES["default"], name="scaling"),
        order_seed=execution.seed(order_seed),
    )
    if over:
        done = execution.execute(_over(spec, chosen, backends, arguments.grid(over), replicates), data, out)
        return _curves(done, json=json, page=markdown)
    counts, parts = sorted({1, *(devices or (2, 4))}), sorted({*(processes or (1,))})
    done = execution.execute(_devices(spec, chosen, backends, counts, parts, epochs, replicates), data, out)
    return _scaling(done, simulated=device == "cpu", json=json, page=markdown)


def _over(
    spec: RunSpec, chosen: Recipe, backends: list[Target], words: dict[str, list[str]], replicates: int
) -> RunSpec:
    """Return the run that times ``chosen`` at each value."""
    from bench.plan import curves

    over = curves.values(words)
    return replace(
        spec,
        recipes=curves.recipes(chosen, over),
        targets=curves.targets(backends, over),
        profile=replace(spec.profile, turns=curves.TURNS, block_s=None),
        fixed_passes=curves.passes(chosen, backends, over, replicates=replicates),
    )


def _curves(done: Run, *, json: bool, page: Path | None) -> Outcome:
    from bench.analysis import summary
    from bench.analysis.machine import curves as analysis
    from bench.cli import execution
    from bench.exit_codes import of_run
    from bench.report import json as documents
    from bench.report.charts import picture, scaling
    from bench.report.tables import scaling as tables

    found, told = analysis.curves(done), summary.summarize(done)
    code = of_run(told.verdicts, measured=told.measured, unjudged=True)
    if json:
        return Outcome(documents.curves(done, found, code), int(code))
    shown = [tables.exponents(found), tables.points(found)]
    if found:
        stem = page.with_suffix("") if page else done.folder / "curves"
        drawn = picture.write(scaling.chart(found, done.header.machine.title), stem)
        execution.say(f"written: {', '.join(str(file) for file in drawn)}")
    title = f"How the cost of {found[0].recipe} grows" if found else "Nothing was measured"
    return _told(told, shown, code, page, title, picture=f"{page.stem}.svg" if page and found else "")


def _devices(
    spec: RunSpec,
    chosen: Recipe,
    backends: list[Target],
    counts: list[int],
    parts: list[int],
    epochs: int | None,
    replicates: int,
) -> RunSpec:
    """Return the run that trains ``chosen`` on so many devices, in so many processes."""
    from bench.plan import scaling as plan

    if counts[0] < 1:
        raise UsageError(f"expected numbers of devices from 1 on; received {counts[0]}")
    if parts[0] < 1 or any(all(count % part for count in counts[1:]) for part in parts):
        raise UsageError(
            f"expected numbers of processes that have equal parts of {', '.join(map(str, counts[1:]))} devices; "
            f"received {', '.join(map(str, parts))}"
        )
    sides = [plan.targets(target, counts, parts) for target in backends]
    most: dict[str, int] = {phase.name: min(epochs or phase.epochs, phase.epochs) for phase in chosen.phases[-1:]}
    return replace(
        spec,
        targets=[target for same in sides for target in same],
        fixed_passes=plan.passes(chosen, sides, epochs=most, replicates=replicates),
    )


def _scaling(done: Run, *, simulated: bool, json: bool, page: Path | None) -> Outcome:
    from bench.analysis import summary
    from bench.analysis.machine import scaling as analysis
    from bench.exit_codes import of_run
    from bench.report import json as documents
    from bench.report.tables import quality
    from bench.report.tables import scaling as tables

    found, told = analysis.rows(done), summary.summarize(done)
    code = of_run(told.verdicts, measured=told.measured, unjudged=bool(told.unjudged))
    if json:
        return Outcome(documents.scaled(done, found, code), int(code))
    shown = [tables.scaling(found, simulated=simulated), quality.parity(told.document), quality.accuracy(told.document)]
    return _told(told, shown, code, page, tables.TITLE.format(found[0].recipe if found else "nothing"))


def _told(
    told: Summary, shown: Sequence[Table], code: ExitCode, page: Path | None, title: str, *, picture: str = ""
) -> Outcome:
    """Write ``shown`` to ``page``, if there is to be one, and return them for the terminal."""
    from bench.records import store
    from bench.report import markdown, terminal

    if page:
        store.write_atomically(page, markdown.page_of(title, told.document, shown, picture).encode())
    parts = map(terminal.section, shown)
    return Outcome(terminal.group([terminal.heading(told), *parts, terminal.failures(told)]), int(code))
