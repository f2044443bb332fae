"""A bundle: one file with everything that a run's tables follow from, to send to those who publish results."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.records import reference, store
from bench.records.schema import Slug
from bench.records.store import RECORDS, Run, StoreError

SUFFIX = ".kerasmark.tar.xz"
MANIFEST = "manifest.json"
# A full run of every recipe has some megabytes.
LARGEST = 256 << 20
_FILES = (RECORDS, reference.RUN_FILE)


class Manifest(BaseModel):
    """What a bundle holds: the run, and the SHA-256 digest of each of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bundle_version: int = 1
    run_id: Slug
    digests: dict[str, str]


def write(run: Run, folder: Path) -> Path:
    """Write the bundle of ``run`` into ``folder``; the same run gives the same bytes."""
    files = {name: (run.folder / name).read_bytes() for name in _FILES if (run.folder / name).exists()}
    digests = {name: _sha256(content) for name, content in files.items()}
    manifest = Manifest(run_id=run.header.run_id, digests=digests)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        for name, content in {MANIFEST: manifest.model_dump_json(indent=2).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    file = folder / f"{run.header.run_id}{SUFFIX}"
    store.write_atomically(file, packed.getvalue())
    return file


def is_bundle(file: Path) -> bool:
    """Whether ``file`` is named as a bundle is."""
    return file.name.endswith(SUFFIX) and file.is_file()


@contextmanager
def opened(file: Path) -> Iterator[Run]:
    """Yield the run in the bundle ``file``; StoreError where that is none, or its files are not those it names."""
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
        manifest = _unpacked(file, Path(folder))
        yield store.read(Path(folder) / manifest.run_id)


def _unpacked(file: Path, folder: Path) -> Manifest:
    try:
        with tarfile.open(file) as archive:
            found = dict(_contents(archive, file))
        manifest = Manifest.model_validate_json(found.pop(MANIFEST))
    except (OSError, EOFError, tarfile.TarError, ValidationError, KeyError, ValueError) as error:
        raise StoreError(f"{file.name} is no bundle: {error}; `submit RUN` makes one") from error
    wrong = sorted(name for name in {*found, *manifest.digests} if manifest.digests.get(name) != _digest(found, name))
    if wrong:
        raise StoreError(f"{file.name} was changed: {', '.join(wrong)} differ from what it names")
    place = folder / manifest.run_id
    place.mkdir()
    for name, content in found.items():
        (place / name).write_bytes(content)
    return manifest


def _contents(archive: tarfile.TarFile, file: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file; only those that a bundle has, and no more than it may hold."""
    left = LARGEST
    for member in archive:
        content = archive.extractfile(member) if member.isfile() else None
        if content is None or member.name not in (MANIFEST, *_FILES):
            raise StoreError(f"{file.name} holds {member.name!r}, which no bundle does")
        left -= member.size
        if left < 0:
            raise StoreError(f"{file.name} holds more than {LARGEST >> 20} MB")
        yield member.name, content.read()


def _digest(found: dict[str, bytes], name: str) -> str:
    return _sha256(found[name]) if name in found else ""


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
