"""The schema of a record: what one worker measured and under which circumstances.

Its types hold what a measurement can be: seconds are above zero and below a day, a moment is a moment, and a name that
becomes part of a file's name holds no separator of folders.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import from_json

from bench.records.machine import Commit, Machine
from bench.records.nvml import GpuState
from bench.records.settings import Settings
from datasets import plain_text
from models.recipes import Recipe

# Raise it when a field changes its name or meaning, list the change in CHANGELOG.md and let `parse` read the older
# versions.
SCHEMA_VERSION: Literal[3] = 3
# From this version on a run's lines have digests, and it records its plan and its end.
PLANNED_VERSION = 3

# No block, call or epoch lasts a day: the worker's time limit ends it long before.
Seconds = Annotated[float, Field(gt=0, lt=86_400, allow_inf_nan=False)]
Quantity = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, lt=2**53)]
Moment = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(\+00:00|Z)$")
]  # ISO 8601, UTC
# Ten times as many functions as a `predict` of TensorFlow calls.
MOST_FUNCTIONS = 10_000
# Of a recipe, a target, a profile: some become part of a file's name.
NAME = r"^[^/\\\x00-\x1f\x7f]{1,200}$"
Name = Annotated[str, Field(pattern=NAME)]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
LogFile = Annotated[str, Field(pattern=r"^logs/[^/\\\x00-\x1f\x7f]{1,220}$")]


class _Frozen(BaseModel):
    # A diverged training has a loss of NaN, and its record must be readable like any other.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class TargetFacts(_Frozen):
    """What a worker reported about itself in its first message."""

    backend: str
    device: str
    device_name: str
    versions: dict[str, str]
    settings: dict[str, Any]
    import_s: Annotated[float, Field(ge=0, lt=86_400)]


def _measurable(recipe: Recipe) -> Recipe:
    """Return ``recipe``; ValueError where no step of it could be planned."""
    if not re.fullmatch(NAME, recipe.name):
        raise ValueError(f"expected a name of one line without a slash; received {recipe.name!r}")
    if not recipe.phases or any(phase.epochs < 1 or phase.batch_size < 1 for phase in recipe.phases):
        raise ValueError(f"{recipe.name}: expected phases of at least one epoch and one review a step")
    return recipe


OwnRecipe = Annotated[Recipe, AfterValidator(_measurable)]


class ShardOptions(_Frozen):
    """Which part of a run was measured: shard ``number`` of ``of``; ``with_work`` are those that have any."""

    number: Count
    of: Count
    with_work: list[Count]


class RunOptions(_Frozen):
    """The options of a `bench run` besides its profile: enough to resume it.

    shard  the part that was measured; of a merged run any one of its shards
    """

    recipes: list[str]
    backends: list[str]
    device: Literal["cpu", "gpu"]
    seeds: int | None
    budget_s: float | None
    shard: ShardOptions | None = None


class MergedRun(_Frozen):
    """A shard whose records a merged run has.

    shard   its number
    digest  of its records file
    """

    run_id: Slug
    shard: Count
    started_at: Moment
    finished_at: Moment
    order_seed: int
    digest: Slug


class RunHeader(_Frozen):
    """What all records of a run have in common.

    order_seed  decides the order in which targets take turns
    options     None for runs that compare targets: their command is given again to resume them
    settings    the environment of the process that measures; None in older runs
    process     the id of that process
    recipes     those that are not the suite's own: variations, and a user's without the folder of their file
    merged      the shards of a merged run
    """

    kind: Literal["run"] = "run"
    schema_version: Annotated[int, Field(ge=2, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    run_id: Slug
    started_at: Moment
    profile: Slug
    corpus: Slug
    corpus_digest: Slug
    order_seed: int
    command: str
    machine: Machine
    commit: Commit | None
    options: RunOptions | None = None
    settings: Settings | None = None
    process: int = 0
    recipes: tuple[OwnRecipe, ...] = ()
    merged: tuple[MergedRun, ...] = ()

    @property
    def planned(self) -> bool:
        """Whether the run says what it was to measure, and when it ended."""
        return self.schema_version >= PLANNED_VERSION

    @model_validator(mode="before")
    @classmethod
    def _from_version_1(cls, fields: Any) -> Any:
        """Read a header of schema 1, in which ``options`` were called "asked"."""
        if not isinstance(fields, dict) or fields.get("schema_version") != 1:
            return fields
        renamed = {"options" if name == "asked" else name: value for name, value in fields.items()}
        return {**renamed, "schema_version": 2}


class PlanRecord(_Frozen):
    """What is to be measured from here on, by the identities of its records (`bench.records.identity`)."""

    kind: Literal["plan"] = "plan"
    work: list[str]


class ResumedRecord(_Frozen):
    """An interrupted run was resumed; the records that follow were measured from then on.

    damaged  the numbers of the lines that could not be read then: what they held is measured again
    """

    kind: Literal["resumed"] = "resumed"
    resumed_at: Moment
    order_seed: int
    command: str
    process: int = 0
    damaged: list[int] = []


class FinishedRecord(_Frozen):
    """Everything that was planned had its turn; what failed has a record of its own."""

    kind: Literal["finished"] = "finished"
    finished_at: Moment


class TargetRecord(_Frozen):
    """A target's worker started (the first of possibly several processes)."""

    kind: Literal["target"] = "target"
    target: Name
    facts: TargetFacts


