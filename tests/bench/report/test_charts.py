"""Tests of the charts: which points they show, what panels share, and that pictures are drawn without a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import vl_convert

from bench.analysis import history
from bench.analysis.rows import AnswerRow, RunDocument, StartupRow
from bench.records.schema import PhaseResult
from bench.report.charts import curves, data, intervals, picture, sentences, step, theme, verdicts
from bench.report.charts.data import Chart
from bench.report.tables.machines import favoured
from models.recipes import RECIPES
from tests.bench import published

PHASE = PhaseResult(
    curves={"loss": [0.5, 0.3], "accuracy": [0.8, 0.9], "val_loss": [0.4, 0.35], "val_accuracy": [0.86, 0.88]},
    epoch_s=[1.0, 1.0],
)


def chart(key: str, document: RunDocument, histories: list[history.CellHistory] | None = None) -> Chart:
    """Return the chart called ``key`` of a run."""
    return next(one for one in data.every(document, histories or []) if one.key == key)


def answer(ratio: float, low: float | None, high: float | None, recipe: str = "dense", **changes: object) -> AnswerRow:
    """Return how many times as fast JAX trains by fit as TensorFlow."""
    fields = {"phase": "train", "batch_size": 512, "view": "as called", "path": "fit", "rival_path": "fit", **changes}
    ends = {"ratio": ratio, "ratio_low": low, "ratio_high": high}
    return AnswerRow(recipe=recipe, target="jax-cpu", rival="tensorflow-cpu", **fields, **ends)


def days(levels: dict[str, list[float]], cpu: str = "Made CPU") -> list[RunDocument]:
    """Return a run a day in which the share of each target's fit is as given."""
    run = published.one()
    machine = run.machine.model_copy(update={"cpu": cpu})
    fits = [row for row in run.timings if row.path == "fit"]
    return [
        run.model_copy(
            update={
                "machine": machine,
                "run_id": f"{cpu}-{day}",
                "started_at": f"2026-07-{day + 1:02}T12:00:00+00:00",
                "timings": [row.model_copy(update={"floor_share": levels[row.target][day]}) for row in fits],
            }
        )
        for day in range(len(levels["jax-cpu"]))
    ]


STEADY, CHANGED = [0.5] * 8, [0.5] * 4 + [0.7] * 4


def test_training_and_validation_are_shown_by_epoch() -> None:
    """One point an epoch for each curve that was measured."""
    rows = curves.panel(RECIPES["pooling-logits"], "final", {"jax": PHASE}, "accuracy")
    assert [(r["series"], r["epoch"], r["value"]) for r in rows if r["series"] != "published"] == [
        ("training", 1, 0.8),
        ("training", 2, 0.9),
        ("validation", 1, 0.86),
        ("validation", 2, 0.88),
    ]


def test_a_panel_has_the_curves_of_every_backend_and_the_published_ones_once() -> None:
    """Whether two backends learn alike is seen in one panel; a picture of JAX alone would not say it."""
    rows = curves.panel(RECIPES["pooling-logits"], "final", {"jax": PHASE, "tensorflow": PHASE}, "accuracy")
    assert [sum(row["target"] == name for row in rows) for name in ("jax", "tensorflow", "published")] == [4, 4, 10]
    panels = chart("curves", published.one()).panels
    assert all({row["target"] for row in rows} >= {"jax", "tensorflow"} for _, rows in panels)


def test_the_published_curve_stands_behind_and_single_figures_are_not_joined() -> None:
    """A source that states a loss at two epochs drew no line between them."""
    phases = {"jax": PHASE}
    accuracy, loss = (
        [r for r in curves.panel(RECIPES["dense"], "validation", phases, metric) if r["series"] == "published"]
        for metric in ("accuracy", "loss")
    )
    assert len(accuracy) == 20
    assert all(row["joined"] for row in accuracy)
    assert [(row["epoch"], row["value"], row["joined"]) for row in loss] == [(5, 0.2918, False), (20, 0.7014, False)]


def test_a_chart_has_a_row_for_each_phase() -> None:
    """Loss beside accuracy, phase under phase."""
    phases = {"validation": PHASE, "final": PHASE}
    drawn = curves.chart(RECIPES["dense"], phases, target="jax", title="dense on jax").to_dict()
    titles = [panel["title"]["text"] for row in drawn["vconcat"] for panel in row["hconcat"]]
    assert titles == [
        f"{phase} phase: {metric}" for phase in ("validation", "final") for metric in ("loss", "accuracy")
    ]


def test_pictures_are_drawn_without_a_browser(tmp_path: Path) -> None:
    """SVG for documents, PNG for everywhere else; the title and what is drawn are in the SVG as text."""
    drawn = curves.chart(RECIPES["lstm"], {"final": PHASE}, target="jax", title="lstm on jax")
    svg, png = picture.write(drawn, tmp_path / "curves")
    assert "lstm on jax" in svg.read_text(encoding="utf-8")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["curves.png", "curves.svg"]


