"""`bench run --on`: a run whose shards are measured by a Dask cluster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Group

from bench.cli import Outcome, execution
from bench.plan import shards
from bench.records import merge, store
from bench.runner import cluster
from bench.runner.cluster import Piece
from bench.runner.run import RunSpec
from datasets.errors import ExpectedError

# What a cluster's run keeps beside its pieces: the command of each.
REQUEST = "request.json"


def run(spec: RunSpec, words: Sequence[str], *, on: str, out: Path | None, as_json: bool) -> Outcome:
    """Measure ``spec`` in shards on the cluster ``on``, merge them and report; ``words`` are those of each piece."""
    runs, connect = out or store.DEFAULT_FOLDER, partial(cluster.connected, on)
    return _measured(_begin(spec, words, connect, runs), connect, on=on, runs=runs, as_json=as_json)


def resume(name: str, *, on: str, out: Path | None, as_json: bool) -> Outcome:
    """Measure what is left of the run ``name``, which a cluster began."""
    runs = out or store.DEFAULT_FOLDER
    return _measured(runs / name, partial(cluster.connected, on), on=on, runs=runs, as_json=as_json)


def _measured(folder: Path, connect: cluster.Connect, *, on: str, runs: Path, as_json: bool) -> Outcome:
    pieces = _pieces(folder)
    execution.say(f"{folder.name}: {len(pieces)} shards; resume with --on {on} --resume {folder.name}")
    found = cluster.measure(pieces, connect, folder, say=execution.say)
    merged = merge.merge(found, runs)
    outcomes = [execution.report(one, json=as_json) for one in merged]
    if len(outcomes) == 1:
        return outcomes[0]
    execution.say(f"{len(merged)} kinds of machines: their timings stay apart, a run for each")
    shown = [one.shown for one in outcomes]
    code = max(one.code for one in outcomes)
    return Outcome(f"[{', '.join(map(str, shown))}]" if as_json else Group(*shown), code)  # type: ignore[arg-type]


def _begin(spec: RunSpec, words: Sequence[str], connect: cluster.Connect, runs: Path) -> Path:
    """Return the folder of a new run in pieces: a shard for each machine of the cluster."""
    with connect() as client:
        of = cluster.machines(client)
    folder = runs / store.run_id(datetime.now(UTC), f"{spec.profile.name}-shards")
    folder.mkdir(parents=True)
    numbers = shards.with_work(spec.planned(), of)
    request = {f"shard-{number}-of-{of}": [*words, "--shard", f"{number}/{of}"] for number in numbers}
    store.write_atomically(folder / REQUEST, json.dumps(request, indent=2).encode())
    return folder


def _pieces(folder: Path) -> list[Piece]:
    try:
        request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    except OSError as error:
        raise ExpectedError(f"no run on a cluster is called {folder.name}: {error.strerror}") from error
    return [Piece(name, tuple(words)) for name, words in request.items()]
