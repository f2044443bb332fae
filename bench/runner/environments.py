"""Environments with other package versions, built by uv and cached."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from packaging.markers import Marker

from bench import ROOT
from bench.backends import BACKENDS
from bench.records import packages
from datasets import locate
from datasets.errors import ExpectedError

LOCK = ROOT / "requirements" / "cpu.txt"

READY = "kerasmark-ready"

# A package of a lock as uv writes it: its name, its version and, where it has one, its environment marker.
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))?(?: \\)?$", re.MULTILINE)


@dataclass(frozen=True)
class Requirement:
    """What is installed on top of the locked packages: "keras==3.14.1", or the path of a checkout or wheel.

    The path of a lock (a .txt file such as requirements/cpu.txt) takes the place of the locked packages.
    """

    text: str

    @property
    def path(self) -> Path | None:
        """The checkout, wheel or lock, where it is one."""
        path = Path(self.text).expanduser()
        return path.resolve() if path.exists() else None

    @property
    def lock(self) -> Path | None:
        """The lock, where it is one."""
        return self.path if self.path and self.path.suffix == ".txt" else None

    @property
    def label(self) -> str:
        """The name in tables and of log files: no path of this machine, no character that a file name cannot hold."""
        return re.sub(r"[^\w.=<>!~+, -]", "_", self.text if self.path is None else self.path.name)

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends whose speed or results it may change."""
        if self.lock:
            return tuple(BACKENDS)
        name = re.split(r"[^A-Za-z0-9_-]", self.label, maxsplit=1)[0].lower().replace("_", "-")
        alone = tuple(backend.name for backend in BACKENDS.values() if name in backend.distributions)
        return alone or tuple(BACKENDS)

    @property
    def title(self) -> str:
        """What the label stands for: itself, or the versions in a lock of the packages that decide a measurement."""
        if self.lock is None:
            return self.label
        found = locked(self.lock)
        return ", ".join(f"{name} {found[name]}" for name in packages.PACKAGES if name in found)


def locked(lock: Path, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the versions that a lock has for an interpreter: this one, or as ``environment`` says (PEP 508)."""
    pins = PIN.findall(lock.read_text(encoding="utf-8"))
    return {name: version for name, version, marker in pins if not marker or Marker(marker).evaluate(environment)}


def folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the environments, beside the reviews in the cache."""
    return locate.cache_folder(environ) / "environments"


def build(requirement: Requirement, folder: Path, *, notice: Callable[[str], object]) -> str:
    """Return the interpreter of an environment with the locked packages and ``requirement``; build it if it is new.

    ``folder`` holds one environment for each requirement, lock file and Python. A checkout may change under its name
    and is installed each time. Raises ExpectedError with the installer's last lines.
    """
    place = folder / _key(requirement)
    python = place / "bin" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if (place / READY).exists() and not (requirement.path and requirement.path.is_dir()):
            return str(python)
        notice(f"building an environment with {requirement.label}")
        shutil.rmtree(place, ignore_errors=True)
        _uv("venv", "--quiet", "--python", sys.executable, str(place))
        _uv(*_install(python), "--require-hashes", "-r", str(requirement.lock or LOCK))
        if requirement.lock is None:
            _uv(*_install(python), *_strict(requirement), str(requirement.path or requirement.text))
        (place / READY).touch()
    return str(python)


def _install(python: Path) -> tuple[str, ...]:
    return ("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python))


def _strict(requirement: Requirement) -> tuple[str, ...]:
    """Force a checkout to be installed: pip would take one of the same version as installed already."""
    return ("--reinstall-package", requirement.label) if requirement.path and requirement.path.is_dir() else ()


def _key(requirement: Requirement) -> str:
    """Return the name of a folder: a readable label, and a digest of everything that decides its content."""
    path = requirement.path
    content = path.read_bytes() if path and path.is_file() else str(path or requirement.text).encode()
    digest = hashlib.sha256(LOCK.read_bytes() + content + platform.python_version().encode()).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', requirement.label)[:40]}-{digest}"


def _uv(*words: str) -> None:
    try:
        subprocess.run([sys.executable, "-m", "uv", *words], capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        said = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        raise ExpectedError(f"cannot install: {' '.join(said[-3:]) or 'uv said nothing'}") from error
