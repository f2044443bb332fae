"""Published runs whose words are attacks: on a terminal, on a spreadsheet, on GitHub, on the file system."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.analysis import history
from bench.report import markdown
from bench.report.page import published as documents
from bench.report.page import site
from datasets.errors import ExpectedError
from datasets.plain_text import one_line, plain, shortened, tree
from tests.bench import published
from tests.fuzz import pages

ATTACKS = [
    "\x1b]0;title\x07\x1b[2J",
    "a\r\n\x85\u2028b",
    "\u202egnp.exe\u2066",
    "\x9b31m",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "../../../etc/passwd",
    "/absolute/path",
    "=cmd|' /C calc'!A0",
    "\t@SUM(1)",
    "\r\n-1+1",
    "＝1+1",
    "[x](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "https://example.org www.example.org ftp://example.org a@example.org",
    "@someone #1 GH-2 owner/repo#3",
    "| a | b |\n| --- | --- |",
    "# heading",
    "> said",
    "``` `code` ``",
    "\\",
    "\\`",
    "\\[x](y)",
    "&lt;b&gt;",
    "~~gone~~ _word_ __word__ *word*",
    "$x$ :fire:",
    "",
    " ",
]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 2),
    st.lists(st.one_of(st.sampled_from(ATTACKS), st.text(st.characters(codec="utf-8")), st.binary()), max_size=12),
)
@example(0, ATTACKS)
@example(1, ATTACKS)
@example(2, ATTACKS)
def test_no_word_of_any_document_does_anything(base: int, words: list[str | bytes]) -> None:
    """On the page, in Markdown, in CSV, in JSON, on a terminal; and every file lies in the folder."""
    parts = [word if isinstance(word, bytes) else word.encode() for word in words]
    pages.check(bytes([base]) + b"\0".join(parts))


@settings(max_examples=200, deadline=None)
@given(st.text() | st.sampled_from(ATTACKS), st.text() | st.sampled_from(ATTACKS), st.text(), st.text())
@example("../../x", "/", "..", "2026-07-31T12:00:00+00:00/../../x")
@example(".." * 200, "." * 300, "é" * 300, "2026-07-31T12:00:00+00:00")
def test_the_files_of_any_document_lie_in_the_folder(cpu: str, gpu: str, name: str, at: str) -> None:
    """A moment that is none is refused; every other word is part of a name that the file system takes."""
    folder = Path("/nowhere/results")
    run = published.one()
    fields = run.model_dump() | {"started_at": at, "profile": name, "devices": {"a": gpu}}
    fields["machine"]["cpu"] = cpu
    try:
        run = documents.parse(json.dumps(fields).encode(), name="made.json")
    except ExpectedError:
        run = run.model_copy(update={"profile": name, "devices": {"a": gpu}})
    for ending in ("md", "csv", "json"):
        file = site.file_of(folder, run, ending)
        assert file.resolve() == file
        assert file.parent.parent == folder
        assert len(file.name) < 256 > len(file.parent.name)


@pytest.mark.parametrize("at", ["../../x", "/tmp/x", "2026-07-31T12:00:00+00:00\n", "2026-07-31", "", "٢٠٢٦-07-31"])
def test_a_moment_that_is_none_is_refused(tmp_path: Path, at: str) -> None:
    """It becomes the name of a file: "../../x" was written beside the folder."""
    file = tmp_path / "results" / "machine" / "2026-07-31-120000-smoke.json"
    file.parent.mkdir(parents=True)
    fields = json.loads(documents.dump(published.one()))
    file.write_text(json.dumps(fields | {"started_at": at}))
    with pytest.raises(ExpectedError, match=r"smoke\.json does not fit schema 3 .* at started_at; publish"):
        site.publish(tmp_path / "results")
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [file]


# Numbers.


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0.0}, "seconds is 0.0, and must be above zero in timings"),
        ({"seconds": -1.0, "seconds_low": None}, "seconds is -1.0, and must be above zero"),
        ({"floor_share": 0.0, "floor_share_low": None}, "floor_share is 0.0, and must be above zero"),
        (
            {"seconds": 1.0, "seconds_low": 2.0, "seconds_high": 3.0},
            "seconds is 1.0, outside its interval from 2.0 to 3.0",
        ),
        ({"p50_s": float("inf")}, "p50_s is inf"),
        ({"floor_share": float("nan")}, "floor_share is nan"),
        ({"batch_size": 10**400}, "batch_size"),
    ],
)
def test_a_number_that_cannot_have_been_measured_is_in_no_history(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    """The file is named and what to do with it; such a run is not published, and nothing is written."""
    run = published.one()
    wrong = run.model_copy(update={"timings": [run.timings[0].model_copy(update=change), *run.timings[1:]]})
    file = tmp_path / "machine" / "2026-07-31-120000-smoke.json"
    file.parent.mkdir()
    file.write_text(documents.dump(wrong))
    with pytest.raises(ExpectedError, match=re.escape(words)):
        site.publish(tmp_path)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [file]
    if all(value is None or value < 1e300 for value in change.values()):
        with pytest.raises(ExpectedError, match="not published: 20260731T120000Z-smoke: "):
            documents.of_document(wrong)


@pytest.mark.parametrize("share", [None, 0.0, -0.5, float("nan"), float("inf")])
def test_a_history_leaves_out_what_is_no_share(share: float | None) -> None:
    """Its logarithm would be none, and every level after it neither."""
    run = published.one()
    fit = run.timings[0]
    runs = [
        run.model_copy(
            update={
                "started_at": f"2026-07-{day + 1:02}T12:00:00+00:00",
                "timings": [fit.model_copy(update={"floor_share": share if day == 3 else 0.5 + day % 2 / 100})],
            }
        )
        for day in range(8)
    ]
    (found,) = history.of_documents(runs)
    assert len(found.points) == 7
    assert found.changes == ()


# Words.


@pytest.mark.parametrize("code", [*range(9), 11, 12, 13, 27, 127, 0x85, 0x9B, 0x202A, 0x202E, 0x2066, 0x2069, 0xD800])
def test_a_control_character_is_replaced(code: int) -> None:
    """Tabs and line feeds stay; on one line neither does."""
    assert plain(f"a{chr(code)}\tb\n") == "a\ufffd\tb\n"
    assert one_line(f" a{chr(code)}\tb\n") == "a\ufffd b"
    assert tree({f"{chr(code)}": [chr(code), 1, None, {1: chr(code)}]}) == {
        "\ufffd": ["\ufffd", 1, None, {1: "\ufffd"}]
    }


def test_a_long_message_keeps_its_beginning_and_its_end() -> None:
    """What was wrong stands first, what to do last."""
    found = shortened(f"begin {'x' * 5000} end", 500)
    assert len(found) == 500
    assert found.startswith("begin xxx")
    assert found.endswith("xxx end")
    assert shortened("x" * 500, 500) == "x" * 500


def test_a_document_that_is_read_is_plain() -> None:
    """Keys included: a published file may come from anywhere."""
    attacked = published.one(command="\x1b[2J", versions={"ker\x9bas": "\u202e3"})
    found = documents.parse(json.dumps(attacked.model_dump()).encode(), name="made.json")
    assert (found.command, found.versions) == ("\ufffd[2J", {"ker\ufffdas": "\ufffd3"})


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b'{"a": "\\ud800"}', b"null"])
def test_what_is_no_document_is_told_in_one_line(content: bytes) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ExpectedError, match=r"made\.json does not fit schema 3"):
        documents.parse(content, name="made.json")


# Markdown as GitHub shows it. The sources of the rules: CommonMark 0.31, GFM 0.29 (section 6.9), GitHub's documentation
# of mentions, references, emoji and mathematics.


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("predict_on_batch by jax-cpu@head", "predict_on_batch by jax-cpu@head"),
        ("jax-cpu@3.15.1, Intel(R) Xeon(R) @ 2.50GHz", "jax-cpu@3.15.1, Intel(R) Xeon(R) @ 2.50GHz"),
        ("2026-07-31T12:00:00+00:00: +5.1% ~ ±2%", "2026-07-31T12:00:00+00:00: +5.1% ~ ±2%"),
        ("_a_ __b__ snake_case_", r"\_a\_ \_\_b\_\_ snake_case\_"),
        ("*a* `b` [c](d) ![e](f) | g \\", r"\*a\* \`b\` \[c\](d) !\[e\](f) \| g " + "\\\\"),
        ("~~a~~ ~b~", r"\~\~a\~\~ \~b\~".replace(r"\~\~a", r"\~\~a")),
        ("<b> &lt; & c", "&lt;b> &amp;lt; &amp; c"),
        ("https://a.b http://c", "https:&#8203;//a.b http:&#8203;//c"),
        ("ftp://a WWW.b.org", "ftp:&#8203;//a WWW&#8203;.b.org"),
        ("me@example.org", "me@&#8203;example.org"),
        ("@me (@you)", "@&#8203;me (@&#8203;you)"),
        ("#1 a/b#2 GH-3 a#b", "#&#8203;1 a/b#&#8203;2 GH-&#8203;3 a#b"),
        (":fire: $x$", ":&#8203;fire: &#36;x&#36;"),
        ("# a", r"\# a"),
        ("> a", r"\> a"),
        ("- a", r"\- a"),
        ("12. a", r"12\. a"),
        ("---", r"\---"),
        ("a\nb\t c", "a b c"),
    ],
)
def test_github_shows_a_word_as_it_is(text: str, written: str) -> None:
    """An ordinary name is written as it is; only what would be taken for markup is not."""
    assert markdown.escaped(text) == written


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec="utf-8")) | st.text("`*_[]()<>|\\~#&!-+.=1a :\n") | st.sampled_from(ATTACKS))
@example("".join(ATTACKS))
@example("+")
@example("1)")
@example("&amp;amp;")
def test_a_parser_of_markdown_reads_a_word_as_it_is(text: str) -> None:
    """In a list and in a cell of a table, by CommonMark with GitHub's tables and strikethrough."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    wanted = one_line(text)
    item = parser.render(f"- {markdown.escaped(text)}\n")
    assert re.sub(r"^<ul>\n<li>|</li>\n</ul>\n$", "", item).count("<") == 0
    assert seen(item) == wanted
    cell = parser.render(f"| head |\n| --- |\n| {markdown.in_line(text)} |\n")
    assert set(re.findall(r"<(\w+)", cell)) <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert seen(cell) == f"head {wanted}".strip()
    paragraph = parser.render(f"Said: {markdown.escaped(text)}; and {markdown.escaped(text)}.\n")
    assert paragraph.count("<") == 2
    assert seen(paragraph) == one_line(f"Said: {wanted}; and {wanted}.")


def seen(page: str) -> str:
    """Return the text of a page's elements on one line, without the spaces that have no width."""
    return one_line(html.unescape(re.sub("<[^>]*>", " ", page)).replace("\u200b", ""))


def test_code_is_one_span_whatever_is_in_it() -> None:
    """No backtick ends it, and it is never empty: two backticks would begin another one."""
    assert markdown.code("a `b` \x1b\n c") == "`a 'b' \ufffd c`"
    assert markdown.code(" ") == "` `"
