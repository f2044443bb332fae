"""The settings of a process that may change speed or results: its variables, processors and limits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

# Variables that frameworks, compilers and mathematical libraries read. What this suite sets itself for each worker is
# no setting of the user's.
PREFIXES = (
    *("JAX_", "XLA_", "TF_", "KERAS_"),
    *("OMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "NVIDIA_", "CUDA_", "PJRT_"),
)
NAMES = ("NPROC", "LD_PRELOAD")
OWN = ("KERAS_HOME", "KERAS_BACKEND")
# Terraform's variables begin like TensorFlow's; they and others may hold secrets, or the names of hosts.
PRIVATE = re.compile(r"^TF_(VAR|CLI|TOKEN|HTTP|CONFIG$)|API_KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|ADDRESS")

CGROUPS = Path("/sys/fs/cgroup")


class Settings(BaseModel):
    """What may change speed or results without a change of machine, packages or commit.

    processor_quota   the limit of processor time of the control group, in processors; None without one
    memory_limit_gib  its limit of memory; None without one
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    variables: dict[str, str] = {}
    usable_processors: int = 1
    processor_quota: float | None = None
    memory_limit_gib: float | None = None


def settings(environ: Mapping[str, str] = os.environ, *, cgroups: Path = CGROUPS) -> Settings:
    """Return the settings of this process, with the variables in ``environ``."""
    folders = list(_groups(cgroups))
    quotas = [quota for folder in folders if (quota := _quota(folder)) is not None]
    limits = [limit for folder in folders if (limit := _memory(folder)) is not None]
    return Settings(
        variables=variables(environ),
        usable_processors=usable_processors(),
        processor_quota=min(quotas, default=None),
        memory_limit_gib=round(min(limits) / 2**30, 2) if limits else None,
    )


def variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that frameworks read; secrets, hosts and folders of this machine are left out."""
    return {_text(name): _without_folders(_text(environ[name])) for name in sorted(environ) if _is_read(name)}


def _is_read(name: str) -> bool:
    """Whether a framework reads the variable ``name``, and a record may hold it."""
    return (name.startswith(PREFIXES) or name in NAMES) and name not in OWN and not PRIVATE.search(name)


def _text(word: str) -> str:
    """Return ``word`` with bytes that are no UTF-8 as escapes: no JSON can hold them."""
    return word.encode("utf-8", "backslashreplace").decode("utf-8")


def usable_processors() -> int:
    """Return the number of processors on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def differences(was: Settings, now: Settings) -> list[str]:
    """Return every setting that differs, in words: "XLA_FLAGS was unset, is '--x'"."""
    names = sorted({*was.variables, *now.variables})
    pairs = [(name, _said(was.variables.get(name)), _said(now.variables.get(name))) for name in names]
    limits_were, limits_are = limits(was), limits(now)
    pairs += [(name, limits_were[name], limits_are[name]) for name in limits_were]
    return [f"{name} was {before}, is {after}" for name, before, after in pairs if before != after]


def limits(of: Settings) -> dict[str, str]:
    """Return the limits of a process in words, by their names."""
    return {
        "usable processors": _number(of.usable_processors),
        "processor quota": _number(of.processor_quota),
        "memory limit in GiB": _number(of.memory_limit_gib),
    }


def _said(value: str | None) -> str:
    return "unset" if value is None else repr(value)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _without_folders(value: str) -> str:
    """Return ``value`` with the last part of each path alone: records name no folders of a machine."""
    return re.sub(r"(?:[^\s/:,;='\"]*/+)+(?=[^\s/:,;='\"])", "", value)


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's control groups and of those around them, which limit it too."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = line.split(":", 2)
        top = root / controllers if controllers else root
        inside = top / place.lstrip("/")
        yield from (folder for folder in (inside, *inside.parents) if folder.is_relative_to(top) and folder.is_dir())


def _quota(folder: Path) -> float | None:
    """Return the processors that a control group may use: version 2's `cpu.max`, or version 1's two files."""
    words = (_read(folder / "cpu.max") or "").split()
    if not words:
        words = [_read(folder / name) or "" for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    quota, period = (_positive(word) for word in (*words, "")[:2])
    return round(quota / period, 2) if quota and period else None


def _memory(folder: Path) -> float | None:
    """Return the bytes that a control group may use, None where that is more than the machine has."""
    limit = _positive(_read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes") or "")
    return limit if limit and limit < psutil.virtual_memory().total else None


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _positive(word: str) -> float | None:
    return float(word) if word.isdigit() and int(word) > 0 else None
