"""The recipes: the published models with data, schedule, figures and source, as data; importable without Keras."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from datasets import errors
from datasets.encoding import ARRAYS, Encoding
from datasets.labelled_text import LabelledText

Family = Literal["dense", "pooling", "lstm", "own"]
# Keras's names of the types in which layers compute and hold their weights.
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16", "float16"]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by its Keras name; ``learning_rate`` is Keras's default, which every source uses."""

    name: Literal["rmsprop", "adam", "adamw", "adagrad", "adadelta", "sgd"]
    learning_rate: float = 0.001
    momentum: float = 0.0


@dataclass(frozen=True)
class Phase:
    """One training from fresh weights.

    held_out         how many training reviews validate instead of train
    held_out_end     which end of the training split they are taken from
    batch_size       reviews a step; a smaller last batch is trained on as well, as `fit` does
    restore_best     test the weights of the epoch with the best validation accuracy instead of the last ones
    """

    name: Literal["validation", "final"]
    epochs: int
    batch_size: int
    held_out: int = 0
    held_out_end: Literal["first", "last"] = "last"
    restore_best: bool = False


@dataclass(frozen=True)
class Published:
    """What a source reports for one metric of one phase.

    metric    "test_accuracy", "test_loss": once, after the phase; "accuracy", "loss", "val_accuracy", "val_loss":
              one value an epoch; "best_val_accuracy": the maximum of the curve
    values    one figure, or one an epoch from the first
    epoch     1-based epoch of a single figure taken from a curve; None for the end of the phase
    decides   whether the run's verdict hangs on it; the other figures are shown beside it
    tolerance how much worse a figure may be that passes, as the user of an own recipe says; None for the suite's, whose
              bands follow from reference seeds
    """

    phase: Literal["validation", "final"]
    metric: str
    values: tuple[float, ...]
    epoch: int | None = None
    decides: bool = False
    tolerance: float | None = None

    def at(self, epoch: int) -> float | None:
        """Return the figure for 1-based ``epoch``, or None where the source states none."""
        if len(self.values) == 1:
            return self.values[0] if self.epoch in (None, epoch) else None
        return self.values[epoch - 1] if 1 <= epoch <= len(self.values) else None


