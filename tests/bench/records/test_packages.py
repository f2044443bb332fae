"""Packages: their versions in this interpreter, and the CUDA libraries among them."""

from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace

import pytest

from bench.records import packages


def test_cuda_libraries_go_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever CUDA they are built for; what asks the driver is none of them."""
    installed = {
        "nvidia-cudnn-cu13": "9.28.1.4",
        "nvidia_cublas": "13.10.0.20",
        "nvidia-cuda-runtime-cu12": "12.9.79",
        "nvidia-ml-py": "13.615.71",
        "numpy": "2.4.6",
    }
    found = [SimpleNamespace(name=name, version=version) for name, version in installed.items()]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: found)
    assert packages.cuda_libraries() == {"cublas": "13.10.0.20", "cudnn": "9.28.1.4", "runtime": "12.9.79"}
