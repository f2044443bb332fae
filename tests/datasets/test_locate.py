"""Tests of the search for reviews: its order, its memory, and that what is given never falls back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from filelock import FileLock

from datasets import cache, download, imdb, locate
from datasets.corpus import Corpus
from datasets.errors import DataError
from tests.datasets.made import MADE_REVIEWS, content_sha256, read_made, same, sha256, word_index_json, write_folder

NO_SERVER = "http://127.0.0.1:9/"  # the discard port: nothing listens there


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let the made reviews be the official ones, nothing be downloadable, and note every source that is parsed."""
    parsed: list[Path] = []

    def read(source: Path, word_index: Path) -> Corpus:
        parsed.append(source)
        return read_made(source, word_index)

    monkeypatch.setattr(imdb, "read", read)
    monkeypatch.setattr(imdb, "CONTENT_SHA256", content_sha256(MADE_REVIEWS))
    remotes = {"ARCHIVE": "aclImdb_v1.tar.gz", "WORD_INDEX": "imdb_word_index.json"}
    for name, file_name in remotes.items():
        monkeypatch.setattr(download, name, download.Remote(NO_SERVER + file_name, "0" * 64, file_name))
    return parsed


@pytest.fixture
def synthetic(monkeypatch: pytest.MonkeyPatch, made_corpus: Corpus) -> list[int]:
    """Let a small corpus be the synthetic one, and note how often it is written."""
    written: list[int] = []

    def corpus(seed: int = 0) -> Corpus:
        written.append(seed)
        return Corpus("synthetic", "5" * 64, made_corpus.train, made_corpus.test, (), ())

    monkeypatch.setattr("datasets.synthetic.corpus", corpus)
    return written


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A cache folder that does not exist yet."""
    return tmp_path / "cache"


Open = Callable[..., locate.Located]


@pytest.fixture
def search(root: Path) -> Open:
    """Search with an empty environment, unless told otherwise."""

    def search(data: str | Path | None, **more: object) -> locate.Located:
        given = None if data is None else str(data)
        return locate.open_corpus(given, **cast(dict[str, Any], {"environ": {}, "cache_root": root, **more}))

    return search


@pytest.mark.usefixtures("made_index")
def test_a_given_archive_is_parsed_once_and_then_comes_from_the_cache(
    search: Open, made_archive: Path, parses: list[Path], made_corpus: Corpus
) -> None:
    """The second search finds what the first one kept; a worker can load the same folder."""
    first, second = search(made_archive), search(made_archive)
    assert parses == [made_archive]
    assert (first.origin, second.origin) == ("given", "given")
    assert same(second.corpus, made_corpus)
    assert same(cache.load(second.folder), made_corpus)


def test_the_cache_folder_names_the_corpus_the_format_and_the_digest(
    search: Open, made_archive: Path, made_index: Path, parses: list[Path], root: Path
) -> None:
    """Another version of the layout, or other reviews, can never be mistaken for these."""
    folder = search(made_archive).folder
    assert folder == root / f"imdb-{cache.FORMAT}-{content_sha256(MADE_REVIEWS)[:16]}"


@pytest.mark.usefixtures("made_index", "parses")
def test_a_given_folder_may_hold_the_archive(search: Open, made_archive: Path, made_corpus: Corpus) -> None:
    """The archive and the word index side by side, as they are handed over."""
    assert same(search(made_archive.parent).corpus, made_corpus)


@pytest.mark.parametrize("inside", [False, True])
def test_a_given_folder_may_be_unpacked(
    search: Open, tmp_path: Path, parses: list[Path], made_corpus: Corpus, inside: bool
) -> None:
    """With the word index in it or beside it."""
    folder = write_folder(tmp_path / "unpacked")
    (folder / "imdb_word_index.json").write_bytes(word_index_json())
    assert same(search(folder / "aclImdb" if inside else folder).corpus, made_corpus)


def test_a_changed_archive_is_parsed_again(
    search: Open, made_archive: Path, made_index: Path, parses: list[Path]
) -> None:
    """Size and time identify an archive: after a change of either its reviews are checked anew."""
    search(made_archive)
    os.utime(made_archive, ns=(1, 1))
    search(made_archive)
    assert len(parses) == 2


def test_a_changed_review_in_a_folder_is_noticed(search: Open, tmp_path: Path, parses: list[Path]) -> None:
    """The folder's own time would stay as it was."""
    folder = write_folder(tmp_path / "unpacked")
    (folder / "imdb_word_index.json").write_bytes(word_index_json())
    search(folder)
    (folder / "aclImdb/train/pos/0_9.txt").write_bytes(b"tampered")
    with pytest.raises(DataError, match="expected reviews of digest"):
        search(folder)


def test_a_truncated_cache_is_filled_again(
    search: Open, made_archive: Path, made_index: Path, parses: list[Path], made_corpus: Corpus
) -> None:
    """A cache is only a saving of time: damaged, it is made anew without a word."""
    labels = search(made_archive).folder / "train.labels.npy"
    labels.write_bytes(labels.read_bytes()[:-1])
    assert same(search(made_archive).corpus, made_corpus)
    assert len(parses) == 2


@pytest.mark.parametrize("index", ["", "[]", '{"x": 1}'])
def test_a_damaged_memory_of_sources_is_as_none(
    search: Open, made_archive: Path, made_index: Path, parses: list[Path], root: Path, index: str
) -> None:
    """It too saves only time."""
    search(made_archive)
    (root / "sources.json").write_text(index)
    assert search(made_archive).origin == "given"


