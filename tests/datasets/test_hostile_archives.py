"""Archives from elsewhere: headers that announce gigabytes, bombs, damage; and a cache that somebody changed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench import ROOT
from datasets import cache
from datasets.cache_index import CACHE_VARIABLE, CacheIndex
from datasets.corpus import Corpus
from datasets.errors import DataError
from tests.datasets.made import MADE_REVIEWS, read_made, regular, same, word_index_json, write_archive
from tests.fuzz import archives


def packed(folder: Path, blocks: bytes) -> Path:
    file = folder / "made.tar.gz"
    file.write_bytes(gzip.compress(blocks, 1))
    return file


def header(kind: bytes, size: int, name: str = "aclImdb/train/pos/0_9.txt") -> bytes:
    """Return a header that announces ``size`` bytes, which need not follow."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_that_announces_a_gigabyte_is_refused_unread(kind: bytes, tmp_path: Path) -> None:
    """Python reads names and attributes of a member whole: 200 MB of them, packed to a few kilobytes, are not."""
    words = tmp_path / "words.json"
    words.write_bytes(word_index_json())
    archive = packed(tmp_path, header(kind, 1 << 30) + bytes(200 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match="announces 1073741824 bytes"):
        read_made(archive, words)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        (header(tarfile.REGTYPE, 1 << 30) + bytes(2 << 20), "is larger than any review"),
        (header(tarfile.REGTYPE, 1 << 50, "aclImdb/README"), "would unpack to more than 4 GB"),
    ],
    ids=["review", "skipped member"],
)
def test_a_member_that_announces_too_much_is_refused(blocks: bytes, words: str, tmp_path: Path) -> None:
    """A review of a gigabyte is none; what is skipped would be unpacked for hours."""
    index = tmp_path / "words.json"
    index.write_bytes(word_index_json())
    with pytest.raises(DataError, match=words):
        read_made(packed(tmp_path, blocks), index)


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=160))
@example(b"r" + gzip.compress(b"x" * 5000))
@example(b"")
def test_no_damage_to_an_archive_is_a_bug(data: bytes) -> None:
    """The reviews that it had, or one line."""
    archives.check(data)


@pytest.fixture
def made(tmp_path: Path, made_corpus: Corpus) -> tuple[CacheIndex, list[str], Callable[[], Corpus]]:
    """A cache that holds a corpus, what it gives notice of, and the function that makes the corpus."""
    told: list[str] = []
    index = CacheIndex(tmp_path / "cache", told.append)
    index.obtain("key", {"a": 1}, lambda: made_corpus)
    return index, told, lambda: made_corpus


def test_labels_that_were_flipped_in_the_cache_are_found_and_made_anew(
    made: tuple[CacheIndex, list[str], Callable[[], Corpus]], made_corpus: Corpus
) -> None:
    """Of the same size and under the official digest, they were trusted: a run of them named the official corpus."""
    index, told, make = made
    (folder,) = (path for path in index.root.iterdir() if path.is_dir())
    labels = np.load(folder / "train.labels.npy")
    labels[0] = 1 - labels[0]
    np.save(folder / "train.labels.npy", labels)
    assert not same(cache.load(folder), made_corpus)
    assert same(index.obtain("key", {"a": 1}, make).corpus, made_corpus)
    assert any("train.labels.npy is not what was written" in words for words in told)
    assert same(cache.load(folder, verify=True), made_corpus)


def test_a_cache_of_before_there_were_digests_is_made_anew(
    made: tuple[CacheIndex, list[str], Callable[[], Corpus]], made_corpus: Corpus
) -> None:
    """Nothing tells whether it was changed."""
    index, _, make = made
    (manifest,) = index.root.glob("*/manifest.json")
    manifest.write_text(json.dumps({k: v for k, v in json.loads(manifest.read_text()).items() if k != "sha256"}))
    assert same(index.obtain("key", {"a": 1}, make).corpus, made_corpus)
    assert "sha256" in json.loads(manifest.read_text())


def test_an_index_that_points_elsewhere_is_not_followed(
    made: tuple[CacheIndex, list[str], Callable[[], Corpus]], tmp_path: Path, made_corpus: Corpus
) -> None:
    """A folder's name is one name, and no way out of the cache."""
    index, _, make = made
    cache.store(made_corpus, tmp_path / "elsewhere")
    (index.root / "sources.json").write_text(json.dumps({"key": {"identity": {"a": 1}, "folder": "../elsewhere"}}))
    assert index.obtain("key", {"a": 1}, make).folder.parent == index.root


FILL = """
import sys
from pathlib import Path
from datasets.cache_index import CacheIndex
from tests.datasets.made import read_made
told = []
root, source, words = map(Path, sys.argv[1:4])
def make():
    told.append("parsed")
    return read_made(source, words)
found = CacheIndex(root, lambda words: None).obtain("key", {}, make)
print(len(told), found.corpus.digest)
"""


def test_two_first_runs_that_fill_one_cache_parse_it_once(tmp_path: Path) -> None:
    """Real processes, at the same time: one waits for the other."""
    words = tmp_path / "words.json"
    words.write_bytes(word_index_json())
    archive = write_archive(tmp_path / "made.tar.gz", *(regular(*review) for review in MADE_REVIEWS.items()))
    command = [sys.executable, "-c", FILL, str(tmp_path / "cache"), str(archive), str(words)]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate()[0].split() for process in both]
    assert sorted(int(parsed) for parsed, _ in answers) == [0, 0, 0, 1]
    assert len({digest for _, digest in answers}) == 1


def test_a_disk_that_fills_while_a_corpus_is_cached_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    """A real limit of the system: one line that names the variable, and no half of a corpus that is trusted later."""
    words = tmp_path / "words.json"
    words.write_bytes(word_index_json())
    archive = write_archive(tmp_path / "made.tar.gz", *(regular(*review) for review in MADE_REVIEWS.items()))
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n" + FILL
    command = [sys.executable, "-c", limited, str(tmp_path / "cache"), str(archive), str(words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"cannot write the cache {tmp_path / 'cache'}: File too large; set {CACHE_VARIABLE}" in done.stderr
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_a_file_where_the_cache_should_be_is_told(tmp_path: Path, made_corpus: Corpus) -> None:
    """Whatever stands in the way, the message says which variable moves the cache."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(DataError, match=f"cannot write the cache .*; set {CACHE_VARIABLE}"):
        CacheIndex(tmp_path / "cache", lambda _: None).obtain("key", {}, lambda: made_corpus)