class PhaseResult(_Frozen):
    """One phase trained once: one value an epoch in each curve, the seconds of its steps alone in ``epoch_s``.

    The test figures are None if the run cut the phase short: then its curve is compared with the published one.
    ``test`` has what else a user's model reports, by Keras's names. ``steps`` are those of an epoch; None in an older
    record. ``fell_back`` says why `fit` trained where the compiled loop should have.
    """

    curves: dict[str, list[float]]
    epoch_s: list[Seconds]
    steps: Count | None = None
    test_accuracy: float | None = None
    test_loss: float | None = None
    test: dict[Name, float] = {}
    fell_back: str = ""

    @property
    def tested(self) -> dict[str, float]:
        """Every figure of the test by its name."""
        named = {"accuracy": self.test_accuracy, "loss": self.test_loss}
        return {**{name: value for name, value in named.items() if value is not None}, **self.test}


class FinishedPhase(PhaseResult):
    """A phase whose model was tested, after any number of epochs."""

    test_loss: float


class TrainingRecord(_Frozen):
    """A recipe trained to its accuracy by one target with one seed, by one path of the phase `train`.

    processors  how many it was confined to, beside other targets' trainings; None if it had the machine for itself
    """

    kind: Literal["training"] = "training"
    recipe: Name
    target: Name
    seed: int
    path: str = "fit"
    processors: Count | None = None
    phases: dict[str, PhaseResult]


PhaseName = Literal["vectorize", "startup", "train", "predict", "harness"]


class Cell(_Frozen):
    """An operation on a target: a phase of a recipe by a path at a batch size."""

    recipe: Name
    phase: PhaseName
    path: Name
    batch_size: Count
    target: Name

    @property
    def name(self) -> str:
        """The name in messages, such as "dense train fit 512 jax-cpu"."""
        return f"{self.recipe} {self.operation} {self.target}"

    @property
    def operation(self) -> str:
        """The operation, whichever the target: "train fit 512"."""
        return f"{self.phase} {self.path} {self.batch_size}"

    @property
    def where(self) -> str:
        """The backend and device of its target: "jax-cpu" of "jax-cpu@head"."""
        return self.target.partition("@")[0]

    @property
    def on_gpu(self) -> bool:
        """Whether its target is a GPU."""
        return self.where.endswith("-gpu")

    @property
    def label(self) -> str:
        """The label of its target: "head" of "jax-cpu@head", empty if it has none."""
        return self.target.partition("@")[2]


# A run has ten times as many samples as records: slots take a quarter of the memory that a model takes.
@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Sample:
    """One block: ``duration_s`` over ``repeats`` calls; ``calls_s`` if each call was timed by itself."""

    repeats: Count
    duration_s: Seconds
    calls_s: Annotated[list[Seconds], Field(min_length=1)] | None = None
    warmup: bool = False
    turn: int = 0  # position in the session's order of turns
    processor_s: float = 0.0  # of the worker, user and system
    switches: int = 0  # involuntary context switches of the worker
    steal_s: float = 0.0  # of the whole machine, during the block
    load_1min: float = 0.0
    outside_s: float = 0.0  # processor seconds of programs outside of the run; the system counts in steps of 10 ms
    retaken: bool = False  # too much of that: another turn was taken in its place
    after_s: float = 0.0  # until the call returned after its work was done: no part of ``duration_s``
    energy_j: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None  # by the hardware's counters, if any

    @property
    def counts(self) -> bool:
        """Whether it is a measurement: neither warm-up nor taken again."""
        return not (self.warmup or self.retaken)

    def turn_is(self, turn: int) -> bool:
        """Whether it was measured in this turn."""
        return not self.warmup and self.turn == turn


