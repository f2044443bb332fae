"""Fuzz a reader with coverage guidance: `python -m tests.fuzz records --minutes 10`; needs the package atheris."""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable

TARGETS = ("messages", "records", "archives", "saved_models", "recipe_answers", "pages")
# Bytes of an input: enough for many changes to a small archive or run, few enough to be tried thousands of times.
LONGEST = 512


def main() -> int:
    """Fuzz one target in a child process until its time is up, and keep how often and what was found."""
    options = _options()
    if options.child:
        return _fuzz(options.target, options.minutes)
    from tests.faults import results  # not in the child, which instruments what it imports

    words = [sys.executable, "-m", "tests.fuzz", options.target, "--minutes", str(options.minutes), "--child"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, errors="replace") as child:
        assert child.stderr is not None
        inputs, finding = _told(child.stderr)
    results.keep("fuzz", {"target": options.target, "minutes": options.minutes, "inputs": inputs, "finding": finding})
    sys.stderr.write(f"{options.target}: {inputs:,} inputs, {finding or 'no finding'}\n")
    results.write()
    return int(bool(finding))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _fuzz(name: str, minutes: float) -> int:
    """Fuzz in this process, which ends with its time or with a finding."""
    try:
        import atheris
    except ImportError:
        sys.exit("the package atheris is not installed here: `nox -s fuzz` installs it where it can be had")
    with atheris.instrument_imports(include=["bench", "datasets", "models", "tests"]):
        target = importlib.import_module(f"tests.fuzz.{name}")
    limits = [
        f"-max_total_time={60 * minutes:.0f}",
        f"-max_len={LONGEST}",
        "-len_control=0",
        "-timeout=30",
        "-rss_limit_mb=4096",
    ]
    atheris.Setup([sys.argv[0], f"-artifact_prefix={tempfile.gettempdir()}/", *limits], target.check)
    atheris.Fuzz()
    return 0


def _told(lines: Iterable[str]) -> tuple[int, str]:
    """Return how many inputs a fuzzer tried, and the exception that ended it, empty where none did."""
    inputs, finding, raised = 0, "", False
    for line in lines:
        sys.stderr.write(line)
        tried = re.match(r"#(\d+)\s|Done (\d+) runs", line)
        inputs = max(inputs, int(tried[1] or tried[2])) if tried else inputs
        raised = raised or "Uncaught Python exception" in line or (line.startswith(("ALARM", "==")) and "ERROR" in line)
        if raised and re.match(r"\s*[A-Za-z_.]*(Error|Exception|libFuzzer)", line):
            finding = finding or line.strip()[:200]
    return inputs, finding or ("ended before its time" if raised else "")


if __name__ == "__main__":
    sys.exit(main())
