"""Tests of the sweep: which variations are trained, when a difference is called one, and what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.analysis.stats import Estimate
from bench.cli import arguments
from bench.records.schema import ReferenceRecord
from bench.report import training as report
from bench.report.charts import spread
from bench.runner.training import sweep
from models.recipes import DENSE, LSTM, Recipe
from models.variations import find
from tests.bench import made
from tests.bench.report.test_terminal import held, shown

ADAM = find("dense optimizer=adam")


def trained(recipe: str, *accuracies: float, backend: str = "jax") -> list[ReferenceRecord]:
    """Return a training for each accuracy: 0.95 at the end of training, the first epoch slow."""
    curves = {"accuracy": [0.8, 0.95], "val_accuracy": [0.87, 0.86]}
    return [
        made.reference(
            seed,
            final=made.result(curves, epoch_s=[9.0, 2.0], accuracy=accuracy),
            recipe=recipe,
            backend=backend,
        )
        for seed, accuracy in enumerate(accuracies)
    ]


def rows(*groups: Sequence[ReferenceRecord]) -> list[sweep.Row]:
    """Return the rows of dense and its Adam."""
    return sweep.rows([DENSE, ADAM], [record for group in groups for record in group])


def test_the_base_comes_first_and_what_changes_nothing_is_the_base() -> None:
    """Dense is trained by RMSprop with 16 units: that corner of the grid is not trained again under another name."""
    found = sweep.recipes(DENSE, {"optimizer": ["rmsprop", "adam"], "units": ["16", "32"]})
    assert [one.name for one in found] == [
        "dense",
        "dense optimizer=rmsprop units=32",
        "dense optimizer=adam units=16",
        "dense optimizer=adam units=32",
    ]


def test_variations_by_name_stand_beside_the_grid() -> None:
    """Each once, whatever leads to it."""
    found = sweep.recipes(LSTM, {"lstm_layers": ["1", "2"]}, [find("lstm-stacked"), find("lstm-rare-words")])
    assert [one.name for one in found] == ["lstm", "lstm lstm_layers=2", "lstm skip_top=50"]


def test_a_difference_beyond_the_seeds_is_called_one() -> None:
    """Three seeds each, a thousandth apart, two hundredths between them."""
    base, other = rows(trained("dense", 0.880, 0.881, 0.882), trained(ADAM.name, 0.860, 0.861, 0.862))
    assert (base.answer, base.difference) == (None, None)
    assert other.answer == "worse"
    assert other.difference == pytest.approx(-0.02)


def test_what_should_fall_is_better_where_it_falls() -> None:
    """Of a user's model its own metric decides, by its direction."""
    base, other = Recipe.own("mine", metric="loss", direction="min"), Recipe.own("mine epochs=2", metric="loss")
    other = replace(other, direction="min")
    every = [
        made.reference(seed, final=made.result({"loss": [0.5]}, loss=start + seed / 1_000), recipe=recipe.name)
        for recipe, start in ((base, 0.5), (other, 0.4))
        for seed in range(3)
    ]
    first, second = sweep.rows([base, other], every)
    assert (first.mean, second.answer) == (pytest.approx(0.501), "better")


def test_a_difference_within_the_seeds_is_none() -> None:
    """The means differ by less than the seeds do."""
    _, other = rows(trained("dense", 0.87, 0.88, 0.89), trained(ADAM.name, 0.872, 0.885, 0.89))
    assert other.answer == "no difference seen"


def test_two_seeds_are_too_few() -> None:
    """However far apart: two trainings show no difference."""
    _, other = rows(trained("dense", 0.88, 0.88), trained(ADAM.name, 0.5, 0.5))
    assert other.answer == "too few seeds"


def test_many_variations_are_corrected_for() -> None:
    """One that would be called better alone is not, as one of twenty that look alike."""
    names = [f"dense units={number}" for number in range(2, 22)]
    chosen = [DENSE, *map(find, names)]
    base = trained("dense", 0.879, 0.880, 0.881)
    lucky = trained(names[0], 0.8815, 0.8825, 0.8835)
    rest = [record for name in names[1:] for record in trained(name, 0.879, 0.880, 0.881)]
    alone = sweep.rows(chosen[:2], [*base, *lucky])
    among = sweep.rows(chosen, [*base, *lucky, *rest])
    assert alone[1].answer == "better"
    assert among[1].answer == "no difference seen"


