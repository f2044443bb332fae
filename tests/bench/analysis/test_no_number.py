"""What is no number: a diverged training, a missing figure, a slope of nothing; none of them passes or hides."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.analysis import accuracy, stats
from bench.plan.steps import ParityCheck
from bench.plan.targets import Target
from bench.protocol import decode
from bench.records import reference, store
from bench.records.store import RunWriter
from bench.report.tables.columns import significant, spread
from bench.runner import session
from models.recipes import DENSE, LSTM, POOLING_DROPOUT
from tests.bench import made

NAN = math.nan


def parity_of(first: list[float], second: list[float], losses: tuple[float, float]) -> accuracy.Verdict:
    """Judge two targets' predictions and one loss each."""
    step = ParityCheck(DENSE, (Target("jax"), Target("tensorflow")))
    answers = [session.Outputs(predictions=p, losses=[loss]) for p, loss in zip((first, second), losses, strict=True)]
    return accuracy.parity(session._parity(step, *answers))


def test_a_diverged_training_leaves_a_run_readable(tmp_path: Path) -> None:
    """NaN goes to disk and comes back: hours of measuring do not end in an unreadable file."""
    writer = RunWriter(tmp_path / "run")
    writer.append(made.header())
    writer.append(made.training(final=made.result({"val_loss": [NAN]}, loss=NAN)))
    writer.close()
    (record,) = store.read(tmp_path / "run").records
    assert record.kind == "training"
    assert record.phases["final"].test_loss is not None
    assert math.isnan(record.phases["final"].test_loss)


@pytest.mark.parametrize(("predictions", "losses"), [([0.5, NAN], (0.5, 0.5)), ([0.5, 0.5], (0.5, NAN))])
def test_nan_is_within_no_tolerance(predictions: list[float], losses: tuple[float, float]) -> None:
    """A maximum may pass NaN over; a verdict may not."""
    assert parity_of([0.5, 0.5], predictions, losses).answer == "failed"


def test_equal_losses_of_zero_are_equal() -> None:
    """A relative difference of nothing to nothing is nothing."""
    assert parity_of([0.5], [0.5], (0.0, 0.0)).answer == "passed"


def test_an_accuracy_of_nan_fails() -> None:
    """Both comparisons with a band are false for NaN: it must not slip through between them."""
    (verdict, *_) = accuracy.accuracy(
        DENSE,
        "jax-cpu",
        "jax",
        trained=[made.training(final=made.result(epoch_s=[1.0] * 4, accuracy=NAN))],
        epochs={"final": 4},
        corpus="imdb",
        references=made.references(),
    )
    assert (verdict.answer, verdict.decides) == ("failed", True)


@pytest.mark.parametrize("phases", [{"final": made.result()}, {}], ids=["no curve", "no phase"])
def test_a_deciding_figure_that_was_not_measured_fails(phases: dict[str, object]) -> None:
    """Not run is never not asked."""
    record = made.training("lstm").model_copy(update={"phases": phases})
    found = accuracy.accuracy(
        LSTM, "jax-cpu", "jax", trained=[record], epochs={"final": 10}, corpus="imdb", references=[]
    )
    assert [(c.answer, c.decides) for c in found if c.decides] == [("failed", True)]


def test_a_record_of_another_schema_is_refused(tmp_path: Path) -> None:
    """Fields may have changed their meaning: reading on would be guessing."""
    (tmp_path / "records.jsonl").write_text(
        made.header().model_dump_json().replace('"schema_version":3', '"schema_version":99') + "\n"
    )
    with pytest.raises(store.StoreError, match="schema 3"):
        store.read(tmp_path)


@pytest.mark.parametrize("seconds", [-0.001, 0.0])
def test_a_slope_of_nothing_gives_no_rate_and_no_spread(seconds: float) -> None:
    """Two equal blocks on a noisy machine say that the step was too short to see, not that it is infinitely fast."""
    step = stats.median([seconds] * 6)
    assert significant(step.inverted(512).value) == "—"
    assert spread(step.value, step.low, step.high) == "±?"


def test_a_cut_line_of_an_interrupted_collection_is_dropped(tmp_path: Path) -> None:
    """The next training starts on a line of its own."""
    file = tmp_path / "imdb.jsonl"
    reference.append(file, made.reference(0))
    with file.open("a") as lines:
        lines.write('{"kind":"refer')
    assert len(reference.load(file)) == 1
    reference.append(file, made.reference(1))
    assert [record.seed for record in reference.load(file)] == [0, 1]


@pytest.mark.parametrize("line", [b'{"kind": []}\n', b"[" * 100_000, b"null\n"], ids=["list", "deep", "null"])
def test_a_line_that_is_no_message_is_a_value_error(line: bytes) -> None:
    """A babbling worker is ended; it does not end the session."""
    with pytest.raises(ValueError, match="expected a message"):
        decode(line)


@pytest.mark.parametrize(("value", "text"), [(9.999, "10.0"), (99.96, "100"), (0.9996, "1.00"), (1234.5, "1,230")])
def test_rounding_up_keeps_three_figures(value: float, text: str) -> None:
    """A fourth figure claims what was not measured."""
    assert significant(value) == text


def test_a_written_file_may_be_read_by_others(tmp_path: Path) -> None:
    """A published table has the permissions of any new file, and nothing unfinished lies beside it."""
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    store.write_atomically(tmp_path / "table.md", b"x")
    assert (tmp_path / "table.md").stat().st_mode == plain.stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "table.md"]


def test_time_to_accuracy_aims_at_the_best_published_value() -> None:
    """pooling-dropout publishes the maximum of its curve, .8909, beside the last value, .8899."""
    assert POOLING_DROPOUT.target_accuracy == pytest.approx(0.99 * 0.8909)
