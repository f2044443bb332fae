"""The options that every gate takes: how much is measured, and what is decided by; they are checked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bench.cli import arguments

if TYPE_CHECKING:
    from bench.plan.gate import Gate
    from bench.plan.targets import Target
    from models.recipes import Recipe


@Parameter(name="*")  # their names stand on the command line as they are
@dataclass(frozen=True)
class GateOptions:
    """How much a gate measures, and by what it decides; defaults as in `plan.gate`, too slow to import."""

    replicates: Annotated[
        int, Parameter(help="Fresh processes of each side in a batch: more of them see smaller differences.")
    ] = 7
    turns: Annotated[
        int, Parameter(help="Blocks of each training cell in a process; predictions have twice as many.")
    ] = 40
    margin: Annotated[float, Parameter(help="Ratios within this are the same: 0.03 for 3 %.")] = 0.03
    alpha: Annotated[
        float,
        Parameter(help="How often a whole gate may call a cell slower or faster that is not, before confirmation."),
    ] = 0.05
    beside: Annotated[
        bool, Parameter(help="Also time fit and predict_on_batch, as users drive them; they decide nothing.")
    ] = True
    settle: Annotated[
        bool,
        Parameter(help="Give open cells a second batch of processes; each of the two looks takes half of alpha."),
    ] = True

    def check(self) -> None:
        """Raise UsageError where a number means nothing."""
        arguments.at_least("--replicates", self.replicates, 2)
        arguments.at_least("--turns", self.turns, 3)
        arguments.between("--margin", self.margin, 0, 1)
        arguments.between("--alpha", self.alpha, 0, 0.5)

    def gate(self, recipes: Sequence[Recipe], sides: Sequence[Target]) -> Gate:
        """Return the gate that they describe."""
        from bench.plan.gate import Gate

        return Gate(recipes, sides, self.replicates, self.turns, beside=self.beside, settle=self.settle)


DEFAULTS = GateOptions()
