"""The commands that teach: `train` one model and save it, `score` text with it, `sweep` over variations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from bench import backends
from bench.cli import arguments, options
from bench.cli.options import Data, Flag, Names, RecipeFile
from bench.cli.outcome import Outcome


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
    from bench.report import terminal
    from bench.report import train as report
    from bench.report.progress import ProgressReport
    from bench.runner.training import train

    (target,) = arguments.targets([backend], "cpu")
    chosen = arguments.variation(recipe, list(settings), recipes)
    job = train.TrainJob(chosen, options.with_recipes(target, recipes), seed, path, options.command(), save)
    located = options.corpus(data)
    with ProgressReport(terminal.console(stderr=True), [job.step]) as watch:
        record = train.train(job, located, watch)
    if save:
        from bench.report.charts import curves  # a second to import

        curves.write(chosen, record, save)
    return Outcome(record.model_dump_json(indent=2) if json else report.render(record, chosen, save))


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
    from bench.report import score
    from bench.runner import scoring

    arguments.at_least("--batch-size", batch_size)
    under = arguments.one_of("backend", backend, {name: name for name in backends.SERVING})
    if text:
        scores = scoring.texts(model, under, text)
        return Outcome(score.Scores(text, scores) if sys.stdout.isatty() else score.plain(text, scores))
    if file is None and sys.stdin.isatty():
        options.say("reading lines from the terminal; end with Ctrl-D")
    with options.lines(file) as lines:
        code = scoring.stream(model, under, lines, batch_size=batch_size, scores_only=scores_only)
    if code:
        raise scoring.ScoringError(f"scoring ended with exit status {code}; what it said stands above")
    return Outcome()


def sweep(
    recipe: str,
    /,
    *,
    over: Names = None,
    also: Names = None,
    seeds: int = 5,
    backend: Names = None,
    data: Data = None,
    out: Path | None = None,
    speed: Flag = False,
    show: Flag = False,
) -> Outcome:
    """Train variations of a recipe over seeds and say which of them differ from it; goes on where it stopped.

    Settings: optimizer, learning_rate, units, hidden_layers, embedding_units, lstm_units, lstm_layers, lstm_dropout,
    recurrent_dropout, dropout, l2, vocabulary_size, sequence_length, skip_top, batch_size, epochs, held_out,
    restore_best. Proposed by the sources: lstm-stacked, lstm-dropout, lstm-rare-words, lstm-large-vocabulary,
    lstm-long, pooling-plain, pooling-undropped, pooling-unpenalized.

    Parameters
    ----------
    recipe
        The recipe that is varied, and that every variation is held against.
    over
        Settings with their values, as in optimizer=rmsprop,adam,sgd units=16,32: every combination is trained.
    also
        Variations by name, beside the grid.
    seeds
        Trainings of each variation on each backend.
    backend
        Backends; jax if not given.
    out
        File of the trainings, in JSON Lines; its table and charts are written beside it. In results/runs/sweeps if not
        given.
    speed
        Also time a training step and a prediction of each, in turns with the recipe's own, in processes of their own;
        run nothing else meanwhile.
    show
        Train nothing; print what is there.
    """
    import tempfile

    from bench.analysis.calibration import replicate_pool
    from bench.records import reference
    from bench.report import sweep as report
    from bench.report import terminal
    from bench.report.progress import ProgressReport
    from bench.runner.training import sweep, sweep_timing, train_seeds

    base, values, others = arguments.variation(recipe, []), arguments.grid(over), arguments.each(also)
    chosen = sweep.recipes(base, values, [arguments.variation(name, []) for name in others])
    file = out or sweep.default_file(base, values, others)
    arguments.at_least("--seeds", seeds)
    screen, targets = terminal.console(stderr=True), arguments.targets(backend or ["jax"], "cpu")
    if not show:
        located = options.corpus(data)
        train_seeds.collect(
            chosen,
            targets,
            seeds={one.name: seeds for one in chosen},
            corpus=(located.corpus.name, located.corpus.digest, located.folder),
            file=file,
            logs=Path(tempfile.mkdtemp(prefix="kerasmark-sweep-")),
            notice=screen.print,
        )
    beside = sweep_timing.default_file(file)
    if speed and not show:
        with ProgressReport(screen, []) as watch:
            sweep_timing.SweepTiming(chosen, targets, located, watch).collect(beside, notice=screen.print)
    found = sweep.rows(chosen, records := reference.load(file), sweep_timing.ratios(replicate_pool.load(beside)))
    if found and not show:
        options.say(f"written: {', '.join(one.name for one in report.write(found, records, file, options.command()))}")
    return Outcome(report.render(found))
