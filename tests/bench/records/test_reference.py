"""Tests of the reference: its file, the figures in a training, and their distribution over seeds."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bench.records import reference
from bench.records.reference import Distribution
from bench.records.schema import PhaseResult
from models.recipes import DENSE, Recipe
from tests.bench import made

RESULT = made.result({"val_accuracy": [0.8, 0.9, 0.85]}, accuracy=0.87, loss=0.31, epoch_s=[1.0] * 3)


def test_each_corpus_has_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthetic reviews are never compared with the distribution of the IMDB's."""
    monkeypatch.setattr(reference, "FOLDER", Path("/made"))
    assert reference.path("imdb") == Path("/made/imdb.jsonl")
    assert reference.path("synthetic") == Path("/made/synthetic.jsonl")


def test_a_users_references_lie_beside_their_file_and_are_those_of_its_present_code(tmp_path: Path) -> None:
    """A band of another version of the model would fail this one, or pass it, for no reason."""
    mine = replace(Recipe.own("mine"), file=str(tmp_path / "recipes.py"), digest="now")
    file = reference.file_of(mine, "imdb")
    assert file == tmp_path / "recipes.reference.jsonl"
    assert reference.file_of(DENSE, "imdb") == reference.path("imdb")
    kept = made.reference(0, recipe="mine").model_copy(update={"digest": "now", "corpus_digest": "own"})
    others = [{"digest": "before"}, {"recipe": "other"}, {"corpus_digest": "of other reviews"}]
    for record in (kept, *(kept.model_copy(update=change) for change in others)):
        reference.append(file, record)
    assert reference.of_users([mine, DENSE], made.DIGEST) == [kept]


def test_no_file_is_no_reference(tmp_path: Path) -> None:
    """A corpus without a measured distribution leaves checks unresolved: it breaks no run."""
    assert reference.load(tmp_path / "imdb.jsonl") == []


def test_trainings_are_read_as_they_were_added(tmp_path: Path) -> None:
    """One at a time, in whole lines, into a folder that may not be there yet."""
    file, records = tmp_path / "reference" / "imdb.jsonl", [made.reference(seed) for seed in range(3)]
    for count, record in enumerate(records, start=1):
        reference.append(file, record)
        assert reference.load(file) == records[:count]
        assert file.read_bytes().count(b"\n") == count
        assert file.read_bytes().endswith(b"\n")


def test_a_line_that_is_no_training_is_refused(tmp_path: Path) -> None:
    """Dropping it would narrow the band unseen."""
    file = tmp_path / "imdb.jsonl"
    reference.append(file, made.reference(0))
    file.write_text(file.read_text() + made.failure().model_dump_json() + "\n")
    with pytest.raises(ValidationError):
        reference.load(file)


@pytest.mark.parametrize(
    ("metric", "epoch", "expected"),
    [
        ("test_accuracy", None, 0.87),
        ("test_loss", None, 0.31),
        ("best_val_accuracy", None, 0.9),
        ("val_accuracy", None, 0.85),
        ("val_accuracy", 1, 0.8),
        ("val_accuracy", 3, 0.85),
        ("val_accuracy", 4, None),
        ("val_accuracy", 0, None),
        ("val_loss", 1, None),
        ("val_loss", None, None),
    ],
)
def test_a_figure_is_read_after_the_phase_at_an_epoch_or_as_the_best(
    metric: str, epoch: int | None, expected: float | None
) -> None:
    """Epochs count from 1; one that was not reached has no figure, and never a neighbour's."""
    assert reference.figure(RESULT, metric, epoch) == expected


def test_the_best_of_an_empty_curve_is_none() -> None:
    """A phase that was cut before its first epoch has no best one."""
    assert reference.figure(made.result({"val_accuracy": []}), "best_val_accuracy", None) is None


def test_a_distribution_is_of_one_recipe_and_backend() -> None:
    """Recipes and backends scatter differently: none is mixed with another."""

    def seeds(start: float, **changes: str) -> list[reference.ReferenceRecord]:
        return [made.reference(s, final=made.result(accuracy=start + s / 100), **changes) for s in range(3)]

    records = [*seeds(0.1), *seeds(0.3, backend="tensorflow"), *seeds(0.5, recipe="lstm")]
    found = reference.distribution(
        records, recipe="dense", backend="tensorflow", phase="final", metric="test_accuracy", epoch=None
    )
    assert found is not None
    assert found.values == pytest.approx((0.30, 0.31, 0.32))


def test_a_distributions_mean_and_deviation_are_the_samples() -> None:
    """2, 4, 6: mean 4, sample deviation sqrt(8 / 2) = 2."""
    found = Distribution((2.0, 4.0, 6.0))
    assert (found.mean, found.deviation) == (4.0, 2.0)
    assert Distribution((0.875, 0.885) * 10).deviation == pytest.approx(0.005 * math.sqrt(20 / 19))


@pytest.mark.parametrize(
    ("results", "phase"),
    [
        ([], "final"),
        ([made.result()] * 2, "final"),
        ([made.result()] * 3, "validation"),
        ([made.result({"val_accuracy": [0.8]})] + [made.result()] * 3, "final"),
    ],
    ids=["none", "two seeds", "another phase", "one seed reached it"],
)
def test_fewer_than_three_seeds_are_no_distribution(results: list[PhaseResult], phase: str) -> None:
    """Two values make a band so wide that nothing could miss it."""
    records = [made.reference(seed, final=result) for seed, result in enumerate(results)]
    metric = "val_accuracy" if any(result.curves for result in results) else "test_accuracy"
    found = reference.distribution(records, recipe="dense", backend="jax", phase=phase, metric=metric, epoch=None)
    assert found is None


def test_every_published_figure_of_a_measured_recipe_has_a_row_for_each_backend() -> None:
    """What decides can be read: the figure, its mean and its scatter, beside what was published."""
    from models.recipes import DENSE, LSTM

    records = [seed for backend in ("jax", "tensorflow") for seed in made.references(backend=backend)]
    rows = reference.rows(records, [DENSE, LSTM])
    assert [(row.backend, row.metric, row.published) for row in rows] == [
        ("jax", "test_accuracy", 0.8787),
        ("tensorflow", "test_accuracy", 0.8787),
        ("jax", "test_loss", 0.3110),
        ("tensorflow", "test_loss", 0.3110),
    ]
    assert {len(row.measured.values) for row in rows} == {20}
