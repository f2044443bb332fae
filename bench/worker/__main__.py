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
from bench.worker.pipes.channel import Channel, SessionGone
from bench.worker.pipes.followers import Followers, addresses


def main() -> int:
    """Serve the session at the two inherited file descriptors; return the exit status."""
    options = _options()
    channel = Channel(options.read_fd, options.write_fd)
    channel.end_with_session()
    try:
        places = tuple(options.addresses) or addresses(options.processes)
        others = Followers(places if options.rank == 0 else (), sys.argv[3:])
        dispatcher = _start(channel, options, places, others)
        while not isinstance(request := channel.receive(), Quit):
            others.send(request)
            channel.send(_answer(dispatcher, others, request))
        others.send(request)
    except SessionGone:
        return 0
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.worker", description=__doc__)
    parser.add_argument("read_fd", type=int, help="file descriptor on which requests arrive")
    parser.add_argument("write_fd", type=int, help="file descriptor on which answers leave")
    parser.add_argument("--corpus", type=Path, help="folder of the parsed corpus, if a recipe reads it")
    parser.add_argument("--device", choices=("cpu", "gpu"), required=True)
    parser.add_argument("--devices", type=int, default=1, help="how many devices train one model")
    parser.add_argument("--processes", type=int, default=1, help="how many processes have these devices")
    parser.add_argument("--rank", type=int, default=0, help="the number of this one among them; 0 starts the others")
    parser.add_argument("--addresses", nargs="*", default=[], help="host and port of each")
    parser.add_argument("--recipes", type=Path, help="the user's file of recipes")
    parser.add_argument("--compilations", help="folder of programs that other processes of the run compiled")
    return parser.parse_args()


def _start(channel: Channel, options: argparse.Namespace, places: tuple[str, ...], others: Followers) -> object:
    """Import the framework, which takes seconds, and send Hello; report a failure, and end the worker.

    It ends at once: the user's file may have left threads and exit handlers that would hold it.
    """
    started = time.perf_counter()
    try:
        import keras

        from bench.worker import device, distribution
        from bench.worker.dispatch import Dispatcher

        import_s = time.perf_counter() - started
        if options.compilations:
            device.share_compilations(options.compilations)
        distribution.begin(options.devices, distribution.Member(options.rank, places))  # before anything runs
        kind, name = device.prove(options.device)
        tell = _tell_nobody if options.rank else channel.progress
        dispatcher = Dispatcher(options.corpus, tell=tell, import_s=import_s, user_file=options.recipes)
        device.require_same_work()  # after the user's file, which may have changed it
        others.greet()
    except (Exception, SystemExit) as error:  # noqa: BLE001, reported, whatever it is
        channel.send(_failed(error))
        leave(1)
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


def _tell_nobody(**values: object) -> None:
    """Report no progress: the leader does, and would keep one that waits until its own request is done."""


def _answer(dispatcher: object, others: Followers, request: Message) -> Message:
    """Answer ``request``; an exception becomes `Failed`, so that one bad cell does not end the others."""
    from bench.worker import device

    try:
        values = dispatcher.answer(request)  # type: ignore[attr-defined]
        device.require_same_work()  # the `build` of a user's file may have changed it
        return others.failure(request) or Done(values)
    except SessionGone:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001, what a framework raises ends one cell, not the worker
        return _failed(error)


def _failed(error: BaseException) -> Failed:
    traceback.print_exception(error, file=sys.stderr)
    return Failed(error=type(error).__name__, message=(str(error).strip().splitlines() or [""])[0])


def leave(status: int) -> NoReturn:
    """End the process at once: a framework needs a second or two to shut down, and nothing is left to save."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    leave(main())
