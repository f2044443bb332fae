"""Read the IMDB reviews from an archive or a folder as a corpus, without unpacking to disk.

Source: Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011 (the Large Movie Review Dataset).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

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
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
# What tar says has no data, whatever size its header announces.
_EMPTY = (tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
_LARGEST_REVIEW = 1 << 16  # bytes; the longest one has 13,704
_LARGEST_TEXT = 128 << 20  # bytes of all reviews, which are read into memory; the real ones have 65 MB
_LARGEST_INDEX = 4 << 20  # bytes of the word index; Keras's has 1.6 MB
# Bytes unpacked. The official archive has less than half as many; a user who adds files may have as many again.
_LARGEST_ARCHIVE = 1 << 30
_TOO_MUCH = f"an archive of reviews unpacks to {_LARGEST_ARCHIVE >> 20} MiB at most"
_CHUNK = 1 << 20  # bytes


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
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_INDEX)
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
        with gzip.open(archive) as stream:
            yield from _members(archive, cast(BinaryIO, stream))
    except FileNotFoundError as error:
        raise DataError(f"no reviews at {archive}: no such file or folder; check the path") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise _not_imdb(archive, f"it is damaged or no .tar.gz archive ({error})") from error


def _members(archive: Path, stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each review; whatever else the archive holds is passed over unread.

    tarfile alone parses a header. Its own loop reads long names, attributes and maps of sparse files into memory,
    each by a call within a call, and keeps every member; no review needs any of them.
    """
    unpacked = 0
    while (block := stream.read(tarfile.BLOCKSIZE)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        size = 0 if member.type in _EMPTY else member.size
        blocks = -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        unpacked += tarfile.BLOCKSIZE + blocks
        if size < 0 or unpacked > _LARGEST_ARCHIVE:
            raise _not_imdb(archive, f"{member.name[:100]!r} announces {size} bytes, {_TOO_MUCH}")
        if member.type in _FILES and _REVIEW_PATH.fullmatch(member.name):
            content = _content(member.name, stream, min(size, _LARGEST_REVIEW + 1))
            if len(content) < size:
                raise _not_imdb(archive, f"it ends within {member.name}")
            yield member.name, content
            blocks -= size
        _skip(stream, blocks)


def _skip(stream: BinaryIO, count: int) -> None:
    while count > 0 and (passed := len(stream.read(min(count, _CHUNK)))):
        count -= passed


def _content(path: str, stream: BinaryIO, count: int = _LARGEST_REVIEW + 1) -> bytes:
    content = stream.read(count)
    if len(content) > _LARGEST_REVIEW:
        raise DataError(f"{path} is larger than any review ({_LARGEST_REVIEW} bytes); fetch the archive again")
    return content


def _by_path(found: Iterable[tuple[str, bytes]], source: Path) -> dict[str, bytes]:
    reviews: dict[str, bytes] = {}
    size = 0
    for path, content in islice(found, REVIEWS + 1):  # one more shows that there are too many
        if path in reviews:
            raise _not_imdb(source, f"it holds {path} twice")
        reviews[path] = content
        size += len(content)
        if size > _LARGEST_TEXT:
            raise _not_imdb(source, f"its reviews have more than {_LARGEST_TEXT >> 20} MiB")
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
