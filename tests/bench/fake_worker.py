"""A worker without a framework: it answers like a real one, or misbehaves as KERASMARK_FAKE says.

KERASMARK_FAKE is "backend:request:deed", for example "jax:train:kill": what that backend does at that request.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.protocol import (
    PROTOCOL_VERSION,
    Block,
    Count,
    Done,
    Export,
    Failed,
    Hello,
    Learn,
    Message,
    Parity,
    Peaks,
    Peer,
    Prepare,
    Progress,
    Quit,
    Release,
    Startup,
    Train,
)
from bench.worker.pipes.channel import Channel, SessionGone

# Calls of one more repeat of whatever is counted.
FUNCTIONS = {"keras.src.layers.Layer.__call__": 3.0, "builtins.len (C)": 0.5}

_PREPARED: set[tuple[str, str, int]] = set()


def main() -> int:
    """Serve until the session is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("read_fd", type=int)
    parser.add_argument("write_fd", type=int)
    parser.add_argument("--corpus")
    parser.add_argument("--device")
    options = parser.parse_args()
    channel = Channel(options.read_fd, options.write_fd)
    _misbehave(channel, "hello")
    channel.send(_hello(options.device))
    try:
        while not isinstance(request := channel.receive(), Quit):
            if not _misbehave(channel, type(request).__name__.lower()):
                channel.send(Done(_answer(channel, request)))
    except SessionGone:
        return 0
    return 0


def _hello(device: str) -> Hello:
    return Hello(
        protocol=PROTOCOL_VERSION,
        backend=os.environ["KERAS_BACKEND"],
        device=device,
        device_name="fake",
        versions={"keras": "3"},
        settings={},
        import_s=0.0,
    )


def _answer(channel: Channel, request: Message) -> dict[str, object]:
    if isinstance(request, Train):
        return {"phases": {phase: _trained(channel, phase, epochs) for phase, epochs in request.epochs.items()}}
    if isinstance(request, Learn):
        Path(request.file).write_bytes(os.environ["KERAS_BACKEND"].encode())
        return {"phases": {phase: _trained(channel, phase, epochs) for phase, epochs in request.epochs.items()}}
    if isinstance(request, Export):
        trained = {phase: _trained(channel, phase, epochs) for phase, epochs in request.epochs.items()}
        return {"phases": trained, "exports": _exports(request)}
    if isinstance(request, Prepare):
        _PREPARED.add((request.phase, request.path, request.batch_size))
        work = {"reviews": float(request.batch_size), "megabytes": 1.0}
        return {"first_call_s": 1.0, "work": work, "largest": 1000, "resolved": {}}
    if isinstance(request, Block):
        assert (request.phase, request.path, request.batch_size) in _PREPARED, request
        calls = [0.01] * request.repeats if request.each else None
        return {
            "repeats": request.repeats,
            "duration_s": 0.01 * request.repeats,
            "calls_s": calls,
            "processor_s": 0.0,
            "switches": 0,
        }
    if isinstance(request, Release):
        _PREPARED.clear()
    return answer(request)


def answer(request: Message) -> dict[str, object]:
    """Return what a worker answers to a request that needs no memory of earlier ones."""
    if isinstance(request, Startup):
        return {"seconds": {"import": 4.0, "build": 0.25, "first step": 1.0, "first prediction": 0.5, "load": 0.1}}
    if isinstance(request, Parity):
        return {"predictions": [0.5, 0.25], "losses": [0.7] * request.steps}
    if isinstance(request, Peer):
        seconds = {"1": 0.0005, "32": 0.00075, "512": 0.00125}
        return {"train_s": 2.5, "test_accuracy": 0.88, "roc_auc": 0.95, "predict_s": seconds}
    if isinstance(request, Peaks):
        product = {"by": "jax product", "working_set_bytes": 12 * 2**20, "rates": [90.0, 100.0, 80.0]}
        copied = {"by": "numpy add", "working_set_bytes": 2**28, "rates": [8.0, 10.0, 9.0]}
        return {"products_gflops": [product], "memory_gb_per_s": [copied]}
    return {"compilations": 1.0, "functions": FUNCTIONS} if isinstance(request, Count) else {}


