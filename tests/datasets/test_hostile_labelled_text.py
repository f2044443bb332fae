"""Labelled text that is not what it should be: one line that says what was expected, what came, and where."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from datasets import labelled_files, labelled_text
from datasets.errors import DataError
from datasets.labelled_text import LabelledText
from datasets.plain_text import CONTROLS
from tests.datasets.test_labelled_text import FILMS, write_csv, write_folder, write_parquet


def refused(path: Path, **fields: object) -> str:
    """Return the one line with which a source is refused."""
    source = LabelledText(path.name, **fields)  # type: ignore[arg-type]
    with pytest.raises(DataError) as caught:
        labelled_text.corpus(source, labelled_text.located(source, path.parent))
    line = str(caught.value)
    assert "\n" not in line
    assert not CONTROLS.search(line)
    assert len(line) < 800
    return line


GOOD = b"text,label\nfine,1\nawful,0\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "'r.csv': expected texts and labels; the file is empty"),
        (b"\n\n", "'r.csv': no column 'text': its columns are none"),
        (b"text,label\n", "'r.csv': expected texts and labels; it has no rows"),
        (b"texts,label\na,1\n", "'r.csv': no column 'text': did you mean 'texts'? its columns are 'texts', 'label'"),
        (b"text;label\na;1\n", "'r.csv': no column 'text': did you mean 'text;label'? its columns are 'text;label'"),
        (b"text,label,text\na,1,b\n", "'r.csv': several columns 'text': its columns are"),
        (GOOD + b"more,\n", "'r.csv', line 4: expected a label in column 'label'; there is none"),
        (GOOD + b"more,NaN\n", "'r.csv', line 4: expected a label in column 'label'; there is none"),
        (GOOD + b",1\n", "'r.csv', line 4: expected a text; there is none: leave it out"),
        (GOOD + b"nan,1\n", "'r.csv', line 4: expected a text; there is none: leave it out"),
        (GOOD + b" \t,1\n", "'r.csv', line 4: expected a text; there is none: leave it out"),
        (GOOD + b'"on\ntwo",1\n\nmore\n', "'r.csv', line 7: expected 2 cells, as the header has; received 1"),
        (GOOD + b"one, two,1\n", "'r.csv', line 4: expected 2 cells, as the header has; received 3"),
        (GOOD + b"caf\xe9,1\n", "'r.csv', line 4: expected UTF-8; received byte 0xe9 there"),
        ("text,label\na,1\n".encode("utf-16"), "'r.csv', line 1: expected UTF-8; received byte 0xff there"),
        (GOOD + b"\xed\xa0\x80,1\n", "'r.csv', line 4: expected UTF-8; received byte 0xed there"),
        (GOOD + b'"never closed,1\na,1\n', "'r.csv', line 4: expected cells between commas; unexpected end of data"),
        (GOOD + b'"closed" late,1\n', "'r.csv', line 4: expected cells between commas; ',' expected after '\"'"),
        (b"text,label\na,1\nb,1\n", "'r.csv': expected two classes or more; every text is of class '1'"),
        (b"text,label\na,1\nb,0\n", "'r.csv': expected two different texts or more of class '0', one for training"),
        (GOOD + b"more," + b"x" * 101 + b"\n", "'r.csv', line 4: expected a label of 100 characters at most; received"),
    ],
)
def test_a_csv_that_is_wrong_says_where(content: bytes, line: str, tmp_path: Path) -> None:
    """The line is the one that an editor shows: of a row over several lines the first."""
    (tmp_path / "r.csv").write_bytes(content)
    assert refused(tmp_path / "r.csv").startswith(line)


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (
            {"texts": ["a"], "label": [1]},
            "'r.parquet': no column 'text': did you mean 'texts'? its columns are 'texts'",
        ),
        ({"text": ["a", None], "label": [1, 0]}, "'r.parquet', row 2: expected a text; there is none"),
        ({"text": ["a", "NaN"], "label": [1, 0]}, "'r.parquet', row 2: expected a text; there is none"),
        ({"text": ["a", "b"], "label": [1, None]}, "'r.parquet', row 2: expected a label in column 'label'; there is"),
        ({"text": ["a", "b"], "label": [1.0, float("nan")]}, "'r.parquet', row 2: expected a label in column 'label'"),
        ({"text": [1, 2], "label": [1, 0]}, "'r.parquet': expected text in column 'text'; received int64"),
        ({"text": [b"a", b"b"], "label": [1, 0]}, "'r.parquet': expected text in column 'text'; received binary"),
        ({"text": ["a"], "label": [[1]]}, "'r.parquet': expected words or numbers in column 'label'; received list<"),
        ({"text": [], "label": []}, "'r.parquet': expected text in column 'text'; received null"),
    ],
)
def test_a_parquet_file_that_is_wrong_says_where(columns: dict[str, list[object]], line: str, tmp_path: Path) -> None:
    """Rows are counted from 1."""
    parquet.write_table(pyarrow.table(columns), tmp_path / "r.parquet")
    assert refused(tmp_path / "r.parquet").startswith(line)


def test_parquet_text_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    """Parquet calls a column text without looking at its bytes."""
    texts = pyarrow.array([b"fine", b"caf\xe9"]).view(pyarrow.string())
    parquet.write_table(pyarrow.table({"text": texts, "label": [0, 1]}), tmp_path / "r.parquet")
    assert refused(tmp_path / "r.parquet") == "'r.parquet', row 2: expected UTF-8; received byte 0xe9 there"


def write_half(path: Path, name: str, examples: list[tuple[str, str]]) -> None:
    write_folder(path / name, examples)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda r: r.mkdir(), "'r': expected a folder of .txt files for each class; there is none"),
        (lambda r: write_folder(r, [("a", "x"), ("b", "x")]), "'r': expected two classes or more; every text is of"),
        (lambda r: (r / "x").mkdir(parents=True), "'r/x': expected .txt files; there is none"),
        (
            lambda r: write_folder(r, [("a", "train"), ("b", "test")]),
            "'r': expected a folder of .txt files for each cla",
        ),
        (
            lambda r: (
                write_folder(write_folder(r, [("a", "unsup")]) / "train", [("a", "x")])
                and write_folder(r / "test", [("a", "x")])
            ),
            "'r': expected the folders train and test alone, or a folder for each class; received 'unsup' beside",
        ),
        (
            lambda r: (
                write_folder(r / "train", [("a", "x"), ("b", "unsup")]) and write_folder(r / "test", [("c", "x")])
            ),
            "'r': expected texts of every class in train and in test; test has none of class 'unsup'",
        ),
        (
            lambda r: write_folder(r, [("a", "x"), ("b", "y")]) and (r / "y" / "2.txt").write_bytes(b"caf\xe9"),
            "'r/y/2.txt': expected UTF-8; received byte 0xe9 there",
        ),
        (
            lambda r: write_folder(r, [("a", "x"), ("b", "y")]) and (r / "y" / "2.txt").write_bytes(b"\n"),
            "'r/y/2.txt': expected a text; there is none",
        ),
    ],
)
def test_a_folder_that_is_wrong_says_where(make: Callable[[Path], object], line: str, tmp_path: Path) -> None:
    """A folder for each class, within train and test or at once."""
    make(tmp_path / "r")
    assert refused(tmp_path / "r").startswith(line)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"test_share": 0.0}, "LabelledText: expected a test_share between 0 and 1; received 0.0"),
        ({"test_share": float("nan")}, "LabelledText: expected a test_share between 0 and 1; received nan"),
        ({"classes": ("good",)}, "LabelledText: expected two or more different classes; received 'good'"),
        ({"classes": ("a", "a")}, "LabelledText: expected two or more different classes; received 'a', 'a'"),
        ({"text": ""}, "LabelledText: expected a column for each of its fields; received '', 'label'"),
        ({"label": "text"}, "LabelledText: expected a column for each of its fields; received 'text', 'text'"),
        ({"classes": ("Bad", "good")}, "'r.csv', line 12: no class 'bad': did you mean 'Bad'? classes are 'Bad', 'g"),
        ({"classes": ("bad", "good", "so-so")}, "'r.csv': expected texts of each of the classes; there is none of 'so"),
        ({"split": "part"}, "'r.csv': no column 'part': its columns are 'text', 'label'"),
    ],
)
def test_settings_that_do_not_fit_are_named(fields: dict[str, object], line: str, tmp_path: Path) -> None:
    """A field of LabelledText, or what the file has instead."""
    assert refused(write_csv(tmp_path / "r.csv", FILMS), **fields).startswith(line)


@pytest.mark.parametrize(
    ("halves", "line"),
    [
        ("train train train train", "'r.csv': expected texts of every class in train and in test; test has none of"),
        ("train dev test test", "'r.csv', line 3: expected 'train' or 'test' in column 'part'; received 'dev'"),
        ("train test test test", "'r.csv': expected texts of every class in train and in test; train has none of cla"),
    ],
)
def test_a_split_that_lacks_a_class_is_refused(halves: str, line: str, tmp_path: Path) -> None:
    """A class of one split alone can be learned or tested, not both."""
    rows = [(f"text {n}", "xy"[n % 2], half) for n, half in enumerate(halves.split())]
    path = write_csv(tmp_path / "r.csv", rows, ("text", "label", "part"))
    assert refused(path, split="part").startswith(line)


def fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (
            lambda path: None,
            "'r.csv': expected a .csv or .parquet file or a folder, from the recipe's folder; got none",
        ),
        (fifo, "'r.csv': expected a .csv or .parquet file or a folder, from the recipe's folder; got none"),
        (lambda path: path.symlink_to(path), "'r.csv': "),
        (lambda path: path.symlink_to("/dev/zero"), "'r.csv': expected a .csv or .parquet file or a folder"),
    ],
    ids=["missing", "fifo", "loop of links", "device"],
)
def test_what_is_no_file_is_refused_unread(make: Callable[[Path], None], line: str, tmp_path: Path) -> None:
    """A pipe or a device would be read for ever."""
    make(tmp_path / "r.csv")
    assert refused(tmp_path / "r.csv").startswith(line)


@pytest.mark.parametrize("name", ["r.json", "r", "r.csv.gz"])
def test_another_kind_of_file_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    """What is in a file is not guessed."""
    (tmp_path / name).write_bytes(b"{}")
    assert refused(tmp_path / name).endswith("received another kind of file")


@pytest.mark.parametrize(
    "path", ["a\0b.csv", "x" * 300 + ".csv", "r.csv\n\x1b[31m", "/proc/self/mem.csv", "", "~nobody-x/r.csv"]
)
def test_a_path_that_no_system_takes_is_one_line(path: str, tmp_path: Path) -> None:
    """It is a word from outside: it drives no terminal, and no file's name is a traceback."""
    source = LabelledText(path)
    with pytest.raises(DataError) as caught:
        labelled_text.corpus(source, labelled_text.located(source, tmp_path))
    assert not CONTROLS.search(str(caught.value).replace("\ufffd", ""))
    assert "\n" not in str(caught.value)


