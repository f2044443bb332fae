"""Saved models from elsewhere: bombs, lies and other forms are refused before they are read into memory."""

from __future__ import annotations

import io
import json
import random
import struct
import tracemalloc
import warnings
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datasets.errors import ExpectedError
from models import saved_file
from models.recipes import DENSE
from tests.fuzz import saved_models

# Several times the two megabytes that a refusal may hold.
BOMB = bytes(8 << 20)


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    """A good file is no hostile one."""
    (tmp_path / "model.keras").write_bytes(saved_models.good())
    kept = saved_file.read(tmp_path / "model.keras")
    assert (kept.recipe, kept.encoding, kept.words) == ("dense", DENSE.encoding, ("the", "a", "of"))


@pytest.mark.parametrize("name", saved_file.LARGEST)
def test_a_member_that_unpacks_to_gigabytes_is_refused_unread(name: str, tmp_path: Path) -> None:
    """What a real bomb of some kilobytes announces is neither unpacked nor read."""
    file = rewritten(tmp_path / "model.keras", name, BOMB, zipfile.ZIP_DEFLATED)
    content = file.read_bytes()
    file.write_bytes(announcing(content, name, 3 << 30))
    said = refused_in_a_megabyte(file)
    assert said == (
        f"model.keras: expected '{name}' to have at most {saved_file.LARGEST[name] >> 20} MiB; it has 3072 MiB unpacked"
    )


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", saved_file.LARGEST)
def test_a_member_that_holds_more_than_it_announces_is_refused(name: str, kind: int, tmp_path: Path) -> None:
    """Python cuts a member to the size that it announces only once all of it is unpacked."""
    file = rewritten(tmp_path / "model.keras", name, BOMB, kind)
    file.write_bytes(announcing(file.read_bytes(), name, 100))
    said = refused_in_a_megabyte(file)
    assert f"expected {name!r} to be stored as" in said or "received Bad CRC-32" in said


@pytest.mark.parametrize("extra", ["assets/a", "model.weights.npz", "../../a", "config.json", "\x1b[2J\n"])
def test_a_member_that_no_saved_model_has_is_refused(extra: str, tmp_path: Path) -> None:
    """Keras unpacks every member to the disk, and reads weights in NumPy's own archive, in which there are others."""
    into = io.BytesIO(saved_models.good())
    with zipfile.ZipFile(into, "a") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr(extra, b"x")
    (tmp_path / "model.keras").write_bytes(into.getvalue())
    with pytest.raises(ExpectedError, match=r"expected the members .*; received 6: ") as caught:
        saved_file.read(tmp_path / "model.keras")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("number", "words"), [(1000, "received 1000: 0, 1, "), (30_000, "an archive that announces")])
def test_thousands_of_members_are_not_walked(number: int, words: str, tmp_path: Path) -> None:
    """Each costs memory, and a model has five."""
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for member in range(number):
            archive.writestr(str(member), b"")
    assert words in refused_in_a_megabyte(file)


def refused_in_a_megabyte(file: Path) -> str:
    """Return the line that refuses ``file``; less than two megabytes were held to find it."""
    tracemalloc.start()
    with pytest.raises(ExpectedError) as caught:
        saved_file.read(file)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2 << 20
    return str(caught.value)


def rewritten(file: Path, name: str, content: bytes, kind: int = zipfile.ZIP_STORED, good: bytes = b"") -> Path:
    """Write the saved model ``good`` to ``file``, with another content of one member."""
    with zipfile.ZipFile(io.BytesIO(good or saved_models.good())) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.infolist():
            if member.filename == name:
                new.writestr(name, content, kind)
            else:
                new.writestr(member, old.read(member))
    return file


def announcing(archive: bytes, name: str, size: int) -> bytes:
    """Return ``archive``, whose list of members announces another size of one; the member is as it was."""
    content, entry = bytearray(archive), archive.index(b"PK\x01\x02")
    while content[entry + 46 :][: len(name)] != name.encode():
        entry = content.index(b"PK\x01\x02", entry + 1)
    content[entry + 24 : entry + 28] = struct.pack("<I", size)
    return bytes(content)


