"""The command line: the only place that prints and exits."""

from __future__ import annotations

import signal
import sys
import traceback

from cyclopts import App, CycloptsError, Group, Parameter

from bench.cli import Outcome
from bench.cli.compare import calibrate, compare, regress, versions
from bench.cli.info import doctor, sample
from bench.cli.info.list import list_
from bench.cli.measure import baselines, reference, run, score, sweep, train
from bench.cli.results import export, history, publish, runs, show
from bench.exit_codes import ExitCode
from bench.report import ascii_fallback
from datasets.errors import ExpectedError, UsageError

app = App(
    name="bench",
    help="Benchmark Keras 3 models on JAX and TensorFlow: accuracy first, then speed.",
    help_epilogue=(
        "Exit status: 0 passed, 1 slower (confirmed), 2 usage error, 3 accuracy or parity failed, 4 nothing "
        "comparable or unresolved, 5 some cells failed, 6 data, device or environment unusable, 70 a bug in kerasmark, "
        "130 interrupted."
    ),
    version="kerasmark 0.1.0",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=()),
    group_commands=Group("Options", sort_key=9),
)

COMMANDS = {
    "Measure": (run.run, train.train, score.score, sweep.sweep, baselines.baselines, reference.reference),
    "Compare": (compare.compare, regress.regress, versions.versions, calibrate.calibrate),
    "Results": (show.show, runs.runs, export.export, history.history, publish.publish),
    "Look": (list_, sample.sample, doctor.doctor),
}
for place, (title, commands) in enumerate(COMMANDS.items()):
    group = Group(title, sort_key=place)
    for number, command in enumerate(commands):
        alias = "peers" if command is baselines.baselines else None  # its first name
        app.command(command, alias=alias, group=group, sort_key=number)


def main(words: list[str] | None = None) -> int:
    """Run the command line and return its exit status; an error is one line on stderr."""
    ascii_fallback.use(sys.stdout, sys.stderr)
    try:
        found = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        return _print(found if isinstance(found, Outcome) else Outcome())
    except (CycloptsError, UsageError) as error:
        return _complain(str(error), ExitCode.USAGE)
    except KeyboardInterrupt:
        return _complain(
            "interrupted: records are kept; `bench show latest` prints them, `bench run --resume latest` resumes",
            ExitCode.INTERRUPTED,
        )
    except ExpectedError as error:
        return _complain(str(error), ExitCode.UNUSABLE)
    except Exception as error:  # noqa: BLE001, the last resort: a bug has an exit status of its own
        traceback.print_exception(error)
        return _complain(f"this is a bug in kerasmark, please report it: {error!r}", ExitCode.BUG)


def _print(outcome: Outcome) -> int:
    """Print what a command shows and return its exit status."""
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job gets this: its workers must end too
    sys.exit(main())
