"""The command line, and the only place that prints or exits; it measures and decides nothing itself."""

from __future__ import annotations

import signal
import sys
import traceback

from cyclopts import App, CycloptsError

from bench.cli import comparing, info, learning, measure, publishing, runs
from bench.cli.outcome import Outcome
from bench.report import ascii_fallback
from datasets.errors import ExpectedError, UsageError

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
    *(measure.run, measure.peers, runs.show, runs.runs, info.list_cells, info.sample, info.doctor),
    *(learning.train, learning.score, learning.sweep),
    *(comparing.compare, comparing.regress, comparing.versions, comparing.calibrate),
    *(runs.export, runs.history, publishing.publish, measure.reference),
):
    app.command(command, name="list" if command is info.list_cells else None)


def main(words: list[str] | None = None) -> int:
    """Run the command line and return its exit status; what is wrong is said in one line on stderr."""
    from bench.exit_codes import ExitCode

    ascii_fallback.use(sys.stdout, sys.stderr)
    try:
        found = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        return _shown(found if isinstance(found, Outcome) else Outcome())
    except (CycloptsError, UsageError) as error:
        return _complain(str(error), ExitCode.USAGE)
    except KeyboardInterrupt:
        return _complain(
            "interrupted: what was measured is kept; `bench show latest` prints it, `run --resume latest` goes on",
            ExitCode.INTERRUPTED,
        )
    except ExpectedError as error:
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


def _complain(words: str, code: int) -> int:
    print(f"bench: {' '.join(words.split())}", file=sys.stderr)
    return int(code)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who cancels a job sends this: workers must end as well
    sys.exit(main())
