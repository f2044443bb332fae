"""The terminal report, against golden files: what a person sees in 80 columns, with and without a reference."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from bench import ROOT
from bench.analysis.rows import AnswerRow, RunDocument
from bench.analysis.summary import Summary
from bench.cli.results.runs import runs
from bench.plan.steps import BASELINES, PROFILES
from bench.records.schema import ParityRecord, Record, RunHeader, Sample, TimingRecord
from bench.records.store import Run
from bench.report import terminal
from bench.report.tables import every, lists, quality, speed, words
from bench.report.tables.columns import Table
from models.recipes import RECIPES
from tests.bench import made, written

GOLDEN = Path(__file__).parents[1] / "golden"


def shown(renderable: object, width: int = 80) -> str:
    """Return what a pipe of this width would get, without blanks at the ends of lines."""
    screen = io.StringIO()
    Console(file=screen, width=width, highlight=False).print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in screen.getvalue().splitlines())


def summary(records: Sequence[Record], *, known: bool = True) -> Summary:
    """Return the summary of made records, held against made reference seeds or none."""
    header, *rest = records
    assert isinstance(header, RunHeader)
    seeds = [seed for backend in ("jax", "tensorflow") for seed in made.references(backend=backend)]
    return Summary(Run(Path("made"), header, (*rest, made.finished())), tuple(seeds) if known else ())


def section(table: Table, width: int = 80) -> str:
    """Return a table as a pipe of this width would get it."""
    return shown(terminal.section(table), width)


def fits(table: Table) -> None:
    """Every word of every cell stands whole in 80 columns."""
    lines = section(table).splitlines()
    columns = [column for column in (*table.columns, table.group) if column is not None and not column.wide]
    cells = {word for column in columns for row in table.rows for word in column.text(row).split()}
    assert cells <= {*" ".join(lines).split()}
    assert max(map(len, lines)) <= 80


def held(name: str, text: str) -> None:
    """Compare with the golden file; UPDATE_GOLDEN=1 writes it, and the difference is read before it is committed."""
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ([], "0 seeds"),
        ([1, 1], "1 seed"),
        ([2], "2 seeds"),
        ([1, 2], "1 to 2 seeds"),
        ([5, 5], "mean of 5 seeds, best and worst dropped"),
        ([3, 5], "mean of 3 to 5 seeds, best and worst dropped"),
        ([1, 5], "mean of 1 to 5 seeds, best and worst dropped of three or more"),
    ],
)
def test_a_caption_says_of_how_many_seeds_its_figures_are(seeds: list[int], said: str) -> None:
    """A run that was interrupted has fewer of its later recipes."""
    assert words.over_seeds(seeds) == said


@pytest.mark.parametrize("width", [80, 200])
def test_the_console_of_the_command_line_shows_what_any_console_shows(width: int) -> None:
    """Leaving out control characters and markup changes no line of an ordinary report."""
    screen = io.StringIO()
    terminal.PlainConsole(file=screen, width=width).print(terminal.render(summary(written.records()), every=True))
    lines = "".join(f"{line.rstrip()}\n" for line in screen.getvalue().splitlines())
    assert lines == shown(terminal.render(summary(written.records()), every=True), width)


def test_no_word_drives_the_terminal_or_is_markup() -> None:
    """Whatever is printed, and however: as words, as text, in a table, in the title of a panel."""
    words = "[bold]b[/bold] [/nope] [link=https://x]y :fire: \x1b[2J\x9b\x07\u202e\r"
    table = RichTable(words, title=words)
    table.add_row(words)
    for printed in (words, Text(words), table, Panel(words, title=Text(words))):
        screen = io.StringIO()
        terminal.PlainConsole(file=screen, width=200, force_terminal=True, color_system="truecolor").print(printed)
        said = screen.getvalue()
        assert "[bold]b[/bold] [/nope] [link=https://x]y :fire: " in said
        assert not {"\x9b", "\x07", "\u202e", "\r"} & {*said}
        assert "\x1b[2J" not in said
        assert "\x1b]" not in said


@pytest.mark.parametrize("width", [80, 200])
def test_a_report_reads_as_its_golden_file(width: int) -> None:
    """Every table, note and closing line, as it is printed."""
    held(f"report-{width}.txt", shown(terminal.render(summary(written.records()), every=True), width))


def test_no_line_is_wider_than_the_terminal() -> None:
    """Nothing wraps where the reader did not ask for it."""
    assert max(map(len, shown(terminal.render(summary(written.records()), every=True)).splitlines())) <= 80


@pytest.mark.parametrize("width", [80, 200])
def test_the_full_profile_fits_as_well(width: int) -> None:
    """Every recipe, path and mark, four percentiles: no cell is cut off or wrapped, each is on one line."""
    found = summary(written.full_records())
    text = shown(terminal.render(found, every=True), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "tensorflow†*" in text
    for table, rows in (
        (speed.training, found.document.timed("train")),
        (speed.prediction, found.document.timed("predict")),
        (speed.vectorization, found.document.timed("vectorize")),
    ):
        every = section(table(found.document), width).splitlines()
        lines = [line for line in every if "jax" in line or "tensorflow" in line]
        assert len(lines) == len(rows)
        assert all(line[-1] in "%—" or line.endswith(" 123") for line in lines)
        assert all(any(f" {row.path} " in f" {line}" for line in lines) for row in rows)


def test_no_table_of_a_published_run_is_cut_or_broken_within_a_word() -> None:
    """Real names and numbers, the longest there are: every word of every cell stands whole in 80 columns."""
    documents = [json.loads(path.read_bytes()) for path in sorted((ROOT / "results").glob("*/*-*.json"))]
    assert documents
    for document in map(RunDocument.model_validate, documents):
        for table in (one for one in every(document) if one.key != "best_paths"):  # of pages alone
            fits(table)


def test_recipes_stand_above_their_rows() -> None:
    """A recipe's name is a line of its own, once, and widens no column."""
    header, *rest = written.full_records()
    lines = section(speed.prediction(summary([header, *rest]).document)).splitlines()
    assert [line for line in lines if line in RECIPES] == list(RECIPES)
    assert lines[2].split()[:2] == ["reviews", "path"]


