"""Fuzz a reader with coverage guidance: `python -m tests.fuzz records --minutes 10`; needs the package atheris."""

from __future__ import annotations

import argparse
import importlib
import sys

TARGETS = ("messages", "records", "archives", "saved_models", "recipe_answers", "pages")


def main() -> None:
    """Run one target until its time is up; a finding ends it with the bytes that led there in a file."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    try:
        import atheris
    except ImportError:
        sys.exit("the package atheris is not installed here: `nox -s fuzz` installs it where it can be had")
    with atheris.instrument_imports(include=["bench", "datasets", "models", "tests"]):
        target = importlib.import_module(f"tests.fuzz.{options.target}")
    limits = [f"-max_total_time={60 * options.minutes:.0f}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
