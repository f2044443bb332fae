"""The gate behind `regress` and `versions`: its options, and one run that measures and decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bench.cli import Outcome
from bench.cli.options import Alpha, Backends, Data, Json, Markdown, OrderSeed, Recipes, Resume, Runs, Tiers

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
        int,
        Parameter(help="Most processes per side; cells that are clear stop after fewer.", validator=Number(gte=2)),
    ] = 14
    tier: Tiers = None
    margin: Annotated[
        float | None,
        Parameter(
            help="Ratios of compiled programs within it are the same (default: 0.03). Calls have margins of their own.",
            validator=Number(gt=0, lt=1),
        ),
    ] = None
    alpha: Alpha = 0.05
    data: Data = None
    out: Runs = None
    order_seed: OrderSeed = None
    resume: Resume = None
    markdown: Markdown = None
    json: Json = False


DEFAULTS = GateOptions()


def compare(
    sides: Sides, recipes: Sequence[Recipe], options: GateOptions, *, command: str, allow_unresolved: bool
) -> Outcome:
    """Measure ``sides`` in turns on ``recipes``, decide, and report; ``command`` is what resumes it."""
    from dataclasses import replace

    from bench.cli import execution
    from bench.plan.gate import TIERS, Gate
    from bench.records import catalog

    gate = Gate(recipes, sides.targets, options.replicates, options.tier or TIERS)
    seed = execution.seed(options.order_seed)
    spec = sides.run_spec(gate, margin=options.margin, alpha=options.alpha, order_seed=seed)
    if options.resume is not None:
        spec = replace(spec, resumed=execution.find(options.resume, options.out, catalog.of_kind(command)))
    done = execution.execute(spec, options.data, options.out)
    return execution.report(done, json=options.json, markdown=options.markdown, allow_unresolved=allow_unresolved)
