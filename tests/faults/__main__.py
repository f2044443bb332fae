"""Do runs survive? `python -m tests.faults`: kill processes at random instants, and let a parent run for an hour.

Every trial is kept as it ends, so that an interrupted command goes on with the next one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.backends import BACKENDS
from bench.records import store
from datasets import locate
from tests.faults import forgeries, results, soak, trials
from tests.faults.trials import World


def main() -> int:
    """Do what is missing, write the page, and return 1 where something was found."""
    options = _options()
    for world in (trials.fake_run(), trials.fake_gate()):
        _kill(world, options.fake // 2)
    if options.real:
        located = locate.open_corpus(None, environ=os.environ)
        for backend in BACKENDS:
            _kill(trials.real_run(located, backend), options.real // len(BACKENDS))
    if options.forge is not None:
        _forge(options.forge)
    if options.minutes and not results.load("soak"):
        for level in soak.soak(options.minutes):
            results.keep("soak", level)
            sys.stderr.write(f"{level}\n")
    sys.stderr.write(f"{results.write().name} is written\n")
    return int(any(one["wrong"] for one in results.load("kills")))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--fake", type=int, default=1_000, help="kills in runs with fake workers (default: 1000)")
    parser.add_argument("--real", type=int, default=50, help="kills in runs with real workers (default: 50)")
    parser.add_argument("--minutes", type=float, default=60.0, help="minutes of soak (default: 60; 0 for none)")
    parser.add_argument("--forge", type=Path, help="folder of an honest run, which is forged in fifty ways")
    return parser.parse_args()


def _forge(run: Path) -> None:
    """Forge the run in the folder ``run``, and keep which forgeries were found."""
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        for found in forgeries.forge(store.read(run), Path(place)):
            results.keep("forgeries", asdict(found))


def _kill(world: World, wanted: int) -> None:
    """Do the trials of ``world`` that are missing, numbered by their seeds."""
    done = {one["seed"] for one in results.load("kills") if one["world"] == world.name}
    missing = [seed for seed in range(wanted) if seed not in done]
    if not missing:
        return
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        whole, took_s = trials.undisturbed(world, Path(place))
    for seed in missing:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        outcome = trials.trial(world, folder, whole, took_s, seed)
        results.keep("kills", outcome)
        if outcome.wrong:
            sys.stderr.write(f"{outcome}\n")
        elif seed % 25 == 0:
            sys.stderr.write(f"{world.name}: {seed + 1} of {wanted}\n")
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
