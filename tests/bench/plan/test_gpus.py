"""Tests of the search for GPUs, with answers of nvidia-smi that are made."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from bench.plan import gpus

ONE = "NVIDIA H100 80GB HBM3, 570.86.15\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, []),
        ("", []),
        ("\n  \n", []),
        (ONE, ["NVIDIA H100 80GB HBM3, 570.86.15"]),
        (f"{ONE}  {ONE}\n", ["NVIDIA H100 80GB HBM3, 570.86.15"] * 2),
    ],
)
def test_each_line_of_nvidia_smi_is_a_gpu(answer: str | None, expected: list[str]) -> None:
    """No driver, a driver without a GPU, one GPU and two."""
    assert gpus.gpus(lambda: answer) == expected


def test_a_machine_with_a_gpu_lacks_nothing() -> None:
    """`doctor` and nox continue only if this returns None."""
    assert gpus.why_no_gpu(lambda: ONE) is None


@pytest.mark.parametrize("answer", [None, ""])
def test_a_machine_without_a_gpu_is_told_what_to_do_instead(answer: str | None) -> None:
    """One line: what is missing, and the command that works here."""
    reason = gpus.why_no_gpu(lambda: answer)
    assert reason == "no GPU run here: nvidia-smi lists no NVIDIA GPU; use `nox -s bench-cpu`"


def test_a_machine_without_the_driver_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the command itself is missing, looking for a broken GPU would be in vain."""
    monkeypatch.setenv("PATH", "")
    reason = gpus.why_no_gpu()
    assert reason is not None
    assert "nvidia-smi is not installed" in reason


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError("nvidia-smi"),
        PermissionError("nvidia-smi"),
        subprocess.CalledProcessError(9, gpus.ASK),
        subprocess.TimeoutExpired(gpus.ASK, 20),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_driver_that_does_not_answer_is_no_gpu(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """nvidia-smi exits with 9 where its kernel module is missing, and can hang: neither may break a CPU run."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert gpus.gpus() == []


def test_nvidia_smi_is_asked_for_names_and_drivers_without_a_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heading would count as a GPU."""
    asked: list[Any] = []

    def answer(command: Any, **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, stdout=ONE)

    monkeypatch.setattr(subprocess, "run", answer)
    assert len(gpus.gpus()) == 1
    assert asked == [("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")]
