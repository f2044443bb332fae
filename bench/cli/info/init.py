"""`bench init`: write a recipe file and a GitHub workflow to begin with."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from bench import COMMAND, ROOT
from bench.cli import Outcome
from bench.cli.options import Flag
from datasets.errors import UsageError

TEMPLATES = ROOT / "kerasmark" / "templates"
RECIPES = "kerasmark_recipes.py"
WORKFLOW = "kerasmark.yml"


def init(folder: Path = Path(), /, *, force: Flag = False) -> Outcome:
    """Write a recipe file and a GitHub workflow to begin with.

    kerasmark_recipes.py has a small model, its data and what it must reach: it runs as it is, and is yours to change.
    .github/workflows/kerasmark.yml, at the top of the git repository, asks of each pull request whether it is slower.

    Parameters
    ----------
    folder
        Where the recipe file goes (default: here).
    force
        Write over files that exist.
    """
    made = _made(folder)
    there = [str(file) for file in made if file.exists()]
    if there and not force:
        raise UsageError(f"{' and '.join(there)} exists: --force writes over it; nothing was written")
    for file, content in made.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    recipes, workflow = map(str, made)
    return Outcome(
        f"wrote {recipes}: a model, its data and what it must reach; change it to yours\n"
        f"wrote {workflow}: asks of each pull request whether it is slower\n"
        f"next: {COMMAND} run --recipes {shlex.quote(recipes)}\n"
    )


def _made(folder: Path) -> dict[Path, str]:
    """Return what is written, by file: the recipes, and the workflow that names them from the top of the repository."""
    top = _top(folder)
    recipes = folder / RECIPES
    named = recipes.resolve().relative_to(top.resolve()).as_posix()
    workflow = (TEMPLATES / WORKFLOW).read_text(encoding="utf-8").replace(f": {RECIPES}", f": {_yaml(named)}")
    return {
        recipes: (TEMPLATES / RECIPES).read_text(encoding="utf-8"),
        top / ".github" / "workflows" / WORKFLOW: workflow,
    }


def _top(folder: Path) -> Path:
    """Return the top of the git repository around ``folder``, where GitHub looks for workflows; else ``folder``."""
    above = folder.resolve()
    return next((place for place in (above, *above.parents) if (place / ".git").exists()), folder)


def _yaml(text: str) -> str:
    """Return ``text`` as a scalar of YAML, quoted where it has to be."""
    return text if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", text) else json.dumps(text)
