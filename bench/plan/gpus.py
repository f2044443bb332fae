"""The NVIDIA GPUs of this machine, found without a framework; standard library only, since the noxfile imports it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from bench import RUN_ON_CPU

ASK = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")


def gpus(ask: Callable[[], str | None] | None = None) -> list[str]:
    """Return the name and driver version of each NVIDIA GPU; none without a working driver."""
    answer = (ask or _nvidia_smi)()
    return [line.strip() for line in (answer or "").splitlines() if line.strip()]


def why_no_gpu(ask: Callable[[], str | None] | None = None) -> str | None:
    """Return what is missing for a GPU run, in one line, or None."""
    if gpus(ask):
        return None
    if ask is None and shutil.which(ASK[0]) is None:
        return f"no GPU run here: nvidia-smi is not installed, so there is no NVIDIA driver; use `{RUN_ON_CPU}`"
    return f"no GPU run here: nvidia-smi lists no NVIDIA GPU; use `{RUN_ON_CPU}`"


def _nvidia_smi() -> str | None:
    try:
        return subprocess.run(ASK, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return None
