"""A cache that was damaged, or cannot be filled: made again with a notice, or one line; no other data stand in."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import ROOT
from datasets import cache, imdb, locate
from datasets.cache_index import CACHE_VARIABLE, CacheIndex
from datasets.corpus import Corpus
from datasets.errors import DataError
from tests.datasets.made import same


def flip(folder: Path, corpus: Corpus) -> None:
    """Flip the first label of the cached corpus; the file keeps its size."""
    labels = corpus.train.labels.copy()
    labels[0] = 1 - labels[0]
    np.save(folder / "train.labels.npy", labels)


def filled(root: Path, corpus: Corpus) -> tuple[CacheIndex, Path, list[str]]:
    """Return the index of a cache that holds `corpus`, its folder, and what the index gives notice of."""
    told: list[str] = []
    index = CacheIndex(root, told.append)
    return index, index.obtain("key", {}, lambda: corpus).folder, told


def test_one_notice_says_that_a_changed_cache_is_made_again(tmp_path: Path, made_corpus: Corpus) -> None:
    """It is looked at before and after waiting for the lock, but told once, and nobody needs to delete anything."""
    index, folder, told = filled(tmp_path, made_corpus)
    flip(folder, made_corpus)
    assert same(index.obtain("key", {}, lambda: made_corpus).corpus, made_corpus)
    expected = f"no usable corpus cached in {folder}: train.labels.npy is not what was written"
    assert told == [f"{expected}; making it again from its source"]


@pytest.mark.parametrize(
    "change",
    [{"sha256": {}}, {"bytes": {}, "sha256": {}}, {"bytes": []}, {"digest": "0" * 64}, {"digest": 1}, {"format": 1}],
    ids=str,
)
def test_a_manifest_that_vouches_for_less_vouches_for_nothing(
    change: dict[str, object], tmp_path: Path, made_corpus: Corpus
) -> None:
    """It has the size and the digest of every file, and names the corpus of its folder; else nothing was checked."""
    index, folder, told = filled(tmp_path, made_corpus)
    flip(folder, made_corpus)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    assert same(index.obtain("key", {}, lambda: made_corpus).corpus, made_corpus)
    assert len(told) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'"bytes"'], ids=lambda content: content[:8])
def test_a_manifest_that_is_something_else_is_made_again(content: bytes, tmp_path: Path, made_corpus: Corpus) -> None:
    """A disk gives back anything."""
    index, folder, told = filled(tmp_path, made_corpus)
    (folder / "manifest.json").write_bytes(content)
    assert same(index.obtain("key", {}, lambda: made_corpus).corpus, made_corpus)
    assert len(told) == 1


def test_a_changed_cache_whose_source_is_damaged_too_is_one_line_that_names_the_file(
    tmp_path: Path, made_archive: Path, made_index: Path, made_corpus: Corpus
) -> None:
    """Both what is wrong with the cache and why it cannot be made again."""
    index, folder, _ = filled(tmp_path / "cache", made_corpus)
    flip(folder, made_corpus)
    made_archive.write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"train\.labels\.npy is not .*; it cannot be made again: .* does not hold"):
        index.obtain("key", {}, lambda: imdb.read(made_archive, made_index, word_index_sha256=words_sha256(made_index)))


def words_sha256(words: Path) -> str:
    return cache._digest(words)


def test_changed_official_reviews_that_cannot_be_fetched_are_not_replaced_by_synthetic_ones(
    tmp_path: Path, made_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Synthetic reviews stand in for what was never there, not for what was changed."""
    folder = tmp_path / cache.folder_name("imdb", imdb.CONTENT_SHA256)
    cache.store(replace(made_corpus, digest=imdb.CONTENT_SHA256), folder)
    flip(folder, made_corpus)
    for proxy in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # where nothing listens
    with pytest.raises(DataError, match=r"train\.labels\.npy is not .*; it cannot be made again: ") as caught:
        locate.open_corpus(None, environ={}, cache_root=tmp_path)
    assert "\n" not in str(caught.value)


FILL = """
import sys
from pathlib import Path
from datasets.cache_index import CacheIndex
from tests.datasets.made import read_made
root, source, words = map(Path, sys.argv[1:4])
made = lambda: print("parsed") or read_made(source, words)
CacheIndex(root, lambda words: None).obtain("key", {}, made)
"""


@pytest.mark.parametrize("limit", [0, 131, 180, 1000], ids=["any file", "labels", "text", "manifest"])
def test_wherever_a_disk_fills_the_cache_names_its_variable_and_is_made_again(
    limit: int, tmp_path: Path, made_archive: Path, made_index: Path
) -> None:
    """A real limit of the system, on files of which the first, a middle one and the last are too large for it."""
    arguments = [str(tmp_path / "cache"), str(made_archive), str(made_index)]
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))\n{FILL}"
    done = subprocess.run([sys.executable, "-c", limited, *arguments], cwd=ROOT, capture_output=True, check=False)
    last = done.stderr.decode().splitlines()[-1]
    assert f"cannot write the cache {tmp_path / 'cache'}: " in last
    assert f"; set {CACHE_VARIABLE} to a folder that can be written" in last
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
    again = subprocess.run([sys.executable, "-c", FILL, *arguments], cwd=ROOT, capture_output=True, check=True)
    assert again.stdout.split() == [b"parsed"]
