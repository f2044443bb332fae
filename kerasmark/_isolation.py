"""The suite's packages inside somebody else's process, which may have packages of the same names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from kerasmark._start import SUITE

PACKAGES = ("bench", "datasets", "models")

_lock = threading.RLock()
_ours: dict[str, ModuleType] = {}


def find(module: str, name: str) -> Any:
    """Return ``name`` of the suite's ``module``."""
    with suite():
        found = getattr(importlib.import_module(module), name)
        if module.startswith("bench.worker."):
            importlib.import_module("bench.worker.backend").load()  # what it would import later, when it is called
        return found


@contextmanager
def suite() -> Iterator[None]:
    """Make the suite's packages importable; afterwards the process has its own modules and its own path again.

    Where they are importable anyhow, as in the suite's own processes, nothing changes: there is one of each class.
    """
    with _lock:
        if all(map(_is_ours, PACKAGES)):
            yield
            return
        foreign = _taken()
        sys.modules.update(_ours)
        sys.path.insert(0, str(SUITE))
        try:
            yield
        finally:
            with suppress(ValueError):  # somebody removed it
                sys.path.remove(str(SUITE))
            _ours.update(_taken())
            sys.modules.update(foreign)


def _is_ours(package: str) -> bool:
    """Return whether an import of ``package`` finds the suite's."""
    with suppress(ImportError, ValueError):  # ValueError: a module that was made by hand
        spec = importlib.util.find_spec(package)
        return spec is not None and Path(spec.origin or "").resolve() == SUITE / package / "__init__.py"
    return False


def _taken() -> dict[str, ModuleType]:
    """Remove the modules of these packages from the process and return them by name."""
    names = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