@lru_cache(maxsize=4096)
def _shared(cell: Cell) -> Cell:
    """Return one object for all equal cells: a run has many records of few cells."""
    return cell


def _shared_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return one object for all equal ``fields``: the records of a cell say the same of its work and settings."""
    items = tuple(fields.items())
    try:
        return _of_items((*items, *map(type, fields.values())))
    except TypeError:  # a value that is a list
        return fields


@lru_cache(maxsize=4096)
def _of_items(items: tuple[Any, ...]) -> dict[str, Any]:
    return dict(items[: len(items) // 2])  # what follows are types: 1 and True are equal


class TimingRecord(_Frozen):
    """What one replicate measured for one cell: every raw sample, warm-up included.

    attempt       how often the run had been resumed before: blocks of two attempts were never neighbours
    first_call_s  of a step in replicate 0 alone on the machine; others beside other targets' first calls
    steady        whether warm-up ended because blocks agreed, not at its cap
    work          what one repeat processes: reviews, megabytes, steps
    resolved      settings as the framework resolved them for this cell
    """

    kind: Literal["timing"] = "timing"
    cell: Annotated[Cell, AfterValidator(_shared)]
    replicate: Annotated[int, Field(ge=0)]
    attempt: Annotated[int, Field(ge=0)] = 0
    first_call_s: Seconds
    samples: list[Sample]
    steady: bool
    work: Annotated[dict[str, Quantity], AfterValidator(_shared_fields)]
    resolved: Annotated[dict[str, Any], AfterValidator(_shared_fields)]

    @model_validator(mode="after")
    def _has_measured(self) -> Self:
        """Refuse a record without a block after warm-up, without its work, or whose calls are not its block."""
        if all(sample.warmup for sample in self.samples):
            raise ValueError("expected a block after warm-up")
        if any(sample.calls_s and not _is_whole(sample) for sample in self.samples):
            raise ValueError("expected the seconds of the calls to add up to their block's")
        lacking = [name for name in _WORK.get(self.cell.phase, ()) if name not in self.work]
        if lacking:
            raise ValueError(f"expected the {' and '.join(lacking)} of a repeat")
        return self


# What the rates of a phase are computed from.
_WORK = {"train": ("reviews",), "predict": ("reviews",), "vectorize": ("reviews", "megabytes")}


def _is_whole(sample: Sample) -> bool:
    calls_s = sample.calls_s or []
    return len(calls_s) == sample.repeats and abs(sum(calls_s) - sample.duration_s) <= 1e-6 * sample.duration_s


class ParityRecord(_Frozen):
    """Two targets from the same weights: how much predictions and first losses differ.

    parts  what lets correct backends part: "embedding" after the first step (Keras's own layer, see
           `models.embedding`), "random" in every loss (a layer draws numbers that nothing here can switch off)
    """

    kind: Literal["parity"] = "parity"
    recipe: Name
    targets: tuple[Name, Name]
    reviews: int
    steps: int
    prediction_difference: float  # the largest absolute one, over the largest prediction where that is above one
    loss_differences: list[float]  # relative, one a step
    parts: Literal["", "embedding", "random"] = ""


class ServingRecord(_Frozen):
    """A model saved by one target and served by a backend: how much its scores of raw text differ from the saver's."""

    kind: Literal["serving"] = "serving"
    recipe: Name
    target: Name  # the one that trained and saved it
    served_on: Name  # a backend, perhaps an inference-only one
    reviews: int
    prediction_difference: float  # the largest absolute one, of probabilities


class ExportedFormat(_Frozen):
    """A trained model in one format: what it takes on disk, to start, and how close it is to the model in Keras.

    backend               that of Keras which exported it, or which loads Keras's own file
    import_s              one value a fresh process: the import of what runs it, loading the file, then one prediction
    prediction_difference the largest absolute one from the model in float32, over some rows of the test data, and over
                          the largest prediction where that is above one
    figure                what decides on the whole test data; None where the process that trained it did not run it
    """

    format: Name
    backend: Name
    bytes: Count
    import_s: Annotated[list[Seconds], Field(min_length=1)]
    load_s: Annotated[list[Seconds], Field(min_length=1)]
    first_prediction_s: Annotated[list[Seconds], Field(min_length=1)]
    prediction_difference: float
    figure: float | None = None


