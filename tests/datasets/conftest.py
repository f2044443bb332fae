"""Fixtures for the tests of the data: the real reviews, parsed once a session, and a small made archive."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest

from datasets.corpus import Corpus
from datasets.locate import open_corpus
from tests.datasets.made import MADE_REVIEWS, read_made, regular, word_index_json, write_archive


@pytest.fixture
def made_index(tmp_path: Path) -> Path:
    """A small word index on disk."""
    path = tmp_path / "imdb_word_index.json"
    path.write_bytes(word_index_json())
    return path


@pytest.fixture
def made_archive(tmp_path: Path) -> Path:
    """An archive of the made reviews under the official name."""
    return write_archive(tmp_path / "aclImdb_v1.tar.gz", *(regular(*item) for item in MADE_REVIEWS.items()))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder or archive of the real reviews that KERASMARK_DATA names."""
    given = os.environ.get("KERASMARK_DATA")
    if not given or given == "synthetic":
        pytest.skip("needs the real IMDB reviews: set KERASMARK_DATA to their archive or folder")
    return Path(given)


@pytest.fixture(scope="session")
def real_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache folder that the real reviews are parsed into, once a session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def real_corpus(real_data: Path, real_cache: Path) -> Corpus:
    """The real reviews, mapped from the session's cache."""
    return open_corpus(str(real_data), environ={}, cache_root=real_cache).corpus


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Keras, for the tests that hold this package against it; TextVectorization needs TensorFlow with any backend."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    pytest.importorskip("tensorflow")
    module: ModuleType = pytest.importorskip("keras")
    return module


@pytest.fixture
def made_corpus(made_archive: Path, made_index: Path) -> Corpus:
    """The made reviews, parsed."""
    return read_made(made_archive, made_index)