def test_a_row_says_how_far_it_overfits() -> None:
    """Training accuracy at the end minus test accuracy; the best validation accuracy of each seed."""
    (row,) = sweep.rows([DENSE], trained("dense", 0.87, 0.89))
    assert row.gap == pytest.approx(0.07)
    assert row.best == (0.87, 0.87)


def test_backends_are_held_apart() -> None:
    """A variation is compared with the base on its own backend."""
    here = [*trained("dense", 0.88, 0.88, 0.88), *trained(ADAM.name, 0.87, 0.87, 0.88)]
    there = [*trained("dense", 0.5, 0.5, 0.5, backend="tensorflow")]
    assert [(row.backend, row.recipe.name) for row in rows(here, there)] == [
        ("jax", "dense"),
        ("jax", ADAM.name),
        ("tensorflow", "dense"),
    ]


def test_the_table_reads_as_its_golden_file() -> None:
    """A better one, a worse one, one that cannot be told, one with too few seeds."""
    names = ["dense optimizer=adam", "dense optimizer=sgd", "dense units=32", "dense units=4"]
    records = [
        *trained("dense", 0.880, 0.881, 0.882),
        *trained(names[0], 0.900, 0.901, 0.902),
        *trained(names[1], 0.860, 0.861, 0.862),
        *trained(names[2], 0.880, 0.881, 0.883),
        *trained(names[3], 0.870),
    ]
    ratios = {
        ("optimizer=adam", "jax", "train"): Estimate(1.5, 1.45, 1.56, 3),
        ("optimizer=adam", "jax", "predict"): Estimate(1.01, 0.97, 1.04, 3),
    }
    found = sweep.rows([DENSE, *map(find, names)], records, ratios)
    held("sweep.txt", shown(report.render_sweep(found)))
    held("sweep.md", report.sweep_page(found, records, title="dense", command="bench sweep dense", picture="dense"))


def test_nothing_trained_is_said() -> None:
    """An empty file is no table."""
    assert "nothing was trained yet" in shown(report.render_sweep([]))


def test_a_page_and_a_chart_are_written_beside_the_trainings(tmp_path: Path) -> None:
    """One page, a picture for each backend."""
    records = trained("dense", 0.88, 0.881, 0.882)
    found = report.write_sweep(sweep.rows([DENSE], records), records, tmp_path / "dense.jsonl", "bench sweep dense")
    assert [file.name for file in found] == ["dense.md", "dense-jax.svg", "dense-jax.png"]
    assert all(file.stat().st_size for file in found)


def test_the_chart_has_a_dot_for_each_seed() -> None:
    """Three seeds of two variations: six points, and their means."""
    found = rows(trained("dense", 0.880, 0.881, 0.882), trained(ADAM.name, 0.860, 0.861, 0.862))
    drawn = spread.chart(found, title="dense").to_dict()
    _, dots, means = drawn["layer"]
    points = drawn["datasets"][dots["data"]["name"]]
    assert dots["data"] == means["data"]
    assert sorted(point["accuracy"] for point in points) == [0.860, 0.861, 0.862, 0.880, 0.881, 0.882]
    assert {point["variation"] for point in points} == {"as published", "optimizer=adam"}


@pytest.mark.parametrize("word", ["units", "units=", "=3"])
def test_a_grid_that_means_nothing_is_refused(word: str) -> None:
    """What was expected, and what came."""
    with pytest.raises(arguments.UsageError, match="--over takes SETTING=VALUE,VALUE"):
        arguments.grid([word])


def test_a_grid_is_read_from_words() -> None:
    """One setting a word, its values with commas."""
    assert arguments.grid(["units=16,32", "optimizer=adam"]) == {"units": ["16", "32"], "optimizer": ["adam"]}


def test_the_same_sweep_goes_on_in_the_same_file() -> None:
    """The name follows from what is varied."""
    over = {"optimizer": ["adam"], "units": ["4"]}
    assert sweep.default_file(DENSE, over, ["lstm-stacked"]).name == "dense-optimizer-units-lstm-stacked.jsonl"
