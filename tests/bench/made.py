"""Made records, runs and workers with round numbers, for the tests of the harness; nothing here is a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.protocol import PROTOCOL_VERSION, Block, Hello, Json, Message, Prepare, Release, Train
from bench.records.machine import Commit, Machine
from bench.records.nvml import GpuState
from bench.records.schema import (
    BaselineRecord,
    Cell,
    ComparisonRecord,
    CounterRecord,
    DecidingPath,
    ExportedFormat,
    ExportsRecord,
    FailureRecord,
    FinishedPhase,
    FinishedRecord,
    GpuRecord,
    ParityRecord,
    PeaksRecord,
    PhaseResult,
    PlanRecord,
    Rates,
    Record,
    ReferenceRecord,
    ResumedRecord,
    RunHeader,
    RunOptions,
    Sample,
    ServingRecord,
    TargetFacts,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.records.store import Run
from bench.runner.process import RequestFailed
from tests.bench import fake_worker

DIGEST = "d1" * 32

MACHINE = Machine(cpu="Made CPU", processors=2, memory_gib=8, system="Linux x86_64", python="3.12.1")
OPTIONS = RunOptions(recipes=["dense"], backends=["jax", "tensorflow"], device="cpu", seeds=None, budget_s=None)


def header(**changes: Any) -> RunHeader:
    """Return the header of a smoke run on the IMDB."""
    fields: dict[str, Any] = {
        "run_id": "20260731T120000Z-smoke",
        "started_at": "2026-07-31T12:00:00+00:00",
        "profile": "smoke",
        "corpus": "imdb",
        "corpus_digest": DIGEST,
        "order_seed": 7,
        "command": "python -m bench run",
        "machine": MACHINE,
        "commit": Commit(revision="a" * 40, dirty=False),
    }
    return RunHeader(**{**fields, **changes})


def resumed(at: str = "2026-08-01T09:30:00+00:00") -> ResumedRecord:
    """Return the mark of a resumed run."""
    return ResumedRecord(resumed_at=at, order_seed=8, command="python -m bench run --resume latest")


def plan(*work: str) -> PlanRecord:
    """Return the plan of a run, by the identities of its records."""
    return PlanRecord(work=list(work))


def finished(at: str = "2026-07-31T13:00:00+00:00") -> FinishedRecord:
    """Return the end of a run, an hour after its begin."""
    return FinishedRecord(finished_at=at)


def target(name: str = "jax-cpu", **changes: Any) -> TargetRecord:
    """Return the greeting of the target ``name``."""
    backend, device = name.rsplit("-", 1)
    fields: dict[str, Any] = {
        "backend": backend,
        "device": device,
        "device_name": "Made CPU",
        "versions": {"keras": "3.15.1", backend: "1.0"},
        "settings": {"dtype": "float32"},
        "import_s": 2.0,
    }
    return TargetRecord(target=name, facts=TargetFacts(**{**fields, **changes}))


def deciding(phase: str, path: str, *, tier: str = "compiled", margin: float = 0.03) -> DecidingPath:
    """Return a path whose cells decide."""
    return DecidingPath(phase=phase, path=path, tier=tier, margin=margin)  # type: ignore[arg-type]


def comparison(**changes: Any) -> ComparisonRecord:
    """Return the rule of a comparison of "head" with "base": one look after three processes, a margin of 3 %."""
    fields: dict[str, Any] = {
        "sides": {"base": "main (aaaaaaaaaa)", "head": "bbbbbbbbbb"},
        "alpha": 0.05,
        "fewest": 3,
        "replicates": 3,
        "deciding": [deciding("train", "compiled step"), deciding("predict", "compiled resident")],
        "controls": {},
    }
    return ComparisonRecord(**{**fields, **changes})


def result(
    curves: Mapping[str, Sequence[float]] | None = None,
    *,
    epoch_s: Sequence[float] = (1.0,),
    accuracy: float = 0.88,
    loss: float = 0.3,
) -> PhaseResult:
    """Return a phase with these curves; ``accuracy`` and ``loss`` are the test's."""
    return PhaseResult(
        curves={name: list(values) for name, values in (curves or {}).items()},
        epoch_s=list(epoch_s),
        test_accuracy=accuracy,
        test_loss=loss,
    )


def training(
    recipe: str = "dense", target: str = "jax-cpu", *, seed: int = 0, path: str = "fit", **phases: PhaseResult
) -> TrainingRecord:
    """Return a training of ``recipe``; without phases, of a whole dense final phase that passes."""
    return TrainingRecord(
        recipe=recipe, target=target, seed=seed, path=path, phases=phases or {"final": result(epoch_s=[1.0] * 4)}
    )


def cell(
    phase: str = "train", path: str = "fit", *, recipe: str = "dense", target: str = "jax-cpu", batch_size: int = 512
) -> Cell:
    """Return a cell, at the batch size 512 if not given."""
    return Cell(recipe=recipe, phase=phase, path=path, batch_size=batch_size, target=target)  # type: ignore[arg-type]


