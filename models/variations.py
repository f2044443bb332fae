"""The variations: recipes derived from the published ones by a few changed settings, as data; no layer is built here.

A derived recipe is named by what it changes, "dense optimizer=adam units=32", so that its name is enough to
derive it again. What the sources propose has short names as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import Any, get_args

from datasets import errors
from datasets.errors import UsageError
from models import recipes
from models.recipes import Optimizer, Precision, Recipe

# With Keras's default learning rates; nobody trains by plain SGD, and the sources propose it with momentum.
OPTIMIZERS: dict[str, Optimizer] = {
    "rmsprop": Optimizer("rmsprop"),
    "adam": Optimizer("adam"),
    "adamw": Optimizer("adamw"),
    "adagrad": Optimizer("adagrad"),
    "adadelta": Optimizer("adadelta"),
    "sgd": Optimizer("sgd", learning_rate=0.01, momentum=0.9),
}


PRECISIONS: tuple[str, ...] = get_args(Precision)


@dataclass(frozen=True)
class Setting:
    """Something that a variation may change.

    summary   what its values are
    applies   whether a recipe has it
    change    the recipe with another value, read from a word; ValueError where the word is none
    """

    summary: str
    applies: Callable[[Recipe], bool]
    change: Callable[[Recipe, str], Recipe]


def _always(_recipe: Recipe) -> bool:
    return True


def _text(recipe: Recipe) -> bool:
    return recipe.reads_text


def _compiled(recipe: Recipe) -> bool:
    return recipe.optimizer is not None


def _padded(recipe: Recipe) -> bool:
    return recipe.encoding.form == "padded"


def _embedded(recipe: Recipe) -> bool:
    return recipe.embedding_units > 0


def _hidden(recipe: Recipe) -> bool:
    return len(recipe.hidden_units) > 0


def _dropping(recipe: Recipe) -> bool:
    return bool(recipe.dropouts) or _hidden(recipe)


def _recurrent(recipe: Recipe) -> bool:
    return recipe.lstm_units > 0


def _optimizer(recipe: Recipe, word: str) -> Recipe:
    if word not in OPTIMIZERS:
        raise ValueError(f"one of {', '.join(OPTIMIZERS)}")
    return replace(recipe, optimizer=OPTIMIZERS[word])


def _learning_rate(recipe: Recipe, word: str) -> Recipe:
    return replace(recipe, optimizer=replace(recipe.optimizer, learning_rate=_rate(word)))  # type: ignore[type-var]


def _encoding(name: str, read: Callable[[str], Any]) -> Callable[[Recipe, str], Recipe]:
    def change(recipe: Recipe, word: str) -> Recipe:
        changes: dict[str, Any] = {name: read(word)}
        return replace(recipe, encoding=replace(recipe.encoding, **changes))

    return change


def _field(name: str, read: Callable[[str], Any]) -> Callable[[Recipe, str], Recipe]:
    return lambda recipe, word: replace(recipe, **{name: read(word)})


def _embedding(recipe: Recipe, word: str) -> Recipe:
    if word not in ("summed", "keras"):
        raise ValueError("summed or keras")
    return replace(recipe, embedding=word)  # type: ignore[arg-type]


def _precision(recipe: Recipe, word: str) -> Recipe:
    if word not in PRECISIONS:
        raise ValueError(f"one of {', '.join(PRECISIONS)}")
    return replace(recipe, precision=word)  # type: ignore[arg-type]


def _units(recipe: Recipe, word: str) -> Recipe:
    return replace(recipe, hidden_units=(_count(word),) * len(recipe.hidden_units))


def _hidden_layers(recipe: Recipe, word: str) -> Recipe:
    more = _count(word) - len(recipe.hidden_units)
    if recipe.dropouts:  # as many rates behind them as there are hidden layers
        rates = recipe.dropouts[: more or None] if more < 0 else recipe.dropouts + recipe.dropouts[-1:] * more
        recipe = replace(recipe, dropouts=rates)
    return replace(recipe, hidden_units=recipe.hidden_units[:1] * _count(word))


def _dropout(recipe: Recipe, word: str) -> Recipe:
    count = len(recipe.dropouts) or len(recipe.hidden_units)
    return replace(recipe, dropouts=(_share(word),) * count)


def _schedule(name: str, read: Callable[[str], Any]) -> Callable[[Recipe, str], Recipe]:
    def change(recipe: Recipe, word: str) -> Recipe:
        changes: dict[str, Any] = {name: read(word)}
        return replace(recipe, phases=tuple(replace(phase, **changes) for phase in recipe.phases))

    return change


def _count(word: str) -> int:
    return _whole(word, 1)


def _number(word: str) -> int:
    return _whole(word, 0)


def _vocabulary(word: str) -> int:
    return _whole(word, 10)


def _whole(word: str, least: int) -> int:
    if not word.isdecimal() or int(word) < least:
        raise ValueError(f"a whole number from {least}")
    return int(word)


def _yes(word: str) -> bool:
    if word not in ("yes", "no"):
        raise ValueError("yes or no")
    return word == "yes"


def _share(word: str) -> float:
    share = _real(word)
    return _held(share, 0 <= share < 1, "a share from 0, below 1")


def _rate(word: str) -> float:
    rate = _real(word)
    return _held(rate, 0 < rate <= 10, "a number above 0, at most 10")


def _penalty(word: str) -> float:
    penalty = _real(word)
    return _held(penalty, 0 <= penalty <= 10, "a number from 0 to 10")


def _held(number: float, holds: bool, expected: str) -> float:
    if not holds:
        raise ValueError(expected)
    return number


def _real(word: str) -> float:
    """Return ``word`` as a number; one that is none is no share, rate or penalty either."""
    try:
        return float(word)
    except ValueError:
        return math.nan


SETTINGS: dict[str, Setting] = {
    "optimizer": Setting(f"{', '.join(OPTIMIZERS)} (momentum 0.9)", _compiled, _optimizer),
    "learning_rate": Setting("of the optimizer", _compiled, _learning_rate),
    "units": Setting("of every hidden layer", _hidden, _units),
    "hidden_layers": Setting("how many, each like the first", _hidden, _hidden_layers),
    "embedding": Setting("summed or keras: the suite's layer or Keras's own", _embedded, _embedding),
    "embedding_units": Setting("numbers a word", _embedded, _field("embedding_units", _count)),
    "lstm_units": Setting("of every LSTM layer", _recurrent, _field("lstm_units", _count)),
    "lstm_layers": Setting("LSTM layers on one another", _recurrent, _field("lstm_layers", _count)),
    "lstm_dropout": Setting("share of an LSTM's inputs", _recurrent, _field("lstm_dropout", _share)),
    "recurrent_dropout": Setting("share of an LSTM's state", _recurrent, _field("recurrent_dropout", _share)),
    "dropout": Setting("rate of every Dropout layer; where there is none, after hidden layers", _dropping, _dropout),
    "l2": Setting("penalty on the kernels of hidden layers", _hidden, _field("l2", _penalty)),
    "precision": Setting(f"{', '.join(PRECISIONS)}: Keras's dtype policy", _always, _precision),
    "vocabulary_size": Setting("ids below this number", _text, _encoding("vocabulary_size", _vocabulary)),
    "sequence_length": Setting("ids a review", _padded, _encoding("sequence_length", _count)),
    "skip_top": Setting("ids below this number become unknown", _text, _encoding("skip_top", _number)),
    "batch_size": Setting("reviews a step", _always, _schedule("batch_size", _count)),
    "epochs": Setting("of every phase", _always, _schedule("epochs", _count)),
    "held_out": Setting("training reviews that validate instead", _always, _schedule("held_out", _number)),
    "restore_best": Setting("yes or no: test the epoch that validated best", _always, _schedule("restore_best", _yes)),
}  # fmt: skip

# What the sources propose to try next, by a short name.
PROPOSED: dict[str, str] = {
    "lstm-stacked": "lstm lstm_layers=2",
    "lstm-dropout": "lstm lstm_dropout=0.25 recurrent_dropout=0.25 dropout=0.5",
    "lstm-rare-words": "lstm skip_top=50",
    "lstm-large-vocabulary": "lstm vocabulary_size=10000",
    "lstm-long": "lstm sequence_length=200",
    "pooling-plain": "pooling-dropout dropout=0 l2=0",
    "pooling-undropped": "pooling-dropout dropout=0",
    "pooling-unpenalized": "pooling-dropout l2=0",
}


def find(name: str, own: Mapping[str, Recipe] = MappingProxyType({})) -> Recipe:
    """Return the recipe called ``name``: published, proposed, one of ``own``, or any of these with changed settings.

    Raises UsageError where a recipe, a setting or a value is unknown.
    """
    first, *words = PROPOSED.get(name, name).split() or [""]
    if first in PROPOSED:
        first, *more = PROPOSED[first].split()
        words = more + words
    recipe = errors.find("recipe", first, {**recipes.RECIPES, **own})
    return derive(recipe, dict(_parted(word) for word in words)) if words else recipe


def known(name: str) -> Recipe | None:
    """Return the recipe or variation of this suite called ``name``; None where it is a user's or unknown."""
    try:
        return find(name)
    except UsageError:
        return None


def derive(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """Return ``recipe`` with ``settings`` (name: value) changed; nothing is published of it."""
    derived = recipe
    for name, value in settings.items():
        derived = _changed(derived, name, value)
    words = [recipe.name, *(f"{name}={value}" for name, value in settings.items())]
    return replace(derived, name=" ".join(words), published=(), parameters=0, sentences=False)


def grid(recipe: Recipe, over: Mapping[str, list[str]]) -> Iterator[Recipe]:
    """Yield the variations of every combination of values, the last setting's changing fastest."""
    for values in product(*over.values()):
        yield derive(recipe, dict(zip(over, values, strict=True)))


def _changed(recipe: Recipe, name: str, value: str) -> Recipe:
    applicable = {known: setting for known, setting in SETTINGS.items() if setting.applies(recipe)}
    setting = errors.find(f"setting of {recipe.name}", name, applicable)
    try:
        return setting.change(recipe, value)
    except ValueError as error:
        raise UsageError(f"{name}: expected {error}; received {value!r}") from error


def _parted(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name and equals and value):
        raise UsageError(f"expected SETTING=VALUE, as in optimizer=adam; received {word!r}")
    return name, value
