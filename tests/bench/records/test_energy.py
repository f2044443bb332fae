"""Energy counters on a made tree of the system's files, and made answers of NVML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.summary import summarize
from bench.records import energy
from bench.report.tables import hardware
from tests.bench import made, made_nvml


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make two packages, a part of one, and the platform that has both in it."""
    names = {"intel-rapl:0": "package-0", "intel-rapl:1": "package-1", "intel-rapl:0:0": "core", "intel-rapl:2": "psys"}
    for folder, name in names.items():
        write(tmp_path / folder, name=name, energy_uj=1_000_000, max_energy_range_uj=5_000_000)
    return tmp_path


def write(folder: Path, **files: object) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")


def test_packages_are_added_up(tree: Path) -> None:
    """Their parts and the platform would count them twice."""
    before = energy.read(root=tree)
    assert sorted(before) == ["intel-rapl:0", "intel-rapl:1"]
    write(tree / "intel-rapl:0", energy_uj=1_500_000)
    write(tree / "intel-rapl:1", energy_uj=3_000_000)
    assert energy.used(before, energy.read(root=tree)) == pytest.approx(2.5)


def test_a_counter_that_was_full_starts_again(tree: Path) -> None:
    """From 4.9 of 5 joules to 0.4 are half a joule."""
    write(tree / "intel-rapl:0", energy_uj=4_900_000)
    before = energy.read(root=tree)
    write(tree / "intel-rapl:0", energy_uj=400_000)
    assert energy.used(before, energy.read(root=tree)) == pytest.approx(0.5)


def test_where_there_is_no_counter_there_is_no_energy(tmp_path: Path) -> None:
    """A guest of a virtual host, or one that may not read it: never zero, never a guess."""
    assert energy.used(energy.read(root=tmp_path), energy.read(root=tmp_path)) is None
    write(tmp_path / "intel-rapl:0", name="package-0", energy_uj="denied", max_energy_range_uj=1)
    assert energy.read(root=tmp_path) == {}


def test_a_counter_that_comes_or_goes_is_left_out(tree: Path) -> None:
    before = energy.read(root=tree)
    after = {name: value for name, value in energy.read(root=tree).items() if name != "intel-rapl:1"}
    assert energy.used(before, after) == 0.0


def test_gpus_have_counters_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In joules, without an end; a run on the CPU reads none."""
    monkeypatch.setattr(energy.nvml, "library", lambda: made_nvml.two_gpus())
    assert energy.read(gpu=True, root=tmp_path) == {"gpu 0": (12.5, energy.ENDLESS)}
    assert energy.read(root=tmp_path) == {}


def test_a_cell_has_the_energy_of_a_review() -> None:
    """Two blocks of ten calls of 512 reviews took 40.96 J: 4 mJ a review; warm-up does not count."""
    samples = [replace(s, energy_j=9.9 if s.warmup else 20.48) for s in made.blocks(0.1, 0.1, repeats=10)]
    document = summarize(made.run(made.timing(made.cell(), samples))).document
    assert document.timings[0].joules == pytest.approx(0.004)
    table = hardware.energy(document)
    assert [column.text(row) for row in table.rows for column in table.columns if column.key == "joules"] == ["4.00"]


def test_without_a_counter_no_table_is_shown() -> None:
    document = summarize(made.run(made.timing(made.cell(), made.blocks(0.1)))).document
    assert document.timings[0].joules is None
    assert hardware.energy(document).rows == ()
