"""The command line in a process of its own, answered by its JSON document; nothing here is a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import ROOT


def document(*words: str, out: Path) -> tuple[int, dict[str, Any]]:
    """Run the command line and return its exit status and its document."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words, "--out", str(out), "--json"],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)
