"""Tests of the cache folder: all of it comes back, and what is damaged is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets import cache
from datasets.corpus import Corpus
from datasets.errors import DataError
from tests.datasets.made import same


@pytest.fixture
def folder(tmp_path: Path, made_corpus: Corpus) -> Path:
    """A folder that holds the made corpus."""
    cache.store(made_corpus, tmp_path / "cache" / "made")
    return tmp_path / "cache" / "made"


def test_a_stored_corpus_loads_as_it_was(folder: Path, made_corpus: Corpus) -> None:
    """Every array, with its type, both vocabularies, the name and the digest."""
    assert same(cache.load(folder), made_corpus)


def test_loaded_arrays_cannot_be_written(folder: Path) -> None:
    """The file is mapped read-only: no operation can change the next one's data."""
    with pytest.raises(ValueError, match="read-only"):
        cache.load(folder).train.keras_ids.values[0] = 7


def test_storing_leaves_nothing_but_the_folder(folder: Path, made_corpus: Corpus) -> None:
    """Storing over an older folder replaces it whole, and no unfinished one stays behind."""
    (folder / "stale").touch()
    cache.store(made_corpus, folder)
    assert [path.name for path in folder.parent.iterdir()] == ["made"]
    assert not (folder / "stale").exists()
    assert same(cache.load(folder), made_corpus)


def test_a_failed_store_leaves_the_old_folder(
    folder: Path, made_corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk must not cost the corpus that was there."""

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        cache.store(made_corpus, folder)
    assert [path.name for path in folder.parent.iterdir()] == ["made"]
    assert same(cache.load(folder), made_corpus)


def test_no_pickle_is_written_or_read(folder: Path) -> None:
    """A cache from elsewhere must not be able to run code."""
    (folder / "train.labels.npy").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["bytes"]["train.labels.npy"] = (folder / "train.labels.npy").stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="pickle"):
        cache.load(folder)


@pytest.mark.parametrize("name", ["train.text.values.npy", "test.keras_ids.offsets.npy", "words.json"])
def test_a_file_that_was_cut_short_is_noticed(folder: Path, name: str) -> None:
    """The sizes are in the manifest, so that a truncated array is no corpus."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1])
    with pytest.raises(DataError, match=rf"{name} should have {len(content)} bytes, has {len(content) - 1}; delete"):
        cache.load(folder)


@pytest.mark.parametrize("name", ["train.labels.npy", "words.json", "manifest.json"])
def test_a_file_that_is_missing_is_noticed(folder: Path, name: str) -> None:
    """A folder without one of its files is no corpus."""
    (folder / name).unlink()
    with pytest.raises(DataError, match=name):
        cache.load(folder)


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"format": 0}'])
def test_a_manifest_that_cannot_be_understood_is_noticed(folder: Path, manifest: str) -> None:
    """Cut short, of another kind or of another version: all are to be made anew."""
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(DataError, match="no usable corpus cached in"):
        cache.load(folder)


def test_an_absent_folder_is_an_error(tmp_path: Path) -> None:
    """Loading never makes anything."""
    with pytest.raises(DataError, match="missing"):
        cache.load(tmp_path / "absent")
