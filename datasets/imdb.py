"""Read the IMDB reviews from an archive or a folder as a corpus, without unpacking to disk.

Source: Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011 (the Large Movie Review Dataset).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Self

import numpy as np

from datasets import tokenise
from datasets.corpus import Corpus, Ragged, Split
from datasets.errors import DataError

# Over the reviews and their paths, so that a repacked archive has the same digest.
CONTENT_SHA256 = "cc143339df6a1f848b662a2bdc9f158f636028e69234e58742f821c6b2ab3444"
WORD_INDEX_SHA256 = "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6"
REVIEWS = 50_000
SHUFFLE_SEED = 0

_ROOT = "aclImdb"
_FOLDERS = ("train/pos", "train/neg", "test/pos", "test/neg")
_REVIEW_PATH = re.compile(rf"{_ROOT}/(?:train|test)/(?:pos|neg)/[0-9]+_[0-9]+\.txt")
_LARGEST_REVIEW = 1 << 20  # bytes; the longest one has 14 KB, so more is no review
_LARGEST_HEADER = 1 << 16  # bytes of a long name or of a member's attributes, which tarfile reads into memory
_LARGEST_ARCHIVE = 4 << 30  # bytes unpacked; the official one has less than half a gigabyte


def read(
    source: Path,
    word_index: Path,
    *,
    content_sha256: str = CONTENT_SHA256,
    word_index_sha256: str = WORD_INDEX_SHA256,
) -> Corpus:
    """Read and check the reviews and Keras's word index.

    `source` is the `.tar.gz`, which is streamed, or a folder that holds `aclImdb` or is it. Other files than the
    labelled reviews are skipped. The rows of each split are shuffled by `np.random.default_rng(SHUFFLE_SEED)`,
    from the order of the sorted paths, because the files alone would give all negative reviews first.
    """
    words = read_word_index(word_index, sha256=word_index_sha256)
    reviews = _by_path(_from_folder(source) if source.is_dir() else _from_archive(source), source)
    _check(reviews, source, expected=content_sha256)
    train_text, train_paths = _half(reviews, "train")
    test_text, test_paths = _half(reviews, "test")
    tokens, train_ranks = tokenise.ranked(train_text)
    return Corpus(
        name="imdb",
        digest=content_sha256,
        train=_split(train_text, train_paths, words, train_ranks),
        test=_split(test_text, test_paths, words, tokenise.token_ranks(test_text, tokens)),
        word_index=words,
        tokens=tokens,
    )


def read_word_index(path: Path, *, sha256: str = WORD_INDEX_SHA256) -> tuple[str, ...]:
    """Return the words of Keras's `imdb_word_index.json` by rank, after checking the file's hash."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"cannot read the word index {path}: {error.strerror}; put imdb_word_index.json there"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"{path} is not Keras's IMDB word index: expected sha256 {sha256}, got {found} ({len(content)} bytes); "
            f"fetch imdb_word_index.json again"
        )
    ranks: dict[str, int] = json.loads(content)
    return tuple(sorted(ranks, key=ranks.__getitem__))


def review_root(folder: Path) -> Path:
    """Return the folder that holds `train` and `test`: `folder/aclImdb`, or else `folder` itself."""
    return folder / _ROOT if (folder / _ROOT).is_dir() else folder


def review_files(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the path in the archive and the directory entry of each regular review file under an unpacked `folder`."""
    for sub in _FOLDERS:
        parent = review_root(folder) / sub
        if not parent.is_dir():
            raise _not_imdb(folder, f"it has no folder {sub}")
        with os.scandir(parent) as entries:  # five times quicker than Path.iterdir over 50,000 files
            for entry in entries:
                path = f"{_ROOT}/{sub}/{entry.name}"
                if _REVIEW_PATH.fullmatch(path) and entry.is_file(follow_symlinks=False):
                    yield path, entry


def _from_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path, entry in review_files(folder):
        try:
            with open(entry.path, "rb") as stream:  # noqa: PTH123, a Path for each of 50,000 files takes longer
                yield path, _content(path, stream)
        except OSError as error:
            raise _not_imdb(folder, f"cannot read {path} ({error.strerror})") from error


def _from_archive(archive: Path) -> Iterator[tuple[str, bytes]]:
    try:
        # The default buffer is the quickest: a longer one makes tarfile copy it for every member.
        with tarfile.open(archive, "r|gz", tarinfo=_Header) as members:
            for member in members:
                if member.offset_data + member.size > _LARGEST_ARCHIVE:
                    raise _not_imdb(archive, f"it would unpack to more than {_LARGEST_ARCHIVE >> 30} GB")
                if member.isreg() and _REVIEW_PATH.fullmatch(member.name):
                    stream = members.extractfile(member)
                    assert stream is not None  # a regular file has one
                    yield member.name, _content(member.name, stream)
    except FileNotFoundError as error:
        raise DataError(f"no reviews at {archive}: no such file or folder; check the path") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise _not_imdb(archive, f"it is damaged or no .tar.gz archive ({error})") from error


class _Header(tarfile.TarInfo):
    """A header whose size is checked before tarfile reads what it announces."""

    _READ_WHOLE = (
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    )

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in cls._READ_WHOLE and header.size > _LARGEST_HEADER):
            raise DataError(
                f"the archive has a header that announces {header.size} bytes, which no archive of reviews has; fetch "
                "aclImdb_v1.tar.gz again"
            )
        return header


def _content(path: str, stream: IO[bytes]) -> bytes:
    content = stream.read(_LARGEST_REVIEW + 1)
    if len(content) > _LARGEST_REVIEW:
        raise DataError(f"{path} is larger than any review ({_LARGEST_REVIEW} bytes); fetch the archive again")
    return content


def _by_path(found: Iterable[tuple[str, bytes]], source: Path) -> dict[str, bytes]:
    reviews: dict[str, bytes] = {}
    for path, content in islice(found, REVIEWS + 1):  # one more shows that there are too many
        if path in reviews:
            raise _not_imdb(source, f"it holds {path} twice")
        reviews[path] = content
    if not reviews:
        raise _not_imdb(source, f"it holds no {_ROOT}/train/pos/<id>_<rating>.txt or the like")
    return dict(sorted(reviews.items()))


def _check(reviews: Mapping[str, bytes], source: Path, *, expected: str) -> None:
    digest = hashlib.sha256()
    for path, content in reviews.items():
        digest.update(path.encode() + b"\0" + content + b"\0")
    if digest.hexdigest() != expected:
        train = sum(path.startswith(f"{_ROOT}/train/") for path in reviews)
        raise _not_imdb(
            source,
            f"expected reviews of digest {expected} (25000 for training, 25000 for test), "
            f"got {digest.hexdigest()} ({train} for training, {len(reviews) - train} for test)",
        )


def _half(reviews: Mapping[str, bytes], half: str) -> tuple[Ragged, list[str]]:
    paths = [path for path in reviews if path.startswith(f"{_ROOT}/{half}/")]
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(paths))
    shuffled = [paths[row] for row in order]
    return tokenise.ragged_text([reviews[path] for path in shuffled]), shuffled


def _split(text: Ragged, paths: Sequence[str], words: Sequence[str], ranks: Ragged) -> Split:
    return Split(
        text=text,
        labels=np.array(["/pos/" in path for path in paths], np.uint8),
        keras_ids=tokenise.keras_ids(text, words),
        token_ranks=ranks,
    )


def _not_imdb(source: Path, reason: str) -> DataError:
    return DataError(f"{source} does not hold the IMDB reviews: {reason}; fetch aclImdb_v1.tar.gz again")
