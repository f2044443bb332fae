"""A fresh process of a backend for tests: KERAS_BACKEND is read when Keras is imported, so each needs its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from bench import ROOT

# A framework needs up to a second to shut down, and nothing is left to save.
LEAVE = """
import os, sys
sys.stdout.flush()
os._exit(0)
"""


def answer(program: str, backend: str, **variables: str) -> Any:
    """Run ``program`` under ``backend`` on the CPU and return the JSON of the last line that it prints.

    ``variables`` of the environment are added.
    """
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", **variables}
    done = subprocess.run(
        [sys.executable, "-c", program + LEAVE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    return json.loads(done.stdout.splitlines()[-1])
