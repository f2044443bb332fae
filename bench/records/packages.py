"""The packages that decide a measurement, and their versions in this interpreter, read without importing them."""

from __future__ import annotations

import importlib.metadata
import platform

from bench.backends import BACKENDS

# A record holds the versions of those that are installed.
PACKAGES = (
    "keras",
    *(package for backend in BACKENDS.values() for package in backend.distributions),
    "numpy",
    "scikit-learn",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
