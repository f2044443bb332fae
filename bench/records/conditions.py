"""The conditions of a machine that make timings noisy or slow: clock rate, load, memory, disk; read, never changed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from bench.records import machine, settings
from bench.records.settings import Settings

SYSTEM = Path("/sys/devices/system")


class Conditions(BaseModel):
    """The conditions at one moment; None where the system does not say.

    governors      how each processor chooses its clock rate: "performance", "powersave", …, each once
    turbo          whether the clock rate may rise above its base
    clock_source   the kernel's source of time: "tsc", "kvm-clock", "hpet"
    resolution_s   the smallest step of `time.perf_counter` that was seen
    free_disk_gib  where runs are written
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    processors: int
    settings: Settings
    governors: list[str] | None
    turbo: bool | None
    clock_source: str | None
    resolution_s: float
    load_1min: float
    memory_gib: float
    available_gib: float
    free_disk_gib: float


def conditions(folder: Path, *, system: Path = SYSTEM) -> Conditions:
    """Return the conditions of this machine, whose runs are written below ``folder``."""
    memory = psutil.virtual_memory()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return Conditions(
        processors=machine.processors(),
        settings=settings.settings(),
        governors=_governors(system / "cpu"),
        turbo=_turbo(system / "cpu"),
        clock_source=_read(system / "clocksource" / "clocksource0" / "current_clocksource"),
        resolution_s=resolution_s(),
        load_1min=machine.moment().load_1min,
        memory_gib=memory.total / 2**30,
        available_gib=memory.available / 2**30,
        free_disk_gib=shutil.disk_usage(there).free / 2**30,
    )


def resolution_s(readings: int = 1_000) -> float:
    """Return the smallest difference above zero between neighbouring readings of the clock, in seconds."""
    found = [time.perf_counter() for _ in range(readings)]
    steps = [after - before for before, after in pairwise(found) if after > before]
    return min(steps, default=time.get_clock_info("perf_counter").resolution)


def _governors(folder: Path) -> list[str] | None:
    return _each(sorted(folder.glob("cpu[0-9]*/cpufreq/scaling_governor")))


def _turbo(folder: Path) -> bool | None:
    """Return whether turbo is on: Intel's driver says whether it is off, the others whether it is on."""
    off, on = _read(folder / "intel_pstate" / "no_turbo"), _read(folder / "cpufreq" / "boost")
    if off is not None:
        return off == "0"
    return None if on is None else on == "1"


def _each(files: Iterable[Path]) -> list[str] | None:
    return sorted({words for file in files if (words := _read(file))}) or None


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
