"""Start the command line of the suite, wherever that lies. This file also runs where the package is not on the path."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent

# The folder with the suite's packages bench, datasets and models: inside this one where it is installed, so that
# nobody else finds packages of these names; beside this one in a checkout.
SUITE = _HERE / "_suite" if (_HERE / "_suite").is_dir() else _HERE.parent


def main() -> int:
    """Run the command line on the words of this process, and return its exit status."""
    sys.path.insert(0, str(SUITE))
    from bench.__main__ import program

    return program()


if __name__ == "__main__":
    sys.exit(main())