def _exports(request: Export) -> dict[str, object]:
    """Return Keras's own file on each backend, and that no other format takes the model."""
    seconds = {name: [0.25] for name in ("import_s", "load_s", "first_prediction_s")}
    one = {"format": "Keras", "bytes": 1_000, "prediction_difference": 0.0, "figure": 0.8, **seconds}
    backends = (os.environ["KERAS_BACKEND"], *request.served_on)
    found = [{**one, "backend": backend} for backend in backends]
    failed = {"ONNX": "ONNX is not supported"}
    return {"rows": 256, "metric": "accuracy", "figure": 0.8, "formats": found, "failed": failed}


def _trained(channel: Channel, phase: str, epochs: int) -> dict[str, object]:
    for epoch in range(epochs):
        channel.progress(phase=phase, epoch=epoch + 1, epochs=epochs, elapsed_s=1.0, loss=0.5, accuracy=0.8)
    curve = [0.8] * epochs
    return {
        "curves": {"loss": curve, "accuracy": curve, "val_accuracy": curve, "val_loss": curve},
        "epoch_s": [1.0] * epochs,
        "test_accuracy": 0.8,
        "test_loss": 0.5,
    }


def _misbehave(channel: Channel, request: str) -> bool:
    """Do what the environment asks at this request; return whether an answer was given."""
    backend, when, deed = (os.environ.get("KERASMARK_FAKE", "") + "::").split(":")[:3]
    if (backend, when) != (os.environ["KERAS_BACKEND"], request):
        return False
    sys.stderr.write(f"the fake framework is about to {deed}\n")
    sys.stderr.flush()
    if deed == "exit":
        os._exit(3)
    if deed == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "hang":
        time.sleep(600)
    if deed == "babble":
        os.write(channel._writer.fileno(), b"I am no message\n")
    if deed == "flood":  # of bytes without the end of a message
        while True:
            os.write(channel._writer.fileno(), b"x" * (1 << 16))
    if deed == "chatter":  # of progress, without reading what the session answers
        while True:
            channel.send(Progress({"phase": "final", "epoch": 1, "epochs": 1, "elapsed_s": 1.0}))
    if deed == "half":
        os.write(channel._writer.fileno(), b'{"kind":"done","values":{"phas')
        time.sleep(600)
    if deed == "halve":
        os.write(channel._writer.fileno(), b'{"kind":"done","values":{"phas')
        os._exit(0)
    if deed == "misfit":
        channel.send(Done({"phases": {"final": {"curves": 5}}, "duration_s": -1.0, "largest": "many"}))
    if deed == "standstill":  # the answer of a clock that stands still
        channel.send(Done({"repeats": 1, "duration_s": 0.0, "calls_s": None, "processor_s": 0.0, "switches": 0}))
    if deed == "escape":
        channel.send(Failed(error="ValueError", message="\x1b[2J\x1b]0;owned\x07 [bold]not markup[/nope]"))
    if deed == "children":  # one that outlives its parent, and holds its pipes and its log
        subprocess.Popen(["sleep", "600"], close_fds=False)
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "fail":
        channel.send(Failed(error="ValueError", message="the layers do not fit"))
    if deed == "wrong-device":
        sys.stderr.write("a warning of no account\nfailed call to cuInit: \x1b[31mCUDA_ERROR_NO_DEVICE\nno GPU found\n")
        sys.stderr.flush()
        channel.send(Failed(error="WrongDevice", message="expected the device 'gpu'; jax really ran on 'cpu'"))
        sys.exit(1)
    return True


if __name__ == "__main__":
    sys.exit(main())
