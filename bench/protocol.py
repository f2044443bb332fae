"""The protocol: the messages between a session and a worker, one JSON object a line; standard library only.

A session asks (`Train`, `Learn`, `Peer`, `Startup`, `Prepare`, `Block`, `Release`, `Parity`, `Peaks`, `Count`,
`Quit`), a worker answers with any number of `Progress` messages, each of which it holds until `Go` comes back, and
then one `Done` or `Failed`.
The hold is what keeps clocks honest: whatever the session draws, no clock of the worker runs meanwhile.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

PROTOCOL_VERSION = 3

Json = dict[str, Any]


@dataclass(frozen=True)
class Hello:
    """A worker's first message, sent once the framework is imported and the device has done some work."""

    protocol: int
    backend: str
    device: str  # what really ran: "cpu" or "gpu"
    device_name: str
    versions: dict[str, str]
    settings: Json
    import_s: float


@dataclass(frozen=True)
class Train:
    """Train a recipe's phases from fresh weights and predict the test reviews: answered by accuracy and history."""

    recipe: str
    seed: int
    epochs: dict[str, int]  # phase name: epochs
    path: str  # of the phase `train`: "compiled loop" or "fit"


@dataclass(frozen=True)
class Learn:
    """Train like `Train`, look closer at the last phase's model and save it: answered by all that there is to see.

    `file` is where the saved model goes, a path in .keras; empty for nowhere.
    """

    recipe: str
    seed: int
    epochs: dict[str, int]
    path: str
    file: str = ""


@dataclass(frozen=True)
class Peer:
    """Train and test a model outside deep learning on a recipe's encoding: answered by its figures and seconds."""

    recipe: str
    name: str


@dataclass(frozen=True)
class Startup:
    """Build, take a first step and predict for the first time: answered by seconds of each; for a fresh worker."""

    recipe: str


@dataclass(frozen=True)
class Prepare:
    """Make the closure of an operation ready and run it once: answered by the first call's seconds.

    A worker holds any number of operations until `Release`; blocks name theirs by phase, path and batch size.
    With `extra_work`, each repeat does that share more: 0.1 for a tenth.
    """

    recipe: str
    phase: str
    path: str
    batch_size: int
    extra_work: float = 0.0


@dataclass(frozen=True)
class Block:
    """Run a prepared operation: `repeats` calls under one clock, or each call under its own."""

    phase: str
    path: str
    batch_size: int
    repeats: int
    each: bool


@dataclass(frozen=True)
class Release:
    """Forget every prepared operation and what they hold."""


@dataclass(frozen=True)
class Parity:
    """From the weights at `weights`: predictions and first losses without dropout.

    The worker writes its fresh weights there first where `save` is set.
    """

    recipe: str
    weights: str
    save: bool
    steps: int
    reviews: int


@dataclass(frozen=True)
class Peaks:
    """Measure what the machine reaches in a large matrix product and a large copy: answered by one value a repeat."""


@dataclass(frozen=True)
class Count:
    """Count what does not wobble in an operation, prepared for this alone: compilations, operations, bytes."""

    recipe: str
    phase: str
    path: str
    batch_size: int


@dataclass(frozen=True)
class Quit:
    """End the worker."""


@dataclass(frozen=True)
class Go:
    """Answer to `Progress`: carry on."""


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
    """The request raised; the worker lives on. The traceback is in the worker's log."""

    error: str
    message: str


Message = (
    Hello
    | Train
    | Learn
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

_KINDS: dict[str, type[Message]] = {kind.__name__.lower(): kind for kind in get_args(Message)}


def version_of(checkout: Path) -> int | None:
    """Return the protocol version of the suite in the folder ``checkout``, read without running it; None if none."""
    file = checkout / "bench" / "protocol.py"
    stated = re.search(r"^PROTOCOL_VERSION = (\d+)$", file.read_text("utf-8"), re.MULTILINE) if file.exists() else None
    return int(stated[1]) if stated else None


def encode(message: Message) -> bytes:
    """Return ``message`` as one line of JSON, newline included."""
    body = {"kind": type(message).__name__.lower(), **asdict(message)}
    return json.dumps(body, separators=(",", ":"), allow_nan=True).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message in ``line``; ValueError where it holds none."""
    try:
        body = json.loads(line)
    except RecursionError as error:
        raise ValueError(f"expected a message; received {line[:40]!r}…, nested without end") from error
    kind = body.pop("kind", None) if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"expected a message of kind {', '.join(_KINDS)}; received {line[:200]!r}")
    try:
        return _KINDS[kind](**body)
    except TypeError as error:
        raise ValueError(f"a message of kind {kind!r} does not fit protocol {PROTOCOL_VERSION}: {error}") from error
