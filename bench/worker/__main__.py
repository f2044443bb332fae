"""The main loop of a worker: check the device, then answer requests until the session ends."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

from bench.protocol import PROTOCOL_VERSION, Done, Failed, Hello, Message, Quit
from bench.records import packages
from bench.worker.channel import Channel, SessionGone


def main() -> int:
    """Serve the session at the two inherited file descriptors; return the exit status."""
    options = _options()
    channel = Channel(options.read_fd, options.write_fd)
    try:
        dispatcher = _start(channel, options)
        while not isinstance(request := channel.receive(), Quit):
            channel.send(_answer(dispatcher, request))
    except SessionGone:
        return 0
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.worker", description=__doc__)
    parser.add_argument("read_fd", type=int, help="file descriptor on which requests arrive")
    parser.add_argument("write_fd", type=int, help="file descriptor on which answers leave")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the parsed corpus")
    parser.add_argument("--device", choices=("cpu", "gpu"), required=True)
    parser.add_argument("--recipes", type=Path, help="the user's file of recipes")
    return parser.parse_args()


def _start(channel: Channel, options: argparse.Namespace) -> object:
    """Import the framework, which takes seconds, and send Hello; report a failure before it ends the worker."""
    started = time.perf_counter()
    try:
        import keras

        from bench.worker import device
        from bench.worker.dispatch import Dispatcher

        import_s = time.perf_counter() - started
        kind, name = device.prove(options.device)
        dispatcher = Dispatcher(options.corpus, tell=channel.progress, import_s=import_s, user_file=options.recipes)
    except Exception as error:
        channel.send(_failed(error))
        raise
    channel.send(
        Hello(
            protocol=PROTOCOL_VERSION,
            backend=keras.backend.backend(),
            device=kind,
            device_name=name,
            versions=packages.versions(),
            settings=device.settings(),
            import_s=import_s,
        )
    )
    return dispatcher


def _answer(dispatcher: object, request: Message) -> Message:
    """Answer ``request``; an exception becomes `Failed`, so that one bad cell does not end the others."""
    try:
        return Done(dispatcher.answer(request))  # type: ignore[attr-defined]
    except SessionGone:
        raise
    except Exception as error:  # noqa: BLE001, an exception of the framework ends one cell, not the worker
        return _failed(error)


def _failed(error: Exception) -> Failed:
    traceback.print_exception(error, file=sys.stderr)
    return Failed(error=type(error).__name__, message=(str(error).strip().splitlines() or [""])[0])


def leave(status: int) -> NoReturn:
    """End the process at once: a framework needs a second or two to shut down, and nothing is left to save."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    leave(main())
