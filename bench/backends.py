"""The backends of Keras, a row each: those that train, and those that only predict."""

from __future__ import annotations

from dataclasses import dataclass

from datasets import errors
from datasets.errors import UsageError


@dataclass(frozen=True)
class Backend:
    """A backend that is measured.

    name           what KERAS_BACKEND is set to; also the package to import
    title          how reports write it
    distributions  packages that affect this backend alone; records hold their versions
    trains         whether it has gradients; without them it predicts by Keras's own calls
    """

    name: str
    title: str
    distributions: tuple[str, ...]
    trains: bool = True

    @property
    def folder(self) -> str:
        """The folder of `bench.worker` with its code; those that only predict share one."""
        return self.name if self.trains else "inference"


EVERY: dict[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend("jax", "JAX", ("jax", "jaxlib", "optax")),
        Backend("tensorflow", "TensorFlow", ("tensorflow", "tensorflow-cpu")),
        Backend("numpy", "NumPy", ("numpy",), trains=False),
        Backend("openvino", "OpenVINO", ("openvino",), trains=False),
    )
}

# Those that train: what a run measures unless told otherwise, and what a gate can compare.
BACKENDS: dict[str, Backend] = {name: backend for name, backend in EVERY.items() if backend.trains}


def find(name: str) -> Backend:
    """Return the backend called ``name``; UsageError with what to use instead where there is none."""
    if name in ("torch", "pytorch"):
        raise UsageError(f"backend 'torch' is not measured: kerasmark is PyTorch-free; use {' or '.join(BACKENDS)}")
    return errors.find("backend", name, EVERY)


def trains(name: str) -> bool:
    """Whether the backend called ``name`` trains; one that this release does not know is taken for one that does."""
    return name not in EVERY or EVERY[name].trains
