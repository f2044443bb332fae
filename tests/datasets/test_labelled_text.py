"""Tests of a user's labelled text: three forms are one corpus, splits, numbers of classes, ids and the cache."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from pydantic import TypeAdapter

from datasets import labelled_text, locate, tokenise
from datasets.corpus import Corpus, Split
from datasets.encoding import Encoding, encode_split, encoder, vocabulary
from datasets.labelled_text import LabelledText
from tests.datasets import plain
from tests.datasets.made import same

Example = tuple[str, str]  # a text and its label

FILMS: Sequence[Example] = [(f"a good film, number {n}", "good") for n in range(10)] + [
    (f"It's a bad, BAD film: number {n}", "bad") for n in range(20)
]


def write_csv(path: Path, examples: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *examples])
    return path


def write_parquet(path: Path, examples: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    columns = zip(*examples, strict=True)
    parquet.write_table(pyarrow.table(dict(zip(header, map(list, columns), strict=True))), path)
    return path


def write_folder(path: Path, examples: Sequence[Sequence[str]], header: object = None) -> Path:
    for number, (text, label) in enumerate(examples):
        (path / label).mkdir(parents=True, exist_ok=True)
        (path / label / f"{number}.txt").write_text(text, encoding="utf-8", newline="")
    return path


FORMS: dict[str, Callable[..., Path]] = {"r.csv": write_csv, "r.parquet": write_parquet, "r": write_folder}


def read(path: Path, **fields: object) -> Corpus:
    source = LabelledText(path.name, **fields)  # type: ignore[arg-type]
    return labelled_text.corpus(source, labelled_text.located(source, path.parent))


def by_text(split: Split) -> dict[str, int]:
    texts = (text.decode() for text in tokenise.text_rows(split.text))
    return dict(zip(texts, split.labels.tolist(), strict=True))


# Texts of any characters that UTF-8 has, line ends and quotes among them; what says that there is none is left out.
TEXT = st.text(st.characters(codec="utf-8"), max_size=20).map("a{}".format) | st.sampled_from(
    ['"', '""', "a\r\nb", "\r", "a,b", "=1", "\0", "\N{NO-BREAK SPACE}", "None", "good<br />bad"]
).map("{}.".format)


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=2, unique=True), st.lists(TEXT, min_size=2, unique=True), st.randoms())
def test_csv_parquet_and_folder_of_the_same_texts_are_one_corpus(
    tmp_path_factory: pytest.TempPathFactory, good: list[str], bad: list[str], random: object
) -> None:
    """In whatever order the rows stand: results on the same texts are comparable, and cached once."""
    folder = tmp_path_factory.mktemp("forms")
    examples = [(text, "good") for text in good] + [(text, "bad") for text in bad]
    corpora = []
    for name, write in FORMS.items():
        random.shuffle(examples)  # type: ignore[attr-defined]
        corpora.append(read(write(folder / name, examples)))
    assert same(corpora[0], corpora[1])
    assert same(corpora[0], corpora[2])
    kept = [*tokenise.text_rows(corpora[0].train.text), *tokenise.text_rows(corpora[0].test.text)]
    assert sorted(kept) == sorted(text.encode() for text, _ in examples)


@pytest.mark.parametrize("form", FORMS)
def test_each_class_gives_a_fifth_to_the_test_split(form: str, tmp_path: Path) -> None:
    """Stratified: 2 of 10 and 4 of 20. Classes are sorted, so bad is 0."""
    corpus = read(FORMS[form](tmp_path / form, FILMS))
    assert corpus.name == "own"
    assert np.bincount(corpus.train.labels).tolist() == [16, 8]
    assert np.bincount(corpus.test.labels).tolist() == [4, 2]
    assert corpus.train.labels.dtype == np.uint8
    for split in (corpus.train, corpus.test):
        assert all(("bad" in text) == (label == 0) for text, label in by_text(split).items())


def test_the_split_is_the_same_on_every_machine(tmp_path: Path) -> None:
    """The digest covers texts, labels, order and split; a change of it makes records incomparable."""
    corpus = read(write_csv(tmp_path / "r.csv", FILMS))
    assert corpus.digest == "9db56ac632f8097217b1f5a75bc14111273b2812714a42fb3aabef162ec9fe50"


def test_a_text_that_is_added_moves_few_others_between_the_splits(tmp_path: Path) -> None:
    """A text is for test by its own hash, so a file that grows keeps its split but at the border."""
    before = by_text(read(write_csv(tmp_path / "a.csv", FILMS)).test)
    after = by_text(read(write_csv(tmp_path / "b.csv", [*FILMS, ("another bad one", "bad")])).test)
    assert len(before.keys() - after.keys()) <= 1


def test_copies_of_a_text_stay_in_one_split(tmp_path: Path) -> None:
    """A copy in the other split would be known from training."""
    examples = [(f"text {n % 7}", label) for n in range(70) for label in ("x", "y")]
    corpus = read(write_csv(tmp_path / "r.csv", [(f"{label} {text}", label) for text, label in examples]))
    assert not by_text(corpus.train).keys() & by_text(corpus.test).keys()
    assert np.bincount(corpus.test.labels).tolist() == [10, 10]


@pytest.mark.parametrize(("share", "test"), [(0.5, 10), (0.01, 1), (0.99, 19)])
def test_the_share_leaves_a_text_of_each_class_in_each_split(share: float, test: int, tmp_path: Path) -> None:
    """A class that one split lacks could not be learned, or not be tested."""
    corpus = read(
        write_csv(tmp_path / "r.csv", FILMS[10:] + [(text + "!", "good") for text, _ in FILMS[10:]]), test_share=share
    )
    assert np.bincount(corpus.test.labels).tolist() == [test, test]


@pytest.mark.parametrize("form", ["r.csv", "r.parquet"])
def test_a_column_splits_the_texts_where_it_is_named(form: str, tmp_path: Path) -> None:
    """Then nothing is chosen: a published split stays what it is."""
    examples = [(f"text {n}", "ab"[n % 2], "test" if n < 4 else "train") for n in range(10)]
    corpus = read(FORMS[form](tmp_path / form, examples, ("text", "label", "part")), split="part")
    assert by_text(corpus.test) == {"text 0": 0, "text 1": 1, "text 2": 0, "text 3": 1}
    assert len(corpus.train) == 6


def test_a_folder_with_train_and_test_is_split_by_them(tmp_path: Path) -> None:
    """As the reviews' own archive; hidden files and files that are no text are passed over."""
    write_folder(tmp_path / "r" / "train", [("a", "neg"), ("b", "pos"), ("c", "pos")])
    write_folder(tmp_path / "r" / "test", [("d", "neg"), ("e", "pos")])
    for name in ("README", "train/pos/notes.md", "test/.hidden"):
        (tmp_path / "r" / name).write_bytes(b"\xff")
    corpus = read(tmp_path / "r")
    assert by_text(corpus.train) == {"a": 0, "b": 1, "c": 1}
    assert by_text(corpus.test) == {"d": 0, "e": 1}


