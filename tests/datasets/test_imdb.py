"""Tests of reading the reviews: what counts as one, what is refused, and the known facts of the real ones."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets import imdb, tokenise
from datasets.corpus import Corpus, Ragged, Split
from datasets.errors import DataError
from tests.datasets.made import (
    MADE_REVIEWS,
    MADE_WORDS,
    content_sha256,
    read_made,
    regular,
    write_archive,
    write_folder,
)

MADE = [regular(*item) for item in MADE_REVIEWS.items()]


def by_text(split: Split) -> dict[bytes, tuple[int, list[int], list[int]]]:
    """Return each review's label, ids and ranks by its text, since the rows are shuffled."""
    texts = tokenise.text_rows(split.text)
    ids = [split.keras_ids.row(row).tolist() for row in range(len(split))]
    ranks = [split.token_ranks.row(row).tolist() for row in range(len(split))]
    return dict(zip(texts, zip(split.labels.tolist(), ids, ranks, strict=True), strict=True))


def special(path: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """Return a link or a device for an archive."""
    member = tarfile.TarInfo(path)
    member.type = kind
    member.linkname = target
    return member, b""


def test_a_made_archive_becomes_labels_ids_and_ranks(made_archive: Path, made_index: Path) -> None:
    """Worked by hand: tokens are bad 3, good 3, a 3 by falling token, then film 2, then one and fun."""
    corpus = read_made(made_archive, made_index)
    assert corpus.word_index == MADE_WORDS
    assert corpus.tokens == ("good", "bad", "a", "film", "one", "fun")
    assert by_text(corpus.train) == {
        b"A good film, a GOOD one!": (1, [1, 4, 5, 7, 4, 5], [2, 0, 3, 2, 0, 4]),
        b"Good<br /><br />fun": (1, [1, 5], [0, 5]),
        b"A bad film": (0, [1, 4, 6, 7], [2, 1, 3]),
        b"bad, bad": (0, [1, 6, 6], [1, 1]),
    }
    assert by_text(corpus.test) == {
        b"good unseen film": (1, [1, 5, 7], [0, tokenise.UNSEEN_RANK, 3]),
        b"A bad one": (0, [1, 4, 6], [2, 1, 4]),
    }


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_reads_like_its_archive(tmp_path: Path, made_archive: Path, made_index: Path, inside: bool) -> None:
    """`source` may hold aclImdb or be it; the order of the rows is the same, whatever the disk's order is."""
    folder = write_folder(tmp_path / "unpacked")
    corpus = read_made(folder / "aclImdb" if inside else folder, made_index)
    expected = read_made(made_archive, made_index)
    np.testing.assert_array_equal(corpus.train.text.values, expected.train.text.values)
    np.testing.assert_array_equal(corpus.train.labels, expected.train.labels)


def test_the_order_of_an_archive_does_not_matter(tmp_path: Path, made_archive: Path, made_index: Path) -> None:
    """Rows are shuffled from sorted paths, so that a repacked archive gives the same corpus."""
    other = read_made(write_archive(tmp_path / "other.tar.gz", *reversed(MADE)), made_index)
    np.testing.assert_array_equal(other.train.text.values, read_made(made_archive, made_index).train.text.values)


def test_a_folder_with_another_name_can_be_the_root(tmp_path: Path, made_index: Path) -> None:
    """The digest is over the paths in the archive, not over those on disk."""
    folder = write_folder(tmp_path / "unpacked") / "aclImdb"
    assert len(read_made(folder.rename(tmp_path / "renamed"), made_index).train) == 4


@pytest.mark.parametrize(
    "stray",
    [
        regular("aclImdb/train/unsup/0_0.txt", b"unlabelled"),
        regular("aclImdb/train/labeledBow.feat", b"9 0:9"),
        regular("aclImdb/train/pos/notes.txt", b"no review"),
        regular("aclImdb/train/pos/0_9.txt.bak", b"no review"),
        regular("aclImdb/train/pos/sub/7_7.txt", b"too deep"),
        regular("/aclImdb/train/pos/7_7.txt", b"absolute"),
        regular("../aclImdb/train/pos/7_7.txt", b"outside"),
        regular("aclImdb/train/pos/../pos/7_7.txt", b"roundabout"),
        special("aclImdb/train/pos/7_7.txt", tarfile.SYMTYPE, "/etc/hostname"),
        special("aclImdb/train/pos/7_7.txt", tarfile.LNKTYPE, "aclImdb/train/pos/0_9.txt"),
        special("aclImdb/train/pos/7_7.txt", tarfile.CHRTYPE),
        special("aclImdb/train/pos/7_7.txt", tarfile.FIFOTYPE),
        special("aclImdb/train/pos/7_7.txt", tarfile.DIRTYPE),
    ],
    ids=lambda stray: f"{stray[0].name}-{stray[0].type.decode()}",
)
def test_what_is_no_labelled_review_is_passed_over(
    tmp_path: Path, made_index: Path, stray: tuple[tarfile.TarInfo, bytes]
) -> None:
    """The official archive holds more than reviews, and a hostile one may hold links: neither reaches the corpus."""
    corpus = read_made(write_archive(tmp_path / "stray.tar.gz", *MADE, stray), made_index)
    assert len(corpus.train) == 4


def test_nothing_of_an_archive_reaches_the_disk(tmp_path: Path, made_archive: Path, made_index: Path) -> None:
    """The archive is streamed."""
    before = sorted(tmp_path.rglob("*"))
    read_made(made_archive, made_index)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_symbolic_link_in_a_folder_is_no_review(tmp_path: Path, made_index: Path) -> None:
    """A link could lead anywhere."""
    folder = write_folder(tmp_path / "unpacked")
    (folder / "aclImdb/train/pos/7_7.txt").symlink_to(made_index)
    assert len(read_made(folder, made_index).train) == 4


def test_a_review_that_occurs_twice_is_refused(tmp_path: Path, made_index: Path) -> None:
    """Which of the two were right could not be told."""
    archive = write_archive(tmp_path / "twice.tar.gz", *MADE, regular("aclImdb/train/pos/0_9.txt", b"other"))
    with pytest.raises(DataError, match=r"holds aclImdb/train/pos/0_9\.txt twice"):
        read_made(archive, made_index)


def test_a_changed_review_is_refused_with_both_digests(tmp_path: Path, made_index: Path) -> None:
    """The error names what was expected, what came, and how many reviews came."""
    changed = {**MADE_REVIEWS, "aclImdb/test/pos/0_8.txt": b"tampered"}
    archive = write_archive(tmp_path / "changed.tar.gz", *(regular(*item) for item in changed.items()))
    with pytest.raises(DataError) as caught:
        read_made(archive, made_index)
    message = str(caught.value)
    assert content_sha256(MADE_REVIEWS) in message
    assert content_sha256(changed) in message
    assert "4 for training, 2 for test" in message


def test_a_missing_review_is_refused(tmp_path: Path, made_index: Path) -> None:
    """Fewer reviews are another corpus."""
    with pytest.raises(DataError, match="3 for training, 2 for test"):
        read_made(write_archive(tmp_path / "fewer.tar.gz", *MADE[1:]), made_index)


def test_a_file_that_is_too_large_for_a_review_is_refused(tmp_path: Path, made_index: Path) -> None:
    """A small archive must not be able to fill the memory."""
    bomb = regular("aclImdb/train/pos/7_7.txt", b" " * (1 << 21))
    with pytest.raises(DataError, match="larger than any review"):
        read_made(write_archive(tmp_path / "bomb.tar.gz", *MADE, bomb), made_index)


def cut(content: bytes) -> bytes:
    """Lose the second half, as a broken download does."""
    return content[: len(content) // 2]


def scratched(content: bytes) -> bytes:
    """Overwrite the middle, as a bad disk does."""
    middle = len(content) // 2
    return content[:middle] + b"\xff" * 16 + content[middle + 16 :]


def not_compressed(_: bytes) -> bytes:
    """Be something else, as a captive portal's answer is."""
    return b"<html>Please log in</html>"


@pytest.mark.parametrize("damage", [cut, scratched, not_compressed, lambda _: b""])
def test_a_damaged_archive_is_one_line_that_says_what_to_do(
    made_archive: Path, made_index: Path, damage: Callable[[bytes], bytes]
) -> None:
    """No traceback of tarfile or zlib reaches the user."""
    made_archive.write_bytes(damage(made_archive.read_bytes()))
    with pytest.raises(
        DataError, match=r"does not hold the IMDB reviews: .*; fetch aclImdb_v1\.tar\.gz again"
    ) as caught:
        read_made(made_archive, made_index)
    assert "\n" not in str(caught.value)


def test_an_archive_of_something_else_is_refused(tmp_path: Path, made_index: Path) -> None:
    """No review at all is said as such, not as a wrong digest."""
    with pytest.raises(DataError, match="it holds no aclImdb/train/pos"):
        read_made(write_archive(tmp_path / "else.tar.gz", regular("readme.txt", b"hello")), made_index)


def test_a_source_that_does_not_exist_is_named(tmp_path: Path, made_index: Path) -> None:
    """A wrong path is the likeliest mistake."""
    with pytest.raises(DataError, match="no such file or folder; check the path"):
        read_made(tmp_path / "nowhere", made_index)


def test_a_folder_without_reviews_names_what_it_lacks(tmp_path: Path, made_index: Path) -> None:
    """The first folder that is missing tells what was expected."""
    with pytest.raises(DataError, match="it has no folder train/pos"):
        read_made(tmp_path, made_index)


def test_another_word_index_is_refused(made_archive: Path, made_index: Path) -> None:
    """Other ranks would be other ids, which no accuracy would forgive."""
    made_index.write_bytes(b'{"the": 1}')
    with pytest.raises(DataError, match="is not Keras's IMDB word index: expected sha256"):
        read_made(made_archive, made_index)


def test_a_missing_word_index_is_named(made_archive: Path, tmp_path: Path) -> None:
    """The error says which file to put where."""
    with pytest.raises(DataError, match=r"cannot read the word index .*absent\.json: No such file"):
        read_made(made_archive, tmp_path / "absent.json")


def test_the_order_of_the_rows_is_fixed() -> None:
    """Published figures depend on which reviews are held out: a NumPy that draws otherwise must be noticed."""
    drawn = np.random.default_rng(imdb.SHUFFLE_SEED).permutation(25_000)
    assert drawn[:5].tolist() == [19086, 18897, 8553, 14924, 2405]


def lengths(ragged: Ragged) -> list[int]:
    """Return the number of ids of each review."""
    counts: list[int] = np.diff(ragged.offsets).tolist()
    return counts


def test_the_real_reviews_have_kerass_published_figures(real_corpus: Corpus) -> None:
    """`keras.datasets.imdb`: 5,967,841 ids in the training half, 238.71364 a review, 2,494 in the longest."""
    counts = lengths(real_corpus.train.keras_ids)
    assert sum(counts) == 5_967_841
    assert sum(counts) / 25_000 == 238.71364
    assert max(counts) == 2494


def test_the_real_review_576_10_has_its_known_ids(real_corpus: Corpus) -> None:
    """The positive review in train/pos/576_10.txt is the only one that starts so, and has 218 ids."""
    start = [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458, 4468, 66, 3941, 4, 173]
    split = real_corpus.train
    found = [row for row in range(len(split)) if split.keras_ids.row(row)[:16].tolist() == start]
    assert [(len(split.keras_ids.row(row)), int(split.labels[row])) for row in found] == [(218, 1)]


def test_the_real_corpus_is_balanced_mixed_and_complete(real_corpus: Corpus) -> None:
    """Half of each split is positive, in any stretch of it too, so that holding out the first rows is fair."""
    assert real_corpus.name == "imdb"
    assert real_corpus.digest == "cc143339df6a1f848b662a2bdc9f158f636028e69234e58742f821c6b2ab3444"
    assert len(real_corpus.word_index) == 88_584
    assert real_corpus.word_index[0] == "the"
    for split in (real_corpus.train, real_corpus.test):
        assert len(split) == len(split.text) == len(split.keras_ids) == len(split.token_ranks) == 25_000
        assert int(split.labels.sum()) == 12_500
        thousands = split.labels.reshape(25, 1000).mean(axis=1)
        assert 0.4 < thousands.min() < thousands.max() < 0.6
