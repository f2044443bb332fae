"""The pictures of a chart, SVG and PNG, drawn without a browser and without a network."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import vl_convert

from bench.records import store

# Pixels of a PNG for each of the chart's: sharp on a dense screen, and in print.
SCALE = 2.0


def write(chart: alt.TopLevelMixin, stem: Path) -> list[Path]:
    """Write ``stem`` with the endings .svg and .png, each whole or not at all, and return the files."""
    contents = draw(chart, stem)
    for file, content in contents.items():
        store.write_atomically(file, content)
    return list(contents)


def draw(chart: alt.TopLevelMixin, stem: Path, *, scale: float = SCALE) -> dict[Path, bytes]:
    """Return what `write` writes, by file; ``scale``: pixels of the PNG for each of the chart's."""
    spec = chart.to_dict()
    contents = {
        ".svg": vl_convert.vegalite_to_svg(spec).encode(),
        ".png": vl_convert.vegalite_to_png(spec, scale=scale),
    }
    return {stem.with_name(stem.name + ending): content for ending, content in contents.items()}