@pytest.mark.parametrize(
    ("labels", "classes", "numbers"),
    [
        (("pos", "neg"), (), {"neg": 0, "pos": 1}),
        (("pos", "neg"), ("pos", "neg"), {"pos": 0, "neg": 1}),
        (("0", "1", "2"), (), {"0": 0, "1": 1, "2": 2}),
        (("0", "1"), ("1", "0"), {"1": 0, "0": 1}),
        (("2", "10", "1"), (), {"1": 0, "2": 1, "10": 2}),
        (("-1", "1"), (), {"-1": 0, "1": 1}),
        (("1.0", "0.0"), (), {"0.0": 0, "1.0": 1}),
        (("2", "10", "x"), (), {"10": 0, "2": 1, "x": 2}),
        (("007", "7"), (), {"007": 0, "7": 1}),
    ],
)
def test_classes_are_numbered_as_given_or_sorted(
    labels: Sequence[str], classes: tuple[str, ...], numbers: dict[str, int], tmp_path: Path
) -> None:
    """Numbers 0 to n - 1 keep theirs; other whole numbers are sorted by size and words by their characters."""
    examples = [(f"{label} {n}", label) for label in labels for n in range(5)]
    corpus = read(write_csv(tmp_path / "r.csv", examples), classes=classes)
    for text, number in (by_text(corpus.train) | by_text(corpus.test)).items():
        assert number == numbers[text.partition(" ")[0]]


@pytest.mark.parametrize(
    "labels",
    [
        pyarrow.array([0, 1] * 10, pyarrow.int64()),
        pyarrow.array([0, 1] * 10, pyarrow.uint8()),
        pyarrow.array([0.0, 1.0] * 10),
        pyarrow.array([False, True] * 10),
        pyarrow.array(["neg", "pos"] * 10).dictionary_encode(),
        pyarrow.array(["neg", "pos"] * 10, pyarrow.large_string()),
    ],
    ids=lambda labels: str(labels.type),
)
def test_parquet_labels_may_be_numbers_truth_values_and_categories(labels: pyarrow.Array, tmp_path: Path) -> None:
    """What pandas and others write for two classes."""
    texts = [f"{number % 2} {number}" for number in range(20)]
    parquet.write_table(pyarrow.table({"label": labels, "text": texts}), tmp_path / "r.parquet", row_group_size=7)
    corpus = read(tmp_path / "r.parquet")
    for text, number in (by_text(corpus.train) | by_text(corpus.test)).items():
        assert text.startswith(str(number))


@pytest.mark.parametrize("written", ["utf-8-sig", "utf-8"])
def test_a_csv_of_windows_is_read(written: str, tmp_path: Path) -> None:
    """A mark in front, lines that end with CR LF, empty lines, blanks around a label."""
    lines = ["", "label,id,text", *(f"{'xy'[n % 2]} ,{n},text {n}" for n in range(10)), "", ""]
    (tmp_path / "r.csv").write_bytes("\r\n".join(lines).encode(written))
    corpus = read(tmp_path / "r.csv")
    assert (by_text(corpus.train) | by_text(corpus.test)) == {f"text {n}": n % 2 for n in range(10)}