class ExportsRecord(_Frozen):
    """A trained model in every format that its backend exports.

    rows      of the test data that each format predicted in a fresh process
    figure    what decides on the test data, by Keras in float32; None where the model evaluates itself
    failed    formats that it cannot be exported to, or that cannot run it, and why
    """

    kind: Literal["exports"] = "exports"
    recipe: Name
    target: Name
    rows: Count
    metric: Name
    figure: float | None = None
    formats: list[ExportedFormat]
    failed: dict[Name, str] = {}


class BaselineRecord(_Frozen):
    """A classical baseline of scikit-learn, trained and tested on a recipe's encoding."""

    kind: Literal["baseline", "peer"] = "baseline"  # "peer" in schema 1
    recipe: Name
    target: Name  # its process trained the model, which uses no framework
    name: Name
    train_s: Seconds  # starting from sparse rows
    test_accuracy: float
    roc_auc: float
    predict_s: dict[int, Seconds]  # median seconds of a prediction by its number of reviews


class Rates(_Frozen):
    """The speed of one way to multiply matrices or to move memory, one value a repeat.

    by                 the library and what it did, such as "numpy add"
    working_set_bytes  of all its arrays together, which decides the cache that they can lie in
    """

    by: Name
    working_set_bytes: Count
    rates: Annotated[list[Quantity], Field(min_length=1)]


# What was measured before there were several ways: a product of this side, a copy of so much into as much.
_FORMER_SIDE, _FORMER_COPY_BYTES = 1_024, 128 * 2**20


class PeaksRecord(_Frozen):
    """How fast a target, and NumPy in its process, multiplies float32 matrices and reads and writes memory."""

    kind: Literal["peaks"] = "peaks"
    target: Name
    products_gflops: Annotated[list[Rates], Field(min_length=1)]
    memory_gb_per_s: Annotated[list[Rates], Field(min_length=1)]  # bytes read and bytes written

    @model_validator(mode="before")
    @classmethod
    def _from_one_product_and_one_copy(cls, fields: Any) -> Any:
        """Read a record that has one product and one copy, by the target's framework."""
        if not isinstance(fields, dict) or not {"product_gflops", "copy_gb_per_s"} <= set(fields):
            return fields
        kept = {name: value for name, value in fields.items() if name not in ("product_gflops", "copy_gb_per_s")}
        by = str(fields.get("target", "")).partition("-")[0]
        product = {"by": f"{by} product", "working_set_bytes": 12 * _FORMER_SIDE**2, "rates": fields["product_gflops"]}
        copied = {"by": f"{by} copy", "working_set_bytes": 2 * _FORMER_COPY_BYTES, "rates": fields["copy_gb_per_s"]}
        return {**kept, "products_gflops": [product], "memory_gb_per_s": [copied]}


class GpuRecord(_Frozen):
    """The GPUs while a process timed its cells: after warm-up, so that they are at work, and after the last turn."""

    kind: Literal["gpus"] = "gpus"
    replicate: Annotated[int, Field(ge=0)]
    before: list[GpuState]
    after: list[GpuState]


class CounterRecord(_Frozen):
    """Counts of one cell; `bench.worker.operations.counters` explains the names.

    functions  calls of each function by one more repeat, in the thread that runs it; empty in older records
    """

    kind: Literal["counters"] = "counters"
    cell: Cell
    counters: dict[str, float]
    functions: Annotated[dict[Name, float], Field(max_length=MOST_FUNCTIONS)] = {}


class DecidingPath(_Frozen):
    """A path whose cells decide.

    tier    which part of the work they show: "compiled" programs, or Keras as "called"
    margin  ratios within 1 / (1 + margin) and 1 + margin are the same
    """

    phase: PhaseName
    path: str
    tier: str
    margin: Annotated[float, Field(gt=0, lt=1)]


