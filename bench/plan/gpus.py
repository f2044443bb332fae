"""The graphics processors of this machine, found without a framework; standard library only, since nox asks it too."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

ASK = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")


def gpus(ask: Callable[[], str | None] | None = None) -> list[str]:
    """Return one line for each NVIDIA GPU, its name and driver version; none where there is no working driver."""
    answer = (ask or _nvidia_smi)()
    return [line.strip() for line in (answer or "").splitlines() if line.strip()]


def why_no_gpu(ask: Callable[[], str | None] | None = None) -> str | None:
    """Return one line that says what is missing for a GPU run, or None where nothing is."""
    if gpus(ask):
        return None
    if ask is None and shutil.which(ASK[0]) is None:
        return "no GPU run here: nvidia-smi is not installed, so there is no NVIDIA driver; use `nox -s bench-cpu`"
    return "no GPU run here: nvidia-smi lists no NVIDIA GPU; use `nox -s bench-cpu`"


def _nvidia_smi() -> str | None:
    try:
        return subprocess.run(ASK, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return None