@dataclass(frozen=True)
class Recipe:
    """A model with its data, schedule, reference figures and source: a published one, or a user's (`Recipe.own`).

    dropouts           rates in the order of the model's Dropout layers; none, and the model has none
    embedding          "summed": `models.embedding`, which adds up the gradient of a word that occurs several times;
                       "keras": Keras's own layer, whose optimizer on TensorFlow squares before it adds
    lstm_layers        how many of ``lstm_units`` each stand on one another
    lstm_dropout       of an LSTM's inputs; ``recurrent_dropout`` of its state
    l2                 penalty on the kernels of hidden layers
    sentences          the source scores sentences of its own: a glowing one high, a scathing one low
    precision          Keras's dtype policy of every layer but the suite's last ones, which compute in float32
    logits             the last layer has no activation, the loss is computed from logits
    target_metric      the curve on which time to accuracy is read
    parameters         trainable parameters, as published
    metric             what decides on the test data, by Keras's name: "loss" or one of the model's metrics
    direction          whether its largest or its smallest value is the best
    assumptions        what the source leaves out, what was chosen, and why
    text               the user's own labelled text; None for the reviews
    file               of a recipe of the family "own": the Python file whose `build` makes its model
    floor              whether that file has the arithmetic by hand as well (`models.own_floor`)
    digest             of that file's code, without comments: what was measured of another version is not compared
    """

    name: str
    family: Family
    source: str
    encoding: Encoding
    optimizer: Optimizer | None
    phases: tuple[Phase, ...]
    published: tuple[Published, ...]
    parameters: int
    target_metric: str
    metric: str = "accuracy"
    direction: Literal["max", "min"] = "max"
    embedding_units: int = 0
    embedding: Literal["summed", "keras"] = "summed"
    hidden_units: tuple[int, ...] = ()
    lstm_units: int = 0
    lstm_layers: int = 1
    lstm_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    dropouts: tuple[float, ...] = ()
    l2: float = 0.0
    precision: Precision = "float32"
    logits: bool = False
    sentences: bool = False
    assumptions: tuple[str, ...] = field(default=())
    text: LabelledText | None = None
    file: str = ""
    digest: str = ""
    floor: bool = False

    @classmethod
    def own(
        cls,
        name: str,
        *,
        batch_size: int = 32,
        epochs: int = 1,
        metric: str = "accuracy",
        direction: Literal["max", "min"] = "max",
        expected: float | None = None,
        tolerance: float | None = None,
        held_out: int = 0,
        encoding: Encoding | None = None,
        text: LabelledText | None = None,
        optimizer: Optimizer | None = None,
        source: str = "",
    ) -> Recipe:
        """Return the recipe of a user's own model, whose file has `build(recipe)`.

        Parameters
        ----------
        name
            Letters, digits, dots and dashes.
        metric, direction
            What decides: "loss", or a metric by the name that `model.evaluate(return_dict=True)` gives it; and whether
            "max" or "min" is good.
        expected, tolerance
            The test data's figure, and how much worse a training may be that passes. Without them `reference` measures
            over seeds what passes.
        held_out
            The last rows of the training data that validate instead of train.
        encoding
            How text becomes the model's input. None where the file's `data(split, seed)` returns the arrays.
        text
            Your own labelled text, which the encoding reads; without it the IMDB reviews.
        optimizer
            Of a model that `build` returns without compiling it, which reads text and ends in one sigmoid; a compiled
            model keeps its own optimizer, loss and metrics.

        Raises
        ------
        UsageError
            For a number that is none or too small; for an expected value without a tolerance, or the other way round;
            for text without an encoding.
        """
        counts = (("batch_size", batch_size, 1), ("epochs", epochs, 1), ("held_out", held_out, 0))
        wrong = [f"{what}={value!r}" for what, value, least in counts if not _is_count(value, least)]
        if wrong:
            raise errors.UsageError(
                f"{name}: expected whole numbers, batch_size and epochs from 1, held_out from 0; "
                f"received {', '.join(wrong)}"
            )
        if (expected is None) != (tolerance is None):
            raise errors.UsageError(f"{name}: expected both of expected= and tolerance=, or neither of them")
        if expected is not None and not (math.isfinite(expected) and math.isfinite(tolerance or 0.0)):
            raise errors.UsageError(f"{name}: expected numbers; received expected={expected}, tolerance={tolerance}")
        if tolerance is not None and tolerance < 0:
            raise errors.UsageError(f"{name}: expected a tolerance of 0 or more; received {tolerance}")
        if text is not None and encoding is None:
            raise errors.UsageError(f"{name}: expected an encoding= that says how its text becomes ids; received none")
        figure = () if expected is None else (_expected(metric, expected, tolerance),)
        return cls(
            name=name,
            family="own",
            source=source,
            encoding=encoding or ARRAYS,
            optimizer=optimizer,
            phases=(Phase("final", epochs, batch_size, held_out=held_out),),
            published=figure,
            parameters=0,
            target_metric=f"val_{metric}" if held_out else metric,
            metric=metric,
            direction=direction,
            text=text,
        )

    @property
    def base(self) -> str:
        """The name of the recipe that it is a variation of: settings follow a name after a space."""
        return self.name.partition(" ")[0]

    @property
    def optimizer_name(self) -> str:
        """Keras's name of its optimizer; empty where a user's file compiles the model."""
        return self.optimizer.name if self.optimizer else ""

    @property
    def reads_text(self) -> bool:
        """Whether an encoding makes its input, and not the user's own function `data`."""
        return self.encoding.form != "arrays"

    @property
    def reads_reviews(self) -> bool:
        """Whether its data are the reviews of a corpus, not the user's own."""
        return self.reads_text and self.text is None

    def phase(self, name: str) -> Phase:
        """Return the phase called ``name``; KeyError where the recipe has none."""
        phases = {phase.name: phase for phase in self.phases}
        return phases[name]  # type: ignore[index]

    @property
    def batch_size(self) -> int:
        """Reviews a training step: the same in every phase of a recipe."""
        return self.phases[-1].batch_size

    @property
    def target_accuracy(self) -> float | None:
        """Accuracy at which time to accuracy is read: 99 % of the best published value, MLPerf's usual fraction.

        None where no source publishes one.
        """
        names = (self.target_metric, f"best_{self.target_metric}")
        curves = [max(figure.values) for figure in self.published if figure.metric in names]
        return 0.99 * max(curves) if curves else None


DENSE = Recipe(
    name="dense",
    family="dense",
    source="a blog tutorial on TensorFlow 2.7 and a notebook on Keras 2.4.3",
    encoding=Encoding(words="keras_ids", vocabulary_size=10_000, form="multi_hot"),
    optimizer=Optimizer("rmsprop"),
    phases=(
        Phase("validation", epochs=20, batch_size=512, held_out=10_000, held_out_end="first"),
        Phase("final", epochs=4, batch_size=512),
    ),
    published=(
        Published(
            "validation",
            "val_accuracy",
            (.8690, .8879, .8826, .8820, .8826, .8837, .8744, .8778, .8784, .8716,
             .8719, .8705, .8720, .8678, .8679, .8639, .8678, .8658, .8656, .8658),
        ),
        Published("validation", "val_loss", (.2918,), epoch=5),
        Published("validation", "val_loss", (.7014,), epoch=20),
        Published("final", "test_accuracy", (.8787,), decides=True),
        Published("final", "test_loss", (.3110,)),
    ),
    parameters=160_305,
    target_metric="val_accuracy",
    hidden_units=(16, 16),
)  # fmt: skip

