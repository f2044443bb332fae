"""The record: what one worker measured, and its circumstances; its schema and version. It computes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from bench.records.machine import Commit, Machine

# Raised whenever a field changes its name or meaning; the change is listed in CHANGELOG.md, and `parse` reads the
# versions before it.
SCHEMA_VERSION: Literal[2] = 2


class _Frozen(BaseModel):
    # A diverged training has a loss of NaN, and its record must be readable like any other.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class TargetFacts(_Frozen):
    """What a worker said of itself when it greeted."""

    backend: str
    device: str
    device_name: str
    versions: dict[str, str]
    settings: dict[str, Any]
    import_s: float


class RunOptions(_Frozen):
    """What a `bench run` was asked for beside its profile: enough to go on with it."""

    recipes: list[str]
    backends: list[str]
    device: Literal["cpu", "gpu"]
    seeds: int | None
    budget_s: float | None


class RunHeader(_Frozen):
    """What is common to all records of a run."""

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
    """An interrupted run was gone on with; what follows was measured from then on."""

    kind: Literal["resumed"] = "resumed"
    resumed_at: str  # ISO 8601, UTC
    order_seed: int
    command: str


class TargetRecord(_Frozen):
    """A target's worker greeted (first of possibly several processes)."""

    kind: Literal["target"] = "target"
    target: str
    facts: TargetFacts


class PhaseResult(_Frozen):
    """One phase trained once: one value an epoch in each curve, seconds of its steps alone in ``epoch_s``.

    The test's figures are None where a run cut the phase short: it is held against its curve there.
    """

    curves: dict[str, list[float]]
    epoch_s: list[float]
    test_accuracy: float | None = None
    test_loss: float | None = None


class FinishedPhase(PhaseResult):
    """A phase whose model was tested, however many epochs it had."""

    test_accuracy: float
    test_loss: float


class TrainingRecord(_Frozen):
    """A recipe trained to its accuracy by one target with one seed, on one path of the phase `train`."""

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
        """What is done, on whatever target: "train fit 512"."""
        return f"{self.phase} {self.path} {self.batch_size}"

    @property
    def where(self) -> str:
        """The backend and device of its target: "jax-cpu" of "jax-cpu@head"."""
        return self.target.partition("@")[0]

    @property
    def label(self) -> str:
        """The label of its target: "head" of "jax-cpu@head", nothing where it has none."""
        return self.target.partition("@")[2]


class Sample(_Frozen):
    """One block: ``duration_s`` over ``repeats`` calls; ``calls_s`` where each call had a clock of its own."""

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
    first_call_s: float  # of a step in replicate 0, alone on the machine; others beside the other targets' first calls
    samples: list[Sample]
    steady: bool  # whether warm-up ended because blocks agreed, or at its cap
    work: dict[str, float]  # what one repeat processes: reviews, megabytes, steps
    resolved: dict[str, Any]  # settings as the framework resolved them for this cell


class ParityRecord(_Frozen):
    """Two targets from one set of weights: how far predictions and first losses lie apart."""

    kind: Literal["parity"] = "parity"
    recipe: str
    targets: tuple[str, str]
    reviews: int
    steps: int
    prediction_difference: float  # the largest absolute one, of probabilities
    loss_differences: list[float]  # relative, one a step


class ServingRecord(_Frozen):
    """A model saved by one target, served by a backend: how far its scores of raw text lie from the saver's own."""

    kind: Literal["serving"] = "serving"
    recipe: str
    target: str  # that trained and saved it
    served_on: str  # a backend, perhaps one that only infers
    reviews: int
    prediction_difference: float  # the largest absolute one, of probabilities


class BaselineRecord(_Frozen):
    """A model outside deep learning, trained and tested on a recipe's encoding by scikit-learn."""

    kind: Literal["baseline", "peer"] = "baseline"  # "peer" in schema 1
    recipe: str
    target: str  # whose process did it; the model uses no framework
    name: str
    train_s: float  # from sparse rows on
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
    """What was counted for one cell: numbers that do not wobble, by the names that `bench.worker.counters` explains."""

    kind: Literal["counters"] = "counters"
    cell: Cell
    counters: dict[str, float]


class ComparisonRecord(_Frozen):
    """What a run decides that compares targets of the same backend, fixed before it measures.

    sides       what each label stands for: a commit, a requirement; the first is the base of every ratio
    margin      ratios within 1 / (1 + margin) and 1 + margin are the same
    alpha       how often a whole comparison may call one cell slower or faster that is not
    replicates  fresh processes a batch; they are numbered on from batch to batch
    deciding    phases and paths whose cells decide; others are shown beside
    controls    labels of the same target again, and of the base with extra work; empty where none run
    confirm     whether fresh processes, as many as called a cell slower, have the last word on it
    settle      whether cells that the first batch leaves open get a second one, and are judged by both
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
        """What each look at the cells may err by before any confirmation: a second one takes half of ``alpha``."""
        return self.alpha / 2 if self.settle else self.alpha


class FailureRecord(_Frozen):
    """Work that gave no answer: which, and why, in words."""

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
    """Return the record in one line of JSON; pydantic's ValidationError where it does not fit the schema."""
    return _ADAPTER.validate_json(line)


class ReferenceRecord(_Frozen):
    """A training that belongs to a published distribution of accuracy over seeds, with what it was measured on."""

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
    """What a trained model says of the test reviews; positive above one half."""

    accuracy: float
    loss: float
    roc_auc: float
    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


class TrainedModelRecord(ReferenceRecord):
    """A training as a reader of the source would do it, looked at from every side."""

    kind: Literal["learned"] = "learned"  # type: ignore[assignment]
    tested: TestMetrics
    parameters: int
    summary: str  # Keras's own, a line for each layer
    command: str
