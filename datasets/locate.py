"""Find the reviews: given, cached, downloaded or synthetic, in this order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from datasets import imdb, labelled_text
from datasets.cache_index import CACHE_VARIABLE, CachedCorpus, CacheIndex
from datasets.corpus import OWN, Corpus
from datasets.errors import DataError, DownloadError

if TYPE_CHECKING:
    from datasets.download import Progress
    from datasets.labelled_text import LabelledText

DATA_VARIABLE = "KERASMARK_DATA"
SYNTHETIC = "synthetic"

Origin = Literal["given", "cache", "download", "synthetic", "fallback", "own"]
Notice = Callable[[str], None]

_ARCHIVE = "aclImdb_v1.tar.gz"
_WORD_INDEX = "imdb_word_index.json"


@dataclass(frozen=True)
class Located:
    """A corpus and where it came from.

    folder  its place in the cache, from which a worker process can `cache.load` it; None where there are no reviews
    origin  "given": named by the caller or the environment; "cache" or "download": the official reviews;
            "synthetic": asked for by name; "fallback": the synthetic reviews, because the download failed;
            "own": none, since every recipe brings its own data
    """

    corpus: Corpus
    folder: Path | None
    origin: Origin


def open_corpus(
    data: str | None,
    *,
    environ: Mapping[str, str],
    cache_root: Path | None = None,
    notice: Notice = lambda _: None,
    progress: Progress | None = None,
) -> Located:
    """Return the corpus of `data`, else of `KERASMARK_DATA`, else from the cache, else the official download.

    `data` is "synthetic", the archive, a folder that holds the archive, or an unpacked `aclImdb`. If it cannot be used,
    that is an error. The synthetic reviews are the fallback only if nothing is given and the download fails.
    """
    index = CacheIndex(cache_root or cache_folder(environ), notice)
    given = data or environ.get(DATA_VARIABLE)
    if given == SYNTHETIC:
        return _located(_synthetic(index), "synthetic")
    if given:
        return _located(_given(Path(given).expanduser(), index, progress), "given")
    known = index.find("imdb", imdb.CONTENT_SHA256)
    if known is not None:
        return _located(known, "cache")
    try:
        return _located(_official(index, progress), "download")
    except DownloadError as error:
        notice(f"{error}. Using the synthetic reviews instead.")
        return _located(_synthetic(index), "fallback")


def without_reviews() -> Located:
    """Return what stands for the reviews where no recipe reads them."""
    return Located(OWN, None, "own")


def open_labelled(
    source: LabelledText,
    folder: Path,
    *,
    environ: Mapping[str, str],
    cache_root: Path | None = None,
    notice: Notice = lambda _: None,
) -> Located:
    """Return the corpus of a user's text, whose path is relative to ``folder``, from the cache if it is there."""
    path = labelled_text.located(source, folder)

    def read() -> Corpus:
        notice(f"reading the texts in {source.path}, once")
        return labelled_text.corpus(source, path)

    index = CacheIndex(cache_root or cache_folder(environ), notice)
    key = f"{path.resolve()}: {source}"  # two recipes may read one file in two ways
    return _located(index.obtain(key, labelled_text.identity(source, path), read), "given")


def cache_folder(environ: Mapping[str, str]) -> Path:
    if environ.get(CACHE_VARIABLE):
        return Path(environ[CACHE_VARIABLE]).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("kerasmark", appauthor=False))


def _located(cached: CachedCorpus, origin: Origin) -> Located:
    return Located(cached.corpus, cached.folder, origin)


def _given(path: Path, index: CacheIndex, progress: Progress | None) -> CachedCorpus:
    source = _source(path)

    def parse() -> Corpus:
        return _parse(source, _beside(source) or _fetched_word_index(index, progress), index)

    return index.obtain(str(source.resolve()), _identity(source), parse)


def _official(index: CacheIndex, progress: Progress | None) -> CachedCorpus:
    from datasets import download

    def fetch() -> Corpus:
        index.notice(f"fetching the IMDB reviews from {download.ARCHIVE.url}, once: 84 MB")
        archive = download.fetch(download.ARCHIVE, index.root / "downloads", progress=progress)
        return _parse(archive, _fetched_word_index(index, progress), index)

    return index.obtain(download.ARCHIVE.url, {"sha256": download.ARCHIVE.sha256}, fetch)


def _synthetic(index: CacheIndex) -> CachedCorpus:
    def write() -> Corpus:
        from datasets import synthetic

        index.notice("writing the synthetic reviews, once: about ten seconds")
        return synthetic.corpus(seed=0)

    # Its digest is known only after it is written, so its code identifies it.
    return index.obtain(SYNTHETIC, {"code": _code_sha256()}, write)


def _source(path: Path) -> Path:
    if (path / _ARCHIVE).is_file():
        return path / _ARCHIVE
    if path.is_file() or (imdb.review_root(path) / "train").is_dir():
        return path
    state = "it holds neither" if path.is_dir() else "there is no such file or folder"
    raise DataError(
        f"no reviews at {path}: expected {_ARCHIVE}, a folder that holds it or an unpacked aclImdb, but {state}; "
        f'correct --data or {DATA_VARIABLE}, or use "{SYNTHETIC}"'
    )


def _identity(source: Path) -> dict[str, object]:
    if source.is_file():
        status = source.stat()
        return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
    # A folder's own time does not change with its files' contents, so look at every file: a third of a second.
    files = sorted((path, entry.stat().st_size, entry.stat().st_mtime_ns) for path, entry in imdb.review_files(source))
    return {"files": hashlib.sha256(repr(files).encode()).hexdigest()}


def _beside(source: Path) -> Path | None:
    folders = (source, source.parent) if source.is_dir() else (source.parent,)
    return next((folder / _WORD_INDEX for folder in folders if (folder / _WORD_INDEX).is_file()), None)


def _parse(source: Path, word_index: Path, index: CacheIndex) -> Corpus:
    index.notice(f"reading the reviews in {source}, once: about ten seconds")
    return imdb.read(source, word_index)


def _fetched_word_index(index: CacheIndex, progress: Progress | None) -> Path:
    from datasets import download

    return download.fetch(download.WORD_INDEX, index.root / "downloads", progress=progress)


def _code_sha256() -> str:
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()