def test_a_path_outside_the_folder_is_the_users_own(tmp_path: Path) -> None:
    """Relative, absolute or by a link: whose recipe names it may read it."""
    write_csv(tmp_path / "r.csv", FILMS)
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "r.csv")
    sources = [LabelledText(path) for path in ("../r.csv", str(tmp_path / "r.csv"), "link.csv")]
    digests = {labelled_text.corpus(one, labelled_text.located(one, folder)).digest for one in sources}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("limit", "most", "line"),
    [
        ("LARGEST_FILE", 100, "'r.csv': expected 0 MiB at most; received"),
        ("LARGEST_LINE", 20, "'r.csv', line 2: expected 0 MiB at most; the line is longer"),
        ("LARGEST_TEXT", 20, "'r.csv', line 2: expected cells between commas; field larger than field limit"),
        ("LARGEST_CORPUS", 200, "'r.csv', line 11: expected 1,000,000 texts and 0 MiB of them at most; there are more"),
        ("MOST_ROWS", 5, "'r.csv', line 7: expected 5 texts and 512 MiB of them at most; there are more"),
    ],
)
def test_what_is_too_large_is_refused_at_the_limit(
    limit: str, most: int, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts are read into memory: what would not fit is refused, where it is too much."""
    monkeypatch.setattr(labelled_files, limit, most)
    assert refused(write_csv(tmp_path / "r.csv", FILMS)).startswith(line)


def test_a_small_parquet_file_of_many_large_texts_is_refused(tmp_path: Path) -> None:
    """A million copies of a megabyte are a few kilobytes on disk, and would be a terabyte in memory."""
    text = "x" * (1 << 20)
    texts = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 1_000, pyarrow.int32()), pyarrow.array([text]))
    parquet.write_table(pyarrow.table({"text": texts, "label": [0, 1] * 500}), tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").stat().st_size < 1 << 20
    assert refused(tmp_path / "r.parquet").startswith("'r.parquet', row 513: expected 1,000,000 texts and 512 MiB of")


def test_a_parquet_file_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    """Two thousand texts of a megabyte in some kilobytes, written so that each would be unpacked."""
    path, schema = tmp_path / "r.parquet", pyarrow.schema({"text": pyarrow.string(), "label": pyarrow.int64()})
    texts = pyarrow.array([f"{number}{'x' * (1 << 20)}" for number in range(2)])
    with parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as writer:
        for _ in range(520):
            writer.write_table(pyarrow.table({"text": texts, "label": [0, 1]}))
    assert refused(path) == "'r.parquet': expected 1024 MiB unpacked at most; it says 1040 MiB"


def test_more_classes_than_a_byte_numbers_are_refused(tmp_path: Path) -> None:
    """Most likely another column was meant."""
    path = write_csv(tmp_path / "r.csv", [(f"text {n}", f"class {n}") for n in range(300)])
    assert refused(path).startswith("'r.csv', line 258: expected 256 classes at most; 'class 256' is one more")


def test_words_of_a_file_drive_no_terminal(tmp_path: Path) -> None:
    """A column, a label and a file's name are words from outside."""
    path = write_csv(tmp_path / "r.csv", [("a", "1")], ("\x1b]0;owned\x07\n", "la\u202ebel"))
    assert "\ufffd]0;owned" in refused(path)
    path = write_csv(tmp_path / "s.csv", [("a", "\x1b[2J")])
    assert "'\ufffd[2J'" in refused(path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache would keep its texts under the digest of others."""
    path, read = write_csv(tmp_path / "r.csv", FILMS), labelled_files.read

    def reading(source: LabelledText, file: Path) -> object:
        yield from read(source, file)
        write_csv(path, FILMS[1:])

    monkeypatch.setattr(labelled_files, "read", reading)
    assert refused(path) == "'r.csv': it changed while it was read; start again"


@pytest.mark.parametrize("cut", [1, 4, 100, -4, -20])
def test_a_parquet_file_that_was_cut_is_called_damaged(cut: int, tmp_path: Path) -> None:
    """What a broken download leaves."""
    path = write_parquet(tmp_path / "r.parquet", FILMS)
    path.write_bytes(path.read_bytes()[:cut])
    assert refused(path).startswith("'r.parquet': expected a Parquet file; it is damaged or none, from row 1 on (")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    return {
        name: write(folder / name, FILMS).read_bytes()
        for name, write in (("r.csv", write_csv), ("r.parquet", write_parquet))
    }


@pytest.mark.parametrize("name", ["r.csv", "r.parquet"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_an_error_or_other_texts(
    name: str, data: st.DataObject, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """Whatever the bytes, never a traceback: neither format has a checksum of everything."""
    content = bytearray(whole[name])
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1)
    ):
        content[place] = byte
    (tmp_path / name).write_bytes(content)
    source = LabelledText(name)
    with suppress(DataError):
        labelled_text.corpus(source, labelled_text.located(source, tmp_path))


def test_the_limit_of_a_cell_is_that_of_a_text(tmp_path: Path) -> None:
    """Python's own limit, 128 KiB, would refuse a long text."""
    long = "word " * 40_000
    corpus = labelled_text.corpus(LabelledText("r.csv"), write_csv(tmp_path / "r.csv", [*FILMS, (long, "good")]))
    assert len(corpus.train) + len(corpus.test) == len(FILMS) + 1
    assert csv.field_size_limit() == labelled_files.LARGEST_TEXT
