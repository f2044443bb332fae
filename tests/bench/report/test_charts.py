"""Tests of the charts: which points they show, and that pictures are drawn without a network."""

from __future__ import annotations

from pathlib import Path

from bench.records.schema import PhaseResult
from bench.report.charts import curves, picture
from models.recipes import RECIPES

PHASE = PhaseResult(
    curves={"loss": [0.5, 0.3], "accuracy": [0.8, 0.9], "val_loss": [0.4, 0.35], "val_accuracy": [0.86, 0.88]},
    epoch_s=[1.0, 1.0],
)


def test_training_and_validation_are_shown_by_epoch() -> None:
    """One point an epoch for each curve that was measured."""
    rows = curves.panel(RECIPES["pooling-logits"], "final", PHASE, "accuracy")
    assert [(r["series"], r["epoch"], r["value"]) for r in rows if r["series"] != "published"] == [
        ("training", 1, 0.8),
        ("training", 2, 0.9),
        ("validation", 1, 0.86),
        ("validation", 2, 0.88),
    ]


def test_the_published_curve_stands_behind_and_single_figures_are_not_joined() -> None:
    """A source that states a loss at two epochs drew no line between them."""
    accuracy = [
        r for r in curves.panel(RECIPES["dense"], "validation", PHASE, "accuracy") if r["series"] == "published"
    ]
    loss = [r for r in curves.panel(RECIPES["dense"], "validation", PHASE, "loss") if r["series"] == "published"]
    assert len(accuracy) == 20
    assert all(row["joined"] for row in accuracy)
    assert [(row["epoch"], row["value"], row["joined"]) for row in loss] == [(5, 0.2918, False), (20, 0.7014, False)]


def test_a_chart_has_a_row_for_each_phase() -> None:
    """Loss beside accuracy, phase under phase."""
    chart = curves.chart(RECIPES["dense"], {"validation": PHASE, "final": PHASE}, title="dense on jax").to_dict()
    titles = [panel["title"]["text"] for row in chart["vconcat"] for panel in row["hconcat"]]
    assert titles == [
        f"{phase} phase: {metric}" for phase in ("validation", "final") for metric in ("loss", "accuracy")
    ]


def test_pictures_are_drawn_without_a_browser(tmp_path: Path) -> None:
    """SVG for documents, PNG for everywhere else; the title and what is drawn are in the SVG as text."""
    chart = curves.chart(RECIPES["lstm"], {"final": PHASE}, title="lstm on jax")
    svg, png = picture.write(chart, tmp_path / "curves")
    assert "lstm on jax" in svg.read_text(encoding="utf-8")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["curves.png", "curves.svg"]
