"""A user's own labelled text: what it is, and how it becomes a corpus."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets import labelled_files, tokenise
from datasets.cache_index import Identity
from datasets.corpus import Corpus, Split, digest
from datasets.errors import DataError, nearest
from datasets.labelled_rows import Row, listed, quoted

MOST_CLASSES = 256  # a label is one byte

# Raise it when the order of rows, the split or the numbers of classes change: what is cached is then read anew.
_RULES = 1
_NUMBER = re.compile(r"-?[0-9]{1,18}")

_Places = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LabelledText:
    """Texts with a label each: a CSV file (UTF-8, commas, a header), a Parquet file, or a folder for each class.

    path        the file or folder, relative to the recipe's file; a folder has one folder of .txt files for each
                class, or has those twice, in its folders train and test
    text        the column of the texts
    label       the column of the labels: words or whole numbers
    split       the column that says "train" or "test" of each row, if there is one
    test_share  otherwise the share of each class that is for test: the same texts on every machine
    classes     the labels in the order of their numbers, 0 first; by default sorted, as numbers where all are, so that
                0 to n - 1 keep theirs
    """

    path: str
    text: str = "text"
    label: str = "label"
    split: str = ""
    test_share: float = 0.2
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take a Path and any sequence of classes as well: the fields become plain data."""
        object.__setattr__(self, "path", os.fspath(self.path))
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))


def located(source: LabelledText, folder: Path) -> Path:
    """Return where ``source`` lies, relative to ``folder``; DataError where nothing does, or where a field misfits."""
    if not 0 < source.test_share < 1:
        raise DataError(f"LabelledText: expected a test_share between 0 and 1; received {source.test_share}")
    if source.classes and len(set(source.classes)) < max(2, len(source.classes)):
        raise DataError(f"LabelledText: expected two or more different classes; received {listed(source.classes)}")
    columns = [source.text, source.label, *([source.split] if source.split else [])]
    if not all(columns) or len(set(columns)) < len(columns):
        raise DataError(f"LabelledText: expected a column for each of its fields; received {listed(columns)}")
    return labelled_files.located(source, folder)


def identity(source: LabelledText, path: Path) -> Identity:
    """Return what differs if the corpus of ``source`` would: the settings, and a file's bytes or a folder's times."""
    settings = {**asdict(source), "classes": list(source.classes)}
    return {"rules": _RULES, **settings, **labelled_files.identity(source, path)}


def corpus(source: LabelledText, path: Path) -> Corpus:
    """Read, check and split the texts of ``source``, which lies at ``path``; DataError names the file and the row.

    The rows are in the order of a hash of their text, so that the same texts are the same corpus in every form. Both
    vocabularies are those of the training split, most frequent first.
    """
    before = identity(source, path)
    texts, labels, halves, classes = _read(source, path)
    if before != identity(source, path):
        raise DataError(f"{quoted(source.path)}: it changed while it was read; start again")
    keys = [hashlib.sha256(text).digest() for text in texts]
    order = sorted(range(len(keys)), key=lambda row: (keys[row], labels[row]))
    numbers = np.array(labels, np.uint8)[order]
    if halves[0]:
        test = np.array(halves)[order] == "test"
        _check_halves(numbers, test, source, classes)
    else:
        test = _chosen([keys[row] for row in order], numbers, source, classes)
    return _corpus([texts[row] for row in order], numbers, test)


def _read(source: LabelledText, path: Path) -> tuple[list[bytes], list[int], list[str], tuple[str, ...]]:
    """Return each row's text, number of class and half, and the classes in the order of their numbers."""
    seen: dict[str, int] = {}  # labels, numbered as they turn up
    texts, found, halves = [], [], []
    for row in labelled_files.read(source, path):
        if row.label not in seen:
            _check_label(row, len(seen), source)
        texts.append(row.text)
        found.append(seen.setdefault(row.label, len(seen)))
        halves.append(row.half)
    if len(seen) < 2:
        raise DataError(f"{quoted(source.path)}: expected two classes or more; every text is of class {listed(seen)}")
    missing = [name for name in source.classes if name not in seen]
    if missing:
        raise DataError(
            f"{quoted(source.path)}: expected texts of each of the classes; there is none of {listed(missing)}"
        )
    classes = source.classes or _sorted(seen)
    numbers = [classes.index(name) for name in seen]
    return texts, [numbers[label] for label in found], halves, classes


def _check_label(row: Row, others: int, source: LabelledText) -> None:
    """Raise DataError where the label of ``row``, the first one that has it, cannot be a class beside the others."""
    if source.classes and row.label not in source.classes:
        raise DataError(
            f"{row.where}: no class {quoted(row.label)}: {nearest(row.label, source.classes)}"
            f"classes are {listed(source.classes)}"
        )
    if others == MOST_CLASSES:
        raise DataError(
            f"{row.where}: expected {MOST_CLASSES} classes at most; {quoted(row.label)} is one more: "
            f"does column {quoted(source.label)} hold labels?"
        )


def _sorted(labels: Collection[str]) -> tuple[str, ...]:
    """Return the labels in the order of their numbers: whole numbers by size, words by their characters."""
    whole = all(map(_NUMBER.fullmatch, labels))
    return tuple(sorted(labels, key=int) if whole else sorted(labels))


def _chosen(
    keys: Sequence[bytes], labels: npt.NDArray[np.uint8], source: LabelledText, classes: Sequence[str]
) -> _Places:
    """Return which rows are for test: of each class the first ones by key, copies of a text in one split."""
    prefixes = np.array([int.from_bytes(key[:8], "big") for key in keys], np.uint64)
    test = np.zeros(len(labels), np.bool_)
    for number, name in enumerate(classes):
        rows = np.flatnonzero(labels == number)
        distinct, copies = np.unique(prefixes[rows], return_counts=True)
        if len(distinct) < 2:
            raise DataError(
                f"{quoted(source.path)}: expected two different texts or more of class {quoted(name)}, one for "
                f"training and one for test; received {len(distinct)}"
            )
        far = np.abs(np.cumsum(copies)[:-1] - source.test_share * len(rows))
        test[rows[prefixes[rows] <= distinct[np.argmin(far)]]] = True
    return test


def _check_halves(labels: npt.NDArray[np.uint8], test: _Places, source: LabelledText, classes: Sequence[str]) -> None:
    for half, places in (("train", ~test), ("test", test)):
        missing = [name for number, name in enumerate(classes) if number not in labels[places]]
        if missing:
            raise DataError(
                f"{quoted(source.path)}: expected texts of every class in train and in test; {half} has none of "
                f"class {listed(missing)}"
            )


def _corpus(texts: Sequence[bytes], labels: npt.NDArray[np.uint8], test: _Places) -> Corpus:
    train_text, test_text = (
        tokenise.ragged_text([texts[row] for row in np.flatnonzero(places).tolist()]) for places in (~test, test)
    )
    words, (tokens, ranks) = tokenise.word_index(train_text), tokenise.ranked(train_text)
    train = Split(train_text, labels[~test], tokenise.keras_ids(train_text, words), ranks)
    test_ids, test_ranks = tokenise.keras_ids(test_text, words), tokenise.token_ranks(test_text, tokens)
    held = Split(test_text, labels[test], test_ids, test_ranks)
    return Corpus("own", digest(train, held), train, held, words, tokens)
