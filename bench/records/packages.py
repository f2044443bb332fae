"""The packages that decide a measurement, and their versions in this interpreter, read without importing them."""

from __future__ import annotations

import importlib.metadata
import platform
import re

from bench import INSTALLED, VERSION
from bench.backends import EVERY

# A record holds the versions of those that are installed.
PACKAGES = (
    "keras",
    "keras-nightly",
    *(package for backend in EVERY.values() for package in backend.distributions),
    "scikit-learn",
)

# The distributions of NVIDIA's libraries, such as nvidia-cudnn-cu13; nvidia-ml-py only asks the driver.
CUDA_LIBRARY = re.compile(r"nvidia-(?!ml-py)(?:cuda-)?(?P<name>.+?)(?:-cu\d+)?")

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


def cuda_libraries() -> dict[str, str]:
    """Return the versions of NVIDIA's libraries in this interpreter, by names such as "cudnn"; none without a GPU's."""
    found = {}
    for package in importlib.metadata.distributions():
        library = CUDA_LIBRARY.fullmatch(re.sub(r"[-_.]+", "-", package.name).lower())
        if library:
            found[library["name"]] = package.version
    return dict(sorted(found.items()))
