"""The loop and the predictor that users call: as `fit` in history, callbacks and weights, else `fit` with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from bench.backends import BACKENDS
from tests.bench import fresh

CLOSE = 1e-5

PROGRAM = """
import json
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np
from keras import callbacks, layers, ops

from bench.worker import driving
from bench.worker.programs import Unsupported
from bench.worker.reviews import Encoded
from bench.worker.training import epochs
from bench.worker.training.loop import Training
from tests.bench.worker.own_models import apart, normalized, numbers, overridden, seeded, several

ARGUMENTS = {"epochs": 4, "shuffle": False}


class Halving(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([0.5 * values for values in self.model.get_weights()])


class Counting(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


class Branching(layers.Layer):
    def call(self, inputs, training=False):
        return inputs * float(ops.sum(inputs)) if training else inputs


class Random(layers.Layer):
    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, inputs):
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seeds)


def differences(one, other):
    return {name: float(np.abs(np.subtract(one[name], other[name])).max()) for name in one}


def trained(case, make=lambda folder, events: (), **arguments):
    found = []
    for by in ("loop", "fit"):
        (model, x, y), folder, events = seeded(case), Path(tempfile.mkdtemp()), []
        hooks = list(make(folder, events))
        if by == "loop":
            history = driving.compiled_loop(model, x, y, **ARGUMENTS, callbacks=hooks, **arguments)
        else:
            history = model.fit(x, y, **ARGUMENTS, verbose=0, callbacks=hooks, **arguments)
        files = sorted(file.name for file in folder.iterdir())
        rate = float(model.optimizer.learning_rate)
        found.append({"history": history.history, "epochs": history.epoch, "events": events, "files": files,
                      "rate": rate, "model": model})
    loop, fit = found
    return {
        "names": [sorted(loop["history"]), sorted(fit["history"])],
        "history": differences(loop["history"], fit["history"]),
        "apart": apart(loop.pop("model"), fit.pop("model")),
        **{name: [loop[name], fit[name]] for name in ("epochs", "events", "files", "rate")},
    }


def every_kind(folder, events):
    return [
        callbacks.EarlyStopping("loss", patience=2, min_delta=2.0, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", patience=0, min_delta=1.0),
        callbacks.LearningRateScheduler(lambda epoch, rate: 0.7 * rate),
        callbacks.ModelCheckpoint(str(folder / "{epoch}.weights.h5"), save_weights_only=True),
        callbacks.LambdaCallback(
            on_train_begin=lambda logs: events.append("train"),
            on_epoch_begin=lambda epoch, logs: events.append(epoch),
            on_epoch_end=lambda epoch, logs: events.append(sorted(logs)),
            on_train_end=lambda logs: events.append(sorted(logs)),
            on_test_end=lambda logs: events.append(sorted(logs)),
        ),
    ]


def told(run):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [str(one.message) for one in caught if "kerasmark" in str(one.message)]


def instead(change=None, data=None, **arguments):
    model, x, y = several()
    if change:
        change(model)
    x, y = data(x, y) if data else (x, y)
    before = model.get_weights()
    words = told(lambda: driving.compiled_loop(model, x, y, **arguments))
    return {"told": words, "trained": any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))}


def simple(layer):
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layers.Dense(1)(layer(inputs)))
    model.compile("sgd", loss="mse")
    return model


def untraceable():
    model, x, y = simple(Branching()), numbers(5), numbers(1)
    before, reason = model.get_weights(), ""
    try:
        Training(model, x, y, batch_size=32, seed=0)
    except Unsupported as error:
        reason = str(error)
    return {"reason": reason, "updated": any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))}


def by_suite():
    found = []
    for change in (lambda model: None, lambda model: setattr(model, "run_eagerly", True)):
        (model, x, y), seen = seeded(normalized), []
        change(model)
        reason = epochs.compiled_loop(model, Encoded(x, y), epochs.Schedule(32, 2, 0), seen.append)
        found.append([reason, [sorted(one.figures) for one in seen if one.complete]])
    return found


def predicted():
    model, x, _ = seeded(several)
    predict = driving.predictor(model)
    before = predict(x)
    model.set_weights([2 * values for values in model.get_weights()])
    after, expected = predict(x), model.predict_on_batch(x)
    random = driving.predictor(simple(Random()))
    words = told(lambda: random(numbers(5)))
    return {
        "same": all(np.allclose(after[name], expected[name], atol=1e-6) for name in expected),
        "moved": any((before[name] != after[name]).any() for name in expected),
        "random": float(np.abs(random(numbers(5)) - random(numbers(5))).max()),
        "told": words,
    }


def again():
    (model, x, y), kept = seeded(normalized), []
    for change in (lambda: None, lambda: None, lambda: model.compile("sgd", loss=model.loss)):
        change()
        before = vars(model).get("_kerasmark")
        history = driving.compiled_loop(model, x, y).history
        kept.append([vars(model)["_kerasmark"] is before, sorted(history)])
    model.save(Path(tempfile.mkdtemp()) / "model.keras")
    return kept


def generator(x, y):
    return (batch for batch in [(x, y)]), None


