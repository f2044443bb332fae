"""The ways from raw text to a recipe's rows that were weighed: NumPy, other libraries and Keras's layer.

Each takes a corpus, an encoding and text, prepares what it needs outside of what is timed, and returns a function that
makes the rows. A library that is not installed raises ImportError. None of them is a dependency.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from datasets import tokenise
from datasets.corpus import Corpus, Ragged
from datasets.encoding import Encoding, Rows, encode_sequences, encoder, limited, vocabulary
from datasets.word_table import word_table

Work = Callable[[], Any]
# Of reviews, the number of each word: 0 for a word that Keras's index lacks, the vocabulary's length for a token.
Read = Callable[[], Ragged]

_REVIEWS_PER_CALL = 128  # of Keras's layer inside tf.data, as in `bench.worker.operations.vectorize`
_EMPTY = -1  # the number of an empty piece, which some libraries leave between two separators
_WHITE = "\t\n\x0b\x0c\r"
# What becomes a space, and what vanishes.
_KERAS = (string.punctuation.replace("'", "") + "\t\n", "")
_TEXT = (_WHITE, string.punctuation)


def numpy(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """The project's encoder."""
    encode = encoder(vocabulary(corpus, encoding), encoding)
    reviews = list(tokenise.text_rows(text))
    return lambda: encode(reviews)


def dictionary(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """`bytes` methods and a dictionary: the project's encoder before."""
    numbers, missing = _numbers(corpus, encoding)
    by_word = {word.encode(): number for word, number in numbers.items()}
    spaced = tokenise._keras_spaced if encoding.words == "keras_ids" else tokenise._text_spaced

    def read() -> Ragged:
        rows = (spaced(review).split() for review in tokenise.text_rows(text))
        return tokenise.ragged_ids(np.array([by_word.get(word, missing) for word in row], np.int32) for row in rows)

    return _rows(read, encoding)


def pyarrow(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """Kernels of `pyarrow.compute` over an array that shares the text's memory."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers, missing = _numbers(corpus, encoding)
    words, values = pa.array(["", *numbers]), np.array([_EMPTY, *numbers.values(), missing], np.int32)
    buffers = [None, pa.py_buffer(text.offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(text.values))]
    strings = pa.Array.from_buffers(pa.string(), len(text), buffers)
    by_keras = encoding.words == "keras_ids"
    spaced, removed = (f"[{_escaped(some)}]" for some in (_KERAS if by_keras else _TEXT))

    def read() -> Ragged:
        plain = pc.ascii_lower(pc.replace_substring(strings, "<br />", " ") if not by_keras else strings)
        plain = plain if by_keras else pc.replace_substring_regex(plain, removed, "")
        pieces = pc.split_pattern(pc.replace_substring_regex(plain, spaced, " "), " ")
        found = pc.fill_null(pc.index_in(pieces.flatten(), words), len(values) - 1)
        return _without_empty(values[found.to_numpy()], pieces.offsets.to_numpy().astype(np.int64))

    return _rows(read, encoding)


def polars(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """Expressions of polars: one Aho-Corasick pass replaces, a hash join looks up; on all cores."""
    import polars as pl

    numbers, missing = _numbers(corpus, encoding)
    numbers = {"": _EMPTY, **numbers}
    reviews = pl.Series([review.decode() for review in tokenise.text_rows(text)])
    spaced, removed = _KERAS if encoding.words == "keras_ids" else _TEXT
    replaced = dict(zip(string.ascii_uppercase, string.ascii_lowercase, strict=True)) | dict.fromkeys(removed, "")
    replaced |= dict.fromkeys(spaced, " ")
    tags = {} if encoding.words == "keras_ids" else {"<br />": " "}
    patterns = {**tags, **replaced}  # of two that match at one place the first one counts

    def read() -> Ragged:
        plain = reviews.str.replace_many(list(patterns), list(patterns.values()), leftmost=True)
        pieces = plain.str.split(" ")
        words = pieces.explode()
        found = words.replace_strict(list(numbers), list(numbers.values()), default=missing, return_dtype=pl.Int32)
        return _without_empty(found.to_numpy(), np.cumsum([0, *pieces.list.len()], dtype=np.int64))

    return _rows(read, encoding)


def tokenizers(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """Hugging Face's `tokenizers`, a WordLevel model, on all cores; it lowers letters beyond ASCII as well."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    numbers, missing = _numbers(corpus, encoding)
    spaced, removed = _KERAS if encoding.words == "keras_ids" else _TEXT
    tokenizer = Tokenizer(models.WordLevel({**numbers, "[UNK]": missing}, unk_token="[UNK]"))
    if removed:
        vanished = normalizers.Replace(Regex(f"[{_escaped(removed)}]"), "")
        steps = [normalizers.Replace("<br />", " "), vanished, normalizers.Lowercase()]
    else:
        steps = [normalizers.Lowercase()]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"[{_escaped(spaced + ' ')}]+"), "removed")
    reviews = [review.decode() for review in tokenise.text_rows(text)]

    def read() -> Ragged:
        found = tokenizer.encode_batch_fast(reviews, add_special_tokens=False)
        return tokenise.ragged_ids(np.array(one.ids, np.int32) for one in found)

    return _rows(read, encoding)


