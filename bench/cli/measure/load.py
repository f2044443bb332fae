"""`bench load`: what a process that serves a model does as more clients ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bench.cli import Outcome
from bench.cli.options import ABOVE_ZERO, AnyBackends, Data, Json, Markdown, Names, RecipeFile
from datasets.errors import ExpectedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.analysis.machine.queueing import LoadRow, Measured
    from bench.plan.targets import Target
    from datasets.locate import Located
    from models.recipes import Recipe

# A server of known service time, by which a load test measures itself.
FAKE, FAKE_MS = "fake", 10.0


def load(
    recipe: str = "pooling-logits",
    /,
    *,
    path: Names = None,
    clients: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    utilization: Annotated[float, Parameter(validator=Number(gt=0, lt=1))] = 0.8,
    seconds: Annotated[float, ABOVE_ZERO] = 10.0,
    seed: int = 0,
    backend: AnyBackends = None,
    recipes: RecipeFile = None,
    data: Data = None,
    markdown: Markdown = None,
    json: Json = False,
) -> Outcome:
    """How does a process that serves a model stand load?

    One process for each path predicts one row at a time. Clients ask it at random moments, whether or not earlier
    requests have been answered (an open loop, Poisson arrivals). Every client asks at the same rate, so that more
    clients are more load. A fake server that computes for exactly 10 ms takes its turns with the others: queueing
    theory says what must come out of it. Run nothing else meanwhile.

    Parameters
    ----------
    recipe
        The recipe to predict with, or a variation.
    path
        Paths of prediction (default: predict_on_batch, compiled and every export format that is installed).
    clients
        Numbers of clients (default: 1 4 16).
    utilization
        Share of what a process answers at most that the most clients ask for.
    seconds
        How long each number of clients asks each process.
    seed
        Of the moments at which clients ask.
    """
    from bench.cli import arguments, execution
    from bench.exit_codes import ExitCode
    from bench.records import store
    from bench.report import json as documents
    from bench.report import markdown as pages
    from bench.report import terminal
    from bench.report.tables import scaling as tables

    (chosen,) = arguments.recipes([recipe], recipes)
    counts = sorted(set(clients or (1, 4, 16)))
    if counts[0] < 1:
        raise UsageError(f"expected numbers of clients from 1 on; received {counts[0]}")
    targets = arguments.targets(backend, "cpu", recipes, training=False)
    wanted = _paths(chosen, targets, arguments.each(path))
    located = execution.corpus(data, [chosen])
    facts = _facts(chosen, located, seed)
    rows = list(_measured(chosen, wanted, located, recipes, counts, utilization, seconds, seed))
    code = ExitCode.CELLS_FAILED if any(row.lost for row in rows) else ExitCode.HELD
    if json:
        return Outcome(documents.load(rows, facts, code), int(code))
    shown = tables.load(chosen.name, rows)
    if markdown:
        store.write_atomically(markdown, pages.load_page(shown.title, [shown], facts).encode())
    return Outcome(terminal.group([terminal.section(shown)]), int(code))


def _facts(recipe: Recipe, located: Located, seed: int) -> Measured:
    """Return what the load is measured on."""
    from datetime import UTC, datetime

    from bench.analysis.machine.queueing import Measured
    from bench.cli import execution
    from bench.records import machine, packages

    return Measured(
        recipe=recipe.name,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine(),
        commit=machine.commit(),
        versions=packages.versions(),
        corpus=located.corpus.name,
        seed=seed,
        command=execution.command(),
    )


def _paths(recipe: Recipe, targets: list[Target], named: list[str]) -> list[tuple[str, Target]]:
    """Return the paths to serve with their targets; UsageError for one that predicts nothing."""
    from bench.plan import formats, paths
    from datasets import errors

    known = {name: name for name in paths.names("predict")}
    wanted = [errors.find("path of prediction", name, known) for name in named]
    wanted = wanted or ["predict_on_batch", "compiled", *formats.NAMES]
    found = [
        (name, target)
        for name in wanted
        for target in targets
        if paths.applies(paths.find("predict", name), recipe, target.backend)
    ]
    if not found:
        raise UsageError(f"{', '.join(wanted)}: no path of {recipe.name} on {', '.join(t.name for t in targets)}")
    return found


def _measured(
    recipe: Recipe,
    wanted: list[tuple[str, Target]],
    located: Located,
    recipes: Path | None,
    counts: list[int],
    utilization: float,
    seconds: float,
    seed: int,
) -> Iterator[LoadRow]:
    """Start every server, then let each number of clients ask all of them, one after another."""
    from contextlib import ExitStack

    from bench.analysis.machine import queueing
    from bench.cli import execution
    from bench.plan.targets import Target
    from bench.runner import load as runner
    from bench.runner import scratch

    corpus = located.folder if recipe.reads_reviews else None
    words = {(name, target): runner.prediction(recipe.name, name, corpus, recipes) for name, target in wanted}
    with ExitStack() as stack:
        folder = stack.enter_context(scratch.folder())
        servers = [stack.enter_context(runner.server(FAKE, Target("none"), runner.fake(FAKE_MS), folder / "fake.log"))]
        for number, ((name, target), options) in enumerate(words.items()):
            execution.say(f"starting {name} on {target.name}")
            try:
                servers.append(stack.enter_context(runner.server(name, target, options, folder / f"{number}.log")))
            except ExpectedError as error:
                execution.say(str(error))
        if len(servers) == 1:
            raise ExpectedError(f"no process serves {recipe.name}: see the messages above")
        capacities = {one: runner.capacity(one) for one in servers}
        for count in counts:
            for one in servers:
                rate = utilization * capacities[one].per_s * count / counts[-1]
                execution.say(f"{count} clients ask {one.path} on {one.target}: {rate:,.0f} requests/s")
                measured = runner.ask(one, count, rate, seconds, seed=seed + count)
                if not measured.sent:
                    raise ExpectedError(f"{one.path} on {one.target} answered none of {measured.lost} requests")
                known = FAKE_MS / 1e3 if one.path == FAKE else None
                yield queueing.row(measured, service_s=known, overhead_s=capacities[one].overhead_s)