# The answer.


def test_the_forest_plot_has_all_work_on_one_axis_in_two_views() -> None:
    """A head above each kind of work, a line a recipe, coloured by who is told apart as the faster one."""
    rows = [
        answer(2.0, 1.5, 2.5),
        answer(0.5, 0.4, 0.6, recipe="lstm"),
        answer(1.1, 0.9, 1.3, phase="predict", batch_size=1),
        answer(1.2, 1.1, 1.3, view="best", path="compiled loop", rival_path="compiled loop"),
    ]
    found = chart("answers", published.one(answers=rows))
    assert [title for title, _ in found.panels] == ["As users call it", "Each backend by its fastest path"]
    assert [(row["line"], row["target"]) for row in found.rows if not row["head"]] == [
        ("train|dense", "jax"),
        ("train|lstm", "tensorflow"),
        ("predict 1 review|dense", "not told apart"),
        ("train|dense", "jax"),
    ]
    assert (found.frame.low, found.frame.high) == (0.4, 2.5)
    assert found.axis == "speed of JAX ÷ TensorFlow ¦ ← TensorFlow faster · JAX faster →"


def test_where_the_rival_is_faster_a_sentence_says_it() -> None:
    """By how many times, from the reciprocal of the ratio; what is not told apart is not claimed."""
    rows = [answer(0.5, 0.4, 0.6), answer(0.9, 0.7, 1.1, recipe="lstm"), answer(0.6, 0.5, 0.7, view="best")]
    said = sentences.answers(published.one(answers=rows, timings=[]))
    assert said == (
        "TensorFlow is faster, as users call it, at train (dense 2.0 times). "
        "TensorFlow is faster, each backend by its fastest path, at train (dense 1.7 times)."
    )
    nowhere = sentences.answers(published.one(answers=[answer(2.0, 1.5, 2.5)], timings=[]))
    assert nowhere == "TensorFlow is nowhere told apart as the faster one."


def test_a_first_epoch_counts_what_is_compiled() -> None:
    """Dense takes 49 steps of 512 reviews: JAX 3 s and 48 steps of 10 ms, TensorFlow 1 s and 48 of 20 ms."""
    fits = [row for row in published.one().timings if row.path == "fit"]
    first = {"jax-cpu": (3.0, 0.01), "tensorflow-cpu": (1.0, 0.02)}
    rows = [
        row.model_copy(update=dict(zip(("first_step_s", "seconds"), first[row.target], strict=True))) for row in fits
    ]
    said = sentences.answers(published.one(answers=[answer(2.0, 1.5, 2.5)], timings=rows))
    assert said.endswith("is shorter on TensorFlow for dense (2.0 s against 3.5).")


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (1.5, 1.1, 2.0, "jax-cpu"),
        (0.7, 0.5, 0.9, "tensorflow-cpu"),
        (1.0, 0.9, 1.1, None),
        (2.0, None, None, None),
    ],
)
def test_a_ratio_favours_one_where_its_interval_excludes_one(
    value: float, low: float | None, high: float | None, expected: str | None
) -> None:
    """The one rule for different."""
    assert favoured(answer(value, low, high)) == expected


def test_what_the_rival_does_sooner_at_start_up_is_said() -> None:
    """JAX builds in 2 s and TensorFlow in 0.5, whose import takes longer."""
    rows = [
        StartupRow(recipe="dense", target="jax-cpu", import_s=2.0, build_s=2.0),
        StartupRow(recipe="dense", target="tensorflow-cpu", import_s=4.0, build_s=0.5),
    ]
    said = sentences.answers(published.one(startup=rows, timings=[]))
    assert said.endswith("At start-up TensorFlow takes less time for build (dense 4.0 times).")


# Scales, intervals, colours.


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 1.1, {"low": 0.9, "high": 1.1, "cut_low": False, "cut_high": False}),
        (0.01, 1.1, {"low": 0.1, "high": 1.1, "cut_low": True, "cut_high": False}),
        (0.9, 50.0, {"low": 0.9, "high": 10.0, "cut_low": False, "cut_high": True}),
        (None, 1.1, {"low": 0.1, "high": 1.1, "cut_low": True, "cut_high": False}),
        (None, None, {"low": 1.0, "high": 1.0, "cut_low": False, "cut_high": False}),
    ],
)
def test_an_interval_that_is_cut_says_so(low: float | None, high: float | None, expected: dict[str, object]) -> None:
    """At a tenth and ten times of its value, or where it has no end; without both ends there is none."""
    assert intervals.ends(1.0, low, high) == expected