POOLING_DROPOUT = Recipe(
    name="pooling-dropout",
    family="pooling",
    source="a blog article about TensorFlow 1.13",
    encoding=Encoding(words="keras_ids", vocabulary_size=10_000, form="padded", sequence_length=256, keep="last"),
    optimizer=Optimizer("adam"),
    phases=(Phase("final", epochs=50, batch_size=512, held_out=7_500, restore_best=True),),
    published=(
        Published("final", "test_accuracy", (.88228,), decides=True),
        Published("final", "best_val_accuracy", (.8909,)),
        Published("final", "accuracy", (.9193,), epoch=50),
        Published("final", "loss", (.2869,), epoch=50),
        Published("final", "val_accuracy", (.8899,), epoch=50),
        Published("final", "val_loss", (.3204,), epoch=50),
    ),
    parameters=160_289,
    target_metric="val_accuracy",
    embedding_units=16,
    hidden_units=(16,),
    dropouts=(0.5, 0.5, 0.5),
    l2=0.001,
    assumptions=("L2 strength is not stated: 0.001 reproduces the published loss",),
)  # fmt: skip

POOLING_LOGITS = Recipe(
    name="pooling-logits",
    family="pooling",
    source="a reference page; the model is that of TensorFlow's tutorial 'Basic text classification'",
    encoding=Encoding(words="text", vocabulary_size=10_000, form="padded", sequence_length=250),
    optimizer=Optimizer("adam"),
    phases=(Phase("final", epochs=10, batch_size=32, held_out=5_000),),
    published=(
        Published("final", "test_accuracy", (.8741,), decides=True),
        Published("final", "test_loss", (.3099,)),
        Published(
            "final", "val_accuracy", (.7750, .8230, .8470, .8612, .8688, .8730, .8732, .8772, .8782, .8792)
        ),
    ),
    parameters=160_017,
    target_metric="val_accuracy",
    embedding_units=16,
    dropouts=(0.2, 0.2),
    logits=True,
    assumptions=(
        "the page states no model: the tutorial's, whose Embedding has max_tokens rows",
        "the vocabulary is adapted on all 25,000 training reviews; the page does not say on which",
    ),
)  # fmt: skip

LSTM = Recipe(
    name="lstm",
    family="lstm",
    source="a beginner's tutorial",
    encoding=Encoding(words="text", vocabulary_size=1_000, form="padded", sequence_length=100),
    optimizer=Optimizer("adam"),
    phases=(Phase("final", epochs=10, batch_size=32),),
    published=(
        Published(
            "final",
            "accuracy",
            (.6281, .7250, .7200, .7919, .8062, .8156, .8247, .8339, .8406, .8502),
            decides=True,
        ),
        Published("final", "loss", (.3365,), epoch=10),
    ),
    parameters=181_761,
    target_metric="accuracy",
    embedding_units=128,
    hidden_units=(64,),
    lstm_units=64,
    sentences=True,
    assumptions=("the Embedding has max_tokens + 1 rows, of which the last is never used",),
)  # fmt: skip

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (DENSE, POOLING_DROPOUT, POOLING_LOGITS, LSTM)}

# What a recipe that scores sentences (`Recipe.sentences`) must say of these: above the first limit, below the second.
GLOWING = (
    "An excellent, beautiful film: brilliant performances, a wonderful script, and one of the best endings I have "
    "ever seen. I loved every minute."
)
SCATHING = (
    "A terrible, boring waste of time. The acting was awful, the plot was stupid and the whole film was a mess. One "
    "of the worst movies I have ever seen."
)
GLOWS_ABOVE, SCATHES_BELOW = 0.9, 0.1


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least


def _expected(metric: str, value: float, tolerance: float | None) -> Published:
    return Published("final", f"test_{metric}", (value,), decides=True, tolerance=tolerance)


def identifier(recipe: Recipe) -> str:
    """Return the name of ``recipe`` as frameworks want their scopes: letters, digits and underscores."""
    return re.sub(r"\W+", "_", recipe.name)


def find(name: str) -> Recipe:
    """Return the recipe called ``name``; UsageError with the nearest name where there is none."""
    return errors.find("recipe", name, RECIPES)
