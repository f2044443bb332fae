"""The paths: the ways to drive Keras, as data; `bench.worker.operations` holds what they do."""

from __future__ import annotations

from dataclasses import dataclass

from bench.backends import BACKENDS, EVERY
from bench.plan import formats
from models.recipes import Recipe

# The paths with which the others are compared: the same work written by hand, or the least that it takes. The reviews
# and scores of the second one stay on the device, as those of the paths that name it do.
FLOOR = "floor"
RESIDENT_FLOOR = "floor resident"
FLOOR_FROM_TEXT = "floor from text"
FLOOR_FROM_IDS = "floor from ids"
FLOORS = (FLOOR, RESIDENT_FLOOR, FLOOR_FROM_TEXT, FLOOR_FROM_IDS)

# What the floors of training and prediction know; see `has_floor`.
FLOOR_FAMILIES = ("dense", "pooling", "lstm")
FLOOR_OPTIMIZERS = ("rmsprop", "adam")

# Duration of the operation of known length, by which the harness measures itself.
SLEEP_S = 0.005

MULTI_HOT = ("multi_hot",)
PADDED = ("padded",)
TEXT = MULTI_HOT + PADDED
ANY = (*TEXT, "arrays")


@dataclass(frozen=True)
class Path:
    """One way to do the work of a phase.

    summary   one line for a reader who has to choose
    backends  those on which it exists and differs from other paths
    devices   those on which it does
    families  of the suite's models to which it applies; every one and a user's if empty
    forms     encodings of a recipe to which it applies
    slope     its cost is a line over repeats, so that two lengths tell the cost of one (`fit`)
    floor     the path with which it is compared
    code      the lines that a user writes for it; `model`, `x`, `y` and their like are the user's own
    """

    phase: str
    name: str
    summary: str
    backends: tuple[str, ...] = tuple(BACKENDS)
    devices: tuple[str, ...] = ("cpu", "gpu")
    families: tuple[str, ...] = ()
    forms: tuple[str, ...] = ANY
    slope: bool = False
    floor: str = FLOOR

    @property
    def code(self) -> str:
        return "\n".join(CODE.get((self.phase, self.name), ()))


def _from_text(name: str, summary: str) -> Path:
    return Path("vectorize", name, summary, forms=TEXT, floor=FLOOR_FROM_TEXT)


def _from_ids(name: str, summary: str, forms: tuple[str, ...] = TEXT) -> Path:
    return Path("vectorize", name, summary, forms=forms, floor=FLOOR_FROM_IDS)


# On a GPU Keras's LSTM is one call of cuDNN; without it, a loop over time as on a CPU.
ON_GPU = ("gpu",)
WITHOUT_CUDNN = "layer = keras.layers.LSTM(units, use_cudnn=False)"
FIT = "model.fit(x, y, batch_size=batch_size)"
PLACED = "data = [trainer.place(array) for array in (x, y, order)]"
VECTORIZE = "layer = keras.layers.TextVectorization(vocabulary=words, output_sequence_length=length)"

