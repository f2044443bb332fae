"""`bench versions`: compare versions of a package, or whole locks."""

from __future__ import annotations

import os
from dataclasses import replace

from bench.cli import Outcome
from bench.cli.compare import gate
from bench.cli.compare.gate import DEFAULTS, GateOptions
from bench.cli.options import RecipeFile
from datasets.errors import UsageError


def versions(requirements: list[str], /, *, recipes: RecipeFile = None, options: GateOptions = DEFAULTS) -> Outcome:
    """Compare versions of a package (keras==3.14.1 keras==3.15.1), or whole locks.

    Each requirement gets its own environment, built once and kept, on a Python that all of them install on: this one,
    or else the oldest other one of this machine. The first one is the base of every ratio. Backends that cannot notice
    the package are left out.

    Parameters
    ----------
    requirements
        Two or more requirements, as pip takes them, or paths of checkouts, wheels or locks. A lock (a .txt file such
        as requirements/cpu.txt) is a whole environment; anything else is installed on top of requirements/cpu.txt.
    """
    from bench.cli import arguments
    from bench.report import terminal
    from bench.runner import environments, sides
    from bench.runner.environments import Requirement

    wanted = [Requirement(text) for text in dict.fromkeys(requirements)]
    if len(wanted) < 2:
        raise UsageError("versions takes two or more requirements, such as keras==3.14.1 keras==3.15.1")
    targets = [replace(target, quiet=True) for target in arguments.targets(options.backend, file=recipes)]
    chosen = arguments.recipes(options.recipe, recipes)
    notice = terminal.console(stderr=True).print
    found = sides.versions(targets, wanted, environments.folder(os.environ), notice=notice)
    return gate.compare(found, chosen, options, command="versions", allow_unresolved=True)