class ComparisonRecord(_Frozen):
    """The rule by which a comparison of targets of one backend decides, fixed before anything is measured.

    sides       what each label stands for: a commit, a requirement; the first is the base of every ratio
    alpha       how often a whole comparison may wrongly call a cell slower or faster, before it is confirmed
    fewest      fresh processes of each side before the first look
    replicates  the most of each side: they are numbered from 0 on, those that confirm a slowdown from this number on
    deciding    the paths whose cells decide
    controls    labels of the base again and of the base with extra work; empty if none run
    """

    kind: Literal["comparison"] = "comparison"
    sides: Annotated[dict[str, str], Field(min_length=1)]
    alpha: Annotated[float, Field(gt=0, lt=1)]
    fewest: Count
    replicates: Count
    deciding: list[DecidingPath]
    controls: dict[Literal["itself", "extra work"], str] = {}

    def path(self, cell: Cell) -> DecidingPath | None:
        """Return the deciding path of ``cell``; None if it does not decide."""
        return next((one for one in self.deciding if (one.phase, one.path) == (cell.phase, cell.path)), None)

    def tier(self, cell: Cell) -> str:
        """Return the tier of ``cell``; empty if it does not decide."""
        path = self.path(cell)
        return path.tier if path else ""

    def group(self, cell: Cell) -> tuple[str, bool]:
        """Return the cells with which it shares what is known of their noise: those of its tier, start-up apart."""
        return self.tier(cell), cell.phase == "startup"

    @property
    def tiers(self) -> list[str]:
        """The tiers of the deciding paths; each has its share of ``alpha``."""
        return list(dict.fromkeys(one.tier for one in self.deciding))

    @property
    def margin(self) -> float:
        """The smallest margin."""
        return min(one.margin for one in self.deciding)


class FailureRecord(_Frozen):
    """Work that failed, and why.

    work  "start", "parity", or an operation's name
    lost  the identities of the records that it cost; one that is measured later is lost no more
    log   the name of the log file, relative to the run's folder
    unsupported  that a path cannot drive this model, which is no fault of the run
    """

    kind: Literal["failure"] = "failure"
    recipe: Name
    target: Name
    work: str
    reason: str
    log: LogFile
    lost: list[str] = []
    unsupported: bool = False


Record = (
    RunHeader
    | PlanRecord
    | ResumedRecord
    | FinishedRecord
    | TargetRecord
    | TrainingRecord
    | TimingRecord
    | ParityRecord
    | ServingRecord
    | ExportsRecord
    | BaselineRecord
    | PeaksRecord
    | GpuRecord
    | CounterRecord
    | ComparisonRecord
    | FailureRecord
)

# What may stand for a control character in JSON: an escape, DEL, and in UTF-8 C1 controls and the bidirectional ones.
_CONTROLS = re.compile(
    rb"\\u00[0-9a-f]|\\u20[26]|\\[bfr]|\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]", re.I
)

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def parse(line: str | bytes) -> Record:
    """Return the record in one line of JSON; raise pydantic's ValidationError if it does not fit the schema.

    Control characters in its words are replaced: a record must not drive the terminal that shows it.
    """
    content = line.encode() if isinstance(line, str) else line
    suspect = not content.isascii() or b"\\" in content or b"\x7f" in content  # quicker than the pattern alone
    if suspect and _CONTROLS.search(content):
        return _ADAPTER.validate_python(_plain_json(line))
    return _ADAPTER.validate_json(line)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record: of a line in records.jsonl, its digest aside."""
    return _ADAPTER.json_schema()


def misfit(error: ValidationError) -> str:
    """Return in words what of some data does not fit, and where: "Field required at cell.path"."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{first['msg']} at {place}" if place else first["msg"]


def _plain_json(line: str | bytes) -> Any:
    """Return the JSON in ``line`` with plain words; what is no JSON is left to the schema to refuse."""
    try:
        return plain_text.tree(from_json(line))
    except ValueError:
        return None


class ReferenceRecord(_Frozen):
    """One training of a published distribution of accuracy over seeds, and what it was measured on."""

    kind: Literal["reference"] = "reference"
    schema_version: Literal[1] = 1
    recipe: Name
    backend: Name
    seed: int
    corpus: Slug
    corpus_digest: str
    measured_at: str
    machine: str
    versions: dict[str, str]
    path: str = "fit"
    digest: str = ""  # of a user's file: `models.recipes.Recipe.digest`
    phases: dict[str, FinishedPhase]


class TestMetrics(_Frozen):
    """Metrics of a trained model on the test reviews; a score above one half is positive."""

    accuracy: float
    loss: float
    roc_auc: float
    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


class TrainedModelRecord(ReferenceRecord):
    """A training by the complete schedule of the source, with all its metrics and the model's summary."""

    kind: Literal["learned"] = "learned"  # type: ignore[assignment]
    tested: TestMetrics | None  # of a model that tells positive reviews from negative ones
    parameters: int
    summary: str  # Keras's own, one line a layer
    command: str
