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
from datasets import cache, imdb
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


READ_WHOLE = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)


@pytest.mark.parametrize("kind", READ_WHOLE)
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
        (header(tarfile.REGTYPE, 1 << 29) + bytes(2 << 20), "is larger than any review"),
        (
            header(tarfile.REGTYPE, 1 << 50, "aclImdb/README"),
            "'aclImdb/README' announces .* unpacks to 1024 MiB at most",
        ),
        (header(b"0", 520 << 20, "a") + bytes(520 << 20) + header(b"0", 520 << 20, "b"), "'b' announces 545259520"),
        (header(tarfile.REGTYPE, -512), "announces -512 bytes"),
        (header(tarfile.REGTYPE, 100) + b"cut", r"it ends within aclImdb/train/pos/0_9\.txt"),
    ],
    ids=["review", "skipped member", "all members together", "backwards", "cut short"],
)
def test_a_member_that_announces_too_much_is_refused(blocks: bytes, words: str, tmp_path: Path) -> None:
    """A review of half a gigabyte is none; what is skipped would be unpacked for hours."""
    index = tmp_path / "words.json"
    index.write_bytes(word_index_json())
    with pytest.raises(DataError, match=words):
        read_made(packed(tmp_path, blocks), index)


def attributes(**named: str) -> bytes:
    """Return the attributes of the next member, as pax writes them: "LENGTH NAME=VALUE" and a line feed."""
    lines = [f" {name}={value}\n".encode() for name, value in named.items()]
    content = b"".join(str(len(line) + 2).encode() + line for line in lines)
    return header(tarfile.XHDTYPE, len(content)) + content.ljust(512, b"\0")


LONG_NAME = header(tarfile.GNUTYPE_LONGNAME, 5) + b"abcd".ljust(512, b"\0")


@pytest.mark.parametrize(
    "before",
    [
        attributes(a="b") * 3_000,
        LONG_NAME * 3_000,
        header(tarfile.XHDTYPE, 5_000) + b"9" * 4_990 + b" a=b\n".ljust(130, b"\0"),
        attributes(size="-5"),
        attributes(path="/etc/passwd"),
        header(tarfile.DIRTYPE, 1 << 40, "aclImdb/"),
        *(header(kind, 1 << 40, "aclImdb/link") for kind in (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE)),
    ],
    ids=["attributes", "names", "number", "size", "path", "folder", "hard link", "link", "pipe"],
)
def test_what_stands_before_a_review_is_passed_over_unread(before: bytes, tmp_path: Path, made_corpus: Corpus) -> None:
    """tarfile calls itself for each such header, believes a size in it, and reads numbers of any length."""
    words = tmp_path / "words.json"
    words.write_bytes(word_index_json())
    assert same(read_made(packed(tmp_path, before + archives.plain()), words), made_corpus)


def test_reviews_that_together_fill_the_memory_are_refused(tmp_path: Path) -> None:
    """Each is as long as a review may be; 50,000 of them would take three gigabytes."""
    words = tmp_path / "words.json"
    words.write_bytes(word_index_json())
    longest = imdb._LARGEST_REVIEW
    reviews = (header(b"0", longest, f"aclImdb/train/pos/{row}_9.txt") + b" " * longest for row in range(2_100))
    archive = tmp_path / "made.tar.gz"
    with gzip.open(archive, "wb", 1) as into:
        into.writelines(reviews)
    with pytest.raises(DataError, match="its reviews have more than 128 MiB"):
        read_made(archive, words)


def test_members_are_not_kept(tmp_path: Path) -> None:
    """Empty files by the thousand, packed to a few kilobytes: tarfile would keep a kilobyte for each of them."""
    words = tmp_path / "words.json"
    words.write_bytes(word_index_json())
    archive = packed(tmp_path, header(b"0", 0, "x" * 99) * 20_000 + archives.plain())
    tracemalloc.start()
    assert len(read_made(archive, words).train) == 4
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_word_index_that_never_ends_is_refused(tmp_path: Path) -> None:
    """What is no word index is read as far as one could reach."""
    with pytest.raises(DataError, match=r"is not Keras's IMDB word index: .* \(4194304 bytes\)"):
        imdb.read_word_index(Path("/dev/zero"))


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
