"""The masks of a dropout: how few random bits tell which values stay; it draws none and knows no framework.

A framework draws a 32-bit number for each value. On two busy cores that was three quarters of a pooling-dropout step
(JAX 64 ms with masks and 14 without, TensorFlow 47 and 14).
"""

from __future__ import annotations

BYTE, HALF_WORD, WORD = 8, 16, 32


def threshold(rate: float) -> tuple[int, int]:
    """Return so many bits, and the number of them from which on a value stays: ``rate`` of all numbers lie below it.

    Eight bits where they tell the rate exactly, as they do one half; else sixteen, which tell it within 1e-5.
    """
    bits = BYTE if (rate * 2**BYTE).is_integer() else HALF_WORD
    return bits, round(rate * 2**bits)
