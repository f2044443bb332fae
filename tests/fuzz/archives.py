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


def changed(data: bytes) -> bytes:
    """Return the archive with bytes replaced: three of ``data`` say where, two what."""
    content = bytearray(plain())
    for number in range(min(MOST_CHANGES, len(data) // 5)):
        high, middle, low, *values = data[5 * number : 5 * number + 5]
        place = (high << 16 | middle << 8 | low) % len(content)
        content[place : place + len(values)] = bytes(values)
    return bytes(content)


@cache
def plain() -> bytes:
    """Return the archive before it is packed."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        file = write_archive(Path(folder) / "made.tar.gz", *(regular(*review) for review in MADE_REVIEWS.items()))
        return gzip.decompress(file.read_bytes())