@pytest.mark.usefixtures("made_index")
def test_the_environment_names_the_data_and_an_argument_overrules_it(
    search: Open, made_archive: Path, parses: list[Path], synthetic: list[int]
) -> None:
    """First the argument, then KERASMARK_DATA."""
    environ = {"KERASMARK_DATA": str(made_archive)}
    assert search(None, environ=environ).origin == "given"
    assert search("synthetic", environ=environ).origin == "synthetic"
    assert search(made_archive, environ={"KERASMARK_DATA": "synthetic"}).origin == "given"


@pytest.mark.usefixtures("made_index", "parses")
def test_the_environment_names_the_cache(tmp_path: Path, made_archive: Path) -> None:
    """KERASMARK_CACHE moves it."""
    environ = {"KERASMARK_CACHE": str(tmp_path / "elsewhere")}
    assert locate.open_corpus(str(made_archive), environ=environ).folder.parent == tmp_path / "elsewhere"


@pytest.mark.usefixtures("made_index", "parses")
def test_with_nothing_given_the_cache_comes_before_the_network(search: Open, made_archive: Path) -> None:
    """What any earlier search kept serves offline too."""
    search(made_archive)
    assert search(None).origin == "cache"


@pytest.mark.usefixtures("parses")
def test_with_nothing_at_all_the_synthetic_reviews_stand_in_and_say_so(search: Open, synthetic: list[int]) -> None:
    """The fallback has an origin of its own, so that no report can pass it off as IMDB."""
    notices: list[str] = []
    located = search(None, notice=notices.append)
    assert (located.origin, located.corpus.name) == ("fallback", "synthetic")
    assert any("no connection" in line and "Using the synthetic reviews instead" in line for line in notices)


@pytest.mark.usefixtures("parses")
def test_the_synthetic_reviews_are_written_once(search: Open, synthetic: list[int]) -> None:
    """They too are kept, until the code that writes them changes."""
    assert search("synthetic").origin == search("synthetic").origin == "synthetic"
    assert synthetic == [0]


def test_what_can_be_downloaded_is(
    search: Open, made_archive: Path, made_index: Path, parses: list[Path], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The official archive and word index, after which the cache answers."""
    for name, path in {"ARCHIVE": made_archive, "WORD_INDEX": made_index}.items():
        monkeypatch.setattr(download, name, download.Remote(NO_SERVER, sha256(path.read_bytes()), path.name))
        (root / "downloads").mkdir(parents=True, exist_ok=True)
        path.rename(root / "downloads" / path.name)  # as if it had just arrived
    assert [search(None).origin, search(None).origin] == ["download", "cache"]
    assert parses == [root / "downloads" / "aclImdb_v1.tar.gz"]


@pytest.mark.parametrize("data", ["nowhere", "empty"])
@pytest.mark.usefixtures("parses")
def test_a_given_path_that_is_unusable_never_falls_back(
    search: Open, tmp_path: Path, synthetic: list[int], data: str
) -> None:
    """Who names data wants that data."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected aclImdb_v1\.tar\.gz, a folder that holds it or an unpacked aclImdb"):
        search(tmp_path / data)
    assert synthetic == []


@pytest.mark.usefixtures("parses")
def test_a_given_archive_without_a_word_index_never_falls_back(
    search: Open, made_archive: Path, made_index: Path, synthetic: list[int]
) -> None:
    """The word index may be fetched; where it cannot be, that is the error."""
    made_index.unlink()
    with pytest.raises(DataError, match=r"cannot download .*imdb_word_index\.json: no connection"):
        search(made_archive)
    assert synthetic == []


@pytest.mark.usefixtures("made_index", "parses")
def test_a_cache_that_cannot_be_written_names_its_variable(tmp_path: Path, made_archive: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"cannot write the cache .*; set KERASMARK_CACHE to a folder that can be written"
    ):
        locate.open_corpus(str(made_archive), environ={"KERASMARK_CACHE": str(tmp_path / "file" / "cache")})


@pytest.mark.usefixtures("made_index")
def test_one_process_at_a_time_fills_the_cache(
    search: Open, made_archive: Path, root: Path, parses: list[Path]
) -> None:
    """Who comes second says that it waits, and then finds what the first one kept."""
    search(made_archive)
    sources = (root / "sources.json").read_text()
    (root / "sources.json").unlink()
    lock, waiting, found = FileLock(root / ".lock"), threading.Event(), []
    with lock:
        second = threading.Thread(
            target=lambda: found.append(search(made_archive, notice=lambda line: waiting.set()).origin)
        )
        second.start()
        assert waiting.wait(10)
        (root / "sources.json").write_text(sources)  # what the first process finishes with
    second.join(10)
    assert found == ["given"]
    assert len(parses) == 1


def test_the_data_package_imports_no_framework_and_no_network(tmp_path: Path) -> None:
    """`import datasets.locate` is part of `--help`: it must be quick, and frameworks are the workers' alone."""
    banned = ["keras", "jax", "tensorflow", "torch", "pooch", "requests", "filelock", "platformdirs", "pyarrow"]
    script = f"import sys, datasets.locate; print([name for name in {banned} if name in sys.modules])"
    top = Path(locate.__file__).parents[1]
    answer = subprocess.run([sys.executable, "-c", script], cwd=top, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