def test_a_chart_with_a_cut_interval_explains_its_arrow() -> None:
    """And one without has no note about arrows."""
    cut = chart("answers", published.one(answers=[answer(1.0, 0.01, 1.5)]))
    assert cut.sentence.endswith(intervals.NOTE)
    assert "arrow" not in chart("answers", published.one(answers=[answer(1.0, 0.9, 1.5)])).sentence


def test_panels_that_compare_have_one_scale() -> None:
    """From the least to the largest of all of them, intervals included."""
    slow = [row.model_copy(update={"recipe": "lstm", "p50_s": 1.0}) for row in published.one().timed("predict")]
    run = published.one()
    found = chart("latency", run.model_copy(update={"timings": [*run.timings, *slow]}))
    drawn = [found.draw(rows, title).to_dict() for title, rows in found.panels]
    domains = {tuple(layer["encoding"]["x"]["scale"]["domain"]) for panel in drawn for layer in panel["layer"]}
    assert domains == {(found.frame.low, found.frame.high)}
    assert found.frame.high >= 1e3


def test_the_latency_chart_shows_what_its_table_prints() -> None:
    """The median call, with the interval of the processes as a share of it."""
    run = published.one()
    rows = [
        row.model_copy(update={"p50_s": 0.006, "seconds": 0.004, "seconds_low": 0.002, "seconds_high": 0.008})
        for row in run.timed("predict")
    ]
    found = chart("latency", run.model_copy(update={"timings": rows})).rows[0]
    assert [found[end] for end in ("value", "low", "high")] == pytest.approx([6.0, 3.0, 12.0])


def test_no_other_colour_is_a_backend_s_in_either_theme() -> None:
    """A reader who learned that blue is JAX must not meet it as "same"."""
    taken = {theme.colour(name) for name in ("jax", "tensorflow")}
    taken |= {theme.DARK.get(colour, colour) for colour in taken}
    for colours in (verdicts.COLOURS, step.COLOURS):
        both = [tuple(shown) for shown in ([*colours.values()], [theme.DARK.get(c, c) for c in colours.values()])]
        assert not taken & {*both[0], *both[1]}
        assert all(len(set(shown)) == len(colours) for shown in both)


# History and time to accuracy.


def test_the_axis_of_a_history_is_in_order_where_a_level_changed() -> None:
    """Each layer has its own rows; the one of the changes must not put their run first."""
    runs = days({"jax-cpu": CHANGED, "tensorflow-cpu": STEADY})
    found = chart("history", published.one(), history.of_documents(runs))
    (panel,) = found.panels
    assert any(row["changed"] for row in panel[1])
    svg = vl_convert.vegalite_to_svg(found.draw(panel[1], panel[0]).to_dict())
    labels = re.findall(r">(\d\d-\d\d)<", svg)
    assert labels == sorted(labels)
    assert labels[0] == "07-01"


def test_the_history_counts_the_runs_of_its_own_machine() -> None:
    """Another machine's cells are in no chart of this one, so no sentence counts them."""
    runs = days({"jax-cpu": STEADY, "tensorflow-cpu": STEADY})
    others = days({"jax-cpu": CHANGED * 2, "tensorflow-cpu": CHANGED * 2}, cpu="Other CPU")
    said = chart("history", published.one(), history.of_documents([*runs, *others])).sentence
    assert "over 8 published runs of this machine" in said
    assert "0 of 2 changed" in said


def test_time_to_accuracy_says_by_which_path() -> None:
    """Four figures of one recipe without their paths tell nothing."""
    run = published.one()
    rows = [row.model_copy(update={"path": "compiled loop", "seconds": 0.5}) for row in run.time_to_accuracy]
    said = sentences.time_to_accuracy(run.model_copy(update={"time_to_accuracy": [*run.time_to_accuracy, *rows]}))
    assert "dense by fit JAX" in said
    assert ", by compiled loop JAX 0.500 s and TensorFlow 0.500 s" in said


def test_accuracy_against_seconds_has_a_panel_a_recipe_with_every_backend_and_path() -> None:
    """One chart instead of one for each path."""
    run = published.one()
    again = {name: [row.model_copy(update={"path": "compiled loop"}) for row in rows] for name, rows in _trained(run)}
    both = {name: [*rows, *again[name]] for name, rows in _trained(run)}
    (panel,) = chart("time_to_accuracy", run.model_copy(update=both)).panels
    assert panel[0] == "dense"
    assert {(row["target"], row["path"]) for row in panel[1]} == {
        (target, path) for target in ("jax", "tensorflow") for path in ("fit", "compiled loop")
    }


def _trained(run: RunDocument) -> list[tuple[str, list[object]]]:
    return [("curves", [*run.curves]), ("time_to_accuracy", [*run.time_to_accuracy])]
