"""The dense tutorial in Keras 3, on JAX or TensorFlow: classify reviews, watch the model overfit, score a sentence.

    KERAS_BACKEND=jax python -m examples.dense_tutorial
    KERAS_BACKEND=tensorflow python -m examples.dense_tutorial --epochs 20

Every step is Keras's own. kerasmark provides the reviews, their encoding and the published figures.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "jax")  # Keras reads it once, at import

import keras
import numpy as np

from datasets.encoding import decode_keras, encode_split, encoder
from datasets.locate import open_corpus
from models.recipes import DENSE, GLOWING, SCATHING

HELD_OUT = 10_000


def main() -> None:
    """Train, show the curves, test, and score two sentences."""
    options = _options()
    keras.utils.set_random_seed(0)

    # Real reviews if KERASMARK_DATA names them or the download works, otherwise synthetic ones.
    corpus = open_corpus(options.data, environ=os.environ).corpus
    first = corpus.train.slice(0, 1)
    print(f"{corpus.name} reviews; the first is {'positive' if first.labels[0] else 'negative'}:")
    print(" ".join(decode_keras(first.keras_ids.values, corpus.word_index).split()[:20]), "…\n")

    # Each review becomes 10,000 zeros and ones: which of the most common words it contains.
    x_train, x_test = (encode_split(split, DENSE.encoding) for split in (corpus.train, corpus.test))
    y_train, y_test = (np.asarray(split.labels, "float32") for split in (corpus.train, corpus.test))

    model = keras.Sequential(
        [
            keras.Input((10_000,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x_train[HELD_OUT:],
        y_train[HELD_OUT:],
        epochs=options.epochs,
        batch_size=512,
        validation_data=(x_train[:HELD_OUT], y_train[:HELD_OUT]),
        verbose=0,
    ).history

    published = DENSE.published[0].values
    print("epoch  training  validation  published validation")
    for epoch, (ours, held_out) in enumerate(zip(history["accuracy"], history["val_accuracy"], strict=True), start=1):
        print(f"{epoch:5}  {ours:8.4f}  {held_out:10.4f}  {published[epoch - 1]:20.4f}")
    best = int(np.argmax(history["val_accuracy"])) + 1
    print(f"Validation was best after epoch {best}; later epochs memorize the training reviews.\n")

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=512, verbose=0)
    print(f"{keras.backend.backend()}: test accuracy {accuracy:.4f}, loss {loss:.4f}")

    # A sentence is encoded like every review.
    rows = encoder(corpus.word_index, DENSE.encoding)([GLOWING.encode(), SCATHING.encode()])
    for text, score in zip((GLOWING, SCATHING), model.predict(rows, verbose=0)[:, 0], strict=True):
        print(f"{score:.4f}  {text[:60]}…")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4, choices=range(1, 21), metavar="1..20")
    parser.add_argument("--data", help='archive or folder of the reviews, or "synthetic"')
    return parser.parse_args()


if __name__ == "__main__":
    main()
