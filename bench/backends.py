"""The backends of Keras: those that are measured, a row each, and those that only serve saved models."""

from __future__ import annotations

from dataclasses import dataclass

from datasets import errors
from datasets.errors import UsageError


@dataclass(frozen=True)
class Backend:
    """A backend that is measured: its programs are in the folder of `bench.worker` with its name.

    name           what KERAS_BACKEND is set to; also the package to import
    title          how reports write it
    distributions  packages that affect this backend alone; records hold their versions
    """

    name: str
    title: str
    distributions: tuple[str, ...]


BACKENDS: dict[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend("jax", "JAX", ("jax", "jaxlib", "optax")),
        Backend("tensorflow", "TensorFlow", ("tensorflow", "tensorflow-cpu")),
    )
}

# Backends that predict but cannot train, with their titles: they serve saved models.
INFERENCE_ONLY = {"numpy": "NumPy", "openvino": "OpenVINO"}

SERVING: tuple[str, ...] = (*BACKENDS, *INFERENCE_ONLY)


def find(name: str) -> Backend:
    """Return the measured backend called ``name``; UsageError with what to use instead where there is none."""
    if name in ("torch", "pytorch"):
        raise UsageError(f"backend 'torch' is not measured: kerasmark is PyTorch-free; use {' or '.join(BACKENDS)}")
    return errors.find("backend", name, BACKENDS)
