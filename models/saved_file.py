"""What this suite keeps in a `.keras` file beside the model, read with limits and without Keras."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.encoding import Encoding
from datasets.errors import ExpectedError

RECIPE, VOCABULARY = "kerasmark/recipe.json", "kerasmark/vocabulary.txt"

# Keras reads every member whole. Its descriptions and our words have some megabytes at most; the weights of the largest
# published recipe have 10 MB, and a machine that trains more than this can be given another limit.
LARGEST_TEXT, LARGEST_WEIGHTS = 64 << 20, 2 << 30
MOST_MEMBERS = 1_000
WEIGHTS = (".h5", ".npz")


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
        with zipfile.ZipFile(file) as archive:
            _check_sizes(archive.infolist())
            recipe = json.loads(archive.read(RECIPE))
            words = archive.read(VOCABULARY).decode().split("\n")
        return _kept(recipe, words)
    except ExpectedError as error:
        raise ExpectedError(f"{file.name}: {error}") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, *_MISFITS) as error:
        said = " ".join(str(error).split())[:200]
        raise ExpectedError(
            f"expected {file.name} to hold a recipe and a vocabulary beside the model, as `bench train --save` "
            f"writes it; received {said or type(error).__name__}"
        ) from error


# What Python raises where JSON is of another form: KeyError, and ValueError for what is no JSON or no UTF-8.
_MISFITS = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    """Raise ExpectedError where a member would not fit: what a header says is also the most that Python unpacks."""
    if len(members) > MOST_MEMBERS:
        raise ExpectedError(f"expected at most {MOST_MEMBERS} members; received {len(members)}")
    for member in members:
        largest = LARGEST_WEIGHTS if member.filename.endswith(WEIGHTS) else LARGEST_TEXT
        if member.file_size > largest:
            raise ExpectedError(
                f"expected {member.filename[:100]!r} to have at most {largest >> 20} MiB; it has "
                f"{member.file_size >> 20} MiB unpacked"
            )


def _kept(recipe: Any, words: list[str]) -> Kept:
    encoding = Encoding(**recipe["encoding"])
    sizes = (encoding.vocabulary_size, encoding.skip_top, encoding.sequence_length or 0)
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError(f"an encoding with sizes {sizes}")
    if (encoding.words, encoding.form, encoding.keep) not in _ENCODINGS:
        raise ValueError(f"an encoding of {encoding.words!r} as {encoding.form!r}")
    if encoding.form == "padded" and not encoding.sequence_length:
        raise ValueError("a padded encoding without a length")
    if not isinstance(recipe["name"], str) or not isinstance(recipe["logits"], bool):
        raise TypeError("a recipe without a name, or without a word on logits")
    return Kept(recipe["name"], encoding, recipe["logits"], tuple(words))


_ENCODINGS = {
    (words, form, keep)
    for words in ("keras_ids", "text")
    for form in ("multi_hot", "padded")
    for keep in ("first", "last")
}
