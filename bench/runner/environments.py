"""Environments with other package versions, built by uv and cached."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bench import ROOT
from bench.backends import BACKENDS
from bench.records import packages
from datasets import locate
from datasets.errors import ExpectedError

LOCK = ROOT / "requirements" / "cpu.txt"

READY = "kerasmark-ready"
# The Pythons of the suite's own code and of its locks: `requires-python` in pyproject.toml.
PYTHONS = SpecifierSet(">=3.11,<3.14")

# A nightly build under a name of its own, and the package whose files it would otherwise write over.
NIGHTLIES = {"keras-nightly": "keras"}

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
    def package(self) -> str:
        """The name of the package, or what the name of a path begins with."""
        return re.split(r"[^A-Za-z0-9_-]", self.label, maxsplit=1)[0].lower().replace("_", "-")

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends whose speed or results it may change."""
        if self.lock:
            return tuple(BACKENDS)
        alone = tuple(backend.name for backend in BACKENDS.values() if self.package in backend.distributions)
        return alone or tuple(BACKENDS)

    def title(self, python: Interpreter) -> str:
        """Return what the label stands for on ``python``, which is named where it is another one than runs this.

        That is itself, or the versions in a lock of the packages that decide a measurement.
        """
        on = [] if python == Interpreter.here() else [f"Python {python.minor}"]
        if self.lock is None:
            return ", ".join([self.label, *on])
        found = locked(self.lock, {"python_full_version": python.version, "python_version": python.minor})
        return ", ".join([*(f"{name} {found[name]}" for name in packages.PACKAGES if name in found), *on])


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine, and its version: "3.12.1"."""

    path: str
    version: str

    @classmethod
    def here(cls) -> Interpreter:
        """Return the one that runs this."""
        return cls(sys.executable, platform.python_version())

    @property
    def minor(self) -> str:
        """Its version without the last number: "3.12"."""
        return self.version.rpartition(".")[0]


def interpreter(requirements: Sequence[Requirement]) -> Interpreter:
    """Return the Python that every one of ``requirements`` installs on: this one, or else the oldest that uv finds.

    JAX 0.11, for one, needs a later Python than JAX 0.10. Sides on two Pythons would differ by more than they should.
    Raises ExpectedError, with what uv says of this Python, if there is none.
    """
    here = Interpreter.here()
    refused = {one.label: reason for one in requirements if (reason := _refused(one, here))}
    if not refused:
        return here
    others = [one for one in _others() if one.minor != here.minor]
    for other in others:
        if not any(_refused(one, other) for one in requirements):
            return other
    tried = ", ".join(one.minor for one in (here, *others))
    label, reason = next(iter(refused.items()))
    raise ExpectedError(
        f"expected a Python that {' and '.join(one.label for one in requirements)} install on; none of {tried} is one. "
        f"{label} on {here.minor}: {reason.rstrip('.')}. `uv python install` adds others"
    )


def _refused(requirement: Requirement, python: Interpreter) -> str:
    """Return why ``requirement`` by itself cannot be installed on ``python``; nothing if it can."""
    if requirement.path is not None:  # a lock is for every Python; what a checkout needs, its installation says
        return ""
    try:
        _uv("pip", "compile", "--quiet", "--no-deps", "--python", python.path, "-", given=requirement.text)
    except ExpectedError as error:
        return str(error)
    return ""


def _others() -> list[Interpreter]:
    """Return the Pythons of this machine that the suite runs on, one of each minor version, the oldest first."""
    listed = json.loads(_uv("python", "list", "--only-installed", "--output-format", "json"))
    found = [
        Interpreter(one["path"], one["version"])
        for one in listed
        if one["implementation"] == "cpython" and one["version"] in PYTHONS
    ]
    found.sort(key=lambda one: Version(one.version))
    return list({one.minor: one for one in found}.values())  # the latest of each


def locked(lock: Path, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the versions that a lock has for an interpreter: this one, or as ``environment`` says (PEP 508)."""
    pins = PIN.findall(lock.read_text(encoding="utf-8"))
    return {name: version for name, version, marker in pins if not marker or Marker(marker).evaluate(environment)}


def folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the environments, beside the reviews in the cache."""
    return locate.cache_folder(environ) / "environments"


def build(requirement: Requirement, folder: Path, python: Interpreter, *, notice: Callable[[str], object]) -> str:
    """Return the interpreter of an environment with the locked packages and ``requirement``; build it if it is new.

    It is made of ``python``.

    ``folder`` holds one environment for each requirement, lock file and Python. A checkout may change under its name
    and is installed each time. Raises ExpectedError with the installer's last lines.
    """
    place = folder / _key(requirement, python)
    own = place / "bin" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if (place / READY).exists() and not (requirement.path and requirement.path.is_dir()):
            return str(own)
        notice(f"building an environment with {requirement.label} on Python {python.minor}")
        shutil.rmtree(place, ignore_errors=True)
        _uv("venv", "--quiet", "--python", python.path, str(place))
        _uv(*_install(own), "--require-hashes", "-r", str(requirement.lock or LOCK))
        if requirement.package in NIGHTLIES:
            _uv("pip", "uninstall", "--quiet", "--python", str(own), NIGHTLIES[requirement.package])
        if requirement.lock is None:
            _uv(*_install(own), *_strict(requirement), str(requirement.path or requirement.text))
        (place / READY).touch()
    return str(own)


def _install(python: Path) -> tuple[str, ...]:
    return ("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python))


def _strict(requirement: Requirement) -> tuple[str, ...]:
    """Force a checkout to be installed: pip would take one of the same version as installed already."""
    return ("--reinstall-package", requirement.label) if requirement.path and requirement.path.is_dir() else ()


def _key(requirement: Requirement, python: Interpreter) -> str:
    """Return the name of a folder: a readable label, and a digest of everything that decides its content."""
    path = requirement.path
    content = path.read_bytes() if path and path.is_file() else str(path or requirement.text).encode()
    digest = hashlib.sha256(LOCK.read_bytes() + content + python.version.encode()).hexdigest()[:12]
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', requirement.label)[:40]}-{digest}"


def _uv(*words: str, given: str = "") -> str:
    """Run uv on ``given`` and return what it prints; ExpectedError with its last lines if it fails."""
    command = [sys.executable, "-m", "uv", *words]
    try:
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout
    except subprocess.CalledProcessError as error:
        said = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        raise ExpectedError(f"cannot install: {' '.join(said[-3:]) or 'uv said nothing'}") from error
