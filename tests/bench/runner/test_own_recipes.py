"""Runs of a user's model and of variations, by made workers: from the record to every report and the published page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench import exit_codes
from bench.analysis.history import of_documents
from bench.analysis.rows import RunDocument, TimingRow
from bench.analysis.summary import Summary
from bench.exit_codes import ExitCode
from bench.plan.steps import PROFILES
from bench.records.schema import TrainingRecord
from bench.records.store import Run
from bench.report import exports, terminal
from bench.report.page import published, site
from datasets.errors import ExpectedError
from models.recipes import DENSE, POOLING_LOGITS, Phase
from models.variations import find
from tests.bench import made
from tests.bench.runner.test_run import World, order, same_packages, world  # noqa: F401

MINE = replace(
    POOLING_LOGITS,
    name="mine",
    family="own",
    file="/somewhere/of/a/user/mine.py",
    published=(),
    phases=(Phase("final", epochs=1, batch_size=32),),
)
STOCK = find("pooling-logits embedding=keras epochs=1")
WIDE = find("dense units=32 epochs=1")
EVERY = [MINE, STOCK, WIDE, DENSE]


@pytest.fixture
def done(world: Callable[..., World]) -> Run:  # noqa: F811
    """A default run of a user's model, of two variations and of one of the suite's, three processes of each target."""
    profile = replace(PROFILES["default"], replicates=3)
    return world().execute(order(recipes=EVERY, profile=profile))


def document(done: Run) -> RunDocument:
    return published.of_document(Summary(done, ()).document)


def timed(done: Run, recipe: str, phase: str = "train") -> dict[tuple[str, str], TimingRow]:
    """Return the rows of a recipe in a phase, predictions of one review alone, by path and target."""
    rows = [row for row in Summary(done, ()).timing_rows if (row.recipe, row.phase) == (recipe, phase)]
    return {(row.path, row.target): row for row in rows if phase != "predict" or row.batch_size == 1}


def test_a_record_has_the_recipes_that_are_not_the_suites(done: Run) -> None:
    """Whoever reads it years later knows what was trained; where the user's file lay is nobody's business."""
    assert [recipe.name for recipe in done.header.recipes] == ["mine", STOCK.name, WIDE.name]
    assert done.header.recipes[0] == replace(MINE, file="mine.py")
    assert done.header.recipes[2] == WIDE
    assert "/somewhere" not in (done.folder / "records.jsonl").read_text()


def test_every_table_has_the_suites_recipes_first(done: Run) -> None:
    """Then the others, as the command named them; the rows of a recipe stand together."""
    rows = Summary(done, ()).timing_rows
    for phase in ("train", "predict", "vectorize"):
        names = [row.recipe for row in rows if row.phase == phase]
        assert list(dict.fromkeys(names)) == ["dense", "mine", STOCK.name, WIDE.name]
        assert sorted(names, key=["dense", "mine", STOCK.name, WIDE.name].index) == names


@pytest.mark.parametrize("recipe", ["mine", STOCK.name])
def test_without_a_floor_the_share_is_that_of_the_fastest_path(done: Run, recipe: str) -> None:
    """Every made block takes as long as any other, so that each share is one, and its row says of what."""
    rows = timed(done, recipe)
    assert {path for path, _ in rows} == {"fit", "compiled loop"}
    assert [row.floor_share for row in rows.values()] == pytest.approx([1.0] * len(rows))
    for target in ("jax-cpu", "tensorflow-cpu"):
        (of,) = {row.share_of for (_, where), row in rows.items() if where == target}
        assert of in ("fit", "compiled loop")
    assert {path for path, _ in timed(done, recipe, "predict")} == {"predict", "predict_on_batch", "compiled"}
    assert {row.share_of for row in timed(done, recipe, "vectorize").values()} == {"floor"}


@pytest.mark.parametrize("recipe", ["dense", WIDE.name])
def test_a_variation_that_the_floors_know_has_one(done: Run, recipe: str) -> None:
    """Other units are the same arithmetic: its share compares with that of its recipe."""
    rows = timed(done, recipe)
    assert ("floor", "jax-cpu") in rows
    assert {row.share_of for row in rows.values()} == {"floor"}


def test_the_share_of_the_fastest_path_is_in_no_history(done: Run) -> None:
    """In the next run another path may be the fastest, which would be shown as a change of all others."""
    whole = document(done).model_copy(update={"accuracy": []})  # a made worker trains one epoch, dense four
    told = {history.of.recipe for history in of_documents([whole]) if history.of.phase == "train"}
    assert told == {"dense", WIDE.name}


def test_an_accuracy_that_nothing_is_published_of_is_shown_and_spoils_nothing(done: Run) -> None:
    """It decides nothing, and the run ends as if it were not there: here the suite's own lacks reference seeds."""
    summary = Summary(done, ())
    own = [row for row in summary.accuracy if row.recipe != "dense"]
    assert [(row.recipe, row.figure, row.measured, row.decides) for row in own if row.target == "jax-cpu"] == [
        (name, "test accuracy", 0.88, False) for name in ("mine", STOCK.name, WIDE.name)
    ]
    assert summary.unjudged == ["mine", STOCK.name, WIDE.name]
    assert not [row for row in summary.time_to_accuracy if row.recipe != "dense"]
    assert not [one for one in summary.verdicts if one.rule == "accuracy" and one.recipe != "dense"]


