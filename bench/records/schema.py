"""The schema of a record: what one worker measured and under which circumstances."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from bench.records.machine import Commit, Machine

# Raise it when a field changes its name or meaning, list the change in CHANGELOG.md and let `parse` read the older
# versions.
SCHEMA_VERSION: Literal[2] = 2


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
    import_s: float


class RunOptions(_Frozen):
    """The options of a `bench run` besides its profile: enough to resume it."""

    recipes: list[str]
    backends: list[str]
    device: Literal["cpu", "gpu"]
    seeds: int | None
    budget_s: float | None


class RunHeader(_Frozen):
    """What all records of a run have in common."""

    kind: Literal["run"] = "run"
    schema_version: Literal[2] = SCHEMA_VERSION
    run_id: str
    started_at: str  # ISO 8601, UTC
    profile: str
    corpus: str
    corpus_digest: str
    order_seed: int  # decides the order in which targets take turns
    command: str
    machine: Machine
    commit: Commit | None
    options: RunOptions | None = None  # None for runs that compare targets, which cannot be resumed

    @model_validator(mode="before")
    @classmethod
    def _from_version_1(cls, fields: Any) -> Any:
        """Read a header of schema 1, in which ``options`` were called "asked"."""
        if not isinstance(fields, dict) or fields.get("schema_version") != 1:
            return fields
        renamed = {"options" if name == "asked" else name: value for name, value in fields.items()}
        return {**renamed, "schema_version": SCHEMA_VERSION}


class ResumedRecord(_Frozen):
    """An interrupted run was resumed; the records that follow were measured from then on."""

    kind: Literal["resumed"] = "resumed"
    resumed_at: str  # ISO 8601, UTC
    order_seed: int
    command: str


class TargetRecord(_Frozen):
    """A target's worker started (the first of possibly several processes)."""

    kind: Literal["target"] = "target"
    target: str
    facts: TargetFacts


class PhaseResult(_Frozen):
    """One phase trained once: one value an epoch in each curve, the seconds of its steps alone in ``epoch_s``.

    The test figures are None if the run cut the phase short: then its curve is compared with the published one.
    """

    curves: dict[str, list[float]]
    epoch_s: list[float]
    test_accuracy: float | None = None
    test_loss: float | None = None


class FinishedPhase(PhaseResult):
    """A phase whose model was tested, after any number of epochs."""

    test_accuracy: float
    test_loss: float


class TrainingRecord(_Frozen):
    """A recipe trained to its accuracy by one target with one seed, by one path of the phase `train`."""

    kind: Literal["training"] = "training"
    recipe: str
    target: str
    seed: int
    path: str = "fit"
    phases: dict[str, PhaseResult]


class Cell(_Frozen):
    """An operation on a target: a phase of a recipe by a path at a batch size."""

    recipe: str
    phase: Literal["vectorize", "startup", "train", "predict", "harness"]
    path: str
    batch_size: int
    target: str

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
    def label(self) -> str:
        """The label of its target: "head" of "jax-cpu@head", empty if it has none."""
        return self.target.partition("@")[2]


class Sample(_Frozen):
    """One block: ``duration_s`` over ``repeats`` calls; ``calls_s`` if each call was timed by itself."""

    repeats: int
    duration_s: float
    calls_s: list[float] | None = None
    warmup: bool = False
    turn: int = 0  # position in the session's order of turns
    processor_s: float = 0.0  # of the worker, user and system
    switches: int = 0  # involuntary context switches of the worker
    steal_s: float = 0.0  # of the whole machine, during the block
    load_1min: float = 0.0


class TimingRecord(_Frozen):
    """What one replicate measured for one cell: every raw sample, warm-up included."""

    kind: Literal["timing"] = "timing"
    cell: Cell
    replicate: int
    first_call_s: float  # of a step in replicate 0 alone on the machine; others beside other targets' first calls
    samples: list[Sample]
    steady: bool  # whether warm-up ended because blocks agreed, not at its cap
    work: dict[str, float]  # what one repeat processes: reviews, megabytes, steps
    resolved: dict[str, Any]  # settings as the framework resolved them for this cell


