"""Saved models from elsewhere: bombs, lies and other forms are refused before they are read into memory."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
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


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    """A good file is no hostile one."""
    (tmp_path / "model.keras").write_bytes(saved_models.good())
    kept = saved_file.read(tmp_path / "model.keras")
    assert (kept.recipe, kept.encoding, kept.words) == ("dense", DENSE.encoding, ("the", "a", "of"))


@pytest.mark.parametrize("name", ["config.json", "metadata.json", saved_file.RECIPE, saved_file.VOCABULARY, "other"])
def test_a_member_that_unpacks_to_gigabytes_is_refused_unread(name: str, tmp_path: Path) -> None:
    """A real bomb of some kilobytes: neither unpacked nor read."""
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        for _ in range(80):
            member.write(bytes(1 << 20))
    assert file.stat().st_size < 1 << 20
    tracemalloc.start()
    with pytest.raises(ExpectedError, match=f"model.keras: expected '{name}' to have at most 64 MiB; it has 80 MiB"):
        saved_file.read(file)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_weights_of_three_gigabytes_are_refused_by_what_they_announce(tmp_path: Path) -> None:
    """The directory of the archive says it; the member itself is small."""
    content = bytearray(saved_models.good())
    entry = content.index(b"PK\x01\x02")
    while content[entry + 46 :][:16] != b"model.weights.h5":
        entry = content.index(b"PK\x01\x02", entry + 1)
    content[entry + 24 : entry + 28] = struct.pack("<I", 3 << 30)
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ExpectedError, match=r"'model\.weights\.h5' to have at most 2048 MiB; it has 3072 MiB"):
        saved_file.read(tmp_path / "model.keras")


def test_a_million_members_are_not_walked(tmp_path: Path) -> None:
    """Each costs memory, and a model has a handful."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for number in range(saved_file.MOST_MEMBERS + 1):
            archive.writestr(str(number), b"")
    (tmp_path / "model.keras").write_bytes(into.getvalue())
    with pytest.raises(ExpectedError, match="at most 1000 members; received 1001"):
        saved_file.read(tmp_path / "model.keras")


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