RECIPE = json.loads(json.dumps(asdict(DENSE)))


@pytest.mark.parametrize(
    "recipe",
    [
        b"not json",
        b"[1]",
        b"\xff",
        b"[" * 100_000,
        *(
            json.dumps({k: v for k, v in RECIPE.items() if k != name}).encode()
            for name in ("name", "encoding", "logits")
        ),
        *(
            json.dumps({**RECIPE, "encoding": {**RECIPE["encoding"], **change}}).encode()
            for change in (
                {"vocabulary_size": "many"},
                {"words": "runes"},
                {"form": "padded"},
                {"skip_top": -1},
                {"vocabulary_size": 10**12},
                {"x": 1},
            )
        ),
        json.dumps({**RECIPE, "name": ["a"]}).encode(),
        json.dumps({**RECIPE, "logits": "yes"}).encode(),
    ],
)
def test_a_recipe_of_another_form_is_one_line(recipe: bytes, tmp_path: Path) -> None:
    """Never a traceback, and never a crash when the first text is scored."""
    (tmp_path / "model.keras").write_bytes(saved_models.packed(recipe=recipe))
    with pytest.raises(ExpectedError, match=r"expected model\.keras to hold a recipe and a vocabulary") as caught:
        saved_file.read(tmp_path / "model.keras")
    assert "\n" not in str(caught.value)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.sampled_from([b"r", b"j", b"v", b"p"]))
@example(b"\xff\xfe", b"v")
def test_no_bytes_in_a_saved_model_are_a_bug(data: bytes, kind: bytes) -> None:
    """Damaged archives, recipes and vocabularies."""
    saved_models.check(kind + data)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A saved model as Keras writes it."""
    from models import saved
    from models.model import create

    file = tmp_path_factory.mktemp("saved") / "model.keras"
    saved.save(file, create(DENSE), DENSE, ["the", "a"])
    assert saved.load(file).words == ("the", "a")
    return file.read_bytes()


LAMBDA = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "a", "function": {"class_name": "x"}}}


@pytest.mark.framework
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's, in saving
@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("config.json", json.dumps(value).encode()) for value in (None, [], 1, "a", {}, {"config": 1}, LAMBDA)),
        *(("config.json", content) for content in (b"", b"{", b"\xff", b"[" * 100_000)),
        ("config.json", json.dumps({"module": "os", "class_name": "system", "config": {}}).encode()),
        ("model.weights.h5", b""),
        ("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(1000)),
    ],
)
def test_what_keras_cannot_open_is_one_line(name: str, content: bytes, trained: bytes, tmp_path: Path) -> None:
    """A model's description and weights are from elsewhere too; no Lambda is run, and no traceback is shown."""
    from models import saved

    with pytest.raises(ExpectedError, match="to hold a model of Keras's own layers") as caught:
        saved.load(rewritten(tmp_path / "model.keras", name, content, good=trained))
    assert "\n" not in str(caught.value)


@pytest.mark.framework
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's, in saving
def test_damaged_weights_are_loaded_or_one_line(trained: bytes, tmp_path: Path) -> None:
    """HDF5 finds damage in many places, each with an exception of its own."""
    from models import saved

    with zipfile.ZipFile(io.BytesIO(trained)) as archive:
        weights = archive.read("model.weights.h5")
    refused = 0
    for seed in range(30):
        damage = random.Random(seed)
        content = bytearray(weights)
        for _ in range(20):
            content[damage.randrange(4096)] = damage.randrange(256)  # where HDF5 describes what it holds
        try:
            saved.load(rewritten(tmp_path / "model.keras", "model.weights.h5", bytes(content), good=trained))
        except ExpectedError as error:
            refused += "\n" not in str(error)
    assert refused
