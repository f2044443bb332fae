"""The answer of a run: which backend is faster for each recipe, by how much, as users call Keras and at best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bench.analysis import answers as found
from bench.analysis.rows import AnswerRow, RunDocument, View, once
from bench.report.tables import words
from bench.report.tables.columns import Column, Table, interval_column, significant, table
from bench.report.tables.quality import RECIPE

VIEWS: dict[View, str] = {"as called": "as users call it", "best": "each backend by its fastest path"}
OPEN = "~"
UNDECIDED = "~: not told apart, its interval includes one"
DERIVED = "derived from ratios that were published before this table existed: its intervals are wider"


@dataclass(frozen=True)
class RecipeAnswer:
    """A recipe in one view: training, and prediction at the smallest batch size that was timed."""

    recipe: str
    view: View
    train: AnswerRow | None
    predict: AnswerRow | None


def brief(document: RunDocument) -> Table:
    """Return one row for each recipe and view: the faster backend, how many times as fast it is, the interval."""
    rows = [_of(recipe, view, document.answers) for view in VIEWS for recipe in _recipes(document.answers, view)]
    sizes = {row.predict.batch_size for row in rows if row.predict}
    columns = (
        RECIPE,
        Column("train", "training", value=lambda row: factor(document, row.train)),
        Column("predict", _fewest(document, sizes), value=lambda row: factor(document, row.predict)),
    )
    view = Column("view", "view", value=lambda row: _view(row.view, rows))
    shown = [row for row in (*(r.train for r in rows), *(r.predict for r in rows)) if row]
    notes = (_open(shown), _derived(shown), _waits(document))
    return table("brief", "Which backend is faster", "", columns, rows, *notes, group=view)


def every(document: RunDocument) -> Table:
    """Return every answer of a run, a row for each view, recipe and piece of work."""
    columns = (
        RECIPE,
        Column("work", "work", value=lambda row: words.short_work(row.phase, row.batch_size)),
        Column("faster", "faster", value=lambda row: _marked(document, row)),
        Column("ratio", "times as fast", "significant", short="×"),
        interval_column("ratio"),
        Column("path", "path"),
        Column("rival", "than", value=lambda row: words.label(document, row.rival), wide=True),
        Column("rival_path", "its path", wide=True),
    )
    rows = [found.faster(row) for row in document.answers]
    caption = "how many times as fast, from neighbouring blocks in the same processes"
    view = Column("view", "view", value=lambda row: VIEWS.get(row.view, row.view))
    notes = (_open(rows), words.told_apart(document), _derived(rows), _waits(document))
    return table("answers", "Which backend is faster", caption, columns, rows, *notes, group=view)


def factor(document: RunDocument, row: AnswerRow | None) -> str | None:
    """Return the faster target and how many times as fast it is: "jax 1.25× (1.17–1.33)"."""
    if row is None:
        return None
    one = found.faster(row)
    ends = "–".join(significant(end) for end in (one.ratio_low, one.ratio_high) if end)
    return f"{_marked(document, one)} {significant(one.ratio)}× ({ends if '–' in ends else 'no interval'})"


def _marked(document: RunDocument, row: AnswerRow) -> str:
    return f"{'' if row.told_apart else f'{OPEN} '}{words.label(document, row.target)}"


def _open(rows: Iterable[AnswerRow]) -> str | None:
    return UNDECIDED if any(not row.told_apart for row in rows) else None


def _of(recipe: str, view: View, every_: Sequence[AnswerRow]) -> RecipeAnswer:
    mine = [row for row in every_ if (row.recipe, row.view) == (recipe, view)]
    train = next((row for row in mine if row.phase == "train"), None)
    predict = min((row for row in mine if row.phase == "predict"), key=lambda row: row.batch_size, default=None)
    return RecipeAnswer(recipe, view, train, predict)


def _recipes(rows: Iterable[AnswerRow], view: View) -> list[str]:
    return once(row.recipe for row in rows if row.view == view)


def _fewest(document: RunDocument, sizes: Collection[int]) -> str:
    return f"predicting {words.many(document, 1) if sizes == {1} else f'the fewest {words.rows(document)}'}"


def _view(view: View, rows: Iterable[RecipeAnswer]) -> str:
    """Return a view with the paths that its rows take, training first."""
    mine = [row for row in rows if row.view == view]
    paths = (_paths(row.train for row in mine), _paths(row.predict for row in mine))
    return f"{VIEWS[view]}: {'; '.join(filter(None, paths))}"


def _paths(rows: Iterable[AnswerRow | None]) -> str:
    return " or ".join(once(path for row in rows if row for path in (row.path, row.rival_path)))


def _waits(document: RunDocument) -> str | None:
    return words.FIT_WAITS if document.waits_in_fit else None


def _derived(rows: Iterable[AnswerRow]) -> str | None:
    return DERIVED if any(row.derived for row in rows) else None
