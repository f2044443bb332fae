"""Tests of the page in a real browser without a network: Debian's Chromium, which is looked for on the path."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.analysis import history
from bench.analysis.rows import RunDocument
from bench.report import markdown
from bench.report.page import html as pages
from tests.bench import made, published
from tests.bench.report.test_charts import answer

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"),
    # What Playwright leaves for the collector, after its own loop is closed.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

# The limit for 10,000 cells; a busy machine may be several times slower, and that is no finding.
USABLE_MS, SLACK = 2_000, 5

HEADLINE = (
    "On this machine, as users call it, fit is 1.25 times as fast on JAX (95% intervals 1.25 to 1.25); "
    "predict_on_batch of one review is 1.25 times as fast on JAX (95% intervals 1.25 to 1.25)."
)
BOTH = ["As users call it", "Each backend by its fastest path"]

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the browser once; as root it needs no sandbox, in a container no shared memory."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open pages of runs; see `opening`."""
    with opening(browser, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def whole(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Open the page of one whole run, for tests that leave each other's parts of it alone."""
    with opening(browser, tmp_path_factory.mktemp("page")) as found:
        yield found([published.one()], histories=histories())


@contextmanager
def opening(browser: Any, folder: Path) -> Iterator[Open]:
    """Let pages of runs be opened: a request beyond a page's own file, or a word on its console, fails in the end."""
    said: list[str] = []
    contexts: list[Any] = []

    def show(
        runs: Sequence[RunDocument], *, width: int = 1280, theme: str = "light", fragment: str = "", **more: Any
    ) -> Any:
        file = folder / f"{len(contexts)}.html"
        file.write_text(pages.render(runs, {}, more.get("histories", [])), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            offline=True,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.route(re.compile(r"^(?!file:)"), lambda route: (said.append(route.request.url), route.abort()))
        found = context.new_page()
        contexts.append(context)
        found.on("console", lambda message: said.append(message.text))
        found.on("pageerror", lambda error: said.append(str(error)))
        found.goto(f"{file.as_uri()}{fragment}")
        return found

    yield show
    for context in contexts:
        context.close()
    assert said == []


def column(opened_page: Any, table: str, index: int) -> list[str]:
    """Return what a table shows in a column, from the top."""
    cells: list[str] = opened_page.locator(f"#table-{table} tbody tr > :nth-child({index + 1})").all_inner_texts()
    return cells


def unfold(opened_page: Any, table: str) -> None:
    """Open the table below a chart, by keyboard: a click may miss while charts above are drawn and push it down."""
    opened_page.locator("details", has=opened_page.locator(f"#table-{table}")).locator("summary").press("Enter")
    opened_page.locator(f"#table-{table} tbody tr").first.wait_for()


def until(opened_page: Any, condition: str) -> None:
    """Wait until an expression is true; the page's policy keeps a browser from polling it by itself."""
    for _ in range(200):
        if opened_page.evaluate(condition):
            return
        opened_page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def drawn(opened_page: Any, panels: int) -> None:
    """Go down the page until so many charts are drawn."""
    for panel in opened_page.locator(".drawing").all()[:panels]:
        panel.scroll_into_view_if_needed()
        panel.locator("svg").wait_for()


def both_machines() -> list[RunDocument]:
    """Return a run on each of two machines, with one ratio as users call it and one by the fastest paths."""
    machine = published.one().machine.model_copy(update={"cpu": "Other CPU"})
    called, best = answer(2.0, 1.5, 2.5), answer(1.2, 1.1, 1.3, view="best", path="compiled loop")
    first = published.one(answers=[called, best, answer(0.5, 0.4, 0.6, recipe="lstm")])
    return [first, published.one(run_id="other", machine=machine, answers=[answer(9.5, 9.0, 10.1)])]


def histories() -> list[history.CellHistory]:
    """Return a history of the published run's cells whose level changes after four runs."""
    run = published.one()
    fits = [row for row in run.timings if row.path == "fit"]
    runs = [
        run.model_copy(
            update={
                "run_id": f"run-{day}",
                "started_at": f"2026-07-{day + 1:02}T12:00:00+00:00",
                "commit": f"{day:040}",
                "timings": [row.model_copy(update={"floor_share": 0.5 + 0.2 * (day > 3)}) for row in fits],
            }
        )
        for day in range(8)
    ]
    return history.of_documents(runs)


def test_the_overview_comes_first_and_every_chart_is_drawn(whole: Any) -> None:
    """What to use in words, then charts of every kind, each with a name for those who do not see it."""
    assert whole.locator("main h2").all_inner_texts() == [
        HEADLINE,
        "What is compared",
        "Charts",
        "Tables",
    ]
    assert "Each backend by its fastest path" in whole.locator(".overview").inner_text()
    names = whole.locator(".drawing").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert all("which the table lists" in name for name in names)
    assert whole.locator(".chart > h3").all_inner_texts() == [
        "Which backend is faster?",
        "Training throughput",
        "Where a step's time goes",
        "Prediction latency",
        "Time to accuracy",
        "Training curves",
        "History",
    ]
    drawn(whole, len(names))


def test_the_page_shows_the_numbers_of_the_markdown_tables(whole: Any) -> None:
    """One meaning of three significant figures: the same words, cell by cell."""
    unfold(whole, "prediction")
    shown = whole.locator("#table-prediction tbody tr").evaluate_all(
        "all => all.map(row => [...row.children].map(cell => cell.textContent))"
    )
    text = markdown.page(published.one(), None).partition("## Prediction\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| dense")]
    assert shown == [[html.unescape(cell.strip()) for cell in line[1:-1].split("|")] for line in lines]


def test_a_table_is_sorted_by_its_numbers_and_filtered_by_its_words(whole: Any) -> None:
    """By value, not by letters: 9 before 10; the filter takes several words, in any order."""
    unfold(whole, "training")
    head = whole.locator("#table-training thead button", has_text="reviews/s")
    head.click()
    rising = column(whole, "training", 4)
    values = [float(text.replace(",", "")) for text in rising]
    assert values == sorted(values)
    head.click()
    assert column(whole, "training", 4) == rising[::-1]
    assert whole.locator("#table-training th[aria-sort=descending]").inner_text().startswith("reviews/s")
    whole.get_by_label("Filter the rows of Training").fill("TENSORFLOW loop")
    assert column(whole, "training", 1) == ["compiled loop"]
    assert "1 of 6 rows" in whole.locator(".table", has=whole.locator("#table-training")).inner_text()


def test_everything_is_reached_by_keyboard(whole: Any) -> None:
    """From the skip link over the choices to a table: unfolded, filtered, scrolled and sorted without a mouse."""
    whole.evaluate("window.scrollTo(0, 0); document.querySelector('.skip').focus()")
    reached = []
    for _ in range(5):
        reached.append(whole.evaluate("document.activeElement.id || document.activeElement.textContent"))
        whole.keyboard.press("Tab")
    assert reached == ["Skip to the overview", "machine", "run", "recipe", "theme"]
    whole.locator("details", has=whole.locator("#table-step")).locator("summary").focus()
    whole.keyboard.press("Enter")
    whole.keyboard.press("Tab")
    assert whole.evaluate("document.activeElement.type") == "search"
    for tool in ("Copy", "CSV", "Link"):
        whole.keyboard.press("Tab")
        assert whole.evaluate("document.activeElement.textContent") == tool
    whole.keyboard.press("Tab")
    assert whole.evaluate("document.activeElement.getAttribute('role')") == "region"
    whole.keyboard.press("Tab")
    whole.keyboard.press("Enter")
    assert whole.locator("#table-step th[aria-sort=ascending]").inner_text().startswith("recipe")


def test_machine_run_and_recipe_are_chosen(opened: Open) -> None:
    """Another machine has its own runs; a comparison another question; a recipe leaves out the others' rows."""
    run = published.one()
    machine = run.machine.model_copy(update={"cpu": "Other CPU"})
    lstm = [row.model_copy(update={"recipe": "lstm"}) for row in run.timings]
    gate = published.compared().model_copy(update={"run_id": "gate"})
    found = opened([gate, run.model_copy(update={"timings": [*run.timings, *lstm]}), published.one(machine=machine)])
    assert found.locator("#run option").count() == 2
    assert found.locator("#run").input_value() == run.run_id
    assert len(column(found, "best_paths", 0)) == 2
    found.select_option("#recipe", "lstm")
    assert column(found, "best_paths", 0) == []
    names = found.locator("#charts .drawing").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert len(names) == 3
    assert all(", lstm" in name for name in names)
    found.select_option("#run", "gate")
    assert found.locator("#overview h2").inner_text() == "Is it slower, on this machine?"
    drawn(found, 1)
    unfold(found, "gate_cells")
    assert "slower" in column(found, "gate_cells", 6)
    found.select_option("#machine", "Other CPU, 2 processors")
    assert found.locator("#run option").count() == 1
    assert found.locator("#recipe").input_value() == ""
    assert len(column(found, "best_paths", 0)) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation_in_either_theme(opened: Open, theme: str) -> None:
    """Names, roles, contrast, order of headings, by axe-core's rules; the button leads from theme to theme."""
    from axe_playwright_python.sync_playwright import Axe

    colours = {"light": "#0072b2", "dark": "#56b4e9"}
    other = {"light": "dark", "dark": "light"}[theme]
    found = opened([published.one(warnings=["from a dirty checkout"])], theme=other)
    found.get_by_role("button", name=f"{theme} theme").click()
    drawn(found, 1)
    assert colours[theme] in found.locator(".drawing svg").first.inner_html().lower()
    found.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    # Colours are all that differs: the other rules are asked once.
    rules = {"dark": {}, "light": {"runOnly": ["color-contrast"]}}
    # A drawing is hidden from readers of other kinds: its label and its table say what it shows.
    results = Axe().run(found, context={"exclude": [["svg"]]}, options=rules[theme])
    assert results.violations_count == 0, results.generate_report()


def test_a_narrow_window_scrolls_down_and_not_sideways(opened: Open) -> None:
    """A phone, and 400 % of 1,280 pixels (WCAG 1.4.10): only tables scroll sideways, inside their own frames."""
    found = opened([published.one()], width=390)
    drawn(found, 3)
    for width in (390, 320):
        found.set_viewport_size({"width": width, "height": 800})
        found.locator(f".drawing svg[width='{width - 24}']").first.wait_for()  # the charts follow
        assert found.evaluate("document.documentElement.scrollWidth") <= width
        ends = found.locator(".drawing svg").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert max(ends) <= width


def test_no_word_of_a_hostile_record_runs(opened: Open) -> None:
    """It is shown as it was written: in sentences, choices, charts and tables."""
    found = opened([published.hostile()])
    drawn(found, 1)
    assert found.evaluate("window.hurt") is None
    assert found.locator("img").count() == 0
    assert found.locator("script").count() == 3
    assert "window.hurt = true" in found.locator(".warning").inner_text()
    assert any("onerror" in text for text in column(found, "failures", 0))


def test_an_empty_store_says_what_to_do(opened: Open) -> None:
    """Nothing to choose, nothing broken."""
    found = opened([])
    assert found.locator("h2").inner_text() == "Nothing is published yet"
    assert "bench publish RUN" in found.locator("#overview").inner_text()


def test_ten_thousand_cells_are_usable_soon(opened: Open) -> None:
    """Rows and charts are drawn a part at a time; the filter finds every row all the same."""
    found = opened([published.large()])
    usable_ms = found.evaluate("performance.getEntriesByName('usable')[0].startTime")
    unfold(found, "training")
    began = found.evaluate("performance.now()")
    found.get_by_label("Filter the rows of Training").fill("recipe 007 tensorflow")
    filtered_ms = found.evaluate("performance.now()") - began
    assert "25 of 5,000 rows" in found.locator(".table", has=found.locator("#table-training")).inner_text()
    print(f"10,000 cells: usable after {usable_ms:.0f} ms, filtered in {filtered_ms:.0f} ms")
    assert usable_ms < SLACK * USABLE_MS
    assert filtered_ms < SLACK * USABLE_MS


# The answer, its links and what can be taken away.


def test_the_answer_is_shown_in_one_view_or_both(opened: Open) -> None:
    """The switch leaves out the other view's panel and its rows, of the table across machines as well."""
    found = opened(both_machines())
    assert found.locator("#overview .panel h4").all_inner_texts() == BOTH
    found.get_by_role("button", name="each backend by its fastest path").click()
    assert found.locator("#overview .panel h4").all_inner_texts() == BOTH[1:]
    unfold(found, "answers")
    assert column(found, "answers", 3) == ["1.20"]
    assert column(found, "machines", 3) == ["—"]


def test_every_machine_has_a_column_of_the_same_ratios(opened: Open) -> None:
    """A ratio that a machine did not measure is missing; machines are never averaged."""
    found = opened(both_machines())
    heads = found.locator("#table-machines thead th").all_inner_texts()
    assert [head.split(" ", 1)[0] for head in heads] == ["recipe", "work", "Made", "Other", "view"]
    assert column(found, "machines", 2) == ["2.00 (1.50 to 2.50)", "1.20 (1.10 to 1.30)", "0.500 (0.400 to 0.600)"]
    assert column(found, "machines", 3) == ["9.50 (9.00 to 10.1)", "—", "—"]
    assert found.locator("#table-recipes tbody tr").count() == 1


def test_intervals_are_sorted_as_numbers(opened: Open) -> None:
    """By their lower end: "10.5 to 12.0" comes after "9.0 to 9.9", and a missing one last."""
    rows = [answer(11.0, 10.5, 12.0), answer(9.5, 9.0, 9.9, recipe="lstm"), answer(1.0, None, None, recipe="none")]
    found = opened([published.one(answers=rows)])
    unfold(found, "answers")
    head = found.locator("#table-answers thead button", has_text="95% interval")
    head.click()
    assert column(found, "answers", 4) == ["9.00 to 9.90", "10.5 to 12.0", "—"]
    head.click()
    assert column(found, "answers", 4) == ["10.5 to 12.0", "9.00 to 9.90", "—"]


def test_a_link_leads_to_what_was_chosen(opened: Open) -> None:
    """Machine, run, recipe, view, table and theme stand in the fragment; it is read on load and when it changes."""
    runs = both_machines()
    found = opened(runs, fragment="#run=other&theme=dark&table=training")
    assert found.locator("#run").input_value() == "other"
    assert found.evaluate("document.documentElement.dataset.theme") == "dark"
    assert found.locator("details", has=found.locator("#table-training")).get_attribute("open") is not None
    found.select_option("#machine", "Made CPU, 2 processors")
    found.select_option("#recipe", "dense")
    found.get_by_role("button", name="as users call it").click()
    link = found.evaluate("location.hash")
    assert link == f"#machine=made-cpu-2-processors&run={runs[0].run_id}&recipe=dense&view=as+called&theme=dark"
    again = opened(runs, fragment=link)
    assert again.locator("#recipe").input_value() == "dense"
    assert again.locator("#views [aria-pressed=true]").inner_text() == "As users call it"
    again.evaluate("location.hash = '#machine=other-cpu-2-processors'")
    again.locator("#run option[value=other]").wait_for(state="attached")
    assert again.locator("#recipe").input_value() == ""


def test_a_linked_table_stays_in_view_while_charts_above_it_are_drawn(opened: Open) -> None:
    """They take more room than they had before; a reader who scrolls is left alone from then on."""
    found = opened(both_machines(), fragment="#table=machines")
    drawn(found.locator("#charts"), 1)
    until(found, "document.getElementById('table-machines').getBoundingClientRect().top < innerHeight")
    found.keyboard.press("Control+Home")
    until(found, "scrollY < innerHeight")
    found.select_option("#recipe", "dense")  # every chart is drawn again
    drawn(found, 1)
    assert found.evaluate("scrollY < innerHeight")


@pytest.mark.parametrize("fragment", ["#run=gone&view=__proto__&theme=pink", "#overview", "#%&=&", "#table=<img>"])
def test_a_link_to_nothing_opens_the_page_as_it_is(opened: Open, fragment: str) -> None:
    """Of a fragment only what there is counts."""
    found = opened(both_machines(), fragment=fragment)
    assert found.locator("#run").input_value() == both_machines()[0].run_id
    assert found.locator("#views [aria-pressed=true]").inner_text() == "Both"


def test_a_table_is_copied_and_saved(opened: Open) -> None:
    """The rows that the filter leaves: tabs for a spreadsheet, commas in a file; no text is taken for a formula."""
    rows = [answer(1_200.0, 1_100.0, 1_300.0), answer(0.5, 0.4, 0.6, recipe='=HYPERLINK("x",1)')]
    found = opened([published.one(answers=rows)])
    unfold(found, "answers")
    found.get_by_role("button", name="Copy the table Which backend is faster").click()
    found.get_by_text("Copied").wait_for()
    lines = [line.split("\t") for line in found.evaluate("navigator.clipboard.readText()").splitlines()]
    assert lines[0][:4] == ["recipe", "work", "faster", "times as fast"]
    assert [line[:4] for line in lines[1:]] == [
        ["dense", "train", "jax", "1200"],
        ['\'=HYPERLINK("x",1)', "train", "tensorflow", "2.00"],
    ]
    found.get_by_label("Filter the rows of Which backend is faster").fill("hyperlink")
    with found.expect_download() as download:
        found.get_by_role("button", name="Download as CSV the table Which backend is faster").click()
    assert download.value.suggested_filename == f"{published.one().run_id}-answers.csv"
    (line,) = csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8")).readlines()[1:])
    assert line[:2] == ['\'=HYPERLINK("x",1)', "train"]


def test_a_run_is_cited_in_one_line(opened: Open) -> None:
    """Project, machine, commit and date, to be copied."""
    found = opened([published.one()])
    found.get_by_role("button", name="Copy the citation").click()
    found.get_by_text("Copied").wait_for()
    said = found.evaluate("navigator.clipboard.readText()")
    assert said == pages.citation(published.one())
    for part in ("kerasmark", "Made CPU, 2 processors", "commit aaaaaaaaaa", "2026-07-31 12:00 UTC"):
        assert part in said


def test_what_a_row_is_about_and_its_answer_stay_in_view_on_a_phone(opened: Open) -> None:
    """However far a table is scrolled sideways."""
    found = opened([published.one()], width=390)
    unfold(found, "training")
    frame = found.locator(".scroll", has=found.locator("#table-training"))
    for left in (0, 10_000):
        frame.evaluate("(box, left) => { box.scrollLeft = left; }", left)
        for cell in ("th", "td.answer"):
            box = found.locator(f"#table-training tbody tr:first-child {cell}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390


def test_every_chart_is_printed_and_no_control(opened: Open) -> None:
    """Those far down and behind "more" are drawn before a page is printed, in the colours of paper."""
    run = published.one()
    many = [row.model_copy(update={"recipe": f"r{number}"}) for number in range(14) for row in run.timed("train")]
    found = opened([run.model_copy(update={"timings": many})], theme="dark")
    found.emulate_media(media="print", color_scheme="dark")
    found.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    until(found, "[...document.querySelectorAll('.drawing')].every(one => one.querySelector('svg'))")
    assert found.locator(".drawing").count() > 14
    assert "#0072b2" in found.locator("#charts .drawing svg").first.inner_html().lower()
    assert not found.locator("#choices").is_visible()
    assert not found.locator(".tools").first.is_visible()
    assert found.pdf().startswith(b"%PDF")


def test_the_counters_of_a_run_have_a_table(opened: Open) -> None:
    """Compilations, traces, bytes, peak memory and its growth are published, not only measured."""
    cell = made.cell("predict", "compiled", batch_size=32)
    counted = {"compilations": 2.0, "recompilations": 0.0, "program_bytes": 3e6, "peak_resident_bytes": 2e9}
    run = made.run(*published.records()[3:], made.counters(cell, growth_bytes=32e6, **counted))
    found = opened([published.of_run(run)])
    assert column(found, "counters", 1) == ["compiled"]
    heads = found.locator("#table-counters thead th").all_inner_texts()
    shown = found.locator("#table-counters tbody tr > *").all_inner_texts()
    values = {head.split("\n")[0].strip(" ↕"): text for head, text in zip(heads, shown, strict=True)}
    wanted = {"programs": "2", "later": "0", "MB moved": "3.00", "GB at peak": "2.00", "MB growth": "32.0"}
    assert wanted.items() <= values.items()
