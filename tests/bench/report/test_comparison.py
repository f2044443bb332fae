"""The report of a comparison, on the terminal and in Markdown, as golden files that are read before they are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.analysis.rows import ComparisonRow, CounterChangeRow
from bench.analysis.summary import Summary
from bench.exit_codes import ExitCode
from bench.records.schema import Cell, Record, RunHeader
from bench.records.store import Run
from bench.report import comparison, markdown
from bench.report import json as documents
from bench.report.tables import comparison as tables
from bench.report.tables.columns import change
from models.recipes import RECIPES
from tests.bench import made, published
from tests.bench.analysis.test_regression import CONTROLS, TIGHT, pair, timed
from tests.bench.report.test_terminal import fits, held, shown

TARGETS = [
    made.target("jax-cpu", versions={"jax": "1.0", "keras": version}).model_copy(update={"target": f"jax-cpu@{label}"})
    for label, version in (("base", "3.14"), ("head", "3.15"))
]


def run(*records: Record, **rule: object) -> Summary:
    """Return a comparison whose gate has a slower, a faster and, of the other tier, an open cell."""
    cells = [
        *pair([1.099, 1.1, 1.101]),
        *pair([1.101, 1.1, 1.099], first=3),
        *timed("base", [1.0] * 3, phase="predict", path="compiled resident"),
        *timed("head", [0.899, 0.9, 0.901], phase="predict", path="compiled resident"),
        *pair([0.9, 1.0, 1.2], path="fit"),
        *timed("base again", TIGHT),
        *timed("base +10% work", [1.099, 1.1, 1.101]),
    ]
    counters = [
        record
        for label, value, calls in (("base", 3.0, 1.0), ("head", 4.0, 21.0))
        for record in (
            made.counters(
                made.cell("train", "compiled step", target=f"jax-cpu@{label}"),
                compilations=value,
                program_bytes=1_000 + value,
            ),
            called(made.cell(target=f"jax-cpu@{label}"), calls),
            called(made.cell("predict", "predict", target=f"jax-cpu@{label}"), calls),
        )
    ]
    header = made.header(profile="gate", run_id="20260731T120000Z-gate")
    deciding = [*made.comparison().deciding, made.deciding("train", "fit", tier="called", margin=0.05)]
    rule = {"controls": CONTROLS, "deciding": deciding, **rule}
    return summary(made.comparison(**rule), *TARGETS, *cells, *counters, *records, header=header)


def called(cell: Cell, calls: float) -> Record:
    """Return what was counted of a cell that calls one function so often, and another one half as often."""
    functions = {"keras.src.callbacks.callback_list.CallbackList.on_train_batch_end": calls, "other": calls / 2}
    counted = made.counters(cell, python_calls=100 + 1.5 * calls)
    return counted.model_copy(update={"functions": functions})


def summary(*records: Record, header: RunHeader | None = None) -> Summary:
    """Return the summary of a comparison's records."""
    return Summary(Run(Path("made"), header or made.header(), (*records, made.finished())), ())


@pytest.mark.parametrize("width", [80, 200])
def test_a_comparison_reads_as_its_golden_file(width: int) -> None:
    """Sides, cells of both tiers, counters, controls, the decision."""
    held(f"comparison-{width}.txt", shown(comparison.render(run()), width))


def test_the_summary_for_a_pull_request_reads_as_its_golden_file() -> None:
    """The decision first, what is loud next, everything else folded."""
    held("comparison.md", markdown.pull_request(run()))


def told(*records: Record, **rule: object) -> str:
    """Return the words of a gate of these records, without its line breaks."""
    return " ".join(shown(comparison.render(summary(made.comparison(**rule), *records))).split())