def blocks(*seconds: float, repeats: int = 1) -> list[Sample]:
    """Return a warm-up block of 99 s and then one block a turn."""
    warm = Sample(repeats=1, duration_s=99.0, warmup=True)
    return [warm, *(Sample(repeats=repeats, duration_s=s, turn=turn) for turn, s in enumerate(seconds))]


def fits(*steps_s: float, fixed_s: float = 0.5, lengths: tuple[int, int] = (2, 10)) -> list[Sample]:
    """Return a short and a long `fit` a turn: a fixed cost and so many steps of that turn's seconds."""
    return [Sample(repeats=1, duration_s=99.0, warmup=True)] + [
        Sample(repeats=n, duration_s=fixed_s + n * step_s, turn=turn)
        for turn, step_s in enumerate(steps_s)
        for n in lengths
    ]


def calls(*turns: Sequence[float]) -> list[Sample]:
    """Return blocks whose calls had clocks of their own, after a warm-up block that had one for all."""
    warm = Sample(repeats=5, duration_s=99.0, warmup=True)
    measured = enumerate(turns)
    return [warm, *(Sample(repeats=len(t), duration_s=sum(t), calls_s=list(t), turn=i) for i, t in measured)]


def timing(cell: Cell, samples: Sequence[Sample], **changes: Any) -> TimingRecord:
    """Return the timing of ``cell`` with these samples, steady, 512 reviews a repeat."""
    megabytes = {"megabytes": 1.0} if cell.phase == "vectorize" else {}
    fields: dict[str, Any] = {
        "replicate": 0,
        "first_call_s": 1.5,
        "steady": True,
        "work": {"reviews": 512.0, **megabytes},
        "resolved": {"jit_compile": True},
    }
    return TimingRecord(cell=cell, samples=list(samples), **{**fields, **changes})


def parity(*, predictions: float = 1e-7, losses: Sequence[float] = (0.0, 1e-7), recipe: str = "dense") -> ParityRecord:
    """Return how far two targets lie apart; by default as float32 does."""
    return ParityRecord(
        recipe=recipe,
        targets=("jax-cpu", "tensorflow-cpu"),
        reviews=1_000,
        steps=len(losses),
        prediction_difference=predictions,
        loss_differences=list(losses),
    )


def serving(
    served_on: str = "numpy", *, difference: float = 1e-7, recipe: str = "dense", target: str = "jax-cpu"
) -> ServingRecord:
    """Return a saved model's scores elsewhere; by default as float32 has them."""
    return ServingRecord(
        recipe=recipe, target=target, served_on=served_on, reviews=256, prediction_difference=difference
    )


def exported(name: str = "ONNX", **changes: Any) -> ExportedFormat:
    """Return a format of 1 MB that starts in 0.5 s, 0.6 s at the slowest, and agrees with Keras."""
    fields: dict[str, Any] = {
        "format": name,
        "backend": "tensorflow",
        "bytes": 1_000_000,
        "import_s": [0.25, 0.25, 0.35],
        "load_s": [0.125, 0.125, 0.125],
        "first_prediction_s": [0.125, 0.125, 0.125],
        "prediction_difference": 1e-7,
        "figure": 0.88,
    }
    return ExportedFormat(**{**fields, **changes})


def exports(*formats: ExportedFormat, recipe: str = "dense", **changes: Any) -> ExportsRecord:
    """Return what TensorFlow exported; Keras's own file and ONNX if nothing else is given."""
    found = list(formats) or [exported("Keras"), exported()]
    fields: dict[str, Any] = {"rows": 256, "metric": "accuracy", "figure": 0.88}
    return ExportsRecord(recipe=recipe, target="tensorflow-cpu", formats=found, **{**fields, **changes})


def baseline(name: str = "linear SVM", *, recipe: str = "dense") -> BaselineRecord:
    """Return what a model outside deep learning reached."""
    return BaselineRecord(
        recipe=recipe,
        target="jax-cpu",
        name=name,
        train_s=2.5,
        test_accuracy=0.88,
        roc_auc=0.95,
        predict_s={1: 0.0005, 32: 0.00075, 512: 0.00125},
    )


def peaks(
    target: str = "jax-cpu", *, gflops: Sequence[float] = (90.0, 100.0, 80.0), memory: Sequence[Rates] = ()
) -> PeaksRecord:
    """Return what a target reached in a product, and in a copy of 256 MiB where ``memory`` says no more."""
    copied = rates("jax copy", 2**28, 8.0, 10.0, 9.0)
    product = rates("jax product", 12 * 2**20, *gflops)
    return PeaksRecord(target=target, products_gflops=[product], memory_gb_per_s=[*memory] or [copied])


def gpus(**state: Any) -> GpuRecord:
    """Return one GPU, the same before and after."""
    found = [GpuState(number=0, name="NVIDIA H100", **state)]
    return GpuRecord(replicate=0, before=found, after=found)


def rates(by: str, working_set_bytes: int, *values: float) -> Rates:
    """Return the repeats of one way to multiply or to move memory."""
    return Rates(by=by, working_set_bytes=working_set_bytes, rates=list(values))


