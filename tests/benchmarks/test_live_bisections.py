"""The hit rate of `bench bisect` on live histories: three small repositories, each with one slower commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.exit_codes import ExitCode
from tests.bench.cli.test_bisect import ANOTHER, WIDER, bisected, culprits, history


@pytest.mark.parametrize(
    ("after", "culprit"), [(ANOTHER, 2), (WIDER, 5), (ANOTHER, 6)], ids=["another layer", "wider", "the last commit"]
)
def test_the_slower_commit_of_a_live_history_is_found(after: Sequence[int], culprit: int, tmp_path: Path) -> None:
    """Six candidates, two to three minutes each on two quiet cores: found, and proved by fresh processes."""
    repository = history(tmp_path / "theirs", after, culprit=culprit)
    code, found = bisected(repository, "--tier", "compiled", out=tmp_path / "runs")
    print(f"\n{found['processes']} processes, {len({row['step'] for row in found['steps']})} steps, {culprits(found)}")
    assert culprits(found) == [f"commit {culprit}"]
    assert code == ExitCode.HELD