def test_a_run_of_a_user_s_model_alone_holds(world: Callable[..., World]) -> None:  # noqa: F811
    """With both backends, and with one, where not even parity is judged."""
    for targets in (order().targets, order().targets[:1]):
        summary = Summary(world().execute(order(recipes=[MINE], targets=targets)), ())
        code = exit_codes.of_run(summary.verdicts, measured=summary.measured, unjudged=bool(summary.unjudged))
        assert code == ExitCode.HELD
    assert exit_codes.of_run([], measured=1) == ExitCode.UNRESOLVED


@pytest.mark.parametrize(("mean", "answer"), [(0.88, "passed"), (0.95, "failed")])
def test_reference_seeds_decide_where_there_are_any(done: Run, mean: float, answer: str) -> None:
    """A figure that somebody measured over seeds is one to compare with, published or not."""
    seeds = [
        one for backend in ("jax", "tensorflow") for one in made.references(mean=mean, recipe="mine", backend=backend)
    ]
    summary = Summary(done, tuple(seeds))
    assert {(row.decides, row.answer) for row in summary.accuracy if row.recipe == "mine"} == {(True, answer)}
    assert "mine" not in summary.unjudged


def test_the_first_line_says_what_was_not_judged(done: Run) -> None:
    """A reader who sees "passed" must not take it for their own model."""
    said = shown(terminal.answer(Summary(done, tuple(made.references()))))
    assert f"mine, {STOCK.name} and {WIDE.name} was not judged" in " ".join(said.split())


def test_every_report_has_such_a_run(done: Run, tmp_path: Path) -> None:
    """Terminal, Markdown, CSV, JSON, page and exports; the tables say of what a share is."""
    summary = Summary(done, ())
    text = " ".join(shown(terminal.render(summary, every=True)).split())
    note = f"floor of mine, {STOCK.name}: none is written, so it is the share of the speed of the recipe's fastest path"
    assert note in text
    assert f"mine, {STOCK.name}, {WIDE.name}: nothing is published and no reference seeds are known" in text
    site.publish(tmp_path / "results", [document(done)])
    (page,) = (tmp_path / "results").glob("*/*.md")
    assert "recipe's fastest path" in page.read_text(encoding="utf-8")
    assert (tmp_path / "results" / "index.html").exists()
    for render in exports.FORMATS.values():
        assert render(summary)


@pytest.mark.usefixtures("same_packages")
def test_another_recipe_of_the_same_name_resumes_nothing(world: Callable[..., World]) -> None:  # noqa: F811
    """Half of the records would be of another model."""
    done = world().execute(order(recipes=[MINE]))
    assert world().execute(order(recipes=[replace(MINE, file="/elsewhere/mine.py")], resumed=done)).finished
    changed = replace(MINE, embedding_units=32)
    with pytest.raises(ExpectedError, match="mine changed since"):
        world().execute(order(recipes=[changed], resumed=done))


def test_a_training_is_complete_without_a_published_schedule(done: Run) -> None:
    """A profile that cuts a recipe short cuts its variations; a user's model runs as its file says."""
    trained = {
        r.recipe: {n: len(p.epoch_s) for n, p in r.phases.items()}
        for r in done.records
        if isinstance(r, TrainingRecord)
    }
    assert set(trained[WIDE.name]) == set(trained["dense"]) == {"validation", "final"}
    assert set(trained["mine"]) == {"final"}


def shown(part: Any) -> str:
    """Return what a terminal of 120 columns shows."""
    into = StringIO()
    Console(file=into, width=120).print(part)
    return into.getvalue()


def test_a_training_that_fit_did_instead_says_why(done: Run) -> None:
    """The compiled loop does not drive every model; what trained it is no secret, and no failure."""
    records = [
        record.model_copy(
            update={"phases": {"final": record.phases["final"].model_copy(update={"fell_back": "a Lambda"})}}
        )
        if isinstance(record, TrainingRecord) and record.recipe == "mine"
        else record
        for record in done.records
    ]
    summary = Summary(replace(done, records=records), ())
    assert {(row.recipe, row.reason) for row in summary.document.unsupported} == {
        ("mine", "a Lambda; fit trained (final)")
    }
    assert len(summary.document.unsupported) == 2  # on each backend
    assert not summary.failures
