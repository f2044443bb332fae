"""Where a run takes place: as another user, on a home that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT

RUN = ("run", "--profile", "smoke", "--recipe", "pooling-logits", "--backend", "jax", "--data", "synthetic")

# Another user than root who may read everything, as a container's user may, and write nothing of root's.
NOBODY = (
    *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"),
    *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="becomes another user")
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["list"], 0, ""),
        (["doctor", "--seconds", "0"], 0, ""),
        ([*RUN], 6, "cannot write the cache"),
        (["show", "latest"], 6, "no run called 'latest'"),
    ],
)
def test_a_user_whose_home_is_read_only_is_told_what_to_set(
    words: list[str], status: int, said: str, tmp_path: Path
) -> None:
    """Containers run so: what needs no file works, what does names the option or the variable."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    environ = {k: v for k, v in os.environ.items() if k not in ("KERASMARK_CACHE", "KERASMARK_DATA", "XDG_CACHE_HOME")}
    environ |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    out = ["--out", str(home / "runs")] if words[0] in ("run", "show") else []
    done = subprocess.run(
        [*NOBODY, sys.executable, "-m", "bench", *words, *out],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(home.iterdir())
