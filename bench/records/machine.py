"""The fingerprint of the machine and its load; no names of hosts, users or paths."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import BaseModel, ConfigDict, Field

from bench import INSTALLED, ROOT


class Machine(BaseModel):
    """What kind of machine measured; records of different machines are never compared without saying so."""

    model_config = ConfigDict(frozen=True)

    cpu: str
    processors: int
    memory_gib: int
    system: str
    python: str

    @property
    def title(self) -> str:
        """One line for a caption."""
        return f"{self.cpu}, {self.processors} processors, {self.memory_gib} GiB, {self.system}, Python {self.python}"


class Commit(BaseModel):
    """Which state of this repository measured; ``dirty`` if tracked files differ from the commit."""

    model_config = ConfigDict(frozen=True)

    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]
    dirty: bool

    @property
    def title(self) -> str:
        """For a caption: the short revision and whether files differ from it."""
        return self.revision[:10] + (" with uncommitted changes" if self.dirty else "")


class Moment(BaseModel):
    """How busy the machine was at one moment, beside a sample."""

    model_config = ConfigDict(frozen=True)

    load_1min: float
    steal_s: float  # processor seconds taken by other guests since the host started; 0 if unknown
    busy_s: float  # processor seconds in which this system worked since it started


def machine() -> Machine:
    """Return the fingerprint of this machine."""
    return Machine(
        cpu=_cpu_name(),
        processors=processors(),
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def commit(root: Path = ROOT) -> Commit | None:
    """Return the commit checked out at ``root``, or None if git cannot tell.

    An installed suite may lie inside a user's repository, whose commit says nothing of it; packages have its version.
    """
    revision = None if INSTALLED and root == ROOT else git("rev-parse", "HEAD", root=root)
    if revision is None:
        return None
    return Commit(revision=revision, dirty=bool(git("status", "--porcelain", "--untracked-files=no", root=root)))


def moment() -> Moment:
    """Return how busy the machine is now."""
    times = psutil.cpu_times()
    working = ("user", "nice", "system", "irq", "softirq")  # guests of this system are counted in user and nice
    return Moment(
        load_1min=os.getloadavg()[0],
        steal_s=float(getattr(times, "steal", 0.0)),
        busy_s=sum(float(getattr(times, name, 0.0)) for name in working),
    )


@lru_cache(maxsize=1)
def processors() -> int:
    """Return how many processors this machine has."""
    return psutil.cpu_count() or 1


def git(*words: str, root: Path = ROOT) -> str | None:
    """Return what git says in ``root``, or None where it fails or there is none."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *words], cwd=root, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or platform.machine()
