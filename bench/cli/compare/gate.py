"""The gate behind `regress` and `versions`: its options, and one run that measures and decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bench.cli import Outcome
from bench.cli.options import Alpha, Backends, Data, Json, Margin, Markdown, OrderSeed, Recipes, Runs

if TYPE_CHECKING:
    from bench.runner.sides import Sides
    from models.recipes import Recipe


@Parameter(name="*")  # without a prefix: --margin, not --options.margin
@dataclass(frozen=True)
class GateOptions:
    """What a gate measures and how it decides; the defaults equal those of `plan.gate`, which is slow to import."""

    recipe: Recipes = None
    backend: Backends = None
    replicates: Annotated[
        int, Parameter(help="Processes per side and round; more detect smaller effects.", validator=Number(gte=2))
    ] = 7
    turns: Annotated[
        int,
        Parameter(
            help="Blocks per training cell and process; predictions have twice as many.", validator=Number(gte=3)
        ),
    ] = 40
    margin: Margin = 0.03
    alpha: Alpha = 0.05
    beside: Annotated[
        bool,
        Parameter(
            help="Also time fit and predict_on_batch, for information (default: on).",
            show_default=False,
            negative="--no-beside",
        ),
    ] = True
    settle: Annotated[
        bool,
        Parameter(
            help="Measure unresolved cells in a second round; each round uses half of alpha (default: on).",
            show_default=False,
            negative="--no-settle",
        ),
    ] = True
    data: Data = None
    out: Runs = None
    order_seed: OrderSeed = None
    resume: Annotated[
        str | None,
        Parameter(help='Resume an interrupted run of this same command: its id, its folder, or "latest".'),
    ] = None
    markdown: Markdown = None
    json: Json = False


DEFAULTS = GateOptions()


def compare(
    sides: Sides, recipes: Sequence[Recipe], options: GateOptions, *, command: str, allow_unresolved: bool
) -> Outcome:
    """Measure ``sides`` in turns on ``recipes``, decide, and report; ``command`` is what resumes it."""
    from dataclasses import replace

    from bench.cli import execution
    from bench.plan.gate import Gate
    from bench.records import catalog

    gate = Gate(recipes, sides.targets, options.replicates, options.turns, beside=options.beside, settle=options.settle)
    seed = execution.seed(options.order_seed)
    spec = sides.run_spec(gate, margin=options.margin, alpha=options.alpha, order_seed=seed)
    if options.resume is not None:
        spec = replace(spec, resumed=execution.find(options.resume, options.out, catalog.of_kind(command)))
    done = execution.execute(spec, options.data, options.out)
    return execution.report(done, json=options.json, markdown=options.markdown, allow_unresolved=allow_unresolved)
