"""Exponents of scaling curves: the interval of one run and that of a second one have values in common."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import ROOT

OVER = ("batch_size=1,8,64,512", "embedding_units=4,16,64", "threads=1,2")
# Two intervals of 95 % of one value part by chance in less than one of a hundred.
APART = 0.05


def test_exponents_hold_on_a_second_run(tmp_path: Path) -> None:
    """Two runs of the same command, minutes apart; each exponent is printed with both intervals."""
    first, second = (_exponents(tmp_path / str(number)) for number in range(2))
    assert first.keys() == second.keys()
    for key, one in first.items():
        ends = [f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})" for found in (one, second[key])]
        print(f"{' '.join(key)}: {' and '.join(ends)}{'' if _meet(one, second[key]) else ', apart'}")
    apart = [key for key in first if not _meet(first[key], second[key])]
    print(f"{len(apart)} of {len(first)} apart")
    assert len(apart) <= APART * len(first) + 1


def _exponents(folder: Path) -> dict[tuple[str, ...], dict[str, float]]:
    words = ["scaling", "pooling-logits", "--over", *OVER, "--replicates", "3", "--out", str(folder), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)["curves"]
    names = ("setting", "phase", "path", "backend")
    return {tuple(str(curve[name]) for name in names): curve["exponent"] for curve in found if curve["exponent"]}


def _meet(one: dict[str, float], other: dict[str, float]) -> bool:
    return one["low"] <= other["high"] and other["low"] <= one["high"]
