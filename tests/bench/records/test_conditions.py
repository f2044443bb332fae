"""The conditions of a machine, read from a made tree of its system's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.records import conditions


def write(file: Path, words: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{words}\n")


def test_what_the_system_says_is_read(tmp_path: Path) -> None:
    for number, governor in enumerate(("powersave", "performance", "powersave")):
        write(tmp_path / f"cpu/cpu{number}/cpufreq/scaling_governor", governor)
    write(tmp_path / "clocksource/clocksource0/current_clocksource", "tsc")
    now = conditions.conditions(tmp_path / "runs", system=tmp_path)
    assert (now.governors, now.clock_source, now.turbo) == (["performance", "powersave"], "tsc", None)


@pytest.mark.parametrize(
    ("file", "words", "on"),
    [
        ("cpu/intel_pstate/no_turbo", "0", True),
        ("cpu/intel_pstate/no_turbo", "1", False),
        ("cpu/cpufreq/boost", "1", True),
        ("cpu/cpufreq/boost", "0", False),
    ],
)
def test_turbo_is_told_by_either_driver(tmp_path: Path, file: str, words: str, on: bool) -> None:
    """Intel's driver says whether it is off, the others whether it is on."""
    write(tmp_path / file, words)
    assert conditions.conditions(tmp_path, system=tmp_path).turbo is on


def test_a_machine_that_says_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    """A guest of a virtual host sees no governor; a folder that is not there yet has the disk of its parent."""
    now = conditions.conditions(tmp_path / "not" / "there", system=tmp_path)
    assert (now.governors, now.turbo, now.clock_source) == (None, None, None)
    assert now.free_disk_gib > 0
    assert now.memory_gib >= now.available_gib > 0


def test_the_clock_s_step_is_seen() -> None:
    assert 0 < conditions.resolution_s() < 1e-3
