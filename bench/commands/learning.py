"""The commands that teach: `train` one model and save it, `score` text with it; they time nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from bench import choices
from bench.commands import common
from bench.commands.common import Data, Flag, RecipeFile
from bench.commands.outcome import Outcome


def train(
    recipe: str,
    /,
    *settings: str,
    backend: str = "jax",
    save: Path | None = None,
    seed: int = 0,
    path: Literal["compiled loop", "fit"] = "compiled loop",
    recipes: RecipeFile = None,
    data: Data = None,
    json: Flag = False,
) -> Outcome:
    """Train one recipe, look at it from every side, and save it: model, vocabulary, recipe and curves.

    Parameters
    ----------
    recipe
        A recipe (dense, pooling-dropout, pooling-logits, lstm), a variation that the sources propose (lstm-stacked,
        lstm-dropout, pooling-plain, ...; `bench sweep --help` has them all) or one of --recipes.
    settings
        What to change, as in optimizer=adam units=32 epochs=3.
    backend
        jax or tensorflow.
    save
        Folder for the model and its curves; nothing is saved if not given.
    seed
        Of the weights, the order of reviews and the dropout.
    path
        How Keras is driven: "compiled loop", the fastest, or "fit".
    json
        Print the record as JSON instead of tables.
    """
    from bench import learn
    from bench.plan import Training
    from bench.report import learned, terminal
    from bench.report.progress import ProgressReport

    (target,) = choices.targets([backend], "cpu")
    chosen = choices.variation(recipe, list(settings), recipes)
    lesson = learn.Lesson(chosen, common.with_recipes(target, recipes), seed, path, common.command(), save)
    located = common.corpus(data)
    planned = [Training(chosen, target, seed, lesson.epochs, path)]
    with ProgressReport(terminal.console(stderr=True), planned) as watch:
        record = learn.learn(lesson, located, watch)
    return Outcome(record.model_dump_json(indent=2) if json else learned.render(record, chosen, save))


def score(
    model: Path,
    /,
    *text: str,
    file: Path | None = None,
    backend: str = "jax",
    batch_size: int = 512,
    scores_only: Flag = False,
) -> Outcome:
    """Score text with a saved model, from 0 (scathing) to 1 (glowing), treated as it was in training.

    Without TEXT every line of FILE, or of standard input, is scored: "score TAB line", in constant memory.

    Parameters
    ----------
    model
        Folder that `bench train --save` wrote, or its model.keras.
    text
        Texts to score, each in quotes.
    file
        File with a text on each line.
    backend
        jax, tensorflow, numpy or openvino, whichever is installed; not only the one that trained.
    batch_size
        Lines that are predicted at once: 1 answers each line at once, 512 is fast.
    scores_only
        Leave the lines out.
    """
    from bench import scoring
    from bench.report import scored

    choices.at_least("--batch-size", batch_size)
    under = choices.one_of("backend", backend, {name: name for name in scoring.BACKENDS})
    if text:
        scores = scoring.texts(model, under, text)
        return Outcome(scored.Scores(text, scores) if sys.stdout.isatty() else scored.plain(text, scores))
    if file is None and sys.stdin.isatty():
        common.say("reading lines from the terminal; end with Ctrl-D")
    with common.lines(file) as lines:
        code = scoring.stream(model, under, lines, batch_size=batch_size, scores_only=scores_only)
    if code:
        raise scoring.ScoringError(f"scoring ended with exit status {code}; what it said stands above")
    return Outcome()
