"""The rows of a user's labelled text, read one by one from a CSV file, a Parquet file or a folder for each class."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from datasets.cache_index import Identity
from datasets.errors import DataError
from datasets.labelled_parquet import parquet_rows
from datasets.labelled_rows import (
    HALVES,
    LARGEST_TEXT,
    Row,
    checked,
    columns,
    decoded,
    listed,
    quoted,
    reason,
    text_of,
    word_of,
)

if TYPE_CHECKING:
    from datasets.labelled_text import LabelledText

LARGEST_FILE = 1 << 30  # bytes of a CSV or Parquet file
LARGEST_LINE = 8 << 20  # bytes of a line of CSV
LARGEST_CORPUS = 512 << 20  # bytes of all texts, which are read into memory
MOST_ROWS = 1_000_000

_CSV, _PARQUET, _TXT = ".csv", ".parquet", ".txt"
_MARK = b"\xef\xbb\xbf"  # in front of UTF-8 that Windows wrote


def located(source: LabelledText, folder: Path) -> Path:
    """Return the file or folder of ``source``, relative to ``folder``; DataError where none can be read there."""
    named = quoted(source.path)
    with _readable(source):
        path = folder / os.path.expanduser(source.path)  # noqa: PTH111, Path's own fails where nobody has that name
        if path.is_dir():
            if source.split:
                raise DataError(f"{named}: a folder has no column {quoted(source.split)}; leave split out")
            return path
        if not path.is_file():
            raise DataError(
                f"{named}: expected a .csv or .parquet file or a folder, from the recipe's folder; got none"
            )
        if path.suffix.lower() not in (_CSV, _PARQUET):
            raise DataError(f"{named}: expected a .csv or .parquet file or a folder; received another kind of file")
        size = path.stat().st_size
    if not size:
        raise DataError(f"{named}: expected texts and labels; the file is empty")
    if size > LARGEST_FILE:
        raise DataError(f"{named}: expected {LARGEST_FILE >> 20} MiB at most; received {size >> 20} MiB")
    return path


def identity(source: LabelledText, path: Path) -> Identity:
    """Return what differs if the texts would: a file's bytes, or the names, sizes and times of a folder's files."""
    with _readable(source):
        if path.is_file():
            with path.open("rb") as stream:
                return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest()}
        digest = hashlib.sha256()
        for half, label, entry in _files(source, path):
            status = entry.stat()
            digest.update(repr((half, label, entry.name, status.st_size, status.st_mtime_ns)).encode())
        return {"files": digest.hexdigest()}


def read(source: LabelledText, path: Path) -> Iterator[Row]:
    """Yield the rows of ``source``, which lies at ``path``; DataError where one is not what it should be."""
    readers = {_CSV: _csv_rows, _PARQUET: parquet_rows}
    reader = _folder_rows if path.is_dir() else readers[path.suffix.lower()]
    count = size = 0
    with _readable(source):
        for count, row in enumerate(reader(source, path), start=1):
            size += len(row.text)
            if count > MOST_ROWS or size > LARGEST_CORPUS:
                raise DataError(
                    f"{row.where}: expected {MOST_ROWS:,} texts and {LARGEST_CORPUS >> 20} MiB of them at most; "
                    f"there are more"
                )
            yield row
    if not count:
        raise DataError(f"{quoted(source.path)}: expected texts and labels; it has no rows")


def _folder_rows(source: LabelledText, path: Path) -> Iterator[Row]:
    for half, label, entry in _files(source, path):
        where = quoted(os.path.join(source.path, half, label, entry.name))  # noqa: PTH118, no Path for each file
        with open(entry.path, "rb") as stream:  # noqa: PTH123
            text = stream.read(LARGEST_TEXT + 1).removeprefix(_MARK)
        yield Row(text_of(text, where), word_of(label, where) or label, half, where)


def _files(source: LabelledText, path: Path) -> Iterator[tuple[str, str, os.DirEntry[str]]]:
    """Yield the half, the class and the entry of each text in a folder, by their names."""
    for half in _halves(source, path):
        classes = _folders(path / half)
        if not classes:
            raise DataError(
                f"{quoted(source.path)}: expected a folder of {_TXT} files for each class"
                f"{f' in {half}' if half else ''}; there is none"
            )
        for label in classes:
            with os.scandir(path / half / label) as entries:  # five times quicker than Path.iterdir
                texts = [entry for entry in entries if entry.name.endswith(_TXT) and entry.is_file()]
            if not texts:
                raise DataError(f"{quoted(str(Path(source.path, half, label)))}: expected {_TXT} files; there is none")
            for entry in sorted(texts, key=lambda entry: entry.name):
                yield half, label, entry


def _halves(source: LabelledText, path: Path) -> Sequence[str]:
    folders = _folders(path)
    if not set(HALVES) <= set(folders):
        return ("",)
    others = [name for name in folders if name not in HALVES]
    if others:
        raise DataError(
            f"{quoted(source.path)}: expected the folders train and test alone, or a folder for each class; "
            f"received {listed(others)} beside them"
        )
    return HALVES


def _folders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _csv_rows(source: LabelledText, path: Path) -> Iterator[Row]:
    csv.field_size_limit(LARGEST_TEXT)  # of the whole process, in which nothing else reads CSV
    named, first = quoted(source.path), 1
    with path.open("rb") as stream:
        reader = csv.reader(_lines(stream, named), strict=True)
        try:
            names = next((cells for cells in reader if cells), [])
            places = [names.index(column) for column in columns(source, names)]
            first = reader.line_num + 1
            for cells in reader:
                where = f"{named}, line {first}"
                first = reader.line_num + 1
                if not cells:  # an empty line
                    continue
                if len(cells) != len(names):
                    raise DataError(f"{where}: expected {len(names)} cells, as the header has; received {len(cells)}")
                text, *others = (cells[place] for place in places)
                yield checked(source, text.encode(), others, where)
        except csv.Error as error:
            raise DataError(f"{named}, line {first}: expected cells between commas; {error}") from error


def _lines(stream: BinaryIO, named: str) -> Iterator[str]:
    """Yield the lines of a CSV file, which a quoted cell may go over, decoded."""
    number = 0
    while line := stream.readline(LARGEST_LINE + 1):
        number += 1
        where = f"{named}, line {number}"
        if len(line) > LARGEST_LINE:
            raise DataError(f"{where}: expected {LARGEST_LINE >> 20} MiB at most; the line is longer")
        yield decoded(line.removeprefix(_MARK) if number == 1 else line, where)


@contextmanager
def _readable(source: LabelledText) -> Iterator[None]:
    """Name the file in an error of the disk, or of a path that no system takes."""
    try:
        yield
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else reason(error)
        raise DataError(f"{quoted(source.path)}: cannot read it: {why}") from error
