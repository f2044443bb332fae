"""The wheel's dependencies and extras, from the dependency groups of pyproject.toml: each package is named once.

The command needs what the parent process imports; an extra adds Keras with a backend, or with both.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

COMMAND = ("harness",)
EXTRAS = {
    "jax": ("worker", "jax-cpu"),
    "tensorflow": ("worker", "tensorflow-cpu"),
    "cpu": ("worker", "jax-cpu", "tensorflow-cpu"),
    "openvino": ("worker", "openvino"),
    "serving": ("openvino", "serving"),
    "cluster": ("cluster",),
}


class Dependencies(MetadataHookInterface):
    """What hatchling calls to fill the fields that pyproject.toml declares dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the dependencies and the extras."""
        groups = tomllib.loads((Path(self.root) / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
        metadata["dependencies"] = _all(groups, COMMAND)
        metadata["optional-dependencies"] = {extra: _all(groups, names) for extra, names in EXTRAS.items()}


def _all(groups: dict[str, list[str]], names: tuple[str, ...]) -> list[str]:
    """Return the packages that the named groups list, without those of groups that they include."""
    return [line for name in names for line in groups[name] if isinstance(line, str)]
