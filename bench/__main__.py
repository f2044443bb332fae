"""The command line: the only place that prints and exits."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any

from cyclopts import App, CycloptsError, Group, Parameter

from bench import PROGRAM, VERSION
from bench.cli import Outcome
from bench.cli.compare import bisect, calibrate, compare, regress, versions
from bench.cli.info import doctor, init, sample
from bench.cli.info.list import list_
from bench.cli.measure import baselines, load, reference, run, scaling, score, sweep, train
from bench.cli.results import export, history, merge, publish, runs, show, submit, verify
from bench.exit_codes import ExitCode
from bench.report import ascii_fallback
from datasets.errors import ExpectedError, UsageError
from datasets.plain_text import one_line, plain, shortened

# A complaint may name what was given, however long that is.
LONGEST_COMPLAINT = 500

STDOUT = "standard output"
# What a file or its file system answers to a write that it does not take.
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EBADF}

app = App(
    name=PROGRAM,
    help="Benchmark Keras 3 models on JAX and TensorFlow: accuracy first, then speed.",
    help_epilogue=(
        "Exit status: 0 passed, 1 slower (confirmed), 2 usage error, 3 accuracy or parity failed, 4 nothing "
        "comparable or unresolved, 5 some cells failed, 6 data, device or environment unusable, 70 a bug in kerasmark, "
        "130 interrupted, 141 nobody reads the output."
    ),
    version=f"kerasmark {VERSION}",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative=()),
    group_commands=Group("Options", sort_key=9),
)

COMMANDS = {
    "Begin": (init.init,),
    "Measure": (
        run.run,
        train.train,
        score.score,
        sweep.sweep,
        scaling.scaling,
        load.load,
        baselines.baselines,
        reference.reference,
    ),
    "Compare": (compare.compare, regress.regress, versions.versions, bisect.bisect, calibrate.calibrate),
    "Results": (
        *(show.show, runs.runs, verify.verify, merge.merge, submit.submit),
        *(export.export, history.history, publish.publish),
    ),
    "Look": (list_, sample.sample, doctor.doctor),
}
for place, (title, commands) in enumerate(COMMANDS.items()):
    group = Group(title, sort_key=place)
    for number, command in enumerate(commands):
        command.__doc__ = (command.__doc__ or "").replace("`bench ", f"`{PROGRAM} ")  # the help
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
            f"interrupted: records are kept; `{PROGRAM} show latest` prints them, "
            f"`{PROGRAM} run --resume latest` resumes",
            ExitCode.INTERRUPTED,
        )
    except ExpectedError as error:
        return _complain(str(error), ExitCode.UNUSABLE)
    except BrokenPipeError:
        return ExitCode.READER_GONE
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # how rich ends where nobody reads what it prints
            return ExitCode.READER_GONE
        raise
    except OSError as error:
        return _complain(_unusable(error), ExitCode.UNUSABLE)
    except Exception as error:  # noqa: BLE001, the last resort: a bug has an exit status of its own
        _tell(plain("".join(traceback.format_exception(error))))
        return _complain(f"this is a bug in kerasmark, please report it: {error!r}", ExitCode.BUG)


def program() -> int:
    """Run the command line as a program: nothing but its exit status is left to say after it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job gets this: its workers must end too
    _fill_closed_descriptors()
    sys.stdout = _buffered(sys.stdout)
    try:
        return main()
    except KeyboardInterrupt:  # one more while the first was answered
        return ExitCode.INTERRUPTED
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        _close()


def _print(outcome: Outcome) -> int:
    """Print what a command shows and return its exit status; OSError where it cannot be written."""
    if outcome.shown is None:
        return outcome.code
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), STDOUT)
    if isinstance(outcome.shown, str):
        print(plain(outcome.shown).removesuffix("\n"), flush=True)
    else:
        from bench.report import terminal

        terminal.console().print(outcome.shown)
    return outcome.code


def _complain(words: str, code: int) -> int:
    _tell(f"{PROGRAM}: {shortened(one_line(words), LONGEST_COMPLAINT)}\n")
    return int(code)


def _tell(words: str) -> None:
    """Write to stderr; where that cannot be written, the exit status must say it alone."""
    with suppress(OSError, ValueError):  # ValueError: it is closed
        if sys.stderr is not None:
            sys.stderr.write(words)
            sys.stderr.flush()


def _unusable(error: OSError) -> str:
    """Say what the system refused, and of which file."""
    reason = error.strerror or str(error) or type(error).__name__
    verb = "write" if error.errno in UNWRITABLE else "use"
    return f"cannot {verb} {error.filename or STDOUT}: {reason}"


def _fill_closed_descriptors() -> None:
    """Open the null device where a standard stream is closed: else a run's records would get its number, and words."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest free number, this one


def _buffered(stream: Any) -> Any:
    """Return ``stream`` with a buffer: without one (PYTHONUNBUFFERED) Python drops what a full disk did not take."""
    if isinstance(getattr(stream, "buffer", None), io.RawIOBase):
        return open(stream.fileno(), "w", encoding=stream.encoding, errors=stream.errors, closefd=False)
    return stream


def _close() -> None:
    """Write what standard output and stderr still hold; what cannot be written is given up, or Python would try again.

    Python's own attempt, as it ends, would print a traceback and change the exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(program())
