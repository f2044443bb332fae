"""The packages that decide a measurement, and their versions in this interpreter, read without importing them."""

from __future__ import annotations

import importlib.metadata
import platform

from bench import INSTALLED, VERSION
from bench.backends import EVERY

# A record holds the versions of those that are installed.
PACKAGES = (
    "keras",
    "keras-nightly",
    *(package for backend in EVERY.values() for package in backend.distributions),
    "scikit-learn",
)

# The suite itself, where no commit tells its state.
SUITE = "kerasmark"


def versions() -> dict[str, str]:
    """Return the versions of Python, of those packages that are installed, and of this suite where that is one."""
    found = {"python": platform.python_version(), **({SUITE: VERSION} if INSTALLED else {})}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
