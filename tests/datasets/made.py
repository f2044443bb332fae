"""Small made reviews, archives and folders for the tests of the data; nothing here is a test."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets.corpus import Corpus, Split
from datasets.imdb import read

MADE_REVIEWS: Mapping[str, bytes] = {
    "aclImdb/train/pos/0_9.txt": b"A good film, a GOOD one!",
    "aclImdb/train/pos/1_10.txt": b"Good<br /><br />fun",
    "aclImdb/train/neg/0_2.txt": b"A bad film",
    "aclImdb/train/neg/1_1.txt": b"bad, bad",
    "aclImdb/test/pos/0_8.txt": b"good unseen film",
    "aclImdb/test/neg/0_3.txt": b"A bad one",
}
MADE_WORDS = ("a", "good", "bad", "film")


def sha256(content: bytes) -> str:
    """Return the hexadecimal hash that files are checked against."""
    return hashlib.sha256(content).hexdigest()


def content_sha256(reviews: Mapping[str, bytes]) -> str:
    """Return the digest of reviews, written out from its definition."""
    return sha256(b"".join(path.encode() + b"\0" + reviews[path] + b"\0" for path in sorted(reviews)))


def regular(path: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    """Return an ordinary file for an archive."""
    member = tarfile.TarInfo(path)
    member.size = len(content)
    return member, content


def write_archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a .tar.gz of these members, in their order."""
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return path


def write_folder(root: Path, reviews: Mapping[str, bytes] = MADE_REVIEWS) -> Path:
    """Write the reviews as files under `root`."""
    for path, content in reviews.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def word_index_json() -> bytes:
    """Return a word index in Keras's form, its words not in the order of their ranks."""
    return json.dumps({word: rank for rank, word in reversed(list(enumerate(MADE_WORDS, start=1)))}).encode()


def read_made(source: Path, word_index: Path, *, reviews: Mapping[str, bytes] = MADE_REVIEWS) -> Corpus:
    """Read made reviews, checked against the digest of `reviews`."""
    return read(
        source,
        word_index,
        content_sha256=content_sha256(reviews),
        word_index_sha256=sha256(word_index_json()),
    )


def same(one: Corpus, other: Corpus) -> bool:
    """Say whether two corpora are equal in everything, types of the arrays included."""
    facts = [(corpus.name, corpus.digest, corpus.word_index, corpus.tokens) for corpus in (one, other)]
    arrays = [[*_arrays(corpus.train), *_arrays(corpus.test)] for corpus in (one, other)]
    equal = [a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(*arrays, strict=True)]
    return facts[0] == facts[1] and all(equal)


def _arrays(split: Split) -> list[npt.NDArray[Any]]:
    ragged = (split.text, split.keras_ids, split.token_ranks)
    return [split.labels, *(part.values for part in ragged), *(part.offsets for part in ragged)]
