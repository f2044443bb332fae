"""What this suite keeps in a `.keras` file beside the model, read with limits and without Keras."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from datasets.encoding import Encoding
from datasets.errors import ExpectedError
from datasets.plain_text import one_line

RECIPE, VOCABULARY = "kerasmark/recipe.json", "kerasmark/vocabulary.txt"

# The most bytes of each member, since Keras reads its own whole. A configuration has some kilobytes, Keras's 88,584
# words 0.7 MB, the weights of the largest published recipe with its optimizer 10 MB.
_KERAS_MEMBERS = {"config.json": 1 << 20, "metadata.json": 1 << 20, "model.weights.h5": 2 << 30}
_OUR_MEMBERS = {RECIPE: 1 << 20, VOCABULARY: 16 << 20}
LARGEST = {**_KERAS_MEMBERS, **_OUR_MEMBERS}
# zipfile reads the list of members whole: a hundred bytes for each of five.
_LARGEST_READ = 1 << 20
_CHUNK = 1 << 16
# Ids below a vocabulary and ids a review, each a column of what is encoded.
_MOST_COLUMNS = 1_000_000


@dataclass(frozen=True)
class Kept:
    """What scoring needs beside the model: the recipe's name and encoding, the words, whether scores are logits."""

    recipe: str
    encoding: Encoding
    logits: bool
    words: tuple[str, ...]


def read(file: Path) -> Kept:
    """Return what is kept in ``file``; ExpectedError where that, or any member of the archive, is of another form."""
    try:
        with _Bounded(file) as stream, zipfile.ZipFile(stream) as archive:
            _check(archive.infolist())
            recipe = json.loads(_content(archive, RECIPE))
            words = _content(archive, VOCABULARY).decode().split("\n")
        return _kept(recipe, words)
    except ExpectedError as error:
        raise ExpectedError(f"{file.name}: {error}") from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, *MISFITS) as error:
        raise ExpectedError(
            f"expected {file.name} to hold a recipe and a vocabulary beside the model, as `train --save` "
            f"writes it; received {said(error)}"
        ) from error


# What Python raises where JSON is of another form: KeyError, and ValueError for what is no JSON or no UTF-8.
MISFITS = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


def said(error: BaseException) -> str:
    """Return the beginning of what ``error`` says, or its type, on one line."""
    return one_line(str(error))[:200] or type(error).__name__


class _Bounded(io.FileIO):
    """A file of which no more than a megabyte is read at once, whatever its list of members announces."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGEST_READ:
            raise ValueError(f"an archive that announces {size} bytes where it has less than {_LARGEST_READ}")
        return super().read(_LARGEST_READ if size is None or size < 0 else size) or b""


def _check(members: list[zipfile.ZipInfo]) -> None:
    """Raise ExpectedError unless these are the members of a saved model, of sizes that can be believed and read."""
    if (found := sorted(member.filename for member in members)) != sorted(LARGEST):
        raise ExpectedError(
            f"expected the members {', '.join(LARGEST)}; received {len(found)}: {one_line(', '.join(found[:9]))[:200]}"
        )
    for member in members:
        if member.file_size > (largest := LARGEST[member.filename]):
            raise ExpectedError(
                f"expected {member.filename!r} to have at most {largest >> 20} MiB; it has "
                f"{member.file_size >> 20} MiB unpacked"
            )
        if not _as_written(member):
            raise ExpectedError(f"expected {member.filename!r} to be stored as Keras and `train --save` write it")


def _as_written(member: zipfile.ZipInfo) -> bool:
    """Say whether a member unpacks to what it announces: Keras, which reads whole, packs nothing; we read in pieces."""
    if member.compress_type == zipfile.ZIP_STORED:
        return member.compress_size == member.file_size
    return member.filename in _OUR_MEMBERS and member.compress_type == zipfile.ZIP_DEFLATED


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    # In pieces: reading a member at once unpacks all that it holds before it is cut to what its header announces.
    with archive.open(name) as member:
        return b"".join(iter(lambda: member.read(_CHUNK), b""))


def _kept(recipe: Any, words: list[str]) -> Kept:
    encoding = Encoding(**recipe["encoding"])
    if encoding.form == "arrays":
        raise ExpectedError(
            f"expected a model that reads text; {one_line(str(recipe['name']))[:100]} reads arrays, and "
            "keras.saving.load_model opens it"
        )
    sizes = (encoding.vocabulary_size, encoding.skip_top, encoding.sequence_length or 0)
    if not all(type(size) is int and 0 <= size <= _MOST_COLUMNS for size in sizes):
        raise ValueError(f"an encoding with sizes {sizes}")
    if any(getattr(encoding, name) not in choices for name, choices in _CHOICES.items()):
        raise ValueError(f"an encoding of {encoding.words!r} as {encoding.form!r}")
    if encoding.form == "padded" and not encoding.sequence_length:
        raise ValueError("a padded encoding without a length")
    if not isinstance(recipe["name"], str) or not isinstance(recipe["logits"], bool):
        raise TypeError("a recipe without a name, or without a word on logits")
    return Kept(recipe["name"], encoding, recipe["logits"], tuple(words))


_CHOICES = {name: get_args(kind) for name, kind in get_type_hints(Encoding).items() if get_origin(kind) is Literal}
