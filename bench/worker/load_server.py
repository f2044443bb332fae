"""Serve one prediction at a time over UDP: `python -m bench.worker.load_server --recipe NAME --path PATH`.

A line of JSON says the port on the loopback interface. A request is a number, and its answer repeats it with the
seconds of the prediction. One socket and one thread: requests wait in the order in which they came. The process ends
with its standard input, so with the program that started it.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

REQUEST, ANSWER = struct.Struct("!Q"), struct.Struct("!Qd")
# Predictions before the first request: compilation, caches, and threads that a framework starts.
WARM_UP = 50
# Bytes of waiting requests: a datagram of 8 bytes takes the kernel about a thousand.
BUFFER_BYTES = 2**24


def main() -> int:
    """Serve until standard input ends; return the exit status."""
    options = _options()
    predict = _busy(options.fake_ms / 1e3) if options.fake_ms else _prediction(options)
    for _ in range(WARM_UP):
        predict()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        receiver.bind(("127.0.0.1", 0))
        threading.Thread(target=_end_with_input, daemon=True).start()
        sys.stdout.write(json.dumps({"port": receiver.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        serve(receiver, predict)
    return 0


def serve(receiver: socket.socket, predict: Callable[[], object]) -> None:
    """Answer each request to ``receiver`` by one prediction, until the process ends."""
    while True:
        request, sender = receiver.recvfrom(REQUEST.size)
        begun = time.perf_counter()
        predict()
        service_s = time.perf_counter() - begun
        receiver.sendto(ANSWER.pack(*REQUEST.unpack(request), service_s), sender)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.worker.load_server", description=__doc__)
    parser.add_argument("--corpus", type=Path, help="folder of the parsed corpus, if the recipe reads it")
    parser.add_argument("--recipe")
    parser.add_argument("--path", help="of the phase `predict`")
    parser.add_argument("--recipes", type=Path, help="the user's file of recipes")
    parser.add_argument("--fake-ms", type=float, default=0.0, help="compute for so long instead of predicting")
    return parser.parse_args()


def _busy(seconds: float) -> Callable[[], object]:
    """Return work of a known length, by which the load test measures itself."""

    def work() -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass

    return work


def _prediction(options: argparse.Namespace) -> Callable[[], object]:
    """Return the prediction of one row, as `run` times it."""
    from bench.worker import clock, operations, reviews
    from datasets import cache
    from datasets.corpus import OWN
    from models import user_recipes
    from models.variations import find

    own = {recipe.name: recipe for recipe in user_recipes.load(options.recipes)} if options.recipes else {}
    corpus = cache.load(options.corpus) if options.corpus else OWN
    data = reviews.of(find(options.recipe, own), corpus)
    operation = operations.prepare(data, phase="predict", path=options.path, batch_size=1)
    operation.complete(1)
    clock.freeze()
    return lambda: operation.complete(1)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
