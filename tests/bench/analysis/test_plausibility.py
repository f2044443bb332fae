"""What an honest run keeps and a forged one breaks; bundles, and fifty forgeries of one run."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.analysis.verification import plausibility, rules
from bench.records import bundle, store
from bench.records.store import Run, StoreError
from tests.bench import honest, made
from tests.faults import forgeries


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return honest.write(tmp_path_factory.mktemp("honest") / "run")


def test_an_honest_run_is_plausible(run: Run) -> None:
    """As many answers as rules, all of them passed, but for accuracies: nobody trained this one."""
    found = rules.checks(run, submitted=True)
    assert len(found) == len(rules.RULES) + len(plausibility.RULES)
    assert {check.rule for check in found if check.answer == "failed"} <= {"accuracy is what seeds reach"}


# What a program that changes records and makes their digests again cannot hide.
CERTAIN = (
    "one process in a third of its time",
    "two backends change names",
    "a cell is left out",
    "a cell is left out of records and plan",
    "a process in place of another",
    "a commit that never was",
    "blocks in another order",
)


def test_most_forgeries_are_found(run: Run, tmp_path: Path) -> None:
    """Fifty of them, their digests made again; what changes every block of a cell a little is not among these."""
    found = forgeries.forge(run, tmp_path)
    assert len(found) == 50
    missed = {(one.deed, one.seed) for one in found if not one.found and one.deed in CERTAIN}
    assert missed == set()


def test_an_edit_without_digests_is_found(run: Run, tmp_path: Path) -> None:
    """Whoever edits a file by hand changes it for the bundle's digests, and for those of its lines."""
    file = bundle.write(run, tmp_path)
    with bundle.opened(file) as again:
        lines = (again.folder / store.RECORDS).read_bytes()
    forged = _packed(tmp_path / "forged", lines.replace(b'"duration_s":0.02', b'"duration_s":0.01', 1), file)
    with pytest.raises(StoreError, match=r"was changed: records\.jsonl"), bundle.opened(forged):
        pass


def _packed(folder: Path, records: bytes, like: Path) -> Path:
    """Return a bundle with other records and the manifest of ``like``."""
    folder.mkdir()
    file = folder / like.name
    with tarfile.open(like) as old, tarfile.open(file, mode="w:xz") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            changed = records if member.name == store.RECORDS else content.read()
            member.size = len(changed)
            new.addfile(member, io.BytesIO(changed))
    return file


def test_a_bundle_holds_the_run(run: Run, tmp_path: Path) -> None:
    """The same run gives the same file, wherever it lies; what comes out has the same records."""
    file = bundle.write(run, tmp_path)
    before = file.read_bytes()
    with bundle.opened(file) as again:
        assert (again.header, again.records) == (run.header, run.records)
        assert bundle.write(again, tmp_path).read_bytes() == before
    assert bundle.is_bundle(file)
    assert not bundle.is_bundle(tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "more.txt"])
def test_a_bundle_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"x{bundle.SUFFIX}"
    with tarfile.open(file, mode="w:xz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(StoreError, match="which no bundle does"), bundle.opened(file):
        pass


@pytest.mark.parametrize("content", [b"", b"no archive", b"\xfd7zXZ\x00" + b"\x00" * 50])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"x{bundle.SUFFIX}"
    file.write_bytes(content)
    with pytest.raises(StoreError, match="is no bundle"), bundle.opened(file):
        pass


def test_a_bundle_that_is_too_large_is_refused(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read into memory: so much and no more."""
    file = bundle.write(run, tmp_path)
    monkeypatch.setattr(bundle, "LARGEST", 1_000)
    with pytest.raises(StoreError, match="holds more than"), bundle.opened(file):
        pass


@pytest.mark.parametrize("revision", ["--output=stolen", "HEAD", "main; true", ""])
def test_a_commit_that_is_no_revision_is_refused(revision: str) -> None:
    """Git is asked about it, and would take it for an option."""
    with pytest.raises(ValidationError):
        made.header(commit={"revision": revision, "dirty": False})


def test_a_target_without_a_device_is_named() -> None:
    wrong = made.target("jax-cpu").model_copy(update={"target": "nothing"})
    found = [*plausibility.RULES["targets are what they are called"](made.run(wrong))]
    assert len(found) == 1
    assert found[0].startswith("nothing ran jax on cpu")


def test_a_target_that_is_another_is_named() -> None:
    wrong = made.target("jax-cpu", backend="tensorflow", versions={"tensorflow": "2.21"})
    found = [*plausibility.RULES["targets are what they are called"](made.run(wrong))]
    assert found == ["jax-cpu ran tensorflow on cpu with tensorflow"]


def test_a_target_that_measured_oftener_than_it_began_is_named() -> None:
    timings = [made.timing(made.cell(), made.blocks(0.1 + n / 7), replicate=n) for n in range(3)]
    found = [*plausibility.RULES["every process measured once"](made.run(*timings))]
    assert found == ["3 processes of jax-cpu measured, and 1 began"]
