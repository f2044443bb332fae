"""Published runs for the tests: a whole one on disk, a hostile one, one of many cells; nothing here is a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.analysis.rows import FailureRow, RunDocument, TimingRow
from bench.analysis.summary import Summary
from bench.records.schema import Record
from bench.records.store import Run, RunWriter
from bench.report.page.published import of_document
from tests.bench import made
from tests.bench.analysis.test_regression import CONTROLS, TIGHT, pair, timed

COMMAND = "python -m bench run --recipe dense --profile smoke"
PACES = {"jax-cpu": 1.0, "tensorflow-cpu": 1.25}

HOSTILE = "</script><script>window.hurt = true</script><img src=x onerror='window.hurt = true'>`|*[x](javascript:hurt)"


def records(**header: Any) -> list[Record]:
    """Return a whole run of the smoke profile with one recipe: trained, equal, timed once, nothing lost."""
    found: list[Record] = [made.header(**{"command": COMMAND, **header}), *map(made.target, PACES)]
    found += [
        made.training("dense", name, validation=_trained(pace), final=_trained(pace)) for name, pace in PACES.items()
    ]
    found += [made.parity(), made.serving(), made.baseline()]
    for name, pace in PACES.items():
        for path, times in (("fit", 2.0), ("compiled loop", 1.1), ("floor", 1.0)):
            found.append(made.timing(made.cell("train", path, target=name), made.blocks(*_turns(0.01 * times * pace))))
        for path, times in (("predict_on_batch", 4.0), ("compiled", 1.25), ("floor", 1.0)):
            cell = made.cell("predict", path, target=name, batch_size=1)
            calls = [[1e-3 * times * pace * (1 + call / 50) for call in range(50)] for _ in range(6)]
            found.append(made.timing(cell, made.calls(*calls), work={"reviews": 1.0}))
    return found


def write(folder: Path, *found: Record) -> Path:
    """Write a run into ``folder``; the whole one if no records are given."""
    writer = RunWriter(folder)
    writer.append(*(found or records()), made.finished())
    writer.close()
    return folder


def of_run(run: Run, warnings: Sequence[str] = ()) -> RunDocument:
    """Return what is published of ``run``, judged without reference seeds."""
    return of_document(Summary(run, ()).document, warnings)


def one(**changes: Any) -> RunDocument:
    """Return the whole run as it is published."""
    return of_run(made.run(*records()[3:], command=COMMAND)).model_copy(update=changes)


def compared_records() -> list[Record]:
    """Return the timings of a comparison whose one cell is 10 % slower, which a fresh batch confirms."""
    cells = [*pair([1.099, 1.1, 1.101]), *pair([1.101, 1.1, 1.099], first=3)]
    return [*cells, *timed("base again", TIGHT), *timed("base +10% work", [1.099, 1.1, 1.101])]


def compared() -> RunDocument:
    """Return that comparison."""
    return of_run(made.run(made.comparison(controls=CONTROLS), *compared_records(), profile="gate"))


def hostile() -> RunDocument:
    """Return a run in which every word that a record may choose is an attack."""
    found = one(profile=HOSTILE, command=HOSTILE, warnings=[HOSTILE], versions={"keras": HOSTILE}, corpus=HOSTILE)
    rows = [row.model_copy(update={"path": HOSTILE}) for row in found.timings]
    accuracy = [row.model_copy(update={"recipe": HOSTILE, "figure": HOSTILE}) for row in found.accuracy]
    machine = found.machine.model_copy(update={"cpu": HOSTILE, "system": HOSTILE})
    failures = [FailureRow(recipe=HOSTILE, target=HOSTILE, work=HOSTILE, reason=HOSTILE)]
    changes = {"timings": rows, "accuracy": accuracy, "machine": machine, "failures": failures}
    return found.model_copy(update=changes)


def large(cells: int = 10_000) -> RunDocument:
    """Return a run of so many timed cells, over many recipes and batch sizes."""
    rows = [
        TimingRow(
            recipe=f"recipe {number // 100:03}",
            phase="train" if number % 2 else "predict",
            path=f"path {number % 10}",
            batch_size=2 ** (number // 10 % 10),
            target=("jax-cpu", "tensorflow-cpu")[number // 2 % 2],
            seconds=1e-3 * (1 + number % 97),
            seconds_low=0.9e-3 * (1 + number % 97),
            seconds_high=1.1e-3 * (1 + number % 97),
            floor_share=0.5,
            reviews_per_s=1e5 / (1 + number % 97),
            p50_s=1e-3 * (1 + number % 97),
            processes=3,
            steady=True,
            excluded=False,
        )
        for number in range(cells)
    ]
    return one(timings=rows)


def _trained(pace: float) -> Any:
    curves = {
        "accuracy": [0.8, 0.9, 0.92, 0.94],
        "loss": [0.5, 0.3, 0.2, 0.1],
        "val_accuracy": [0.85, 0.87, 0.88, 0.89],
    }
    return made.result(curves, epoch_s=[pace] * 4)


def _turns(seconds: float) -> list[float]:
    return [seconds * turn for turn in (1.0, 1.01, 0.995, 1.02, 1.0, 1.005)]
