"""The packages that decide a measurement, and their versions in this interpreter, read without importing them."""

from __future__ import annotations

import importlib.metadata
import platform

# A record holds the versions of those that are installed.
PACKAGES = ("keras", "jax", "jaxlib", "optax", "tensorflow", "tensorflow-cpu", "numpy", "scikit-learn")


def versions() -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
