"""What the faults command has found so far: a line of JSON for each trial, and the page that is made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.records import machine, packages
from tests.faults import soak
from tests.faults.soak import Level
from tests.faults.trials import Outcome

FOLDER = ROOT / "results" / "faults"
PAGE = ROOT / "results" / "faults.md"

HEAD = """# Faults

What was done to runs, how often, and what was found. `nox -s faults` does it again and resumes where it was
interrupted; `nox -s fuzz -- TARGET` fuzzes one reader. On every change the tests inject single faults: this page is
what chance was given time to find.

Found in this way, and mended:

- A worker killed while it measured the machine's peaks cost a run that nothing could make whole: peaks are planned now.
- Two targets that failed at once were written from two threads, with digests over the same line: a good run looked
  edited.
- A session that was interrupted while it compiled started the killed worker again, and waited for it.
- A run killed while it asked git for its commit left `.git/index.lock` behind.
- Records with an unknown path, recipe or target, or two equal lengths in a turn, ended a report with a traceback.
- A damaged member of a saved model, 3,000 long names in an archive and 2.6 million empty members ended with a
  traceback, or not at all.
"""


def keep(name: str, found: Outcome | Level | dict[str, Any]) -> None:
    """Add one line to the file ``name``, with when and of which commit it was found.

    The machine and the versions have a line of their own, once for all that follow it.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    commit = machine.commit()
    where = {"machine": machine.machine().title, "versions": packages.versions()}
    known = load(name)
    fields = found if isinstance(found, dict) else asdict(found)
    when = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit.title if commit else "unknown"}
    new = [] if known and {key: known[-1][key] for key in where} == where else [where]
    with (FOLDER / f"{name}.jsonl").open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps(line) + "\n" for line in (*new, {**fields, **when}))


def load(name: str) -> list[dict[str, Any]]:
    """Return what the file ``name`` holds, each with its machine and versions; nothing without a file."""
    file, where, found = FOLDER / f"{name}.jsonl", {}, []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        fields = json.loads(line)
        if "at" in fields:
            found.append({**where, **fields})
        else:
            where = fields
    return found


def page() -> str:
    """Return the page of everything that was found."""
    parts = {"kills": _kills, "forgeries": _forgeries, "soak": _soak, "fuzz": _fuzz}
    return "\n".join([HEAD, *(line for name, part in parts.items() for line in part(load(name)))])


def _kills(outcomes: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "## Kills",
        "",
        "Each trial kills one process with SIGKILL at a random instant, resumes the run until it is whole, and",
        "compares it with an undisturbed one: the same work measured, once each, no damaged line, the cells of a step",
        "timed together, and of a gate the same answers.",
        "",
        "| what ran | killed | trials | resumed | otherwise than undisturbed | commit |",
        "| --- | --- | ---: | --- | ---: | --- |",
    ]
    for world, victim in dict.fromkeys((one["world"], one["victim"]) for one in outcomes):
        group = [one for one in outcomes if (one["world"], one["victim"]) == (world, victim)]
        resumes = sorted({one["resumes"] for one in group})
        times = f"{resumes[0]} to {resumes[-1]} times" if len(resumes) > 1 else f"{resumes[0]} times"
        wrong = sum(bool(one["wrong"]) for one in group)
        lines.append(f"| {world} | the {victim} | {len(group)} | {times} | {wrong} | {_commits(group)} |")
    wrong = [f"- {one['world']}, seed {one['seed']}: {'; '.join(one['wrong'])}" for one in outcomes if one["wrong"]]
    return [*lines, "", *wrong, *_where(outcomes)]


def _forgeries(found: Sequence[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    caught = sum(bool(one["found"]) for one in found)
    lines = [
        "## Forgeries",
        "",
        "An honest default run was changed by a program that makes every digest again, packed, and given to `verify`.",
        f"{caught} of {len(found)} were found. What changes every block of a cell a little shows only where the cell",
        "is measured again (`verify FILE --measure`), and there only if it is much.",
        "",
        "| what was done | found | by the rule |",
        "| --- | --- | --- |",
    ]
    for deed in dict.fromkeys(one["deed"] for one in found):
        group = [one for one in found if one["deed"] == deed]
        rules = sorted({rule for one in group for rule in one["found"]})
        lines.append(_line([deed, f"{sum(bool(one['found']) for one in group)} of {len(group)}", "; ".join(rules)]))
    return [*lines, "", *_where(found)]


def _soak(levels: Sequence[dict[str, Any]]) -> list[str]:
    if not levels:
        return []
    lines = [
        "## Soak",
        "",
        "One process runs a whole run and a whole gate with fake workers in turn.",
        "",
        "| runs | minutes | memory, MB | open files | threads | children |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    shown = [*levels[:: max(1, len(levels) // 6)], levels[-1]]
    names = Level.__dataclass_fields__
    lines += [_line(one[name] for name in names) for one in {one["runs"]: one for one in shown}.values()]
    grown = soak.growth([Level(**{name: one[name] for name in names}) for one in levels])
    said = f"It grew: {'; '.join(grown)}." if grown else "Nothing grew."
    return [*lines, "", said, "", *_where(levels)]


def _fuzz(found: Sequence[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    lines = [
        "## Fuzzing",
        "",
        "With coverage guidance (atheris); hypothesis drives the same functions in the tests.",
        "",
        "| reader | minutes | inputs | findings | commit |",
        "| --- | ---: | ---: | --- | --- |",
    ]
    lines += [
        _line([one["target"], one["minutes"], f"{one['inputs']:,}", one["finding"] or "none", one["commit"][:10]])
        for one in found
    ]
    return [*lines, "", *_where(found)]


def _line(cells: Iterable[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _where(found: Sequence[dict[str, Any]]) -> list[str]:
    if not found:
        return []
    last = found[-1]
    versions = ", ".join(f"{name} {version}" for name, version in last["versions"].items())
    return [f"{found[0]['at'][:10]} to {last['at'][:10]}; {last['machine']}; {versions}.", ""]


def _commits(found: Sequence[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(one["commit"][:10] for one in found))


def write() -> Path:
    """Write the page and return its file."""
    PAGE.write_text(page(), encoding="utf-8")
    return PAGE
