"""The messages between a session and a worker, one JSON object a line; standard library only.

A session sends a request (`Train`, `Learn`, `Export`, `Peer`, `Startup`, `Prepare`, `Block`, `Release`, `Parity`,
`Peaks`, `Count`, `Quit`). The worker answers with any number of `Progress` messages, waiting for `Go` after each, and
then one `Done` or `Failed`. None of its clocks runs while it waits, so that the session may draw its progress.
"""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

PROTOCOL_VERSION = 6

Json = dict[str, Any]

# The name of `bench.worker.programs.Unsupported`.
UNSUPPORTED = "Unsupported"
# That of `bench.worker.device.WrongDevice`.
WRONG_DEVICE = "WrongDevice"


@dataclass(frozen=True)
class Hello:
    """A worker's first message, sent after the framework is imported and the device has run something."""

    protocol: int
    backend: str
    device: str  # the one that ran it: "cpu" or "gpu"
    device_name: str
    versions: dict[str, str]
    settings: Json
    import_s: float


@dataclass(frozen=True)
class Train:
    """Train a recipe's phases from fresh weights and predict the test reviews; the answer is accuracy and history."""

    recipe: str
    seed: int
    epochs: dict[str, int]  # phase name: epochs
    path: str  # of the phase `train`: "compiled loop" or "fit"


@dataclass(frozen=True)
class Learn:
    """Train like `Train` and save the last phase's model; the answer has all its metrics and its summary.

    `file` is the path of the saved model, in .keras; empty to save none.
    """

    recipe: str
    seed: int
    epochs: dict[str, int]
    path: str
    file: str = ""


@dataclass(frozen=True)
class Export:
    """Train like `Train`, then export the last phase's model to every format and start each in fresh processes.

    `served_on` names backends of Keras that load its own file beside the worker's. The answer is that of `Train`, and
    "exports": the fields of `bench.records.schema.ExportsRecord`.
    """

    recipe: str
    seed: int
    epochs: dict[str, int]
    path: str
    served_on: list[str]


@dataclass(frozen=True)
class Peer:
    """Train and test a classical baseline on a recipe's encoding; the answer is its figures and seconds."""

    recipe: str
    name: str


@dataclass(frozen=True)
class Startup:
    """Build, take a first step and a first prediction in a fresh worker; the answer is the seconds of each."""

    recipe: str


@dataclass(frozen=True)
class Prepare:
    """Prepare an operation, unless it is prepared, and run it once; the answer is that call's seconds.

    A worker keeps its operations until `Release`; a block names one by phase, path, batch size and recipe.
    """

    recipe: str
    phase: str
    path: str
    batch_size: int


@dataclass(frozen=True)
class Block:
    """Run a prepared operation: time `repeats` calls as a whole, or each by itself, after `lead` calls without a clock.

    `recipe` is needed where operations of several recipes are prepared. With `extra_work`, each repeat does that share
    more work: 0.1 for a tenth.
    """

    phase: str
    path: str
    batch_size: int
    repeats: int
    each: bool
    recipe: str = ""
    lead: int = 0
    extra_work: float = 0.0


@dataclass(frozen=True)
class Release:
    """Release every prepared operation and its memory."""


@dataclass(frozen=True)
class Parity:
    """Compute predictions and first losses without dropout from the weights at `weights`.

    With `save`, the worker writes its fresh weights there first.
    """

    recipe: str
    weights: str
    save: bool
    steps: int
    reviews: int


@dataclass(frozen=True)
class Peaks:
    """Measure the machine's peaks in matrix products and memory traffic; the answer has one value a repeat."""


@dataclass(frozen=True)
class Count:
    """Count the compilations, operations and bytes of an operation, which are deterministic."""

    recipe: str
    phase: str
    path: str
    batch_size: int


@dataclass(frozen=True)
class Quit:
    """End the worker."""


@dataclass(frozen=True)
class Go:
    """Answer to `Progress`: continue."""


@dataclass(frozen=True)
class Progress:
    """Where a long request stands; the worker waits for `Go`."""

    values: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The answer to a request."""

    values: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """The request raised; the worker lives on. The traceback is in the worker's log.

    ``error`` is the exception's type: `UNSUPPORTED` where a path cannot drive the model.
    """

    error: str
    message: str


Message = (
    Hello
    | Train
    | Learn
    | Export
    | Peer
    | Startup
    | Prepare
    | Block
    | Release
    | Parity
    | Peaks
    | Count
    | Quit
    | Go
    | Progress
    | Done
    | Failed
)

# The types of the fields above, as JSON has them.
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "Json": dict,
    "dict[str, str]": dict,
    "dict[str, int]": dict,
    "list[str]": list,
}
_KINDS: dict[str, type[Message]] = {kind.__name__.lower(): kind for kind in get_args(Message)}


def version_of(checkout: Path) -> int | None:
    """Return the protocol version of the suite in ``checkout``, read without importing it; None if there is none."""
    file = checkout / "bench" / "protocol.py"
    stated = re.search(r"^PROTOCOL_VERSION = (\d+)$", file.read_text("utf-8"), re.MULTILINE) if file.exists() else None
    return int(stated[1]) if stated else None


def encode(message: Message) -> bytes:
    """Return ``message`` as one line of JSON, newline included.

    Fields at their defaults are left out, so that workers of older checkouts understand what does not need new ones.
    """
    told = {f.name for f in fields(message) if f.default is MISSING or getattr(message, f.name) != f.default}
    body = {"kind": type(message).__name__.lower(), **{k: v for k, v in asdict(message).items() if k in told}}
    return json.dumps(body, separators=(",", ":"), allow_nan=True).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message in ``line``; raise ValueError if it holds none."""
    try:
        body = json.loads(line)
    except RecursionError as error:
        raise ValueError(f"expected a message; received {line[:40]!r}…, nested without end") from error
    kind = body.pop("kind", None) if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"expected a message of kind {', '.join(_KINDS)}; received {line[:200]!r}")
    try:
        message = _KINDS[kind](**body)
    except TypeError as error:
        raise ValueError(f"a message of kind {kind!r} does not fit protocol {PROTOCOL_VERSION}: {error}") from error
    wrong = [f.name for f in fields(message) if not isinstance(getattr(message, f.name), _TYPES[str(f.type)])]
    if wrong:
        raise ValueError(
            f"a message of kind {kind!r} does not fit protocol {PROTOCOL_VERSION}: {wrong[0]} is of no use"
        )
    return message
