"""A user's file of recipes, read in a child process: it may import a framework, and do anything else."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bench import ROOT
from bench.plan import targets
from bench.records.schema import OwnRecipe, misfit
from datasets.errors import ExpectedError
from datasets.plain_text import one_line, shortened
from models.recipes import Recipe

# Importing a framework takes up to a minute on a slow machine, and making the arrays perhaps some more.
READ_LIMIT_S = 300.0
# A recipe takes about a kilobyte.
LONGEST_ANSWER = 1 << 20
# The end of what the file says on its standard error: a framework that aborts gives its reason there.
LAST_WORDS = 2_000


class Answer(BaseModel):
    """What the child says of the file: its recipes, or one line that tells what is wrong with it.

    doing  what it begins to do; its last answer has none
    """

    recipes: list[OwnRecipe] = []
    error: str = ""
    doing: str = ""


def read(file: Path, folder: Path | None = None, *, tried: bool = False) -> list[Recipe]:
    """Return the recipes of ``file``; its imports are looked up in ``folder`` first.

    With ``tried``, each has made its arrays and its model, and taken a training step.

    Raises ExpectedError where the file names none, ends its process, or goes on for longer than `READ_LIMIT_S`.
    """
    if not file.is_file():
        raise ExpectedError(
            f"no file {file.name}; --recipes takes a Python file with RECIPE and build(recipe), --recipe takes names"
        )
    targets.require_installed([targets.find(targets.installed()[0])])  # the file imports Keras
    answer = _answer(file, {"PYTHONPATH": str(folder)} if folder else {}, tried=tried)
    if answer.error:
        raise ExpectedError(f"{file.name}: {shortened(one_line(answer.error), 1_000)}")
    if not answer.recipes:  # the suite's own would be measured instead
        raise ExpectedError(f"{file.name}: expected at least one recipe; received none")
    return answer.recipes


def parsed(line: bytes, name: str) -> Answer:
    """Return the answer in ``line``; ExpectedError where it is none."""
    try:
        return Answer.model_validate_json(line)
    except ValidationError as error:
        said = shortened(one_line(misfit(error)), 300)
        raise ExpectedError(f"{name}: expected models.recipes.Recipe; {said}") from error


def _answer(file: Path, extra: dict[str, str], *, tried: bool) -> Answer:
    """Return the last answer of a child, on a pipe of its own: what the file prints is nobody's business."""
    read_fd, write_fd = os.pipe()
    errors_fd, stderr_fd = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "models.user_recipes", str(file.resolve()), str(write_fd), *["try"] * tried],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": targets.installed()[0], "TF_CPP_MIN_LOG_LEVEL": "2", **extra},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr_fd,
        pass_fds=(write_fd,),
        start_new_session=True,
    )
    os.close(write_fd)
    os.close(stderr_fd)
    try:
        return _last_answer(read_fd, errors_fd, process, file.name)
    finally:
        with suppress(ProcessLookupError):  # the file may have started processes, which hold on
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(read_fd)
        os.close(errors_fd)


def _last_answer(answers: int, errors: int, process: subprocess.Popen[bytes], name: str) -> Answer:
    """Return the last answer from ``answers``; ExpectedError where ``process`` ends, goes on or floods instead."""
    deadline, found, size, words, doing = time.monotonic() + READ_LIMIT_S, b"", 0, b"", ""
    streams = [answers, errors]
    while True:
        while b"\n" in found:
            line, _, found = found.partition(b"\n")
            answer = parsed(line, name)
            if not answer.doing:
                return answer
            doing = f", in {shortened(one_line(answer.doing), 200)}"
        ready, _, _ = select.select(streams, [], [], 0.5)
        chunks = {stream: os.read(stream, 1 << 16) for stream in ready}
        streams = [stream for stream in streams if chunks.get(stream) != b""]
        found += chunks.get(answers, b"")
        size += len(chunks.get(answers, b""))
        words = (words + chunks.get(errors, b""))[-LAST_WORDS:]
        if b"\n" not in found and (answers not in streams or (not ready and process.poll() is not None)):
            where = doing or ", before it named recipes"
            raise ExpectedError(f"{name}: it ended its process{_status(process)}{where}{_last(words)}")
        if time.monotonic() > deadline:
            loops = "does it loop?" if doing else "does it loop, or train when it is imported?"
            raise ExpectedError(f"{name}: it did not end within {READ_LIMIT_S:.0f} s{doing}; {loops}")
        if size > LONGEST_ANSWER:
            raise ExpectedError(f"{name}: expected some recipes; received more than {LONGEST_ANSWER} bytes of them")


def _last(words: bytes) -> str:
    """Return the last line of what a process said on its standard error; nothing where that is empty."""
    lines = one_line(words.decode(errors="replace").strip().rpartition("\n")[2])
    return f"; its last words: {shortened(lines, 300)}" if lines else ""


def _status(process: subprocess.Popen[bytes]) -> str:
    """Return how ``process`` ended, in words; nothing where it only closed its end of the pipe."""
    try:
        return f" with status {process.wait(1.0)}"
    except subprocess.TimeoutExpired:
        return ""
