"""A target for fuzzers: saved models, damaged and forged, as far as they are read without Keras."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

from datasets.errors import ExpectedError
from models import saved_file
from models.recipes import DENSE

PACKED = zipfile.ZIP_DEFLATED


def check(data: bytes) -> None:
    """Read a saved model whose archive, recipe or vocabulary is ``data``'s: what it keeps, or one line."""
    kind, rest = data[:1] or b"0", data[1:]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        file = Path(folder) / "model.keras"
        file.write_bytes({b"r": rest, b"j": packed(recipe=rest), b"v": packed(words=rest)}.get(kind) or patched(rest))
        said = ""
        try:
            kept = saved_file.read(file)
            assert isinstance(kept.recipe, str)
        except ExpectedError as error:
            said = str(error)
        assert "\n" not in said
        assert "\x1b" not in said


def packed(*, recipe: bytes | None = None, words: bytes = b"the\na\nof") -> bytes:
    """Return the archive of a saved model with this recipe and vocabulary."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"x" * 100)
        archive.writestr(saved_file.RECIPE, json.dumps(asdict(DENSE)) if recipe is None else recipe, PACKED)
        archive.writestr(saved_file.VOCABULARY, words, PACKED)
    return into.getvalue()


@cache
def good() -> bytes:
    return packed()


def patched(data: bytes) -> bytes:
    """Return a good archive with bytes replaced: two of ``data`` say where, two what."""
    content = bytearray(good())
    for number in range(min(16, len(data) // 4)):
        high, low, *values = data[4 * number : 4 * number + 4]
        place = (high << 8 | low) % len(content)
        content[place : place + len(values)] = bytes(values)
    return bytes(content)