def counters(cell: Cell, **counted: float) -> CounterRecord:
    """Return what was counted for ``cell``; one compilation if nothing else is given."""
    return CounterRecord(cell=cell, counters=counted or {"compilations": 1.0})


def failure(work: str = "parity", target: str = "tensorflow-cpu", recipe: str = "dense") -> FailureRecord:
    """Return work that gave no answer."""
    log, lost = f"logs/{target}.log", [f"{recipe} {work} {target}"]
    return FailureRecord(recipe=recipe, target=target, work=work, reason="it was killed", log=log, lost=lost)


def reference(seed: int, *, recipe: str = "dense", backend: str = "jax", **phases: PhaseResult) -> ReferenceRecord:
    """Return one reference training on the IMDB."""
    trained = phases or {"final": result(accuracy=0.88)}
    return ReferenceRecord(
        recipe=recipe,
        backend=backend,
        seed=seed,
        corpus="imdb",
        corpus_digest=DIGEST,
        measured_at="2026-07-30T12:00:00+00:00",
        machine="Made CPU",
        versions={"keras": "3.15.1"},
        phases={name: FinishedPhase(**phase.model_dump()) for name, phase in trained.items()},
    )


def references(*, mean: float = 0.88, half: float = 0.005, **changes: Any) -> list[ReferenceRecord]:
    """Return 20 seeds whose test accuracy lies ``half`` below the mean and above it in turn."""
    values = [mean + (half if seed % 2 else -half) for seed in range(20)]
    return [reference(seed, final=result(accuracy=value), **changes) for seed, value in enumerate(values)]


def run(*records: Record, folder: Path = Path("made"), **changes: Any) -> Run:
    """Return a finished run with both CPU targets, as `store.read` would."""
    greeted: list[Record] = [target("jax-cpu"), target("tensorflow-cpu")]
    return Run(folder, header(**changes), (*greeted, *records, finished()))


class FakeWorker:
    """A worker without a process: a block lasts as long as ``cost`` says; it keeps every request.

    cost     seconds of a block, from how many blocks came before and how many repeats it has
    journal  where workers that share one note whose block ran, and by which path
    errors   what is raised instead of the answer to the request at that position
    refuse   what is raised instead of the answer to a request, None where it is answered
    """

    def __init__(
        self,
        cost: Callable[[int, int], float],
        *,
        name: str = "made",
        journal: list[tuple[str, str]] | None = None,
        largest: int = 1_000_000,
        errors: dict[int, Exception] | None = None,
        refuse: Callable[[Message], Exception | None] = lambda _: None,
    ) -> None:
        self.requests: list[Message] = []
        self.name = name
        self.closed = False
        self.confined: set[int] = set()
        self.hello = hello(name)
        self._cost = cost
        self._journal = journal if journal is not None else []
        self._largest = largest
        self._errors = errors or {}
        self._refuse = refuse
        self._prepared: set[tuple[str, str, str, int]] = set()

    @property
    def blocks(self) -> list[Block]:
        """Every block that was asked for."""
        return [request for request in self.requests if isinstance(request, Block)]

    def ask(self, request: Message, progress: Callable[[Json], None] = lambda _: None) -> Json:
        """Answer as `bench.worker.dispatch` does."""
        self.requests.append(request)
        error = self._errors.get(len(self.requests) - 1) or self._refuse(request)
        if error is not None:
            raise error
        if isinstance(request, Prepare):
            self._prepared.add((request.recipe, request.phase, request.path, request.batch_size))
            resolved = {"jit_compile": True}
            work = {"reviews": 512.0, "megabytes": 0.5}
            return {"first_call_s": 1.5, "work": work, "largest": self._largest, "resolved": resolved}
        if isinstance(request, Train):
            return {"phases": {phase: result().model_dump() for phase in request.epochs}}
        if isinstance(request, Release):
            self._prepared.clear()
        return self._block(request) if isinstance(request, Block) else fake_worker.answer(request)

    def confine(self, processors: set[int]) -> None:
        """Note where the worker may run."""
        self.confined = processors

    def processor_s(self) -> float:
        """Return the processor seconds of every block so far."""
        return 0.25 * len(self.blocks)

    def close(self) -> None:
        """Note that the worker was let go."""
        self.closed = True

    def kill(self) -> None:
        """Note that the worker was ended."""
        self.closed = True

    def _block(self, request: Block) -> Json:
        wanted = (request.phase, request.path, request.batch_size)
        if sum(key[1:] == wanted and request.recipe in ("", key[0]) for key in self._prepared) != 1:
            raise RequestFailed(f"expected one operation that was prepared; received {request}")
        duration_s = self._cost(len(self.blocks) - 1, request.repeats)
        self._journal.append((self.name, request.path))
        return {
            "repeats": request.repeats,
            "duration_s": duration_s,
            "calls_s": [duration_s / request.repeats] * request.repeats if request.each else None,
            "processor_s": 0.25,
            "switches": 3,
        }


def hello(name: str = "jax-cpu") -> Hello:
    """Return the greeting of the target ``name``'s process."""
    facts = target(name if "-" in name else f"{name}-cpu").facts
    return Hello(protocol=PROTOCOL_VERSION, **facts.model_dump())
