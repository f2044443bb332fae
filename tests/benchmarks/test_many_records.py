"""A run of 100,000 records: read and tabulated in little more than the time of parsing its JSON, in 500 MB."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from bench import ROOT
from bench.plan import steps
from bench.plan.steps import PROFILES
from bench.plan.targets import Target
from bench.records.schema import Cell, Sample
from bench.records.store import RunWriter
from models.recipes import RECIPES
from tests.bench import made

RECORDS = 100_000
# Reading checks every field, every digest and every identity; tabulating computes every interval.
MOST_MB, MOST_TIMES_JSON = 500.0, 12.0

MEASURE = """
import io, json, resource, sys, time
from pathlib import Path
from rich.console import Console
from bench.analysis.summary import summarize
from bench.records import store
from bench.report import terminal
folder = Path(sys.argv[1])
begun = time.perf_counter()
summary = summarize(store.read(folder))
Console(file=io.StringIO(), width=80).print(terminal.render(summary))
took_s = time.perf_counter() - begun
memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
begun = time.perf_counter()
with (folder / store.RECORDS).open("rb") as lines:
    for line in lines:
        json.loads(line)
print(json.dumps({"took_s": took_s, "json_s": time.perf_counter() - begun, "memory_mb": memory_mb}))
"""


def test_a_hundred_thousand_records_are_read_and_tabulated(tmp_path: Path) -> None:
    """Three runs in turn; the best of each, since a busy machine only adds."""
    folder = written(tmp_path / "run")
    found = [measured(folder) for _ in range(3)]
    took_s, json_s = (min(one[name] for one in found) for name in ("took_s", "json_s"))
    memory_mb = max(one["memory_mb"] for one in found)
    print(f"{RECORDS:,} records: {took_s:.1f} s, JSON alone {json_s:.1f} s, {memory_mb:.0f} MB")
    assert memory_mb < MOST_MB
    assert took_s < MOST_TIMES_JSON * json_s


def measured(folder: Path) -> dict[str, float]:
    """Read and tabulate the run in a process of its own, as `bench show` does."""
    words = [sys.executable, "-c", MEASURE, str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def written(folder: Path) -> Path:
    """Write a run with every timed cell of the full profile, as often as makes so many records."""
    targets = [Target("jax"), Target("tensorflow")]
    work = steps.timings(list(RECIPES.values()), targets, PROFILES["full"], 0)
    cells = [cell for step in work for cell in steps.step_cells(step) if cell.phase != "startup"]
    writer, chance = RunWriter(folder), random.Random(1)
    writer.append(made.header(), *(made.target(target.name) for target in targets))
    for replicate in range(RECORDS // len(cells) + 1):
        writer.append(*(made.timing(cell, blocks(cell, chance), replicate=replicate) for cell in cells))
    writer.append(made.finished())
    writer.close()
    return folder


def blocks(cell: Cell, chance: random.Random) -> list[Sample]:
    """Return three blocks of warm-up and three turns; of a prediction each call is timed."""
    warm = [Sample(repeats=2, duration_s=chance.uniform(0.05, 0.06), warmup=True) for _ in range(3)]
    turns = []
    for turn in range(3):
        calls_s = [chance.uniform(1e-3, 2e-3) for _ in range(8)]
        each = calls_s if cell.phase == "predict" else None
        turns.append(Sample(repeats=8, duration_s=sum(calls_s), calls_s=each, turn=turn, processor_s=0.05, switches=3))
    return [*warm, *turns]
