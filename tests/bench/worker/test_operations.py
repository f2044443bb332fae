"""The operations that start from text, in a real worker's surroundings: equal rows, equal predictions, every start."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.backends import BACKENDS
from bench.plan import paths
from bench.plan.targets import Target, environment
from datasets import tokenise
from datasets.corpus import Corpus, Split
from models.recipes import RECIPES, Recipe

ROOT = Path(__file__).resolve().parents[3]

# What the ways to vectorize could take differently: tags, capitals and spaces beyond ASCII, apostrophes, other white
# space, nothing at all, and reviews longer than every recipe's 256 words whose two ends differ.
REVIEWS = (
    b"A good film, a GOOD one!",
    b"Good<br /><br />fun <BR />bad",
    b"Don't;stop it's bad,bad...\tbad",
    "ÉLAN élan naïve\u0085good film\u00a0good \u0130t's".encode(),
    b"",
    b"good " * 200 + b"bad " * 200,
    b"one\x0bgood\x0cbad\r\nfilm a\x1cbad",
    b"it's a film",
    b"a a a bad one",
)
WORDS = ("good", "bad", "a", "film", "it's", "don't", "one", "élan")
# Ids from 0 to 7: `film` (rank 4, id 7) is the last of Keras's words; of the reviews' own tokens six are kept.
VOCABULARY_SIZE = 8
BATCH_SIZE = 3

# The recipes whose words are those of Keras's layer.
OF_THE_LAYER = [name for name, recipe in RECIPES.items() if recipe.encoding.words == "text"]
LAYER_PATHS = ("TextVectorization", "TextVectorization in tf.data")
STARTS = {"import", "build", "first step", "first prediction", "load"}

VECTORIZE = [
    (name, path.name)
    for name, recipe in RECIPES.items()
    for path in paths.PATHS
    if path.phase == "vectorize" and paths.applies(path, recipe, "jax")
]
EQUAL = [
    (name, path)
    for name, path in VECTORIZE
    if path not in paths.FLOORS and (path not in LAYER_PATHS or name in OF_THE_LAYER)
]

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module", params=BACKENDS)
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a fresh process of each backend finds."""
    surroundings = environment(Target(request.param), str(tmp_path_factory.mktemp("keras")))
    surroundings["PYTHONPATH"] = str(ROOT)
    done = subprocess.run([sys.executable, __file__], cwd=ROOT, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "path"), EQUAL)
def test_a_path_gives_the_recipe_s_own_rows(answers: Any, name: str, path: str) -> None:
    """Faster ways are compared with slower ones that do the same: every value of every review is the recipe's."""
    assert answers["vectorize"][name][path]["differing"] == []


@pytest.mark.parametrize(("name", "path"), VECTORIZE)
def test_a_path_gives_arrays_of_the_recipe_s_shape(answers: Any, name: str, path: str) -> None:
    """The floor, and the layer with other words than the recipe's, still make as many values."""
    width = RECIPES[name].encoding.sequence_length or VOCABULARY_SIZE
    assert answers["vectorize"][name][path]["shape"] == [len(REVIEWS), width]


@pytest.mark.parametrize("floor", [paths.FLOOR_FROM_TEXT, paths.FLOOR_FROM_IDS])
@pytest.mark.parametrize("name", RECIPES)
def test_the_floor_takes_the_memory_of_the_recipe_s_rows(answers: Any, name: str, floor: str) -> None:
    """Half the bytes would be half the floor."""
    wanted = "float32" if RECIPES[name].encoding.form == "multi_hot" else "int32"
    assert answers["vectorize"][name][floor]["dtype"] == wanted


@pytest.mark.parametrize("name", RECIPES)
def test_text_through_the_encoder_is_predicted_as_its_ids_are(answers: Any, name: str) -> None:
    """From the same weights, batch after batch and round again: the same scores, and not one score for all reviews."""
    scores = answers["predict"][name]
    assert scores["compiled from text"] == pytest.approx(scores["compiled"], abs=1e-6)
    assert np.ptp(scores["compiled"]) > 1e-4


