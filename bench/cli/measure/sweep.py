"""`bench sweep`: train variations of a recipe over seeds and compare them with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, Data, Flag, Names, On, RecipeFile
from datasets.errors import UsageError


def sweep(
    recipe: str,
    /,
    *,
    over: Names = None,
    also: Names = None,
    seeds: Annotated[int, AT_LEAST_ONE] = 5,
    backend: Annotated[Names, Parameter(help="Backends (default: jax).")] = None,
    recipes: RecipeFile = None,
    data: Data = None,
    out: Path | None = None,
    on: On = None,
    speed: Flag = False,
    show: Flag = False,
) -> Outcome:
    """Compare variations of a recipe over seeds.

    An interrupted sweep resumes.

    Settings: optimizer, learning_rate, units, hidden_layers, embedding, embedding_units, lstm_units, lstm_layers,
    lstm_dropout, recurrent_dropout, dropout, l2, precision, vocabulary_size, sequence_length, skip_top, batch_size,
    epochs, held_out, restore_best. Proposed by the sources: lstm-stacked, lstm-dropout, lstm-rare-words,
    lstm-large-vocabulary, lstm-long, pooling-plain, pooling-undropped, pooling-unpenalized.

    Parameters
    ----------
    recipe
        The recipe that every variation is compared with.
    over
        Settings with their values, as in optimizer=rmsprop,adam,sgd units=16,32: every combination is trained.
    also
        Named variations to train beside the grid.
    seeds
        Seeds per variation and backend.
    out
        JSON Lines file of the trainings; its table and charts go beside it (default: in results/runs/sweeps).
    speed
        Also time a training step and a prediction of each variation, interleaved with the recipe's own; run nothing
        else meanwhile.
    show
        Train nothing; print what is there.
    """
    from bench.analysis.calibration import replicate_pool
    from bench.cli import arguments, execution
    from bench.records import reference
    from bench.report import terminal
    from bench.report import training as report
    from bench.report.progress import ProgressReport
    from bench.runner.training import sweep, sweep_timing

    if on and speed:
        raise UsageError("--speed times on this machine: give it once the trainings of --on are there")
    values, others = arguments.grid(over), arguments.each(also)
    base, *named = arguments.variations_of([recipe, *others], recipes)
    chosen = sweep.recipes(base, values, named)
    file = out or sweep.default_file(base, values, others)
    timed = sweep_timing.default_file(file)
    if not show:
        screen, targets, located = (
            terminal.console(stderr=True),
            arguments.targets(backend or ["jax"], file=recipes),
            execution.corpus(data, chosen),
        )
        execution.train_seeds(chosen, targets, located, range(seeds), file, data, on=on)
        if speed:
            with ProgressReport(screen, []) as watch:
                sweep_timing.SweepTiming(chosen, targets, located, watch).collect(timed, notice=screen.print)
    found = sweep.rows(chosen, records := reference.load(file), sweep_timing.ratios(replicate_pool.load(timed)))
    if found and not show:
        written = report.write_sweep(found, records, file, execution.command())
        execution.say(f"written: {', '.join(one.name for one in written)}")
    return Outcome(report.render_sweep(found))
