"""The command line, and the only place that prints or exits; it measures and decides nothing itself."""

from __future__ import annotations

import signal
import sys
import traceback

from cyclopts import App, CycloptsError

from bench import choices
from bench.commands import comparing, kept, learning, look, measure, publishing
from bench.commands.outcome import Outcome
from bench.report import lookalikes

app = App(
    name="bench",
    help="Benchmark Keras 3 models on JAX and TensorFlow: accuracy first, then speed.",
    help_epilogue=(
        "Exit status: 0 all held, 1 slower (confirmed), 2 wrong use, 3 accuracy or parity failed, 4 nothing comparable "
        "or unresolved, 5 some cells failed, 6 data, device or environment not usable, 70 a bug in the suite, "
        "130 interrupted."
    ),
    version="kerasmark 0.1.0",
    suppress_keyboard_interrupt=False,
)

for command in (
    *(measure.run, measure.peers, kept.show, kept.runs, look.list_cells, look.sample, look.doctor),
    *(learning.train, learning.score, learning.sweep),
    *(comparing.compare, comparing.regress, comparing.versions, comparing.calibrate),
    *(kept.export, kept.history, publishing.publish, measure.reference),
):
    app.command(command, name="list" if command is look.list_cells else None)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status; what is wrong is said in one line on stderr."""
    from bench.exit_codes import ExitCode

    lookalikes.use(sys.stdout, sys.stderr)
    try:
        found = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        return _shown(found if isinstance(found, Outcome) else Outcome())
    except (CycloptsError, choices.WrongUse) as error:
        return _complain(str(error), ExitCode.USAGE)
    except KeyboardInterrupt:
        return _complain(
            "interrupted: what was measured is kept; `bench show latest` prints it, `run --resume latest` goes on",
            ExitCode.INTERRUPTED,
        )
    except _unusable() as error:
        return _complain(str(error), ExitCode.UNUSABLE)
    except Exception as error:  # noqa: BLE001, the last resort: a bug has an exit status of its own
        traceback.print_exception(error)
        return _complain(f"this is a bug in kerasmark, please report it: {error!r}", ExitCode.BUG)


def _shown(outcome: Outcome) -> int:
    """Print what a command leads to and return its exit status."""
    if isinstance(outcome.shown, str):
        print(outcome.shown.removesuffix("\n"))
    elif outcome.shown is not None:
        from bench.report import terminal

        terminal.console().print(outcome.shown)
    return outcome.code


def _unusable() -> tuple[type[Exception], ...]:
    from bench.checkouts import CheckoutError
    from bench.contrast import ContrastError
    from bench.environments import BuildError
    from bench.history import HistoryError
    from bench.pool import PoolError
    from bench.process import WorkFailed
    from bench.publish.rows import PublishError
    from bench.recipe_file import RecipeFileError
    from bench.remainder import RemainderError
    from bench.scoring import ScoringError
    from bench.store import StoreError
    from datasets.errors import DataError

    return (
        BuildError,
        CheckoutError,
        ContrastError,
        DataError,
        HistoryError,
        PoolError,
        PublishError,
        RecipeFileError,
        RemainderError,
        ScoringError,
        StoreError,
        WorkFailed,
    )


def _complain(words: str, code: int) -> int:
    print(f"bench: {' '.join(words.split())}", file=sys.stderr)
    return int(code)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who cancels a job sends this: workers must end as well
    sys.exit(main())
