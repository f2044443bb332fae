"""A target for fuzzers: archives of reviews, damaged and forged, and the limits that reading them must keep to."""

from __future__ import annotations

import gzip
import tempfile
from functools import cache
from pathlib import Path

from datasets.errors import DataError
from tests.datasets.made import MADE_REVIEWS, read_made, regular, word_index_json, write_archive

MOST_CHANGES = 32


def check(data: bytes) -> None:
    """Read a small archive, whose blocks ``data`` has changed: the reviews that it had, or a DataError of one line."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        words = Path(folder) / "words.json"
        words.write_bytes(word_index_json())
        archive = Path(folder) / "reviews.tar.gz"
        archive.write_bytes(data[1:] if data[:1] == b"r" else gzip.compress(changed(data), 1))
        said = ""
        try:
            assert len(read_made(archive, words).train.labels) == 4
        except DataError as error:
            said = str(error)
        assert "\n" not in said
        assert "\x1b" not in said


def changed(data: bytes) -> bytes:
    """Return the archive with bytes replaced: three of ``data`` say where, two what.

    Where its first byte is an "s", the headers are summed up again: they would be refused by their sum alone.
    """
    content = bytearray(plain())
    for number in range(min(MOST_CHANGES, len(data) // 5)):
        high, middle, low, *values = data[5 * number : 5 * number + 5]
        place = (high << 16 | middle << 8 | low) % len(content)
        content[place : place + len(values)] = bytes(values)
    for place in headers() if data[:1] == b"s" else ():
        sum_at = slice(place + 148, place + 156)
        content[sum_at] = b" " * 8
        content[sum_at] = b"%06o\0 " % sum(content[place : place + 512])
    return bytes(content)


@cache
def headers() -> tuple[int, ...]:
    """Return where the headers of the archive are."""
    return tuple(place for place in range(0, len(plain()), 512) if plain()[place + 257 : place + 262] == b"ustar")


@cache
def plain() -> bytes:
    """Return the archive before it is packed."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        file = write_archive(Path(folder) / "made.tar.gz", *(regular(*review) for review in MADE_REVIEWS.items()))
        return gzip.decompress(file.read_bytes())