def test_an_open_cell_says_what_would_settle_it() -> None:
    """More processes, where that many can be projected; nothing of it where the cell is decided."""
    near, far = (pair([1 / scatter, 1.0, scatter]) for scatter in (1.015, 1.06))
    assert "--replicates 4" in told(*near)
    assert "--replicates" in told(*far)
    assert "--replicates" not in told(*pair(TIGHT))
    assert "3 to 6 processes of each" in told(*near, replicates=6)


def test_what_a_record_says_is_escaped() -> None:
    """A failure's words come from a framework, a side's from a branch: neither may be markup."""
    failure = made.failure(work="<img src=x onerror=alert(1)>|\n# big")
    text = markdown.pull_request(run(failure, sides={"base": "<b>", "head": "a|b"}))
    assert "<img" not in text
    assert "&lt;img" in text
    assert "a\\|b" in text
    assert "\n# big" not in text


def test_a_void_gate_says_so_first() -> None:
    """Nothing else in it can be believed."""
    broken = summary(made.comparison(controls=CONTROLS), *pair(TIGHT))
    assert "VOID" in shown(comparison.render(broken))
    assert markdown.pull_request(broken).startswith("## kerasmark: VOID")


def test_a_gate_that_was_resumed_says_when() -> None:
    """As a run does: its rounds may lie hours apart."""
    resumed = summary(made.comparison(), *pair(TIGHT), made.resumed())
    assert "resumed at 2026-08-01T09:30:00+00:00" in shown(comparison.render(resumed))


def test_a_gate_that_compared_nothing_says_so() -> None:
    nothing = summary(made.comparison(), made.failure())
    assert "none was compared" in shown(comparison.render(nothing))
    assert "it was killed" in shown(comparison.render(nothing))


def test_programs_get_all_of_it() -> None:
    """Cells with their ratios, counters, controls and the exit status, without infinities."""
    found = json.loads(documents.render(run(), ExitCode.REGRESSION))
    cells = [cell for cell in found["comparisons"] if cell["control"] is None]
    assert [cell["answer"] for cell in cells] == ["slower", "faster", "unresolved"]
    assert cells[0]["confirmed"] == pytest.approx(1.1)
    assert found["counter_changes"][0] | {"cell": 0} == {
        "cell": 0,
        "counter": "compilations",
        "before": 3.0,
        "after": 4.0,
        "decides": True,
        "functions": [],
    }
    assert (found["void"], found["exit_code"]) == (False, 1)


@pytest.mark.parametrize(
    ("value", "words"), [(1.0512, "+5.1%"), (0.9, "-10.0%"), (2.0, "2.0×"), (12.34, "12×"), (float("inf"), "—")]
)
def test_a_ratio_in_words(value: float, words: str) -> None:
    """A percentage up to twice, then times."""
    assert change(value) == words


def test_a_gate_of_every_recipe_on_both_backends_fits_80_columns() -> None:
    """The longest names and the widest numbers there are."""
    answers = ("slower", "faster", "same", "unresolved")
    cells = [
        made.cell(phase, path, recipe=recipe, target=f"{target}@head")
        for recipe in RECIPES
        for phase, path in (("train", "compiled step"), ("predict", "compiled resident"))
        for target in ("jax-cpu", "tensorflow-cpu")
    ]
    wide = {"ratio": 0.876, "ratio_low": 0.654, "ratio_high": 1.234, "min_detectable": 1.234, "reason": ""}
    rows = [
        ComparisonRow(**cell.model_dump(), **wide, answer=answers[number % 4], decides=True)  # type: ignore[arg-type]
        for number, cell in enumerate(cells)
    ]
    known = {"control": "extra work", "passed": True, "remeasured": True, "decides": False}
    document = published.compared().model_copy(
        update={
            "comparisons": [*rows, *[row.model_copy(update=known) for row in rows]],
            "counter_changes": [
                CounterChangeRow(cell=cell.name, counter="program_temporary_bytes", before=123456789, after=1)
                for cell in cells
            ],
        }
    )
    for make in (tables.gate_cells, tables.controls, tables.counter_changes):
        fits(make(document))