ENCODINGS = [
    Encoding(words="text", vocabulary_size=7, form="padded", sequence_length=5),
    Encoding(words="text", vocabulary_size=5_000, form="padded", sequence_length=5, keep="last"),
    Encoding(words="text", vocabulary_size=300, form="multi_hot", skip_top=3),
    Encoding(words="keras_ids", vocabulary_size=9, form="padded", sequence_length=5),
    Encoding(words="keras_ids", vocabulary_size=5_000, form="multi_hot"),
]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_rows_equal_those_of_the_plain_definition(encoding: Encoding, tmp_path: Path) -> None:
    """By the training texts' own vocabulary, also where the encoding allows more words than there are."""
    examples = [*FILMS, ("Unseen words, don't they?<br />Films", "good"), ("bad " * 30, "bad")]
    corpus = read(write_csv(tmp_path / "r.csv", examples), test_share=0.5)
    words = vocabulary(corpus, encoding)
    for split in (corpus.train, corpus.test):
        texts = list(tokenise.text_rows(split.text))
        expected = plain.rows(texts, words, encoding)
        assert np.array_equal(encode_split(split, encoding), expected)
        assert np.array_equal(encoder(words, encoding)(texts), expected)


def test_real_reviews_from_a_csv_have_the_ids_of_the_corpus(real_corpus: Corpus, tmp_path: Path) -> None:
    """3,000 of them, with their classes and their split: ids by one vocabulary, ranks by that of these texts."""
    halves = {"train": real_corpus.train.slice(0, 2000), "test": real_corpus.test.slice(0, 1000)}
    rows = [
        (text.decode(), ["neg", "pos"][label], name)
        for name, half in halves.items()
        for text, label in zip(tokenise.text_rows(half.text), half.labels.tolist(), strict=True)
    ]
    corpus = read(write_csv(tmp_path / "r.csv", rows, ("text", "label", "split")), split="split")
    tokens = tokenise.vocabulary(halves["train"].text)
    assert corpus.tokens == tokens
    for name, half in halves.items():
        split: Split = getattr(corpus, name)
        order = {text: row for row, text in enumerate(tokenise.text_rows(split.text))}
        places = [order[text] for text in tokenise.text_rows(half.text)]
        assert split.labels[places].tolist() == half.labels.tolist()
        expected = tokenise.token_ranks(half.text, tokens)
        assert all(np.array_equal(split.token_ranks.row(place), expected.row(row)) for row, place in enumerate(places))
        ids = tokenise.keras_ids(split.text, real_corpus.word_index)
        assert all(np.array_equal(ids.row(place), half.keras_ids.row(row)) for row, place in enumerate(places))


def opened(source: LabelledText, folder: Path, said: list[str] | None = None) -> locate.Located:
    notice = (said if said is not None else []).append
    return locate.open_labelled(source, folder, environ={}, cache_root=folder / "cache", notice=notice)


@pytest.mark.parametrize("form", FORMS)
def test_a_text_is_read_once_until_it_or_its_settings_change(form: str, tmp_path: Path) -> None:
    """A worker waits for no parser. A file is known by its bytes, a folder by its files' names, sizes and times."""
    said: list[str] = []
    path, source = FORMS[form](tmp_path / form, FILMS), LabelledText(form)
    first = opened(source, tmp_path, said)
    assert same(opened(source, tmp_path, said).corpus, first.corpus)
    assert said == [f"reading the texts in {form}, once"]
    assert len(opened(replace(source, test_share=0.5), tmp_path, said).corpus.test) == 15
    FORMS[form](path, [*FILMS, ("new", "good")])
    assert len(opened(source, tmp_path, said).corpus.train) == len(first.corpus.train) + 1
    assert len(said) == 3


def test_a_file_that_only_looks_the_same_is_read_again(tmp_path: Path) -> None:
    """Of the same size and time: what is measured follows from the bytes."""
    path = write_csv(tmp_path / "r.csv", FILMS)
    first, status = opened(LabelledText("r.csv"), tmp_path), path.stat()
    path.write_bytes(path.read_bytes().replace(b"good film", b"fine film"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert opened(LabelledText("r.csv"), tmp_path).corpus.digest != first.corpus.digest


def test_a_source_is_plain_data(tmp_path: Path) -> None:
    """It goes to a worker and into a record as JSON; a Path and a list of classes are welcome."""
    source = LabelledText(Path("a") / "r.csv", classes=[0, 1])  # type: ignore[arg-type]
    assert source == LabelledText("a/r.csv", classes=("0", "1"))
    adapter = TypeAdapter(LabelledText)
    assert adapter.validate_json(adapter.dump_json(source)) == source
    assert adapter.validate_python(asdict(source)) == source
