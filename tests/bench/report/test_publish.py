"""Tests of publishing: what is refused and kept, that the same runs give the same bytes, that no word is markup."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bench.__main__ import main
from bench.analysis import history
from bench.analysis.rows import AccuracyRow, RunDocument
from bench.exit_codes import ExitCode
from bench.report import csv as values
from bench.report import markdown, overview
from bench.report.charts import data, theme
from bench.report.page import choice, html, listing, packing, site
from bench.report.page import published as documents
from bench.report.tables import every, words
from bench.report.tables.speed import step_parts
from datasets.errors import ExpectedError
from tests.bench import made, published
from tests.bench.report.test_charts import answer
from tests.fuzz import pages

ROOT = Path(__file__).resolve().parents[3]


def shelved(folder: Path, *runs: RunDocument) -> Path:
    """Keep ``runs`` in ``folder`` with all that follows from them, pictures aside."""
    found = site.newest_first(runs)
    kept = {file: documents.dump(one).encode() for file, one in site.shelf(folder, runs).items()}
    for file, content in {**kept, **site.files(folder, found)}.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


# What is refused.


def test_a_run_that_was_gone_on_with_is_published_with_its_dates() -> None:
    """Nothing speaks against it, and a reader is told that it was not measured in one go."""
    run = made.run(*published.records()[1:], made.resumed("2026-08-01T09:30:00+00:00"))
    kept = published.of_run(run)
    assert kept.resumed_at == ["2026-08-01T09:30:00+00:00"]
    assert words.facts(kept)["date"] == "2026-07-31 12:00 UTC, resumed at 2026-08-01 09:30 UTC"


# What is kept.


def test_what_is_kept_is_read_as_it_was_written(tmp_path: Path) -> None:
    """One row a line; no folder of the machine that measured."""
    found = published.one()
    shelved(tmp_path, found)
    (file,) = tmp_path.glob("*/*.json")
    assert documents.load(file) == found
    assert file.parent.name == "made-cpu-2-processors"
    assert file.name == "2026-07-31-120000-smoke.json"


def test_a_kept_run_of_another_schema_is_named(tmp_path: Path) -> None:
    """The message says what to do."""
    file = tmp_path / "run.json"
    file.write_text(documents.dump(published.one()).replace('"schema_version": 3', '"schema_version": 1', 1))
    with pytest.raises(ExpectedError, match=r"run\.json does not fit schema 3 .*publish its run again"):
        documents.load(file)


def test_folders_in_an_error_are_left_out() -> None:
    """Whose machine it was is nobody's business; ratios and dates are no folders."""
    assert documents.public("lost /srv/someone/lib/x.py, 1/2 at 2026/07/31") == "lost x.py, 1/2 at 2026/07/31"


def test_the_best_way_is_told_apart_from_the_other_backends_best() -> None:
    """TensorFlow takes 1.25 times as long by every path, and the compiled loop 1.1 where fit takes 2."""
    train, predict = (row for row in published.one().best_paths if row.fastest)
    assert (train.target, train.path, train.rival, train.usual) == ("jax-cpu", "compiled loop", "tensorflow-cpu", "fit")
    assert train.advantage == pytest.approx(1.25)
    assert train.speedup == pytest.approx(2 / 1.1, rel=1e-4)
    assert (predict.path, predict.speedup) == ("compiled", pytest.approx(4 / 1.25, rel=1e-4))


def test_a_step_is_the_floor_and_what_comes_around_it() -> None:
    """The floor is half of fit's step, the compiled loop 1.1 floors: 50, 5 and 45 percent."""
    found = [part.share for part in step_parts(published.one()) if part.target == "jax"]
    assert found == pytest.approx([0.5, 0.05, 0.45], abs=1e-4)


def test_the_overview_begins_with_accuracy_and_then_says_which_backend_is_faster() -> None:
    """Whether a run may be believed comes before how fast it was; each piece of work is a row of a table."""
    first, called, best, *_ = overview.sentences(published.one())
    assert first.startswith(("Accuracy first:", "No accuracy was judged"))
    assert called == (
        "As users call it, `fit` is 1.25 times as fast on JAX (95% intervals 1.25 to 1.25); `predict_on_batch` of one "
        "review is 1.25 times as fast on JAX (95% intervals 1.25 to 1.25)."
    )
    assert best.startswith("Each backend by its fastest path, training is 1.25 times as fast on JAX")


