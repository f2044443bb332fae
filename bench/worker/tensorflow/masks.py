"""Dropout in TensorFlow with few random bits for each value; see `bench.worker.programs.threshold`."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bench.worker.programs import BYTE, WORD, threshold

Tensor = Any  # a tf.Tensor: the linter knows no framework


def dropped(values: Tensor, rate: float, seed: Tensor) -> Tensor:
    """Return ``values`` with each at 0 with probability ``rate``, and scaled so that the expectation stays.

    ``seed`` has two integers. TensorFlow draws whole words, which are cut into pieces.
    """
    bits, least = threshold(rate)
    each, count = WORD // bits, tf.size(values)
    words = tf.random.stateless_uniform(((count + each - 1) // each,), seed, None, None, tf.uint32)
    pieces = tf.reshape(tf.bitcast(words, tf.uint8 if bits == BYTE else tf.uint16), (-1,))
    stays = tf.reshape(pieces[:count], tf.shape(values)) >= least
    return values * (tf.cast(stays, values.dtype) / (1 - rate))
