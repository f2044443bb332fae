"""The suite as its wheel installs it: the same files in the same places, in a folder of site-packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from bench import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
UNUSED = shutil.ignore_patterns("__pycache__")


def install(site: Path) -> Path:
    """Lay the files of the wheel into ``site`` and return it."""
    packages = WHEEL["packages"]
    for source, place in (*zip(packages, packages, strict=True), *WHEEL["force-include"].items()):
        (site / place).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, site / place, ignore=UNUSED, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, site / place)
    return site


def python(site: Path, *words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with what ``site`` holds installed, in the working directory ``cwd``."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = {**kept, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
