"""`bench baselines`: train scikit-learn's linear models on the recipes' encodings."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Data, Json, Recipes, Runs


def baselines(*, recipe: Recipes = None, data: Data = None, out: Runs = None, json: Json = False) -> Outcome:
    """Train classical baselines (scikit-learn).

    How good is a linear model? Logistic regression and a linear SVM get the same encodings of the reviews as the
    recipes' networks.
    """
    from bench.analysis import summary
    from bench.cli import arguments, execution
    from bench.exit_codes import ExitCode
    from bench.plan import steps
    from bench.report import json as documents
    from bench.report import terminal
    from bench.report.tables import quality
    from bench.runner.run import RunSpec

    recipes, (target,) = arguments.recipes(recipe), arguments.targets(["jax"])
    work = [steps.BaselineTraining(one, target, name) for one in recipes for name in steps.BASELINES]
    done = execution.execute(RunSpec(recipes, [target], steps.PROFILES["full"], fixed_passes=[work]), data, out)
    found = summary.summarize(done)
    code = ExitCode.CELLS_FAILED if found.failures else ExitCode.HELD
    table = terminal.section(quality.baselines(found.document))
    shown = terminal.group([terminal.heading(found), table, terminal.failures(found)])
    return Outcome(documents.render(found, code) if json else shown, int(code))