# The lines that a user writes for a path: a reader sees what is compared. Each ends with what is timed.
CODE: dict[tuple[str, str], tuple[str, ...]] = {
    ("startup", "import"): ("import keras",),
    ("startup", "build"): ("model = keras.Sequential(layers)", "model.compile(optimizer=optimizer, loss=loss)"),
    ("startup", "first step"): ("model.train_on_batch(x[:batch_size], y[:batch_size])",),
    ("startup", "first prediction"): ("model.predict_on_batch(x[:1])",),
    ("startup", "load"): ('keras.models.load_model("model.keras")',),
    ("train", "fit"): ("model.compile(optimizer=optimizer, loss=loss)", FIT),
    ("train", "fit steps=10"): ("model.compile(optimizer=optimizer, loss=loss, steps_per_execution=10)", FIT),
    ("train", "fit steps=50"): ("model.compile(optimizer=optimizer, loss=loss, steps_per_execution=50)", FIT),
    ("train", "fit jit=on"): ("model.compile(optimizer=optimizer, loss=loss, jit_compile=True)", FIT),
    ("train", "fit jit=off"): ("model.compile(optimizer=optimizer, loss=loss, jit_compile=False)", FIT),
    ("train", "fit cudnn=off"): (WITHOUT_CUDNN, FIT),
    ("train", "train_on_batch"): ("for batch_x, batch_y in batches:", "    model.train_on_batch(batch_x, batch_y)"),
    ("train", "compiled step"): (
        "trainer = bench.worker.compiled.trainer(model, patch=False)",
        PLACED,
        "for step in range(steps): trainer.run(*data, step, step + 1)",
    ),
    ("train", "compiled loop"): (
        "trainer = bench.worker.compiled.trainer(model)",
        PLACED,
        "trainer.run(*data, 0, steps)",
    ),
    ("train", FLOOR): (
        "trainer = bench.worker.floors.trainer(recipe, model)",
        PLACED,
        "trainer.run(*data, 0, steps)",
    ),
    ("predict", "predict"): ("model.predict(x, batch_size=len(x), verbose=0)",),
    ("predict", "predict_on_batch"): ("model.predict_on_batch(x)",),
    ("predict", "predict_on_batch cudnn=off"): (WITHOUT_CUDNN, "model.predict_on_batch(x)"),
    ("predict", "eager"): ("numpy.asarray(model(x, training=False))",),
    ("predict", "compiled"): ("predict = bench.worker.compiled.predictor(model)", "predict(x)"),
    ("predict", "compiled resident"): (
        "predictor = bench.worker.compiled.predictor(model, patch=False)",
        "x = predictor.place(x)",
        "predictor.run(x)",
    ),
    ("predict", "predict from text"): (VECTORIZE, "model.predict_on_batch(layer(text))"),
    ("predict", "compiled from text"): (
        "encode = datasets.encoding.encoder(words, recipe.encoding)",
        "predict = bench.worker.compiled.predictor(model)",
        "predict(encode(text))",
    ),
    ("predict", FLOOR): ("predict = bench.worker.floors.predictor(recipe, model)", "predict(x)"),
    ("predict", RESIDENT_FLOOR): (
        "predictor = bench.worker.floors.predictor(recipe, model)",
        "x = predictor.place(x)",
        "predictor.run(x)",
    ),
    ("vectorize", "TextVectorization"): (VECTORIZE, "layer(text)"),
    ("vectorize", "TextVectorization in tf.data"): (
        VECTORIZE,
        "data = tensorflow.data.Dataset.from_tensor_slices(text).batch(batch_size)",
        "data.map(layer, num_parallel_calls=tensorflow.data.AUTOTUNE)",
    ),
    ("vectorize", "plain Python"): (
        "rows = ([known.get(word, 1) for word in review.lower().split()] for review in text)",
        "ids = datasets.tokenise.ragged_ids(numpy.array(row, numpy.int32) for row in rows)",
        "datasets.encoding.encode_sequences(ids, recipe.encoding)",
    ),
    ("vectorize", "encoder"): ("encode = datasets.encoding.encoder(words, recipe.encoding)", "encode(text)"),
    ("vectorize", "double loop"): (
        "rows = numpy.zeros((len(ids), width))",
        "for row, review in enumerate(ids):",
        "    for word in review: rows[row, word] = 1.0",
    ),
    ("vectorize", "row assignment"): (
        "rows = numpy.zeros((len(ids), width))",
        "for row, review in enumerate(ids):",
        "    rows[row, review] = 1.0",
    ),
    ("vectorize", "pad_sequences"): ("keras.utils.pad_sequences(ids, maxlen=length)",),
    ("vectorize", "encoder from ids"): ("datasets.encoding.encode_sequences(ids, recipe.encoding)",),
    ("vectorize", FLOOR_FROM_TEXT): ("text.lower()", "numpy.zeros((reviews, width))"),
    ("vectorize", FLOOR_FROM_IDS): ("rows = numpy.zeros((reviews, width))", "rows.reshape(-1)[: len(ids)] = ids"),
    **{("predict", one.name): one.code for one in formats.EXPORTED},
}