class ParityRecord(_Frozen):
    """Two targets from the same weights: how much predictions and first losses differ."""

    kind: Literal["parity"] = "parity"
    recipe: str
    targets: tuple[str, str]
    reviews: int
    steps: int
    prediction_difference: float  # the largest absolute one, of probabilities
    loss_differences: list[float]  # relative, one a step


class ServingRecord(_Frozen):
    """A model saved by one target and served by a backend: how much its scores of raw text differ from the saver's."""

    kind: Literal["serving"] = "serving"
    recipe: str
    target: str  # the one that trained and saved it
    served_on: str  # a backend, perhaps an inference-only one
    reviews: int
    prediction_difference: float  # the largest absolute one, of probabilities


class BaselineRecord(_Frozen):
    """A classical baseline of scikit-learn, trained and tested on a recipe's encoding."""

    kind: Literal["baseline", "peer"] = "baseline"  # "peer" in schema 1
    recipe: str
    target: str  # its process trained the model, which uses no framework
    name: str
    train_s: float  # starting from sparse rows
    test_accuracy: float
    roc_auc: float
    predict_s: dict[int, float]  # median seconds of a prediction by its number of reviews


class PeaksRecord(_Frozen):
    """What a target reached in a large float32 matrix product and a large copy, one value a repeat."""

    kind: Literal["peaks"] = "peaks"
    target: str
    product_gflops: list[float]
    copy_gb_per_s: list[float]  # bytes read and bytes written


class CounterRecord(_Frozen):
    """Deterministic counts of one cell; `bench.worker.operations.counters` explains the names."""

    kind: Literal["counters"] = "counters"
    cell: Cell
    counters: dict[str, float]


class ComparisonRecord(_Frozen):
    """The rule by which a comparison of targets of one backend decides, fixed before anything is measured.

    sides       what each label stands for: a commit, a requirement; the first is the base of every ratio
    margin      ratios within 1 / (1 + margin) and 1 + margin are the same
    alpha       how often a whole comparison may wrongly call a cell slower or faster
    replicates  fresh processes a round; the numbering continues from round to round
    deciding    phases and paths whose cells decide; others are only shown
    controls    labels of the base again and of the base with extra work; empty if none run
    confirm     whether as many fresh processes as called a cell slower must confirm it
    settle      whether cells that the first round leaves unresolved get a second one and are decided by both
    """

    kind: Literal["comparison"] = "comparison"
    sides: dict[str, str]
    margin: float
    alpha: float
    replicates: int
    deciding: list[tuple[str, str]]
    controls: dict[Literal["itself", "extra work"], str] = {}
    confirm: bool = True
    settle: bool = False

    @property
    def level(self) -> float:
        """The level of each look at the cells before any confirmation: two looks take half of ``alpha`` each."""
        return self.alpha / 2 if self.settle else self.alpha


class FailureRecord(_Frozen):
    """Work that failed, and why."""

    kind: Literal["failure"] = "failure"
    recipe: str
    target: str
    work: str  # "start", "accuracy", "parity", or an operation's name
    reason: str
    log: str  # name of the log file, relative to the run's folder


Record = (
    RunHeader
    | ResumedRecord
    | TargetRecord
    | TrainingRecord
    | TimingRecord
    | ParityRecord
    | ServingRecord
    | BaselineRecord
    | PeaksRecord
    | CounterRecord
    | ComparisonRecord
    | FailureRecord
)

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def parse(line: str | bytes) -> Record:
    """Return the record in one line of JSON; raise pydantic's ValidationError if it does not fit the schema."""
    return _ADAPTER.validate_json(line)


class ReferenceRecord(_Frozen):
    """One training of a published distribution of accuracy over seeds, and what it was measured on."""

    kind: Literal["reference"] = "reference"
    schema_version: Literal[1] = 1
    recipe: str
    backend: str
    seed: int
    corpus: str
    corpus_digest: str
    measured_at: str
    machine: str
    versions: dict[str, str]
    path: str = "fit"
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
    tested: TestMetrics
    parameters: int
    summary: str  # Keras's own, one line a layer
    command: str
