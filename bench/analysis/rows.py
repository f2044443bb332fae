"""Rows: the one form of what a run says, for the terminal, Markdown, CSV, JSON, charts and the page.

A row holds plain values. An estimate is three of them: ``seconds``, ``seconds_low`` and ``seconds_high`` are a centre
and its 95 % interval; a bound that is not known is None. Names carry their units.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bench.analysis.stats import Estimate
from bench.plan.paths import FLOOR, FLOORS
from bench.records.machine import Machine
from bench.records.nvml import Gpu
from bench.records.schema import Cell, Moment

# Raised whenever a field changes its name or meaning; the change is listed in CHANGELOG.md.
SCHEMA_VERSION: Literal[3] = 3

Value = TypeVar("Value")


class Row(BaseModel):
    """One row of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CellRow(Row, Cell):
    """A row about one cell."""

    @property
    def cell(self) -> Cell:
        return Cell(**{name: getattr(self, name) for name in Cell.model_fields})

    @property
    def is_floor(self) -> bool:
        return self.path in FLOORS


class AccuracyRow(Row):
    """One figure of a recipe on a target, over the seeds of the run; ``low`` and ``high`` bound what passes.

    expected    mean over the reference seeds; None if none were measured on this corpus
    difference  measured minus published, or minus ``expected`` where nothing is published
    decides     whether the run's verdict depends on it; other figures are only shown, and pass
    path        the path of the phase `train` that trained it
    """

    recipe: str
    target: str
    path: str
    figure: str
    published: float | None = None
    expected: float | None = None
    measured: float | None = None
    difference: float | None = None
    seeds: int
    low: float | None = None
    high: float | None = None
    answer: Literal["passed", "failed", "unresolved"]
    decides: bool
    reason: str = ""

    @property
    def band(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


class CurvesRow(Row):
    """One phase trained once: a value per epoch in each curve, seconds of its steps in ``epoch_s``."""

    recipe: str
    target: str
    path: str
    seed: int
    phase: str
    curves: dict[str, list[float | None]]
    epoch_s: list[float]


class ParityRow(Row):
    """Two targets that start from equal weights: the largest differences of predictions and of first losses.

    reason  why losses differ that are not judged
    """

    recipe: str
    targets: str
    predictions: float | None = None
    losses: float | None = None
    reviews: int | None = None
    steps: int | None = None
    answer: str
    reason: str = ""


class ServingRow(Row):
    """A saved model on a backend that serves it: the largest difference from its trainer's own scores."""

    recipe: str
    target: str
    served_on: str
    predictions: float | None = None
    reviews: int | None = None
    answer: str


class ExportRow(Row):
    """A trained model in one format: its figure, its size and how long a fresh process takes to predict with it.

    target    that trained it; ``backend`` exported it, or loads Keras's own file
    start_s   the import of what runs it, loading and one prediction: the median of some processes, and their range
    metric    what decides on the test data; ``expected`` is the figure of the model in Keras in float32
    reason    why there is no such file, or why it is of no use
    """

    recipe: str
    target: str
    format: str
    backend: str = ""
    bytes: int | None = None
    start_s: float | None = None
    start_s_low: float | None = None
    start_s_high: float | None = None
    import_s: float | None = None
    load_s: float | None = None
    first_prediction_s: float | None = None
    metric: str
    expected: float | None = None
    figure: float | None = None
    prediction_difference: float | None = None
    answer: Literal["passed", "failed", "unresolved", "not supported"]
    reason: str = ""


class BaselineRow(Row):
    """A classical model of scikit-learn on a recipe's encoding; seconds of a prediction by its number of reviews."""

    recipe: str
    name: str
    test_accuracy: float | None = None
    roc_auc: float | None = None
    train_s: float | None = None
    predict_s: dict[int, float]


class TimingRow(CellRow):
    """A timed cell.

    seconds      of one repeat: a step, a call, or the vectorization of a batch
    floor_share  the floor's seconds over its own, from neighbouring blocks: 1 is as fast as the floor
    share_of     what that is a share of: the floor, or the fastest path of the target where no floor is written
    processes    in which it was timed
    excluded     its recipe's accuracy failed on its target: the timing belongs to other work
    first_step_s the first step, compilation included
    call_s       what calling `fit` costs beside its steps
    after_s      the most that a call took to return after its last step
    p50_s        and so on: percentiles over all calls; p99 where so many calls allow it
    joules       of a review, by the counters of the hardware; None where there is none
    """

    seconds: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None
    floor_share: float | None = None
    floor_share_low: float | None = None
    floor_share_high: float | None = None
    share_of: str = FLOOR
    reviews_per_s: float | None = None
    processes: int
    steady: bool
    excluded: bool
    first_step_s: float | None = None
    call_s: float | None = None
    after_s: float | None = None
    p50_s: float | None = None
    p90_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    calls: int | None = None
    megabytes_per_s: float | None = None
    joules: float | None = None

    @property
    def has_floor(self) -> bool:
        """Whether its share is that of a floor."""
        return self.share_of == FLOOR

    @property
    def contains_waits(self) -> bool:
        """Whether its steps contain waits for `tf.data`: once, the clock of `fit` ran until the call returned."""
        return self.target.startswith("tensorflow") and self.call_s is not None and self.after_s is None


class StartupRow(Row):
    """Seconds until a fresh process has done each thing for the first time."""

    recipe: str
    target: str
    import_s: float | None = None
    build_s: float | None = None
    first_step_s: float | None = None
    first_prediction_s: float | None = None
    load_s: float | None = None


class TimeToAccuracyRow(Row):
    """Seconds of training until a curve first reached an accuracy, and the epoch; None where it did not.

    computed  whether the seconds are those epochs times a timed epoch: the trainings ran side by side
    """

    recipe: str
    target: str
    path: str
    metric: str
    accuracy: float
    seconds: float | None = None
    seeds: int
    epochs: int
    excluded: bool
    reached_epoch: float | None = None
    computed: bool = False


class BestPathRow(CellRow):
    """The fastest path of a target for one piece of work.

    speedup     how many times as fast as ``usual``, the path that most users take, from neighbouring blocks
    fastest     whether no other target does this work faster
    rival       the other target that comes next, by ``rival_path``; of the fastest row alone
    advantage   how many times as fast as the rival
    """

    reviews_per_s: float | None = None
    usual: str | None = None
    speedup: float | None = None
    speedup_low: float | None = None
    speedup_high: float | None = None
    fastest: bool = True
    rival: str | None = None
    rival_path: str | None = None
    advantage: float | None = None
    advantage_low: float | None = None
    advantage_high: float | None = None

    @property
    def told_apart(self) -> bool:
        """Whether it is faster than its rival beyond the interval."""
        return _excludes_one(self.advantage_low, self.advantage_high)


View = Literal["as called", "best"]


class AnswerRow(CellRow):
    """How many times as fast one target is as another at one piece of work, each by one path.

    view     "as called": by what people call today, `fit` and `predict`; "best": each target by its fastest path
    target   the first of the two in the tables, so that a ratio below one says that ``rival`` is faster
    ratio    the rival's seconds over the target's, from neighbouring blocks
    derived  computed from other ratios of an older document, so that its interval is wider
    """

    view: View
    rival: str
    rival_path: str
    ratio: float
    ratio_low: float | None = None
    ratio_high: float | None = None
    derived: bool = False

    @property
    def told_apart(self) -> bool:
        """Whether one of the two is faster beyond the interval."""
        return _excludes_one(self.ratio_low, self.ratio_high)


class HardwareRow(CellRow):
    """How near the fastest path comes to the roofline: to the seconds that the machine's peaks allow for its work.

    gflops             arithmetic a second; in documents of schema 2 matrix products alone
    peak_gflops        the machine's peak in a matrix product; in documents of schema 2 the target's own
    gb_per_s           bytes read and written a second, a lower bound
    peak_gb_per_s      the machine's peak for arrays of ``working_set_bytes``
    intensity          operations for each byte
    bound              which of the two peaks allows less
    bound_share        the least seconds over the measured ones: 1 is as fast as the peak that binds
    """

    gflops: float | None = None
    peak_gflops: float | None = None
    gb_per_s: float | None = None
    peak_gb_per_s: float | None = None
    working_set_bytes: int | None = None
    intensity: float | None = None
    bound: Literal["compute", "memory"] | None = None
    bound_share: float | None = None
    bound_share_low: float | None = None
    bound_share_high: float | None = None


class PeakRow(Row):
    """A peak of the machine: either of matrix products, or of memory at one working set; the best of all ways.

    reached_by  the library and what it did; None in documents of schema 2, which have a row for each target with both
    """

    target: str | None = None
    product_gflops: float | None = None
    copy_gb_per_s: float | None = None
    working_set_bytes: int | None = None
    reached_by: str | None = None


class GpuRow(Row, Gpu):
    """A GPU over all timings of a run: the range of its clock rate, the most of what else there is."""

    processor_mhz_low: int | None = None
    processor_mhz_high: int | None = None


class CounterRow(CellRow):
    """Deterministic counters of one cell, by the names that `bench.worker.operations.counters` explains."""

    counters: dict[str, float]


class ComparisonRow(CellRow):
    """A cell of a comparison against the same one of its base.

    ratio           seconds over the base's: 1.05 is 5 % slower; None if nothing was measured on both
    min_detectable  the smallest slowdown that would be detected nine times out of ten
    needed          processes that would resolve it; None if it is resolved or too noisy
    answer          None where nothing can be told
    decides         whether the gate depends on it
    tier            which part of the work it shows: "compiled" programs, or Keras as "called"; empty in older documents
    margin          within which a ratio is the same; that of the document where None
    confirmed       the ratio in the rounds that confirm a "slower", from ``confirmed_processes``
    control         the control whose cell it is; None for what was asked
    passed          whether that control came out as it must
    remeasured      whether it failed first, and fresh processes decided
    """

    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    processes: int | None = None
    min_detectable: float | None = None
    needed: int | None = None
    confirmed: float | None = None
    confirmed_processes: int | None = None
    answer: Literal["slower", "faster", "same", "unresolved"] | None
    reason: str
    decides: bool
    control: str | None = None
    passed: bool | None = None
    remeasured: bool = False
    tier: str = ""
    margin: float | None = None


class FunctionChangeRow(Row):
    """A function and its calls by one repeat of the base and of the other side."""

    function: str
    before: float
    after: float


class CounterChangeRow(Row):
    """A counter that differs from the base's.

    decides    whether the gate depends on it: it repeats exactly, and rose by more than its margin
    functions  those whose calls explain most of the difference, the largest first
    """

    cell: str
    counter: str
    before: float
    after: float
    decides: bool = True  # each difference did in documents of before
    functions: list[FunctionChangeRow] = []

    @property
    def worse(self) -> bool:
        return self.after > self.before

    @property
    def fails(self) -> bool:
        """Whether the gate fails by it."""
        return self.decides and self.worse


class FailureRow(Row):
    """Work that gave no answer."""

    recipe: str
    target: str
    work: str
    reason: str


class RunDocument(Row):
    """Everything that a run says: what it was measured on, then its rows, table by table.

    devices      the name of each target's device
    seeds        of the trainings
    warnings     why it should not have been published, where somebody published it anyway
    sides        what a comparison compared, the base first; empty for a run
    void         whether the base of the comparison differed from itself, so that its answers mean nothing
    fewest       processes of each side before the first look; ``replicates`` is the most; None in older documents
    settle       whether an older gate measured what was open in a second round
    incomplete   what it lacks besides its failures, in words
    steal_share    share of the processors' time that other guests of the host took while clocks ran
    outside_share  share that programs outside of the run took; None in an older document
    retaken        blocks that were taken again, because others had used the processors
    """

    schema_version: Literal[2, 3] = SCHEMA_VERSION
    run_id: str
    started_at: Moment
    resumed_at: list[Moment] = []
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
    warnings: list[str] = []
    steal_share: float | None = None
    outside_share: float | None = None
    retaken: int | None = None
    sides: dict[str, str] = {}
    margin: float | None = Field(None, ge=0)
    alpha: float | None = Field(None, ge=0)
    replicates: int | None = None
    fewest: int | None = None
    settle: bool = False
    void: bool = False
    accuracy: list[AccuracyRow] = []
    parity: list[ParityRow] = []
    serving: list[ServingRow] = []
    exports: list[ExportRow] = []
    baselines: list[BaselineRow] = []
    answers: list[AnswerRow] = []
    best_paths: list[BestPathRow] = []
    timings: list[TimingRow] = []
    time_to_accuracy: list[TimeToAccuracyRow] = []
    startup: list[StartupRow] = []
    hardware: list[HardwareRow] = []
    peaks: list[PeakRow] = []
    gpus: list[GpuRow] = []
    counters: list[CounterRow] = []
    comparisons: list[ComparisonRow] = []
    counter_changes: list[CounterChangeRow] = []
    failures: list[FailureRow] = []
    unsupported: list[FailureRow] = []
    incomplete: list[str] = []
    curves: list[CurvesRow] = []

    @property
    def is_comparison(self) -> bool:
        return bool(self.sides)

    @property
    def deciding(self) -> list[ComparisonRow]:
        """The cells on which the gate's answer depends."""
        return [row for row in self.comparisons if row.decides and row.control is None]

    @property
    def waits_in_fit(self) -> bool:
        """Whether steps of `fit` contain waits for `tf.data`."""
        return any(row.contains_waits for row in self.timings)

    @property
    def recipes(self) -> frozenset[str]:
        """The names of the recipes that it trained or timed."""
        rows: list[AccuracyRow | TimingRow | ComparisonRow] = [*self.accuracy, *self.timings, *self.comparisons]
        return frozenset(row.recipe for row in rows)

    def timed(self, phase: str) -> list[TimingRow]:
        """Return the timings of one phase, in their order."""
        return [row for row in self.timings if row.phase == phase]


def bounded(name: str, estimate: Estimate | None) -> dict[str, Any]:
    """Return the three fields of an estimate; a bound at zero or without limit is None."""
    if estimate is None:
        return {}
    bounds = {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return {name: finite(estimate.value), **{key: finite(bound) or None for key, bound in bounds.items()}}


def finite(value: float | None) -> float | None:
    """Return ``value``, None where it is no finite number: JSON has none such."""
    return None if value is None or not math.isfinite(value) else value


def _excludes_one(low: float | None, high: float | None) -> bool:
    """Whether one lies outside of an interval; an end that is not known excludes nothing."""
    return (low or 0.0) > 1 or (high or math.inf) < 1


def half_width(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return half an interval as a share of its value; None where it is not known."""
    return None if not value or low is None or high is None else (high - low) / 2 / value


def rounded(value: Any, figures: int = 6) -> Any:
    """Return ``value`` with its numbers at six significant figures: more than any interval, and a readable diff."""
    if isinstance(value, float):
        return float(f"{value:.{figures}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(item, figures) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, figures) for item in value]
    return value


def once(values: Iterable[Value]) -> list[Value]:
    """Return each of ``values``, words or rows, once, in their order."""
    return list(dict.fromkeys(values))
