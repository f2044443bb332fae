"""The rows of a Parquet file of labelled text; pyarrow is imported when one is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets.errors import DataError
from datasets.labelled_rows import Row, checked, columns, quoted, reason

if TYPE_CHECKING:
    from datasets.labelled_text import LabelledText

LARGEST_UNPACKED = 1 << 30  # bytes of the columns, as the file announces them
_ROWS_AT_ONCE = 1 << 16


def parquet_rows(source: LabelledText, path: Path) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    named, row = quoted(source.path), 0
    try:
        with parquet.ParquetFile(path) as file:
            names = columns(source, file.schema_arrow.names)
            words = [name for name in names if _is_text(file.schema_arrow.field(name).type)]
            _check_types(source, file.schema_arrow, words)
            _check_size(file.metadata, names, named)
        # A word that stands in a million rows takes the memory of one. The checksums are those that a file has.
        with parquet.ParquetFile(path, read_dictionary=words, page_checksum_verification=True) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=names, use_threads=False):
                for text, *others in zip(*(_values(batch.column(name)) for name in names), strict=True):
                    row += 1
                    yield checked(source, text, others, f"{named}, row {row}")
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise DataError(
            f"{named}: expected a Parquet file; it is damaged or none, from row {row + 1} on ({reason(error)})"
        ) from error


def _is_text(kind: Any) -> bool:
    """Return whether a column holds text, or places in a list of texts."""
    from pyarrow import types

    held = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(held) or types.is_large_string(held) or types.is_string_view(held))


def _check_types(source: LabelledText, schema: Any, words: Sequence[str]) -> None:
    from pyarrow import types

    for name in [source.text, *([source.split] if source.split else [])]:
        if name not in words:
            raise DataError(_unfit(source, name, "text", schema))
    kind = schema.field(source.label).type
    numbers = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    if source.label not in words and not numbers:
        raise DataError(_unfit(source, source.label, "words or numbers", schema))


def _check_size(about: Any, names: Sequence[str], named: str) -> None:
    """Raise DataError where the columns unpack to more than memory is meant for."""
    groups = map(about.row_group, range(about.num_row_groups))
    parts = (group.column(place) for group in groups for place in range(group.num_columns))
    size = sum(part.total_uncompressed_size for part in parts if part.path_in_schema in names)
    if size > LARGEST_UNPACKED:
        raise DataError(f"{named}: expected {LARGEST_UNPACKED >> 20} MiB unpacked at most; it says {size >> 20} MiB")


def _unfit(source: LabelledText, name: str, expected: str, schema: Any) -> str:
    return f"{quoted(source.path)}: expected {expected} in column {quoted(name)}; received {schema.field(name).type}"


def _values(column: Any) -> list[Any]:
    """Return the values of a column: of text its bytes, which Parquet does not check."""
    import pyarrow

    if not pyarrow.types.is_dictionary(column.type):
        return column.to_pylist()  # type: ignore[no-any-return]
    words = column.dictionary.cast(pyarrow.binary())
    pyarrow.DictionaryArray.from_arrays(column.indices, words)  # ArrowInvalid where a damaged file points outside
    held = [*words.to_pylist(), None]
    return [held[place] for place in column.indices.fill_null(len(held) - 1).to_pylist()]
