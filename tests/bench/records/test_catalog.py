"""Tests of the catalog: what a run is at a glance, which one "latest" names, and an answer that is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.records import catalog
from bench.records.schema import Record
from bench.records.store import RECORDS, RunWriter, StoreError
from tests.bench import made
from tests.bench.made import blocks

BOTH = ("jax-cpu", "tensorflow-cpu")


def written(folder: Path, *records: Record, **header: str) -> Path:
    """Write a run into ``folder``."""
    writer = RunWriter(folder)
    writer.append(made.header(run_id=folder.name, **header), *records)
    writer.close()
    return folder


def timed(*targets: str, path: str = "fit") -> list[Record]:
    """Return two replicates of a training on each target."""
    cells = [made.cell("train", path, target=target) for target in targets]
    return [made.timing(cell, blocks(1.0), replicate=n) for cell in cells for n in (0, 1)]


def kept(folder: Path, month: int, *records: Record, **header: str) -> Path:
    """Write a run of that month."""
    return written(folder / f"2026{month:02}01T000000Z-smoke", *records, **header)


def gate(command: str) -> dict[str, str]:
    return {"command": f"python -m bench {command} --base main", "profile": "gate"}


def test_a_run_is_found_by_its_id_its_path_and_as_the_latest(tmp_path: Path) -> None:
    """Three ways to name one folder."""
    first, last = (kept(tmp_path, month, made.training()) for month in (1, 2))
    elsewhere = written(tmp_path / "elsewhere" / "published")
    assert catalog.find(first.name, tmp_path) == first
    assert catalog.find("latest", tmp_path) == last
    assert catalog.find(str(elsewhere), tmp_path) == elsewhere


def test_the_latest_run_is_the_newest_that_nobody_writes(tmp_path: Path) -> None:
    """`resume latest` beside a run that measures takes the one before it."""
    first, second = (kept(tmp_path, month, made.training()) for month in (1, 2))
    holder = RunWriter(second, resumed=True)
    assert catalog.find("latest", tmp_path) == first
    holder.close()
    assert catalog.find("latest", tmp_path) == second


def test_the_latest_run_to_show_has_results(tmp_path: Path) -> None:
    """One that was interrupted before its first result says nothing; a failure is a result."""
    shown = kept(tmp_path, 1, made.training())
    empty = kept(tmp_path, 2, made.plan("x"), made.target(), made.peaks())
    assert catalog.find("latest", tmp_path) == shown
    assert catalog.find("latest", tmp_path, catalog.ANY) == empty
    failed = kept(tmp_path, 3, made.failure())
    assert catalog.find("latest", tmp_path) == failed


def test_each_command_resumes_its_own_kind(tmp_path: Path) -> None:
    """A gate between two runs is not what `run --resume latest` means, and the other way round."""
    rule = made.comparison()
    first = kept(tmp_path, 1, rule, **gate("versions"))
    second = kept(tmp_path, 2, made.training())
    third = kept(tmp_path, 3, rule, **gate("regress"))
    kept(tmp_path, 4, made.baseline(), command="python -m bench baselines --recipe dense")
    found = {kind: catalog.find("latest", tmp_path, catalog.of_kind(kind)) for kind in ("versions", "run", "regress")}
    assert found == {"versions": first, "run": second, "regress": third}


@pytest.mark.parametrize("word", ["regress", "versions"])
def test_an_installed_command_is_of_the_same_kind(tmp_path: Path, word: str) -> None:
    """A record has its command as a user called it: `kerasmark WORD` or `python -m bench WORD`."""
    found = kept(tmp_path, 1, made.comparison(), command=f"kerasmark {word} --repo .", profile="gate")
    assert catalog.entry(found).kind == word


def test_a_gate_that_does_not_say_its_command_is_a_gate_of_either(tmp_path: Path) -> None:
    """Whatever its command was, it is no run."""
    found = kept(tmp_path, 1, made.comparison(), command="an unclosed 'quote", profile="gate")
    assert catalog.entry(found).kind == "gate"
    assert {catalog.find("latest", tmp_path, catalog.of_kind(kind)) for kind in ("regress", "versions")} == {found}


def test_two_targets_are_looked_for_in_the_newest_run_that_timed_both(tmp_path: Path) -> None:
    """A run of one backend, a training alone and a gate of the same backends do not fit."""
    both = kept(tmp_path, 1, *timed(*BOTH))
    sides = [f"{target}@{side}" for target in BOTH for side in ("base", "head")]
    gated = kept(tmp_path, 2, made.comparison(), *timed(*sides), **gate("regress"))
    kept(tmp_path, 3, made.training(), made.training(target="tensorflow-cpu"))
    alone = kept(tmp_path, 4, *map(made.target, BOTH), *timed("jax-cpu"))
    for names, expected in {
        ("jax", "tensorflow"): both,
        ("tensorflow-cpu", "jax"): both,
        ("jax-cpu@base", "jax-cpu@head"): gated,
        ("jax", "jax"): alone,
    }.items():
        assert catalog.find("latest", tmp_path, catalog.with_targets(*names)) == expected


def test_where_no_run_fits_the_error_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    """And which command measures one."""
    name = kept(tmp_path, 1, *timed("jax-cpu")).name
    with pytest.raises(StoreError) as caught:
        catalog.find("latest", tmp_path, catalog.with_targets("jax", "tensorflow"))
    assert str(caught.value) == (
        f"no run called 'latest' under {tmp_path}: expected one that timed jax and tensorflow; the newest are {name}; "
        "`bench run` measures one"
    )


def test_a_run_that_cannot_be_read_is_not_the_latest(tmp_path: Path) -> None:
    """One damaged file hides no other run."""
    whole = kept(tmp_path, 1, made.training())
    (kept(tmp_path, 2) / RECORDS).write_bytes(b"nothing of ours\n")
    assert catalog.find("latest", tmp_path) == whole


def test_a_folder_without_records_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`compare jax tensorflow` where folders have these names still compares targets."""
    (tmp_path / "jax").mkdir()
    monkeypatch.chdir(tmp_path)
    assert catalog.named("jax", tmp_path / "runs") is None