validated = normalized()[1:]
found = {
    "validated": trained(normalized, validation_data=validated),
    "by batches": trained(normalized, lambda folder, events: [callbacks.LambdaCallback(
        on_test_batch_end=lambda batch, logs: events.append(batch))], validation_data=validated),
    "weighted": trained(normalized, validation_data=(*validated, np.linspace(0, 1, 84, dtype=np.float32))),
    "overridden": trained(overridden),
    "callbacks": trained(normalized, every_kind, validation_data=validated),
    "assigned": trained(normalized, lambda folder, events: [Halving()]),
    "saved": trained(normalized, lambda folder, events: [callbacks.BackupAndRestore(str(folder / "backup"))]),
    "instead": {
        "hook": instead(callbacks=[Counting()]),
        "lambda": instead(callbacks=[callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: None)]),
        "nan": instead(callbacks=[callbacks.TerminateOnNaN()]),
        "often": instead(callbacks=[callbacks.ModelCheckpoint(tempfile.mkdtemp() + "/a.keras", save_freq=2)]),
        "weights": instead(sample_weight=np.ones(84)),
        "eager": instead(lambda model: setattr(model, "run_eagerly", True)),
        "generator": instead(data=generator),
    },
    "untraceable": untraceable(),
    "by suite": by_suite(),
    "predicted": predicted(),
    "again": again(),
    "shuffled": [driving.compiled_loop(*seeded(normalized), seed=seed).history["loss"] for seed in (0, 0, 1)],
}
print(json.dumps(found))
"""

# What is not supported, in words.
REASONS = {
    "hook": "the callback Counting with on_train_batch_end",
    "lambda": "the callback LambdaCallback with on_train_batch_begin",
    "nan": "the callback TerminateOnNaN with on_batch_end",
    "often": "the callback ModelCheckpoint with on_train_batch_end",
    "weights": "the argument sample_weight",
    "eager": "run_eagerly=True",
    "generator": "x of type generator instead of NumPy arrays",
}

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module", params=BACKENDS)
def driven(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What one fresh process of a backend found."""
    found: dict[str, Any] = fresh.answer(PROGRAM, request.param)
    return {**found, "backend": request.param}


@pytest.mark.parametrize("way", ["validated", "by batches", "weighted", "overridden", "callbacks", "assigned", "saved"])
def test_the_loop_trains_as_fit_does(driven: dict[str, Any], way: str) -> None:
    """Equal weights, history and learning rate, with validation, after what callbacks changed, until they stop it."""
    found = driven[way]
    assert found["names"][0] == found["names"][1]
    assert max(found["history"].values()) <= CLOSE
    assert found["apart"] <= CLOSE
    for name in ("epochs", "events", "files"):
        assert found[name][0] == found[name][1], name
    assert found["rate"][0] == pytest.approx(found["rate"][1], rel=1e-6)


def test_callbacks_see_what_they_see_in_fit(driven: dict[str, Any]) -> None:
    """Hooks of training, epochs and tests with every figure; a file for each epoch."""
    names = ["accuracy", "loss"]
    validated = sorted([*names, *(f"val_{name}" for name in names)])
    rated = sorted([*validated, "learning_rate"])  # by a callback before
    assert driven["callbacks"]["events"][0][:4] == ["train", 0, names, rated]
    assert driven["callbacks"]["events"][0][-1] == validated
    assert driven["callbacks"]["files"][0] == [f"{epoch}.weights.h5" for epoch in (1, 2, 3)]  # of four


@pytest.mark.parametrize("what", REASONS)
def test_what_is_not_supported_is_trained_by_fit_and_said(driven: dict[str, Any], what: str) -> None:
    """One warning: what it was, and what was done instead."""
    found = driven["instead"][what]
    assert found["told"] == [f"kerasmark.compiled_loop: {REASONS[what]} is not supported; training by fit instead"]
    assert found["trained"]


def test_a_model_that_cannot_be_traced_is_as_it_was(driven: dict[str, Any]) -> None:
    """Nothing is updated before the whole step is known to compile."""
    reason = driven["untraceable"]["reason"]
    assert reason.startswith("a model that cannot be traced (")
    assert reason.isprintable()
    assert not driven["untraceable"]["updated"]


def test_a_training_of_the_suite_says_why_it_took_fit(driven: dict[str, Any]) -> None:
    """No reason where the loop trained; the figures have Keras's names by either."""
    figures = [["accuracy", "loss"]] * 2
    assert driven["by suite"] == [["", figures], ["run_eagerly=True", figures]]


def test_the_predictor_reads_the_weights_at_each_call(driven: dict[str, Any]) -> None:
    """What the model has learned since is predicted with."""
    assert driven["predicted"]["same"]
    assert driven["predicted"]["moved"]


def test_a_random_layer_draws_anew_at_each_prediction(driven: dict[str, Any]) -> None:
    """JAX's program is pure and would draw the same: there Keras predicts, and a warning says so."""
    assert driven["predicted"]["random"] > 0
    told = driven["predicted"]["told"]
    assert all("in prediction is not supported; predicting by predict_on_batch instead" in words for words in told)
    assert bool(told) == (driven["backend"] == "jax")


def test_a_model_keeps_its_program_until_it_is_compiled_anew(driven: dict[str, Any]) -> None:
    """The next call does not wait for a compiler; another loss, optimizer or metric is another program."""
    both = ["accuracy", "loss"]
    assert driven["again"] == [[False, both], [True, both], [False, both]]


def test_a_seed_gives_the_order_of_rows(driven: dict[str, Any]) -> None:
    """The same seed the same training; another one another order."""
    first, again, other = driven["shuffled"]
    assert first == again != other
