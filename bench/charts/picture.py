"""The pictures of a chart, SVG and PNG, drawn without a browser and without a network."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import vl_convert

from bench import store

# Pixels of a PNG for each of the chart's: sharp on a dense screen, and in print.
SCALE = 2.0


def write(chart: alt.TopLevelMixin, stem: Path) -> list[Path]:
    """Write ``stem`` with the endings .svg and .png, each whole or not at all, and return the files."""
    spec = chart.to_dict()
    contents = {
        ".svg": vl_convert.vegalite_to_svg(spec).encode(),
        ".png": vl_convert.vegalite_to_png(spec, scale=SCALE),
    }
    files = [stem.with_name(stem.name + ending) for ending in contents]
    for file, content in zip(files, contents.values(), strict=True):
        store.write_atomically(file, content)
    return files