def test_a_share_of_the_floor_below_a_percent_is_not_nothing() -> None:
    """Where a floor is hundreds of times as fast, the share is small, it is not zero."""
    text = section(speed.vectorization(summary(written.records()).document))
    assert "<1%" in text
    assert " 0%" not in text


def test_p99_has_a_column_only_where_it_can_be_stated() -> None:
    """Three replicates of 250 calls are 750; one of them is too few."""
    every = written.records()
    once = [r for r in every if not (isinstance(r, TimingRecord) and r.replicate)]
    assert "p99" in section(speed.prediction(summary(every).document))
    assert "p99" not in section(speed.prediction(summary(once).document))
    assert "3 processes of each target" in section(speed.training(summary(every).document))
    assert "one process: ± covers its own noise only" in section(speed.training(summary(once).document))


def test_where_the_compiled_loop_does_not_pay_the_table_says_so() -> None:
    """A model whose arithmetic fills a step gains nothing from it."""
    cells = {path: made.cell("train", path) for path in ("fit", "compiled loop")}
    slow, fast = made.blocks(*[0.03] * 6), made.blocks(*[0.01] * 6)

    def table(**durations: list[Sample]) -> str:
        timings = [made.timing(cells[path.replace("_", " ")], blocks) for path, blocks in durations.items()]
        return section(speed.training(summary([*written.records()[:3], *timings]).document))

    assert "the compiled loop is not the fastest for dense on JAX (fit is)" in table(fit=fast, compiled_loop=slow)
    assert "not the fastest" not in table(fit=slow, compiled_loop=fast)


def test_advice_is_a_row_with_its_interval() -> None:
    """Which path, instead of what, how many times as fast, from where to where."""
    rows = [" ".join(line.split()) for line in section(speed.advice(summary(written.records()).document)).splitlines()]
    assert "jax train compiled loop fit 1.82 1.82 to 1.82" in rows
    assert "tensorflow predict 1 compiled predict_on_batch 3.20 3.20 to 3.20" in rows


ANSWERED = [
    AnswerRow(
        recipe=name,
        phase=phase,
        path=path,
        batch_size=1,
        target="jax-cpu",
        view=view,
        rival="tensorflow-cpu",
        rival_path=path,
        ratio=1.5,
        ratio_low=1.2,
        ratio_high=1.8,
    )
    for view, paths in (("as called", ("fit", "predict")), ("best", ("compiled loop", "compiled")))
    for name in RECIPES
    for phase, path in zip(("train", "predict"), paths, strict=True)
]


def screen(records: Sequence[Record], width: int = 80) -> list[str]:
    """Return the lines of the first screen, in a pipe of this width."""
    return shown(terminal.render(summary(records)), width).splitlines()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_first_screen_reads_as_its_golden_file(width: int) -> None:
    """What was measured where, whether it is right, which backend is faster by what factor, and what comes next."""
    lines = screen(written.full_records(), width)
    assert max(map(len, lines)) <= width
    held(f"answer-{width}.txt", "".join(f"{line}\n" for line in lines))


def test_the_answer_takes_at_most_fifteen_lines() -> None:
    """Four recipes in two views, on two targets, under three lines of heading and one of accuracy."""
    found = summary(written.full_records())
    judged = [row.model_copy(update={"answer": "passed"}) for row in found.document.accuracy]
    one = replace(found, references=())
    one.__dict__["document"] = found.document.model_copy(update={"accuracy": judged, "answers": ANSWERED})
    lines = shown(terminal.answer(one)).splitlines()
    assert len(lines) <= 15
    assert [[line.split()[0] for line in lines].count(name) for name in RECIPES] == [2] * len(RECIPES)


