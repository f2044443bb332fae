"""Prints the recipes of a file of one's own as JSON: in a process that may import a framework, unlike the parent."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from models import user_recipes


def main(file: str) -> int:
    """Write the recipes, or one line on stderr that says what is wrong with the file."""
    try:
        recipes = user_recipes.load(Path(file))
    except Exception as error:  # noqa: BLE001, a stranger's file may raise anything
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(json.dumps([asdict(recipe) for recipe in recipes]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