def numba(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """One loop over the bytes with the project's table, compiled by Numba; words over 16 bytes stay unknown."""
    from tests.benchmarks.text_encoding.numba_loop import read_words

    numbers, missing = _numbers(corpus, encoding)
    table = word_table({word.encode(): number for word, number in numbers.items()}, missing=missing)
    by_keras = encoding.words == "keras_ids"
    kinds = np.arange(256, dtype=np.uint8)
    kinds[ord("A") : ord("Z") + 1] += 32
    spaced, removed = _KERAS if by_keras else _TEXT
    kinds[list(spaced.encode())], kinds[list(removed.encode())] = ord(" "), 0

    def read() -> Ragged:
        places = (table.low, table.high, table.numbers)
        return Ragged(*read_words(text.values, text.offsets, kinds, not by_keras, *places, missing))

    return _rows(read, encoding)


def text_vectorization(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """Keras's layer, called eagerly; of recipes on Keras's published ids its own words."""
    from bench.worker.operations import vectorize_text

    layer, strings = vectorize_text.layer(corpus, encoding), vectorize_text.strings(text)
    return lambda: np.asarray(layer(strings))


def text_vectorization_in_tf_data(corpus: Corpus, encoding: Encoding, text: Ragged) -> Work:
    """Keras's layer in a parallel map of `tf.data`, on all cores."""
    import tensorflow as tf

    from bench.worker.operations import vectorize_text

    layer, tune = vectorize_text.layer(corpus, encoding), tf.data.AUTOTUNE
    data = tf.data.Dataset.from_tensor_slices(vectorize_text.strings(text)).batch(_REVIEWS_PER_CALL)
    data = data.map(layer, num_parallel_calls=tune).prefetch(tune)
    return lambda: list(data.as_numpy_iterator())


LAYER, ENCODER = "TextVectorization in tf.data", "NumPy (the suite's encoder)"

# In the order of the table; the others are compared with the first one.
CANDIDATES: dict[str, Callable[[Corpus, Encoding, Ragged], Work]] = {
    LAYER: text_vectorization_in_tf_data,
    "TextVectorization": text_vectorization,
    ENCODER: numpy,
    "a dictionary (the encoder before)": dictionary,
    "pyarrow": pyarrow,
    "polars": polars,
    "tokenizers": tokenizers,
    "numba": numba,
}


def _numbers(corpus: Corpus, encoding: Encoding) -> tuple[dict[str, int], int]:
    """Return the number of each word that the encoding knows, and that of every other one."""
    words: Sequence[str] = vocabulary(corpus, encoding)
    if encoding.words == "keras_ids":
        return {word: rank + tokenise.INDEX_FROM for rank, word in enumerate(words, start=1)}, 0
    return {word: rank for rank, word in enumerate(words)}, len(words)


def _rows(read: Read, encoding: Encoding) -> Callable[[], Rows]:
    started = _started if encoding.words == "keras_ids" else lambda numbers: numbers
    return lambda: encode_sequences(limited(started(read()), encoding), encoding)


def _started(ids: Ragged) -> Ragged:
    """Return ids of words without those that the index lacks, and the start in front of each row."""
    known = ids.values != 0
    before = np.concatenate([[0], np.cumsum(known)])[ids.offsets]
    values = np.insert(ids.values[known], before[:-1], tokenise.START_ID)
    return Ragged(values, before + np.arange(len(before)))


def _without_empty(numbers: np.ndarray[Any, np.dtype[np.int32]], offsets: np.ndarray[Any, Any]) -> Ragged:
    kept = numbers != _EMPTY
    return Ragged(numbers[kept], np.concatenate([[0], np.cumsum(kept)])[offsets])


def _escaped(characters: str) -> str:
    """Return ``characters`` for the brackets of a regular expression."""
    return "".join(f"\\x{ord(character):02x}" for character in characters)
