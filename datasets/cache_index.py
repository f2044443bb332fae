"""The index of the cache: which corpora it holds and which source each was made from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import cache
from datasets.corpus import Corpus, CorpusName
from datasets.errors import DataError

CACHE_VARIABLE = "KERASMARK_CACHE"

Identity = Mapping[str, object]  # what would differ if the source had changed; goes through JSON

_INDEX = "sources.json"


@dataclass(frozen=True)
class CachedCorpus:
    """A corpus and the folder of the cache that holds it."""

    corpus: Corpus
    folder: Path


def names(root: Path) -> list[str]:
    """Return the names of the corpora in the folder ``root``, each once, whether complete or not."""
    return sorted({folder.name.rsplit("-", 2)[0] for folder in root.glob("*-*-*") if folder.is_dir()})


@dataclass(frozen=True)
class CacheIndex:
    """The corpora under one folder; `notice` is called when another process holds the lock, or one is damaged.

    faults  what is wrong with each damaged folder that was met; errors name it where it cannot be made again
    """

    root: Path
    notice: Callable[[str], None]
    faults: dict[str, str] = field(default_factory=dict, init=False)

    def find(self, name: CorpusName, digest: str) -> CachedCorpus | None:
        """Return the corpus of this name and digest, if it is cached and complete."""
        return self._load(cache.folder_name(name, digest))

    def obtain(self, key: str, identity: Identity, make: Callable[[], Corpus]) -> CachedCorpus:
        """Return the corpus made from the source `key` with this identity; make and cache it if there is none.

        One process at a time makes a corpus. Reading a cached one needs no write access.
        """
        known = self._recall(key, identity)
        if known is not None:
            return known
        with self._locked():
            return self._recall(key, identity) or self._make(key, identity, make)

    def _recall(self, key: str, identity: Identity) -> CachedCorpus | None:
        entry = self._index().get(key)
        if not isinstance(entry, dict) or entry.get("identity") != identity:
            return None
        return self._load(str(entry.get("folder")))

    def _make(self, key: str, identity: Identity, make: Callable[[], Corpus]) -> CachedCorpus:
        corpus = self._made(make)
        name = cache.folder_name(corpus.name, corpus.digest)
        if self._load(name) is None:
            cache.store(corpus, self.root / name)
        self._remember(key, {"identity": identity, "folder": name})
        return CachedCorpus(cache.load(self.root / name), self.root / name)

    def _made(self, make: Callable[[], Corpus]) -> Corpus:
        """Return what `make` does; where a damaged corpus cannot be made again, no other data stand in for it."""
        try:
            return make()
        except DataError as error:
            if not self.faults:
                raise
            raise DataError(f"{self._fault()}it cannot be made again: {error}") from error

    def _load(self, name: str) -> CachedCorpus | None:
        folder = self.root / Path(name).name
        try:
            return CachedCorpus(cache.load(folder, verify=True), folder)
        except cache.UnusableError as error:  # absent, of another format, cut short or changed: it is made anew
            if folder.is_dir() and folder.name not in self.faults:
                self.faults[folder.name] = error.fault
                self.notice(f"{error.fault}; making it again from its source")
            return None

    def _fault(self) -> str:
        return "".join(f"{fault}; " for fault in self.faults.values())

    def _index(self) -> dict[str, Any]:
        try:
            index = json.loads((self.root / _INDEX).read_bytes())
        except (OSError, ValueError):  # absent or damaged: it only saves time
            return {}
        return index if isinstance(index, dict) else {}

    def _remember(self, key: str, entry: Mapping[str, object]) -> None:
        unfinished = self.root / f".{_INDEX}.{os.getpid()}"
        unfinished.write_text(json.dumps({**self._index(), key: entry}, indent=1), encoding="utf-8")
        unfinished.replace(self.root / _INDEX)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock; an error of the disk names the variable that moves the cache."""
        from filelock import FileLock, Timeout

        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self.notice("waiting for another process to fill the cache")
                lock.acquire()
            try:
                yield
            finally:
                lock.release()
        except OSError as error:
            raise DataError(
                f"{self._fault()}cannot write the cache {self.root}: {error.strerror or error}; "
                f"set {CACHE_VARIABLE} to a folder that can be written"
            ) from error
