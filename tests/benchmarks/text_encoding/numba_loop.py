"""One loop over the bytes of a text that looks up its words, compiled by Numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from datasets import word_table

_TAG = np.frombuffer(b"<br />", np.uint8)
_SPACES, _PRIME, _GOLDEN, _PROBES = word_table._SPACES, word_table._PRIME, word_table._GOLDEN, word_table._PROBES


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def read_words(
    text: Any, offsets: Any, kinds: Any, tagged: bool, low: Any, high: Any, numbers: Any, missing: int
) -> Any:
    """Return the numbers of all words and the offsets of the rows."""
    found, bounds = np.empty(len(text) + 1, np.int32), np.zeros(len(offsets), np.int64)
    bits = np.uint64(64 - int(np.log2(len(low))))
    count = 0
    for row in range(len(offsets) - 1):
        at, stop = offsets[row], offsets[row + 1]
        length, first, second = 0, np.uint64(0), np.uint64(0)
        while at <= stop:
            kind = np.uint8(32) if at == stop else kinds[text[at]]
            step = 1
            if tagged and at + 6 <= stop and text[at] == 60 and np.all(text[at : at + 6] == _TAG):
                kind, step = np.uint8(32), 6
            at += step
            if kind == 32 and length:
                number = missing
                if length <= 16:
                    place = (first + second * _PRIME) * _GOLDEN >> bits
                    for _ in range(_PROBES):
                        if low[place] == first and high[place] == second:
                            number = numbers[place]
                            break
                        place = (place + np.uint64(1)) & np.uint64(len(low) - 1)
                found[count] = number
                count += 1
                length, first, second = 0, np.uint64(0), np.uint64(0)
            elif kind != 32 and kind:
                if length < 8:
                    first |= np.uint64(kind ^ 32) << np.uint64(8 * length)
                elif length < 16:
                    second |= np.uint64(kind ^ 32) << np.uint64(8 * length - 64)
                length += 1
        bounds[row + 1] = count
    return found[:count], bounds
