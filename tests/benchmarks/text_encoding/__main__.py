"""Compare the ways to encode text, and write results/text-encoding.md: `./nox -s text-encoding`.

It needs TensorFlow; a library that is not installed is left out and named. Run nothing else meanwhile: it takes some
minutes with the reviews that KERASMARK_DATA names, or else with the synthetic ones.
"""

from __future__ import annotations

import importlib.metadata
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from bench import ROOT
from bench.analysis import stats
from bench.records import machine
from datasets.corpus import Corpus
from datasets.encoding import encode_split
from datasets.locate import open_corpus
from models.recipes import RECIPES, Recipe
from tests.benchmarks.text_encoding.candidates import CANDIDATES, LAYER, Work

PAGE = ROOT / "results" / "text-encoding.md"
REVIEWS, TURNS = 2048, 15
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "pyarrow", "polars", "tokenizers", "numba")


@dataclass(frozen=True)
class Took:
    """Seconds of one call: on the clock, and of all processors together."""

    wall_s: float
    cpu_s: float


Timings = dict[str, list[Took]]


def main() -> None:
    """Measure each recipe and write the page."""
    corpus = open_corpus(os.environ.get("KERASMARK_DATA") or "synthetic", environ=os.environ).corpus
    rows, left_out, load = [], set(), machine.moment().load_1min
    for recipe in RECIPES.values():
        works, missing = prepared(corpus, recipe)
        left_out |= missing
        wrong = {name: differing(corpus, recipe, work) for name, work in works.items()}
        timings = measured(works, turns=TURNS)
        rows += [_row(recipe, name, timings, wrong[name]) for name in works]
    PAGE.write_text(_page(corpus, rows, sorted(left_out), load=load), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written\n")


def prepared(corpus: Corpus, recipe: Recipe) -> tuple[dict[str, Work], set[str]]:
    """Return each candidate's work, and the names of those whose library is not installed."""
    text, works, missing = corpus.train.text.slice(0, REVIEWS), {}, set()
    for name, make in CANDIDATES.items():
        try:
            works[name] = make(corpus, recipe.encoding, text)
        except ImportError:
            missing.add(name)
    return works, missing


def differing(corpus: Corpus, recipe: Recipe, work: Work) -> int:
    """Return how many of the reviews have other rows than the recipe's."""
    made = work()
    rows = np.concatenate(made) if isinstance(made, list) else made
    expected = encode_split(corpus.train.slice(0, REVIEWS), recipe.encoding)
    return int((rows != expected).any(axis=1).sum())


def measured(works: dict[str, Work], *, turns: int) -> Timings:
    """Return what each work took, one call a turn; in each turn they come in another order."""
    timings: Timings = {name: [] for name in works}
    order, names = random.Random(0), list(works)
    for _ in range(turns):
        order.shuffle(names)
        for name in names:
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            made = works[name]()
            timings[name].append(Took(time.perf_counter() - wall_s, time.process_time() - cpu_s))
            del made
    return timings


def ratios(timings: Timings, name: str) -> list[float]:
    """Return how many times as fast as Keras's layer in `tf.data` a candidate is, turn by turn."""
    return [layer.wall_s / one.wall_s for layer, one in zip(timings[LAYER], timings[name], strict=True)]


def _row(recipe: Recipe, name: str, timings: Timings, wrong: int) -> str:
    found = stats.median(ratios(timings, name))
    speed = REVIEWS / statistics.median(one.wall_s for one in timings[name])
    cpu_us = statistics.median(one.cpu_s for one in timings[name]) / REVIEWS * 1e6
    layer = name.startswith("TextVectorization") and recipe.encoding.words == "keras_ids"
    times = "1" if name == LAYER else f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    differ = "other words" if layer else wrong or "none"
    return f"| {recipe.name} | {name} | {times} | {speed:,.0f} | {cpu_us:.1f} | {differ} |"


def _page(corpus: Corpus, rows: Sequence[str], left_out: Sequence[str], *, load: float) -> str:
    commit = machine.commit()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES if _installed(name))
    missing = f"\nNot installed, and so left out: {', '.join(left_out)}.\n" if left_out else ""
    return f"""# Ways to encode text

Raw text to a recipe's rows by several libraries, {REVIEWS:,} training reviews a call. Measured by
`./nox -s text-encoding` on {datetime.now(UTC):%Y-%m-%d} at commit {commit.title if commit else "unknown"};
{machine.machine().title}; load {load:.1f} before;
{versions}; {corpus.name} ({corpus.digest[:12]}).

The ratio is that of neighbouring calls in one process, {TURNS} turns in changing order: how many times as fast as
Keras's layer in a parallel map of `tf.data` on all cores, the median with its 95 % interval. Reviews a second are of
this machine at that hour; CPU is the time of all processors together. The last column counts reviews whose rows are not
the recipe's. Strings are made and tables built before the clock starts.

| recipe | way | times as fast | reviews/s | CPU, µs a review | rows that differ |
| --- | --- | ---: | ---: | ---: | ---: |
{chr(10).join(rows)}
{missing}
NumPy is what the suite uses: it needs no further package and gives exactly the recipe's rows. Numba's loop reads the
same table; it would be a compiler more to depend on, compiles for seconds in each process, and leaves words of over
16 bytes unknown.
"""


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
