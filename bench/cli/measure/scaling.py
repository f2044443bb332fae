"""`bench scaling`: train on one, two and more devices, and say what each is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, Backends, Data, DeviceName, Json, OrderSeed, RecipeFile, Runs
from datasets.errors import UsageError


def scaling(
    recipe: str = "pooling-logits",
    /,
    *,
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
    json: Json = False,
) -> Outcome:
    """Train a recipe data-parallel on several devices, by the backend's own engine.

    keras.distribution.DataParallel on JAX; tf.distribute.MirroredStrategy on TensorFlow, and among several processes
    MultiWorkerMirroredStrategy. Each number of devices trains
    to the accuracy of the recipe and is compared with one device from the same weights. Then steps of `fit` are timed:
    strong scaling keeps the batch, weak scaling keeps each device's share of it. On the CPU devices are simulated: they
    share its cores, and the tables say so.

    Parameters
    ----------
    recipe
        The recipe to train.
    devices
        Numbers of devices; 1 is always among them (default: 1 2 4).
    processes
        Numbers of processes that have the devices, in equal parts (default: 1). A processor is one device of
        TensorFlow's in each process.
    epochs
        Epochs of the training to accuracy (default: as published).
    replicates
        Processes of each number of devices.
    """
    from bench.analysis import summary
    from bench.analysis.machine import scaling as analysis
    from bench.cli import arguments, execution
    from bench.exit_codes import of_run
    from bench.plan import scaling as plan
    from bench.plan.steps import PROFILES
    from bench.report import json as documents
    from bench.report import terminal
    from bench.report.tables import quality
    from bench.report.tables import scaling as tables
    from bench.runner.run import RunSpec

    counts = sorted({1, *(devices or (2, 4))})
    if counts[0] < 1:
        raise UsageError(f"expected numbers of devices from 1 on; received {counts[0]}")
    (chosen,) = arguments.recipes([recipe], recipes)
    parts = sorted({*(processes or (1,))})
    if parts[0] < 1 or any(all(count % part for count in counts[1:]) for part in parts):
        raise UsageError(
            f"expected numbers of processes that have equal parts of {', '.join(map(str, counts[1:]))} devices; "
            f"received {', '.join(map(str, parts))}"
        )
    sides = [plan.targets(target, counts, parts) for target in arguments.targets(backend, device, recipes)]
    most: dict[str, int] = {phase.name: min(epochs or phase.epochs, phase.epochs) for phase in chosen.phases[-1:]}
    spec = RunSpec(
        recipes=[chosen],
        targets=[target for same in sides for target in same],
        profile=replace(PROFILES["default"], name="scaling"),
        order_seed=execution.seed(order_seed),
        fixed_passes=plan.passes(chosen, sides, epochs=most, replicates=replicates),
    )
    done = execution.execute(spec, data, out)
    found, told = analysis.rows(done), summary.summarize(done)
    code = of_run(told.verdicts, measured=told.measured, unjudged=bool(told.unjudged))
    if json:
        return Outcome(documents.scaled(done, found, code), int(code))
    table = terminal.section(tables.scaling(found, simulated=device == "cpu"))
    right = [terminal.section(quality.accuracy(told.document)), terminal.section(quality.parity(told.document))]
    return Outcome(terminal.group([terminal.heading(told), *right, table, terminal.failures(told)]), int(code))
