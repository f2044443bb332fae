"""Energy by the counters of the hardware: RAPL of processor packages, NVML of GPUs. Where there is none, there is none.

A counter is of the whole package or GPU, all programs together. It is read, never estimated, and starts again at zero
when it is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from bench.records import nvml

POWERCAP = Path("/sys/class/powercap")
# NVML's counter has 64 bits of millijoules: it is never full.
ENDLESS = float("inf")

# By the name of a counter: joules, and at how many it starts again.
Reading = Mapping[str, tuple[float, float]]


def read(*, gpu: bool = False, root: Path = POWERCAP) -> Reading:
    """Return what the counters of the processors say now, with ``gpu`` those of NVIDIA GPUs as well."""
    gpus = {f"gpu {number}": (joules, ENDLESS) for number, joules in nvml.joules()} if gpu else {}
    return {**dict(_packages(root)), **gpus}


def used(before: Reading, after: Reading) -> float | None:
    """Return the joules between two readings, over all counters of both; None where there is none."""
    found = [_between(before[name], after[name]) for name in before if name in after]
    return sum(found) if found else None


def _between(before: tuple[float, float], after: tuple[float, float]) -> float:
    joules, range_j = after[0] - before[0], after[1]
    return joules if joules >= 0 else joules + range_j


def _packages(root: Path) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield each processor package that may be read; since 2020 Linux lets only root read them."""
    for folder in _domains(root):
        try:
            joules = int((folder / "energy_uj").read_bytes()) / 1e6
            range_j = int((folder / "max_energy_range_uj").read_bytes()) / 1e6
        except (OSError, ValueError):
            continue
        yield folder.name, (joules, range_j)


@cache
def _domains(root: Path) -> list[Path]:
    """Return the folders of packages: parts of a package are in it, and the platform has it in it."""
    found = sorted(root.glob("intel-rapl:*")) + sorted(root.glob("amd-rapl:*"))
    return [folder for folder in found if folder.name.count(":") == 1 and _name(folder).startswith("package")]


def _name(folder: Path) -> str:
    try:
        return (folder / "name").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