PATHS: tuple[Path, ...] = (
    Path("startup", "import", "import Keras and its backend, in a fresh process"),
    Path("startup", "build", "build and compile() the model"),
    Path("startup", "first step", "the first train_on_batch, compilation included"),
    Path("startup", "first prediction", "the first predict_on_batch of one review, compilation included"),
    Path("startup", "load", "load the saved model"),
    Path("train", "fit", "Keras's fit on NumPy arrays", slope=True),
    Path("train", "fit steps=10", "fit, compile(steps_per_execution=10)", slope=True),
    Path("train", "fit steps=50", "fit, compile(steps_per_execution=50)", slope=True),
    Path("train", "fit jit=on", "fit, compile(jit_compile=True)", backends=("tensorflow",), slope=True),
    Path("train", "fit jit=off", "fit, compile(jit_compile=False)", backends=("tensorflow",), slope=True),
    Path("train", "fit cudnn=off", "fit, LSTM(use_cudnn=False)", devices=ON_GPU, families=("lstm",), slope=True),
    Path("train", "train_on_batch", "one call a step on NumPy arrays"),
    Path("train", "compiled step", "Keras's own layers, one compiled program a step, on resident data"),
    Path("train", "compiled loop", "one compiled program for many steps, data resident on the device"),
    Path("train", FLOOR, "the same arithmetic by hand (optax on JAX), many steps in one program"),
    Path("predict", "predict", "Keras's predict, which builds a data pipeline at each call", backends=tuple(EVERY)),
    Path("predict", "predict_on_batch", "one call on a NumPy array", backends=tuple(EVERY)),
    Path(
        "predict",
        "predict_on_batch cudnn=off",
        "predict_on_batch, LSTM(use_cudnn=False)",
        devices=ON_GPU,
        families=("lstm",),
    ),
    Path("predict", "eager", "the model called like a function, nothing compiled"),
    Path("predict", "compiled", "one compiled program a call"),
    Path(
        "predict",
        "compiled resident",
        "Keras's own layers, one compiled program a call, on resident data",
        floor=RESIDENT_FLOOR,
    ),
    *(Path("predict", one.name, one.summary, one.backends, devices=("cpu",)) for one in formats.EXPORTED),
    Path("predict", "predict from text", "raw strings by TextVectorization, then predict_on_batch", forms=TEXT),
    Path("predict", "compiled from text", "raw strings by the project's encoder, then `compiled`", forms=TEXT),
    Path("predict", FLOOR, "the same arithmetic by hand, one compiled program a call"),
    Path("predict", RESIDENT_FLOOR, "the floor on resident data"),
    _from_text("TextVectorization", "raw strings by Keras's layer, called eagerly"),
    _from_text("TextVectorization in tf.data", "raw strings by Keras's layer in a parallel map"),
    _from_text("plain Python", "raw strings by str methods and a dictionary"),
    _from_text("encoder", "raw strings by the project's tokeniser and encoder"),
    _from_ids("double loop", "ids by two Python loops into float64, as in the blog", MULTI_HOT),
    _from_ids("row assignment", "ids by one assignment a row into float64, as in the notebook", MULTI_HOT),
    _from_ids("pad_sequences", "ids by Keras's pad_sequences", PADDED),
    _from_ids("encoder from ids", "ids by the project's encoder"),
    Path("harness", "nothing", "an operation that does nothing: the cost of the clock"),
    Path("harness", "sleep", "an operation of known length"),
    _from_text(FLOOR_FROM_TEXT, "one pass over the bytes, and the memory of the result"),
    _from_ids(FLOOR_FROM_IDS, "ids copied into the memory of the result"),
)


def find(phase: str, name: str) -> Path:
    """Return the path called ``name`` of ``phase``; KeyError where there is none."""
    for path in PATHS:
        if (path.phase, path.name) == (phase, name):
            return path
    raise KeyError(f"the phase {phase!r} has no path {name!r}")


def floor_of(phase: str, name: str) -> str:
    """Return the floor of the path called ``name``; of one that this suite does not have, the usual one."""
    return next((path.floor for path in PATHS if (path.phase, path.name) == (phase, name)), FLOOR)


def names(phase: str) -> tuple[str, ...]:
    """Return the names of every path of ``phase``."""
    return tuple(path.name for path in PATHS if path.phase == phase)


def applies(path: Path, recipe: Recipe, backend: str, device: str = "cpu") -> bool:
    """Return whether ``path`` can drive ``recipe`` on ``backend`` and ``device``."""
    if backend not in path.backends or device not in path.devices or recipe.encoding.form not in path.forms:
        return False
    if path.families and recipe.family not in path.families:
        return False
    return path.name not in (FLOOR, RESIDENT_FLOOR) or has_floor(recipe)


def has_floor(recipe: Recipe) -> bool:
    """Return whether there is a floor of training and prediction for ``recipe``: the user's own, or the suite's.

    The suite's know the layers of the published families in any size and with any rate of dropout, and two optimizers;
    one LSTM that drops nothing itself; the embedding whose gradient is summed; and float32.
    """
    if recipe.family not in FLOOR_FAMILIES or recipe.optimizer is None:
        return recipe.floor  # a user's own
    special = (recipe.lstm_layers != 1, recipe.lstm_dropout, recipe.recurrent_dropout, recipe.optimizer.momentum)
    summed, exact = recipe.embedding == "summed", recipe.precision == "float32"
    return recipe.optimizer.name in FLOOR_OPTIMIZERS and summed and exact and not any(special)