def test_without_a_second_backend_the_first_screen_advises() -> None:
    """One backend has no rival; what is worth changing in one's code is the answer then."""
    every = written.records()
    alone = [r for r in every if not isinstance(r, ParityRecord) and "tensorflow" not in r.model_dump_json()]
    text = "\n".join(screen(alone))
    assert "Advice" in text
    assert "compiled loop fit" in " ".join(text.split())
    assert "tensorflow" not in text


def test_what_was_left_to_the_full_profile_is_said() -> None:
    """A reader of few tables learns that there are more; the full profile leaves nothing."""
    assert "Left to --profile full: 78 cells (" in shown(terminal.left_out(summary(written.records())))
    assert terminal.left_out(summary(written.full_records())) is None


def test_an_accuracy_without_reference_seeds_is_unresolved_and_says_what_to_do() -> None:
    """What cannot be judged is not passed."""
    text = section(quality.accuracy(summary(written.records(), known=False).document))
    assert "unresolved" in text
    assert "bench reference" in text


def test_a_failed_accuracy_strikes_the_timings() -> None:
    """A timing of wrong work carries a mark, and the mark is explained."""
    found = written.records()
    records = [made.training(r.recipe, r.target, final=_bad()) if r.kind == "training" else r for r in found]
    text = section(speed.training(summary(records).document))
    assert "jax†" in text
    assert "† its accuracy failed" in text


def test_synthetic_reviews_are_announced_above_the_tables() -> None:
    """Nobody takes them for the IMDB."""
    header = made.header(corpus="synthetic")
    assert "SYNTHETIC REVIEWS" in shown(terminal.heading(summary([header])))


def test_a_run_that_was_gone_on_with_says_when() -> None:
    """Its halves were measured hours or days apart."""
    found = summary([*written.records(), made.resumed("2026-08-01T09:30:00+00:00")])
    assert "resumed at 2026-08-01T09:30:00+00:00" in shown(terminal.heading(found))
    assert "resumed" not in shown(terminal.heading(summary(written.records())))


def test_what_was_not_measured_names_reason_and_log() -> None:
    """A failure says where to look."""
    text = shown(terminal.failures(summary(written.records())))
    assert "tensorflow-cpu: it was killed; log: made/logs/tensorflow-cpu.log" in text
    assert "costs 1: dense train train_on_batch 512" in text


def test_devices_are_named_only_where_they_differ() -> None:
    """With one device for all, a table says it once, above."""
    mixed = [made.header(), made.target("jax-gpu"), made.target("jax-cpu"), made.training("dense", "jax-gpu")]
    assert "jax-gpu" in section(quality.accuracy(summary(mixed).document))
    assert "jax-cpu" not in section(speed.training(summary(written.records()).document))


def test_an_empty_run_has_no_empty_tables() -> None:
    """Where nothing was measured, no heading pretends otherwise."""
    text = shown(terminal.render(summary([made.header()]), every=True))
    assert "Accuracy" not in text
    assert "Verdicts: none" in text
    assert "faster" not in shown(terminal.render(summary([made.header()])))


def test_the_list_of_runs_of_an_empty_folder_says_how_to_make_one(tmp_path: Path) -> None:
    """A newcomer is told the command."""
    assert "nox -s bench-cpu" in shown(runs(out=tmp_path).shown)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_listed_with_its_summary(name: str) -> None:
    """What a profile is for stands above its steps."""
    from bench.plan import steps, targets

    profile = PROFILES[name]
    recipes, both = list(RECIPES.values()), [targets.Target("jax"), targets.Target("tensorflow")]
    found = steps.passes(recipes, both, profile, seeds=profile.seeds)[0]
    text = section(lists.steps(profile, found, steps.left_out(recipes, both, profile)))
    assert profile.summary in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def _bad() -> object:
    return made.result(epoch_s=[1.0] * 4, accuracy=0.6)


def test_a_saved_model_has_a_row_for_each_backend_that_served_it() -> None:
    """Recipe by recipe: one that differs is seen."""
    records = [
        made.header(),
        *map(made.target, ("jax-cpu", "tensorflow-cpu")),
        made.serving("numpy", difference=1e-7),
        made.serving("numpy", recipe="lstm", difference=2e-3),
        made.serving("openvino", difference=3e-8),
        made.serving("numpy", target="tensorflow-cpu", difference=0.0),
    ]
    held("serving.txt", section(quality.serving(summary(records).document)))


def test_peers_stand_beside_the_networks() -> None:
    """Recipe by recipe, with their own training time and latency."""
    peers = [made.baseline(name, recipe=recipe) for recipe in ("dense", "lstm") for name in BASELINES]
    held("peers.txt", section(quality.baselines(summary([made.header(), made.target(), *peers]).document)))
