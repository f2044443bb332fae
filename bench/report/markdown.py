"""Markdown: tables, a run's page, and the summary of a comparison for a pull request.

A word of a record is shown as it is, by GitHub too: no markup, no link, no mention, no reference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.analysis.machine.queueing import Measured
from bench.analysis.rows import RunDocument
from bench.analysis.summary import Summary
from bench.records.machine import Machine
from bench.report import comparison, overview
from bench.report.tables import comparison as comparisons
from bench.report.tables import every, words
from bench.report.tables.columns import Column, Table, sentence
from datasets.plain_text import one_line

# What begins markup anywhere, and what does at the beginning of a line: a heading, a quotation, a list, a rule.
MARKS = re.compile(
    r"""[\\`*\[\]|]
    | (?<![^\W_])_ | _(?![^\W_])  # within a word it is a letter
    | (?<!\s)(?<!^)~ | ~(?!\s|$)  # a lone one strikes nothing out""",
    re.VERBOSE,
)
BEGINNINGS = re.compile(r"^(\d{0,9})(?=\#{1,6}(?:\s|$)|>|[-+.)](?:\s|$)|-{2,}$)")
# What GitHub makes a link, a mention, a reference or a picture of, and where it is parted by a space without a width.
LINKS = re.compile(
    r"""(?<=:)(?=//) | (?<=\bwww)(?=\.)
    | (?<![A-Za-z0-9_]@)(?<=@)(?=[A-Za-z0-9])  # @name
    | (?<=[A-Za-z0-9_]@)(?=[\w-]+(?:\.[\w-]+)*\.[\w-]*[A-Za-z])  # name@example.org
    | (?<=\#)(?=\d) | (?<=\bGH-)(?=\d)
    | (?<=:)(?=(?:[\w+-]*[a-z][\w+-]*|[+-]1|100|1234):)  # :name: is a picture""",
    re.VERBOSE | re.IGNORECASE,
)
NO_WIDTH = "&#8203;"

SIGNS = {"slower": "🔴 slower", "fails": "🔴 fails", "faster": "🟢 faster", "unresolved": "❔ unresolved"}


def escaped(text: str) -> str:
    """Return ``text`` so that Markdown and HTML show it as it is, on one line, with no link and no element."""
    return BEGINNINGS.sub(r"\1\\", in_line(text))


def in_line(text: str) -> str:
    """Return ``text`` escaped as it stands within a line, such as in a cell."""
    parted = LINKS.sub("\0", one_line(text))  # no control character is left in it
    marked = MARKS.sub(r"\\\g<0>", parted)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), ("$", "&#36;"), ("\0", NO_WIDTH)):
        marked = marked.replace(character, entity)
    return marked


def code(text: str) -> str:
    """Return ``text`` as a span of code that nothing in it ends."""
    return f"`{one_line(text.replace('`', chr(39))) or ' '}`"


def line(cells: Sequence[str]) -> str:
    """Return one line of a table; its cells are escaped already."""
    return f"| {' | '.join(cells)} |"


def body(table: Table) -> str:
    """Return ``table`` alone; nothing without rows."""
    if not table.rows:
        return ""
    lines = [line([column.title for column in table.every_column])]
    lines.append(line(["---:" if column.is_number else "---" for column in table.every_column]))
    lines += [line([_cell(column, row) for column in table.every_column]) for row in table.rows]
    return "\n".join(lines)


def section(table: Table) -> str:
    """Return ``table`` below its title and caption, above its notes."""
    parts = [f"## {table.title}", sentence(table.caption), body(table), *map(sentence, map(escaped, table.notes))]
    return "\n\n".join(part for part in parts if part)


def page_of(title: str, document: RunDocument, tables: Sequence[Table], picture: str = "") -> str:
    """Return a page of its own for some ``tables`` of a run: what it was measured on, the command, a picture."""
    facts = _measured_on(
        document.started_at, (document.commit or "")[:10], document.machine, document.versions, document.corpus
    )
    shown = f"![{escaped(title)}]({picture})" if picture else ""
    return _page(title, facts, document.command, [shown, *map(section, tables), _failures(document)])


def load_page(title: str, tables: Sequence[Table], measured: Measured) -> str:
    """Return the page of a load test, of which no run has the records."""
    commit = measured.commit.title if measured.commit else ""
    facts = _measured_on(measured.at, commit, measured.machine, measured.versions, measured.corpus)
    return _page(title, facts, measured.command, [section(table) for table in tables])


def _measured_on(at: str, commit: str, machine: Machine, versions: dict[str, str], corpus: str) -> str:
    """Return what a page says of its measurement: the day, the commit if it is known, machine, versions and corpus."""
    suite = f", commit {commit}" if commit else ""
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{at[:10]}{suite}, {machine.title}; {packages}; {corpus} reviews."


def _page(title: str, facts: str, command: str, parts: Sequence[str]) -> str:
    lines = [f"# {escaped(title)}", escaped(facts), f"{code(command)} measures it again.", *filter(None, parts)]
    return "\n\n".join(lines) + "\n"


def warnings(document: RunDocument) -> str:
    """Return what speaks against a run that was published anyway."""
    return f"**Published anyway, do not rely on it**: {escaped('; '.join(document.warnings))}."


def contents(tables: Sequence[Table]) -> str:
    """Return a list of ``tables`` that leads to each; its first line parts it from a list above."""
    links = [f"- [{table.title}](#{anchor(table.title)})" for table in tables]
    return "\n".join(["Tables of this run:", "", *links]) if links else ""


def anchor(title: str) -> str:
    """Return what GitHub calls a heading in an address: small letters, a dash for each blank, no other mark."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def page(document: RunDocument, newer: RunDocument | None, stem: str = "") -> str:
    """Return every table of a run as one page; ``newer`` supersedes it and lies in the file ``stem``.md."""
    tables = every(document)
    parts = [
        f"# {escaped(words.title(document))}",
        f"Superseded by [{escaped(words.title(newer))}]({stem}.md)." if newer else "",
        warnings(document) if document.warnings else "",
        "\n".join(f"- **{name}**: {escaped(value)}" for name, value in words.facts(document).items()),
        f"Measured again by {code(words.reproduced_by(document))}.",
        "\n".join(f"- {escaped(said)}" for said in overview.sentences(document)),
        contents(tables),
        *map(section, tables),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def pull_request(summary: Summary) -> str:
    """Return the summary of a comparison, fit for a pull request: the decision, then what changed, then the rest."""
    document = summary.document
    cells = (comparisons.gate_cells(document), comparisons.called_cells(document))
    counters = comparisons.counter_changes(document)
    failing = comparisons.counter_changes(document, failing=True)
    parts = [
        f"## kerasmark: {comparison.closing(document)}",
        "\n".join(f"- **{escaped(name)}**: {escaped(said)}" for name, said in document.sides.items()),
        body(failing),
        "\n".join(f"- {escaped(note)}" for note in failing.notes),
        body(comparisons.gate_findings(document)),
        *(_folded(f"{one.title}: {len(one.rows)} cells", one) for one in cells),
        _folded(f"{len(counters.rows)} counters that differ", counters),
        _folded("Controls", comparisons.controls(document)),
        _failures(document),
        _footer(summary),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(column: Column, row: object) -> str:
    text = column.text(row)
    return in_line(SIGNS.get(text, text) if column.format == "answer" else text)


def _folded(title: str, table: Table) -> str:
    if not table.rows:
        return ""
    notes = "".join(f"\n\n{sentence(escaped(note))}" for note in table.notes)
    return f"<details><summary>{escaped(title)}</summary>\n\n{body(table)}{notes}\n\n</details>"


def _failures(document: RunDocument) -> str:
    lines = [f"- {escaped(f'{f.target}: {f.recipe} {f.work}: {f.reason}')}" for f in document.failures]
    return "**Not measured**\n\n" + "\n".join(lines) if lines else ""


def _footer(summary: Summary) -> str:
    document, run = summary.document, summary.run
    machine, common = escaped(document.machine.title), escaped(comparison.common_versions(run))
    state = escaped(comparison.state(run))
    return (
        f"<sub>{document.started_at[:10]}, kerasmark {state}; {machine}; on every side {common}; "
        f"corpus {escaped(document.corpus)}; {comparisons.processes(document)} of each side; "
        f"false alarms below {document.alpha or 0:.0%}; a slowdown is confirmed by fresh "
        "processes.</sub>"
    )
