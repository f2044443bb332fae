"""Scoring a stream of lines against the compiled predictor on the same text, and the memory of a long one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT
from bench.backends import BACKENDS
from tests.bench import fresh

# Trains for an epoch, saves, and lets the stream and the plain loop over the same lines take turns.
RATE = """
import json, os, tempfile, time
from pathlib import Path

import keras
import numpy as np

from bench.worker.serving import score
from bench.worker.reviews import Reviews
from datasets import tokenise
from datasets.locate import open_corpus
from datasets.encoding import vocabulary
from models import saved
from models.model import create
from models.recipes import RECIPES

SIZE, BATCHES, TURNS = 512, 16, 15
corpus = open_corpus(os.environ.get("KERASMARK_DATA") or "synthetic", environ=os.environ).corpus
text = corpus.test.text.slice(0, SIZE * BATCHES)
reviews = list(tokenise.text_rows(text))
lines = [review + b"\\n" for review in reviews]
found = {}
for name, recipe in RECIPES.items():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        saved.save(file, create(recipe), recipe, vocabulary(corpus, recipe.encoding))
        model = saved.load(file)
    predict = score.predictor(model)
    scorer = score.Scorer(model, predict, SIZE)

    def plain():
        for start in range(0, SIZE * BATCHES, SIZE):
            predict(model.encode(reviews[start : start + SIZE]))

    def stream():
        with open(os.devnull, "wb") as out:
            scorer.stream(lines, out, texts=True)

    def seconds(way):
        started = time.perf_counter()
        way()
        return time.perf_counter() - started

    plain(), stream()
    ratios = []
    for turn in range(TURNS):
        order = (plain, stream) if turn % 2 else (stream, plain)
        took = {way.__name__: seconds(way) for way in order}
        ratios.append(took["plain"] / took["stream"])
    found[name] = ratios
print(json.dumps(found))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_stream_of_lines_keeps_the_rate_of_the_compiled_predictor(backend: str) -> None:
    """Reading, encoding, predicting and writing reach 95 % of encoding and predicting the same text in a loop."""
    found: dict[str, list[float]] = fresh.answer(RATE, backend)
    for name, ratios in found.items():
        middle = statistics.median(ratios)
        print(
            f"{backend} {name}: stream {middle:.2f} of the plain loop's rate ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    assert all(statistics.median(ratios) > 0.95 for ratios in found.values())


def test_a_long_stream_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """A million lines against ten thousand: what is held is a few batches."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "bench",
            "train",
            "pooling-logits",
            "epochs=1",
            "--data",
            "synthetic",
            "--save",
            tmp_path,
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    short, long = (_peak_mib(tmp_path, lines) for lines in (10_000, 1_000_000))
    print(f"peak memory of 10,000 lines {short:.0f} MiB, of a million {long:.0f} MiB")
    assert long < 1.1 * short


def _peak_mib(model: Path, lines: int) -> float:
    """Return the largest memory of a child that scores so many lines; a process of its own asks, to see it alone."""
    program = f"""
import resource, subprocess, sys
lines = "for number in range({lines}): print('a good film', number)"
feed = subprocess.Popen([sys.executable, "-c", lines], stdout=subprocess.PIPE)
words = [sys.executable, "-m", "bench.worker.serving.score", {str(model)!r}, "--scores-only"]
subprocess.run(words, stdin=feed.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])
