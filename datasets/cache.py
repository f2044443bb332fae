"""Store a parsed corpus on disk as flat arrays that are memory-mapped when loaded."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets.corpus import Corpus, Ragged, Split
from datasets.errors import DataError

# Raise it when the layout, the tokenising or the order of rows changes: older folders are then rebuilt, and `regress`
# can no longer measure a base whose workers know another format. Folders without digests are of this one.
FORMAT = 1

_MANIFEST = "manifest.json"
_WORDS = "words.json"
_SPLITS = ("train", "test")
_RAGGED = ("text", "keras_ids", "token_ranks")
_ARRAYS = ("labels", *(f"{name}.{part}" for name in _RAGGED for part in ("values", "offsets")))
_FILES = (_WORDS, *(f"{half}.{name}.npy" for half in _SPLITS for name in _ARRAYS))


class UnusableError(DataError):
    """A folder that holds no whole corpus of this format; `fault` says so without what to do."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.fault = f"no usable corpus cached in {folder}: {reason}"
        super().__init__(f"{self.fault}; delete the folder and load the data again")


def folder_name(name: str, digest: str) -> str:
    """Return the name of the folder for the corpus of this name and digest."""
    return f"{name}-{FORMAT}-{digest[:16]}"


def store(corpus: Corpus, folder: Path) -> None:
    """Write `corpus` to `folder`, replacing an older one; other processes see all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _sibling(folder)
    try:
        unfinished.mkdir()
        _write(corpus, unfinished)
        _replace(folder, unfinished)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def load(folder: Path, *, verify: bool = False) -> Corpus:
    """Return the corpus in `folder`, its arrays memory-mapped read-only.

    The sizes of the files are checked. With `verify`, so are their contents, by the digests that were kept when they
    were written: about 0.2 s for the IMDB's 162 MB. Raises UnusableError.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        _check(manifest, folder)
        if verify:
            _verify(manifest, folder)
        words = json.loads((folder / _WORDS).read_bytes())
        splits = {half: _split(folder, half) for half in _SPLITS}
        return Corpus(
            name=manifest["name"],
            digest=manifest["digest"],
            train=splits["train"],
            test=splits["test"],
            word_index=tuple(words["word_index"]),
            tokens=tuple(words["tokens"]),
        )
    except FileNotFoundError as error:
        raise UnusableError(folder, f"{error.filename} is missing") from error
    except KeyError as error:
        raise UnusableError(folder, f"its manifest or words lack {error}") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UnusableError(folder, str(error)) from error


def _write(corpus: Corpus, folder: Path) -> None:
    for half in _SPLITS:
        for name, array in _arrays(getattr(corpus, half)):
            np.save(folder / f"{half}.{name}.npy", array, allow_pickle=False)
    words = {"word_index": corpus.word_index, "tokens": corpus.tokens}
    (folder / _WORDS).write_text(json.dumps(words), encoding="utf-8")
    about = {"format": FORMAT, "name": corpus.name, "digest": corpus.digest}
    manifest = {**about, "bytes": _sizes(folder), "sha256": {name: _digest(folder / name) for name in _FILES}}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _arrays(split: Split) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    yield "labels", split.labels
    for name in _RAGGED:
        ragged: Ragged = getattr(split, name)
        yield f"{name}.values", ragged.values
        yield f"{name}.offsets", ragged.offsets


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.name != _MANIFEST}


def _check(manifest: Mapping[str, Any], folder: Path) -> None:
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']}, this version reads {FORMAT}")
    found = _sizes(folder)
    for name in _FILES:
        if found.get(name) != manifest["bytes"][name]:
            raise ValueError(f"{name} should have {manifest['bytes'][name]} bytes, has {found.get(name, 'none')}")


def _verify(manifest: Mapping[str, Any], folder: Path) -> None:
    """Raise ValueError where a file is not what was written, or where the manifest is another corpus's."""
    if folder.name != folder_name(manifest["name"], manifest["digest"]):
        raise ValueError(f"its manifest names {manifest['name']} of digest {manifest['digest']}")
    for name in _FILES:
        if manifest["sha256"][name] != _digest(folder / name):
            raise ValueError(f"{name} is not what was written")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _split(folder: Path, half: str) -> Split:
    ragged = {
        name: Ragged(_mapped(folder / f"{half}.{name}.values.npy"), _mapped(folder / f"{half}.{name}.offsets.npy"))
        for name in _RAGGED
    }
    return Split(labels=_mapped(folder / f"{half}.labels.npy"), **ragged)


def _mapped(file: Path) -> npt.NDArray[Any]:
    # Without asarray each result of arithmetic on it would be a memmap too, which only slows NumPy down.
    return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))


def _replace(folder: Path, finished: Path) -> None:
    """Rename `finished` to `folder`, moving an old folder away first: a rename cannot replace a full folder."""
    old = _sibling(folder)
    if folder.exists():
        folder.rename(old)
    finished.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _sibling(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