@pytest.mark.parametrize("name", ["x" * 5_000, "a\0b", "", "/" + "y/" * 3_000])
def test_a_name_that_no_folder_can_have_is_no_run(name: str, tmp_path: Path) -> None:
    """The system refuses it with an error of its own."""
    with pytest.raises(StoreError, match="no run called"):
        catalog.find(name, tmp_path)


def test_an_unknown_run_is_told_the_newest_three(tmp_path: Path) -> None:
    """The error shows what a name looks like."""
    names = [kept(tmp_path, month).name for month in range(1, 6)]
    with pytest.raises(StoreError, match="no run called 'mine' under") as caught:
        catalog.find("mine", tmp_path)
    assert str(caught.value).endswith(f"the newest are {', '.join(names[2:])}")


@pytest.mark.parametrize("name", ["latest", "mine"])
def test_where_there_is_no_run_none_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even "latest" needs a run."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="the newest are none"):
        catalog.find(name, tmp_path / "runs")


def test_an_entry_has_cells_targets_and_duration(tmp_path: Path) -> None:
    """Three cells in two processes each; it took the hour between its begin and its end."""
    records = [*timed(*BOTH), *timed("jax-cpu", path="floor")]
    found = catalog.entry(kept(tmp_path, 1, *records, made.finished()))
    assert found.cells == {
        *(f"dense train fit 512 {target}" for target in BOTH),
        "dense train floor 512 jax-cpu",
    }
    assert (found.kind, found.targets, found.took_s, found.records["timing"]) == ("run", {*BOTH}, 3_600.0, 6)


def test_a_run_that_was_resumed_and_not_finished_has_no_duration(tmp_path: Path) -> None:
    """Its end is still to come."""
    assert catalog.entry(kept(tmp_path, 1, made.finished(), made.resumed())).took_s is None
    assert catalog.entry(kept(tmp_path, 2)).took_s is None


def test_an_answer_is_kept_until_the_records_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another record, an edit by hand or newer code: it is computed again."""
    found = catalog.entry(kept(tmp_path, 1, made.training()))
    assert catalog.remembered(found.folder, lambda: "first") == "first"
    assert catalog.remembered(found.folder, lambda: "second") == "first"
    os.utime(found.folder / RECORDS, ns=(1, 1))
    assert catalog.remembered(found.folder, lambda: "third") == "third"
    assert catalog.remembered(found.folder, lambda: "fourth") == "third"
    monkeypatch.setattr(catalog, "_code", lambda: 7)
    assert catalog.remembered(found.folder, lambda: "fifth") == "fifth"
    (found.folder / catalog.ANSWER).write_text("{]")
    assert catalog.remembered(found.folder, lambda: "sixth") == "sixth"
