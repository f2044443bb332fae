"""The published run: the rows that tables, charts and the page are made of, and their file; it computes nothing.

Raw records stay where they were measured. What is committed is this, so that everything that is read can be made
again: six significant figures, which is more than any interval, and null for a bound that is not known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.records.machine import Machine
from datasets.errors import ExpectedError

SCHEMA_VERSION: Literal[1] = 1


class PublishError(ExpectedError):
    """A run that cannot be published, or a published one that cannot be read; the message says what to do."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AccuracyRow(_Row):
    """One figure of a recipe on a target, over the seeds of the run; low and high bound what passes."""

    recipe: str
    target: str
    path: str
    figure: str
    published: float | None = None
    measured: float | None = None
    difference: float | None = None
    seeds: int
    low: float | None = None
    high: float | None = None
    answer: str
    decides: bool


class CurvesRow(_Row):
    """One phase trained once: a value an epoch in each curve, seconds of its steps in ``epoch_s``."""

    recipe: str
    target: str
    path: str
    seed: int
    phase: str
    curves: dict[str, list[float | None]]
    epoch_s: list[float]


class ParityRow(_Row):
    """Two targets from equal weights: the largest differences of predictions and of first losses."""

    recipe: str
    targets: str
    predictions: float | None = None
    losses: float | None = None
    answer: str


class ServingRow(_Row):
    """A saved model on a backend that serves it: the largest difference from its trainer's own scores."""

    recipe: str
    target: str
    served_on: str
    predictions: float | None = None
    answer: str


class PeerRow(_Row):
    """A model outside deep learning on a recipe's encoding; seconds of a prediction by its number of reviews."""

    recipe: str
    name: str
    test_accuracy: float | None = None
    roc_auc: float | None = None
    train_s: float | None = None
    predict_s: dict[int, float]


class TimedRow(_Row):
    """A timed cell; ``share`` is the floor's seconds over its own, from neighbouring blocks.

    seconds  of one repeat: a step, a call, or the vectorization of a batch
    struck   its recipe's accuracy failed on its target: the timing belongs to other work
    """

    recipe: str
    phase: str
    path: str
    batch_size: int
    target: str
    seconds: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    reviews_per_s: float | None = None
    processes: int
    steady: bool
    struck: bool
    first_step_s: float | None = None
    call_s: float | None = None
    p50_s: float | None = None
    p90_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    calls: int | None = None
    megabytes_per_s: float | None = None


class StartupRow(_Row):
    """Seconds until a fresh process has done one thing for the first time."""

    recipe: str
    target: str
    path: str
    seconds: float | None = None


class ReachedRow(_Row):
    """Seconds of training until a curve first reached an accuracy; null where it did not."""

    recipe: str
    target: str
    path: str
    metric: str
    accuracy: float
    seconds: float | None = None
    seeds: int
    epochs: int
    struck: bool


class BestRow(_Row):
    """The fastest way to do one piece of work: ``times`` as fast as the other target's best, ``over_usual`` as fit."""

    recipe: str
    phase: str
    batch_size: int
    target: str
    path: str
    reviews_per_s: float | None = None
    rival: str | None = None
    rival_path: str | None = None
    times: float | None = None
    times_low: float | None = None
    times_high: float | None = None
    usual: str | None = None
    over_usual: float | None = None
    over_usual_low: float | None = None
    over_usual_high: float | None = None


class HardwareRow(_Row):
    """How busy the fastest path keeps the hardware."""

    recipe: str
    phase: str
    path: str
    batch_size: int
    target: str
    gflops: float | None = None
    peak_gflops: float | None = None


class VerdictRow(_Row):
    """A cell of a comparison against its base: the ratio of seconds, and what it allows to say.

    control  the name of the control whose cell it is; null for what was asked
    """

    recipe: str
    operation: str
    target: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    smallest: float | None = None
    answer: str
    reason: str
    decides: bool
    control: str | None = None
    held: bool | None = None


class CountRow(_Row):
    """An exact counter that differs from the base's."""

    cell: str
    counter: str
    before: float
    after: float


class FailureRow(_Row):
    """Work that gave no answer."""

    recipe: str
    target: str
    work: str
    reason: str


class Published(_Row):
    """A published run.

    devices  the name of each target's device
    seeds    of the trainings
    doubts   why it should not have been published, where it was told to be
    sides    what a comparison compared, the base first; empty for a run
    void     whether a control of the comparison did not come out as it had to
    stolen   share of the processors' time that other guests of the host took while clocks ran
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run_id: str
    started_at: str
    resumed_at: list[str] = []
    profile: str
    machine: Machine
    devices: dict[str, str]
    commit: str | None
    dirty: bool = False
    versions: dict[str, str]
    corpus: str
    corpus_digest: str
    command: str
    order_seed: int
    seeds: list[int]
    doubts: list[str] = []
    sides: dict[str, str] = {}
    margin: float | None = None
    replicates: int | None = None
    void: bool = False
    stolen: float | None = None
    accuracy: list[AccuracyRow] = []
    parity: list[ParityRow] = []
    serving: list[ServingRow] = []
    peers: list[PeerRow] = []
    best: list[BestRow] = []
    timed: list[TimedRow] = []
    reached: list[ReachedRow] = []
    startup: list[StartupRow] = []
    hardware: list[HardwareRow] = []
    verdicts: list[VerdictRow] = []
    counts: list[CountRow] = []
    failures: list[FailureRow] = []
    curves: list[CurvesRow] = []

    @property
    def is_comparison(self) -> bool:
        return bool(self.sides)

    @property
    def stem(self) -> str:
        """The name of its files: the moment it started, readable and sortable, and its profile."""
        moment = self.started_at[:19].replace("T", "-").replace(":", "")
        return f"{moment}-{slug(self.profile)}"

    @property
    def folder(self) -> str:
        """The name of its machine's folder: the kind of machine in words, never a host."""
        gpus = sorted({name for name in self.devices.values() if name != self.machine.cpu})
        accelerators = [name for name in gpus if "cpu" not in name.lower()]
        return slug(" ".join([self.machine.cpu, f"{self.machine.processors} processors", *accelerators]))


def slug(words: str) -> str:
    """Return ``words`` fit for a file's name: small letters, digits, dots and dashes."""
    for mark in ("(R)", "(TM)", "(tm)", "@"):
        words = words.replace(mark, " ")
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter == ".") else " " for letter in words)
    return "-".join(kept.lower().split()).strip(".") or "unnamed"


def dump(published: Published) -> str:
    """Return the file's text: a field a line, and in lists of rows a row a line, so that a diff can be read."""
    fields = published.model_dump(mode="json", exclude_defaults=True)
    found = {"schema_version": SCHEMA_VERSION, **fields}
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in found.items()) + "\n}\n"


def load(file: Path) -> Published:
    """Return the published run in ``file``."""
    try:
        return Published.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise PublishError(
            f"{file.name} does not fit schema {SCHEMA_VERSION} of published runs: {first['msg']} at {first['loc']}; "
            "publish its run again, or remove the file"
        ) from error


def _lines(value: Any) -> str:
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n]"