def test_work_that_is_not_the_same_is_said_before_speed() -> None:
    """A backend that computes something else is not faster at the same."""
    (row,) = published.one().parity
    found = published.one(parity=[row.model_copy(update={"answer": "failed"})])
    words = "Not the same work from the same weights: dense (jax-cpu = tensorflow-cpu)."
    assert overview.sentences(found)[1] == words


def test_baselines_and_served_models_have_tables() -> None:
    """A column for each number of reviews that a baseline predicts at once."""
    found = {
        table.key: [[column.of(row) for column in table.columns] for row in table.rows]
        for table in every(published.one())
    }
    assert found["serving"] == [["dense", "jax", "numpy", 1e-7, "passed"]]
    assert found["baselines"] == [["dense", "linear SVM", 0.88, 0.95, 2.5, 0.0005, 0.00075, 0.00125]]


def test_a_comparison_says_its_answers_and_its_controls() -> None:
    """One slower cell, two controls that held."""
    words = overview.sentences(published.compared())
    assert words[1:] == ["Of the cells that decide: 1 slower.", "All 2 controls held."]
    assert [row.answer for row in published.compared().comparisons if row.decides] == ["slower"]


# What is written.


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """Published again, nothing changes; published elsewhere, nothing differs."""
    assert site.publish(tmp_path / "one", [published.one()])
    assert site.publish(tmp_path / "one") == []
    assert site.publish(tmp_path / "one", [published.one()]) == []
    site.publish(tmp_path / "two", [published.one()])
    one, two = (contents(tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert {Path(name).suffix for name in one} == {".json", ".md", ".csv", ".html", ".svg", ".png"}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder``."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_publish_that_fails_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a new run and a list whose made part has no end, neither is written: everything is made before."""
    results = tmp_path / "results"
    shelved(results, published.one(run_id="older", started_at="2026-07-30T09:00:00+00:00"))
    file = results / "README.md"
    file.write_text(file.read_text().replace(site.END, ""))
    before = contents(results)
    run = published.write(tmp_path / "run", *published.records(commit=None))
    assert main(["publish", str(run), "--anyway", "--out", str(results)]) == ExitCode.UNUSABLE
    assert "put it where the made part ends" in capsys.readouterr().err
    assert contents(results) == before


def test_two_runs_never_share_a_file(tmp_path: Path) -> None:
    """Whether the other one was published before or is published beside it; nothing is written."""
    shelved(tmp_path, published.one())
    before = contents(tmp_path)
    with pytest.raises(ExpectedError, match="holds another run, 20260731T120000Z-smoke"):
        site.publish(tmp_path, [published.one(run_id="other")])
    with pytest.raises(ExpectedError, match="holds another run, one"):
        site.publish(tmp_path / "new", [published.one(run_id="one"), published.one(run_id="other")])
    assert contents(tmp_path) == before


def test_a_superseded_run_is_kept_and_points_to_the_newer_one(tmp_path: Path) -> None:
    """The newest comes first; the older one's tables say what replaced it. A comparison replaces nothing."""
    older = published.one(run_id="older", started_at="2026-07-30T09:00:00+00:00")
    shelved(tmp_path, older, published.one(), published.compared())
    index = (tmp_path / "README.md").read_text()
    assert [line.split(" | ")[0] for line in index.splitlines() if line.startswith("| 2026")] == [
        "| 2026-07-31 12:00 UTC",
        "| 2026-07-31 12:00 UTC",
        "| 2026-07-30 09:00 UTC",
    ]
    assert index.count("superseded by 2026-07-31 12:00 UTC") == 1
    page_of_older = (tmp_path / documents.folder(older) / f"{documents.stem(older)}.md").read_text()
    assert "Superseded by [2026-07-31 12:00 UTC, smoke, commit aaaaaaaaaa](2026-07-31-120000-smoke.md)" in page_of_older


def test_a_run_of_another_machine_supersedes_nothing(tmp_path: Path) -> None:
    """Machines are never mixed: each has a folder of its own."""
    other = made.MACHINE.model_copy(update={"cpu": "Other CPU"})
    shelved(tmp_path, published.one(), published.one(run_id="other", machine=other))
    assert {file.parent.name for file in tmp_path.glob("*/*.md")} == {
        "made-cpu-2-processors",
        "other-cpu-2-processors",
    }
    assert "superseded" not in (tmp_path / "README.md").read_text()


def test_a_doubted_run_supersedes_nothing_and_says_so_everywhere(tmp_path: Path) -> None:
    """Whoever publishes one anyway cannot hide it."""
    doubted = published.one(
        run_id="doubted", started_at="2026-08-01T12:00:00+00:00", warnings=["from a dirty checkout"]
    )
    shelved(tmp_path, published.one(), doubted)
    stem = tmp_path / documents.folder(doubted) / documents.stem(doubted)
    for file in (f"{stem}.md", f"{stem}.csv", tmp_path / "README.md", tmp_path / "index.html"):
        assert "from a dirty checkout" in Path(file).read_text()
    assert "superseded" not in (tmp_path / "README.md").read_text()
    assert site.main(site.every(tmp_path)) is None


def test_a_run_with_doubts_is_never_called_the_newest(tmp_path: Path) -> None:
    """Neither one that was published anyway nor one whose check failed: the newest is the one before."""
    one = published.one()
    (row,) = one.parity
    failed = published.one(
        run_id="failed",
        started_at="2026-08-02T12:00:00+00:00",
        profile="default",
        parity=[row.model_copy(update={"answer": "failed"})],
    )
    doubted = published.one(run_id="doubted", started_at="2026-08-01T12:00:00+00:00", warnings=["unfinished"])
    shelved(tmp_path, published.one(profile="default"), doubted, failed)
    lines = [line for line in (tmp_path / "README.md").read_text().splitlines() if line.startswith("| 2026")]
    states = [line.rsplit(" | ", 1)[1] for line in lines]
    assert states == [
        "**do not rely on it**: 1 check of parity failed |",
        "**do not rely on it**: unfinished |",
        "newest |",
    ]
    chosen = site.main(site.every(tmp_path))
    assert chosen is not None
    assert chosen.run_id == one.run_id
    assert "a control failed" in listing.index([published.compared().model_copy(update={"void": True})], {}, {})


@pytest.mark.parametrize(
    ("older", "newer", "shown"),
    [
        ("full", "default", 0),
        ("default", "full", 1),
        ("full", "full", 1),
        ("default", "default", 1),
        ("full", "smoke", 0),
    ],
)
def test_the_fullest_run_is_what_the_readme_shows(tmp_path: Path, older: str, newer: str, shown: int) -> None:
    """Complete schedules and five seeds say more than the newest hour; of two alike, the newer one."""
    found = [
        published.one(run_id="older", profile=older),
        published.one(run_id="newer", profile=newer, started_at="2026-08-02T12:00:00+00:00"),
    ]
    shelved(tmp_path, *found)
    chosen = site.main(site.every(tmp_path))
    assert chosen is not None
    assert chosen.run_id == found[shown].run_id


# Advance widths of Arial, in thousandths of its size, from its metrics (those of Helvetica and Liberation Sans too).
WIDTHS = {" ,./": 278, "()-": 333, "†": 556, "±": 549, "→": 1000, "—": 1000, "¹": 333, "%": 889, "0123456789": 556}
WIDTHS |= {"fijlt": 278, "rI": 300, "acdeghknopqsuvxyz_?": 556, "bmw": 778}


def test_the_readme_s_table_fits_what_github_shows() -> None:
    """838 pixels at 1280: letters of 16 pixels, cells with 13 on both sides and a rule, code of 13.6 with a frame.

    Chromium makes it 791 wide where this counts 795. What is left is for fonts that are wider than Arial.
    """
    found = site.main(site.every(ROOT / "results"))
    assert found is not None
    rows = [line for line in listing.readme(found).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows if "---" not in row]
    assert len(cells) == 9
    widest = [max(map(pixels, column)) for column in zip(*cells, strict=True)]
    assert sum(widest) + 27 * len(widest) + 1 <= 0.96 * 838


def pixels(cell: str) -> float:
    """Return the width of the longest line of a cell."""
    return max(map(_line_pixels, cell.split("<br>")))


def _line_pixels(text: str) -> float:
    if text.startswith("`"):
        return 13.6 * (0.6 * len(text.strip("`")) + 0.8)
    known = {letter: width for letters, width in WIDTHS.items() for letter in letters}
    return 16 * sum(known.get(letter, 667) for letter in text) / 1000


def test_the_readme_says_by_which_path_an_accuracy_is() -> None:
    """The full profile trains by two; the figure of the last one decides and is shown."""
    found = published.one()
    row = made_accuracy(found, path="compiled loop")
    text = listing.readme(found.model_copy(update={"accuracy": [row]}))
    assert "accuracy, by<br>compiled loop" in text
    assert "on the training reviews" not in text
    lstm = row.model_copy(update={"figure": "training accuracy, epoch 10"})
    assert "; ¹ on the training reviews" in listing.readme(found.model_copy(update={"accuracy": [lstm]}))


def made_accuracy(document: RunDocument, *, path: str) -> AccuracyRow:
    """Return the deciding figure of the first recipe, trained by ``path``."""
    row = next(row for row in document.accuracy if row.decides)
    return row.model_copy(update={"path": path, "answer": "passed"})


def test_the_contents_lead_to_every_table() -> None:
    """GitHub's addresses of headings: small letters, dashes for blanks, no apostrophe."""
    text = markdown.page(published.one(), None)
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    links = re.findall(r"^- \[(.*)\]\(#(.*)\)$", text, re.MULTILINE)
    assert [title for title, _ in links] == headings
    assert len({address for _, address in links}) == len(links) > 8
    assert MarkdownIt("commonmark").render(text).count("<ul>") == 3  # facts, overview, contents
    assert ("Where a step's time goes", "where-a-steps-time-goes") in links
    assert ("Which backend, which path", "which-backend-which-path") in links


def test_the_page_opens_on_the_run_that_the_readme_quotes(tmp_path: Path) -> None:
    """One choice for both, however many newer runs there are; each machine opens on its own fullest one."""
    full = published.one(run_id="full", profile="full", started_at="2026-06-01T12:00:00+00:00")
    newer = [
        published.one(run_id=f"day-{day}", profile="default", started_at=f"2026-07-{day:02}T12:00:00+00:00")
        for day in range(1, 13)
    ]
    shelved(tmp_path, full, *newer)
    found = site.every(tmp_path)
    embedded = re.search(r'id="data">(.*?)</script>', html.render(found, {}, []), re.DOTALL)
    assert embedded is not None
    shown = json.loads(embedded[1])
    main = site.main(found)
    assert main is not None
    assert shown["first"] == main.run_id == "full"
    assert shown["fullest"] == {documents.folder(full): "full"}
    assert [run["id"] for run in shown["runs"]] == [*(f"day-{day}" for day in range(12, 4, -1)), "full"]


def test_the_newest_run_without_doubts_stands_for_its_machine() -> None:
    """In the table across machines: neither a comparison nor a run without ratios nor one with doubts does."""
    runs = [
        published.compared(),
        published.one(run_id="doubted", warnings=["from a dirty checkout"]),
        published.one(run_id="alone", answers=[]),
        published.one(run_id="newest", answers=[answer(2.0, 1.5, 2.5)]),
        published.one(run_id="older", answers=[answer(3.0, 2.5, 3.5)]),
    ]
    assert [one.run_id for one in choice.newest(runs)] == ["newest"]


def test_the_readme_shows_how_wide_a_share_is() -> None:
    """A share of the floor comes from neighbouring blocks: narrower than speeds, which follow the machine's hours."""
    found = published.one()
    rows = [
        row.model_copy(update={"floor_share": 0.5, "floor_share_low": 0.45, "floor_share_high": 0.55})
        if (row.path, row.target) == ("fit", "jax-cpu")
        else row.model_copy(update={"floor_share_low": None})
        for row in found.timings
    ]
    text = listing.readme(found.model_copy(update={"timings": rows}))
    jax, tensorflow = (line for line in text.splitlines() if line.startswith("| dense |"))
    assert "(50 ±5) |" in jax
    assert "±?" in tensorflow


def test_what_is_written_by_hand_around_the_marks_stays(tmp_path: Path) -> None:
    """Only what lies between them is made."""
    file = tmp_path / "README.md"
    file.write_text(f"# Mine\n\n{site.BEGIN}\nold\n{site.END}\n\nalso mine\n")
    text = site.marked(file, "new")
    assert text == f"# Mine\n\n{site.BEGIN}\nnew\n{site.END}\n\nalso mine\n"
    file.write_text(f"# Mine\n{site.BEGIN}\nold\n")
    with pytest.raises(ExpectedError, match=r"README\.md has a line"):
        site.marked(file, "new")


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    """No table of nothing."""
    shelved(tmp_path)
    assert "Nothing is published yet: `python -m bench publish RUN`" in (tmp_path / "README.md").read_text()
    assert "bench publish RUN" in (tmp_path / "index.html").read_text()


def test_each_table_says_what_it_was_measured_on(tmp_path: Path) -> None:
    """Machine, date, commit, versions, corpus, seeds, spread, and the one command that measures it again."""
    found = published.one()
    text = markdown.page(found, None)
    again = f"git checkout {'a' * 10} && {published.COMMAND}"
    for said in (
        "- **machine**: Made CPU, 2 processors, 8 GiB, Linux x86_64",
        "- **date**: 2026-07-31 12:00 UTC",
        "- **commit**: aaaaaaaaaa",
        "keras 3.15.1",
        f"- **corpus**: imdb ({made.DIGEST[:12]})",
        "- **seeds**: 0",
        "- **spread**: 95% intervals over 1 fresh processes",
        f"Measured again by `{again}`.",
    ):
        assert said in text
    lines = list(csv.DictReader(io.StringIO(values.render(found))))
    assert {line["run_command"] for line in lines} == {again}
    fit = [line for line in lines if (line["path"], line["target"], line["table"]) == ("fit", "jax-cpu", "timings")]
    assert float(fit[0]["seconds"]) == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize(
    "make", [published.hostile, published.one, published.compared], ids=["hostile", "whole", "compared"]
)
def test_no_word_of_a_record_is_markup(make: Callable[[], RunDocument]) -> None:
    """In Markdown no element, link or end of a table's cell; on the page, data that holds no tag."""
    found = make()
    texts = markdown.page(found, None) + listing.index([found], {}, {}) + listing.readme(found)
    links = r"\[(Markdown|CSV)\]\([\w./-]+\)|\[results/[^\]]+\]\(results/[\w./-]+\)|\[[\w ,'-]+\]\(#[\w-]+\)"
    without_links = re.sub(links, "", texts)
    for heading in pages.OWN_BREAKS:
        without_links = without_links.replace(heading, "")
    outside_code = re.sub(r"(?<!\\)`[^`\n]*(?<!\\)`", "", without_links)
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(", outside_code)
    text = html.render([found], {}, [])
    assert len(re.findall(r"<script", text)) == 3
    assert len(re.findall(r"</script", text)) == 3
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    assert not re.search(r"[<>&]", embedded[1])
    assert json.loads(embedded[1])["runs"][0]["again"] == words.reproduced_by(found)


def test_the_policy_names_the_very_scripts_and_nothing_from_anywhere() -> None:
    """SHA-256 of "a" in base64, as CSP Level 3 writes it; a script that HTML would end is refused."""
    found = html.policy(scripts=["a"], styles=["a"])
    digest = "'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"
    assert found == (
        f"default-src 'none'; script-src {digest}; style-src {digest}; base-uri 'none'; form-action 'none'"
    )
    with pytest.raises(ValueError, match="without an end tag"):
        html.policy(scripts=["'</script>'"], styles=[])


def test_every_chart_has_a_sentence_and_a_table() -> None:
    """Who cannot see it reads it; a chart and its table come from the same rows."""
    days = [{"run_id": f"run-{day}", "started_at": f"2026-07-{day + 1:02}T12:00:00+00:00"} for day in range(3)]
    histories = history.of_documents([published.one(**day) for day in days])
    found = data.every(published.one(), histories)
    keys = ["answers", "throughput", "step", "latency", "time_to_accuracy", "curves", "history"]
    assert [chart.key for chart in found] == keys
    tables = {table.key for table in every(published.one())} | {"history"}
    assert all(chart.sentence and chart.table in tables for chart in found)
    assert [chart.key for chart in data.every(published.compared(), [])] == ["gate_cells"]


def test_a_chart_shows_the_floor_and_both_backends() -> None:
    """The same rows as the table's, in the colours of the backends."""
    (chart,) = [one for one in data.every(published.one(), []) if one.key == "throughput"]
    ((title, panel),) = chart.panels
    assert title == "dense"
    assert {(row["path"], row["target"]) for row in panel} == {
        (path, target) for path in ("fit", "compiled loop", "floor") for target in ("jax", "tensorflow")
    }
    assert all(row["low"] <= row["value"] <= row["high"] for row in panel)
    assert (theme.colour("jax"), theme.colour("tensorflow@head")) == (theme.BLUE, theme.VERMILION)


# The command line, and this repository.


def test_a_doubted_run_is_refused_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 6, in one line that says why and what would publish it; nothing is written."""
    run = published.write(tmp_path / "runs" / "run", *published.records(commit=None))
    words = ["publish", str(run), "--out", str(tmp_path / "results")]
    assert main(words) == ExitCode.UNUSABLE
    said = capsys.readouterr().err
    assert "not published: 20260731T120000Z-smoke: from no git checkout" in said
    assert "--anyway" in said
    assert not (tmp_path / "results").exists()
    assert main([*words, "--anyway"]) == ExitCode.HELD
    assert "do not rely on it" in (tmp_path / "results" / "README.md").read_text()


def test_what_is_committed_here_is_what_publish_makes() -> None:
    """The README's table, the index, every table and the page: `python -m bench publish` makes them fresh again."""
    folder = ROOT / "results"
    stale = [
        str(file.relative_to(ROOT))
        for file, content in site.files(folder, site.every(folder), readme=ROOT / "README.md").items()
        if not file.exists() or file.read_bytes() != content
    ]
    assert not stale, f"stale: {', '.join(stale)}; run `python -m bench publish` and commit what it writes"


def test_the_page_is_small_enough_to_open_anywhere() -> None:
    """Its library is most of it; the issue's limit is 2 MB."""
    assert (ROOT / "results" / "index.html").stat().st_size < 2_000_000


def test_repeated_words_are_sent_once() -> None:
    """And come out as they went in; a column of nothing is left out, a text that never repeats stays where it is."""
    columns = [{"key": key} for key in ("path", "value", "cut", "run")]
    rows = [["fit", 1.0, False, "a"], ["fit", 0.123456, False, "b"], ["fit", None, False, "c"]]
    assert packing.packed(columns, rows) == {
        "columns": [{"key": "path", "words": ["fit"]}, {"key": "value"}, {"key": "run"}],
        "rows": [[0, 1, "a"], [0, 0.1235, "b"], [0, None, "c"]],
    }


def test_a_page_of_many_runs_holds_the_newest_and_says_how_many_are_left() -> None:
    """It must open in time whatever was published over the years; the index has them all."""
    found = published.one()
    text = html.render([found.model_copy(update={"run_id": f"run-{number}"}) for number in range(15)], {}, [])
    embedded = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    shown = json.loads(embedded[1])
    assert (len(shown["runs"]), shown["older"]) == (choice.MOST_RUNS, 15 - choice.MOST_RUNS)