@pytest.mark.parametrize("name", OF_THE_LAYER)
def test_text_through_the_layer_is_predicted_as_its_ids_are(answers: Any, name: str) -> None:
    """Where the recipe's words are the layer's."""
    scores = answers["predict"][name]
    assert scores["predict from text"] == pytest.approx(scores["predict_on_batch"], abs=1e-6)


@pytest.mark.parametrize("name", RECIPES)
def test_every_start_takes_time(answers: Any, name: str) -> None:
    """Building, the first step and the first prediction are all there, and the import is told as it was given."""
    starts = answers["startup"][name]
    assert set(starts) == STARTS
    assert min(starts.values()) > 0
    assert starts["import"] == 2.5


def test_each_start_lies_between_two_readings_of_the_clock(answers: Any) -> None:
    """A clock that reads 0, 1, 3, 7, 15 and 31 gives 1, 2, 4 and, to load, 16 seconds."""
    assert answers["clock"] == {"import": 2.5, "build": 1, "first step": 2, "first prediction": 4, "load": 16}


def made_corpus() -> Corpus:
    """Return the made reviews as a corpus; its test half has them in the other order."""
    halves = tokenise.ragged_text(REVIEWS), tokenise.ragged_text(REVIEWS[::-1])
    tokens = tokenise.vocabulary(halves[0])
    labels = np.arange(len(REVIEWS), dtype=np.uint8) % 2
    train, test = (
        Split(text, labels, tokenise.keras_ids(text, WORDS), tokenise.token_ranks(text, tokens)) for text in halves
    )
    return Corpus("synthetic", "0" * 64, train, test, WORDS, tokens)


def made_recipe(name: str) -> Recipe:
    """Return a recipe with a vocabulary that the made reviews exceed."""
    recipe = RECIPES[name]
    return replace(recipe, encoding=replace(recipe.encoding, vocabulary_size=VOCABULARY_SIZE))


def main() -> None:
    """Write what this process's backend makes of the made reviews, as JSON."""
    from bench.worker.operations import startup, vectorize
    from bench.worker.reviews import Reviews

    vectorize.REVIEWS_PER_CALL = 2  # several calls, whose order matters
    made = {name: Reviews(made_corpus(), made_recipe(name)) for name in RECIPES}
    found = {
        "startup": {name: startup.measure(reviews, import_s=2.5) for name, reviews in made.items()},
        "clock": startup.measure(made["lstm"], import_s=2.5, now=iter([0.0, 1.0, 3.0, 7.0, 15.0, 31.0]).__next__),
        "vectorize": {name: {path: rows(made[name], path) for n, path in VECTORIZE if n == name} for name in made},
        "predict": {name: scores(reviews) for name, reviews in made.items()},
    }
    sys.stdout.write(json.dumps(found))


def rows(reviews: Any, path: str) -> dict[str, Any]:
    """Return the shape and number type of what a path gives, and the rows that are not the recipe's."""
    from bench.worker import operations

    result = operations.prepare(reviews, phase="vectorize", path=path, batch_size=len(REVIEWS)).run(2)
    array = np.concatenate(result) if isinstance(result, list) else np.asarray(result)
    same = array.shape == reviews.train.x.shape
    differing = np.flatnonzero((array != reviews.train.x).any(axis=1)).tolist() if same else ["the shape"]
    return {"shape": array.shape, "dtype": str(array.dtype), "differing": differing}


def scores(reviews: Any) -> dict[str, list[float]]:
    """Return the scores of five batches, by path: the three that the reviews make, and two of the next round."""
    from bench.worker import operations

    found = {}
    for path in ("predict_on_batch", "predict from text", "compiled", "compiled from text"):
        operation = operations.prepare(reviews, phase="predict", path=path, batch_size=BATCH_SIZE)
        found[path] = np.concatenate([operation.run(1) for _ in range(5)]).reshape(-1).tolist()
    return found


if __name__ == "__main__":
    main()
