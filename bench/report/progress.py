"""Progress on stderr: which recipe, epoch, loss, accuracy, time left; drawn between clocks, never while one runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from bench.plan import Step, expected_s
from bench.protocol import Json
from bench.record import FailureRecord
from bench.targets import Target


@dataclass
class ProgressReport:
    """Follows a session. On a terminal one line is redrawn in place; elsewhere each step and epoch is a line."""

    console: Console
    steps: Sequence[Step]
    now: Callable[[], float] = time.monotonic
    _done_s: float = 0.0
    _begun: float = field(default=0.0, init=False)
    _words: str = field(default="", init=False)
    _bar: Progress | None = field(default=None, init=False)
    _task: TaskID = field(default=TaskID(0), init=False)

    def __enter__(self) -> ProgressReport:
        self._begun = self.now()
        if self.console.is_terminal:
            columns = (BarColumn(bar_width=12), TextColumn("{task.percentage:>3.0f}% {task.description}"))
            # No thread redraws: only the calls below do, and a session makes them between clocks.
            self._bar = Progress(*columns, console=self.console, auto_refresh=False, transient=True)
            self._task = self._bar.add_task("starting", total=sum(map(expected_s, self.steps)) or 1)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def starting(self, target: Target) -> None:
        self._show(f"starting {target.name}: importing its framework")

    def begin(self, step: Step, position: int, total: int) -> None:
        self._done_s = sum(map(expected_s, self.steps[:position]))
        targets = ", ".join(target.name for target in step.targets)
        self._words = f"{position + 1}/{total} {step.recipe.name} · {step.name} · {targets}"
        self._show(self._words + self._left())

    def progress(self, values: Json) -> None:
        figures = [f"{name} {values[name]:.4f}" for name in ("loss", "accuracy", "val_accuracy") if name in values]
        epoch = f"epoch {values['epoch']}/{values['epochs']}"
        self._done_s += min(values["epoch_s"], 60.0)
        self._show(f"{self._words} · {values['phase']} {epoch} · {' '.join(figures)}{self._left()}")

    def failed(self, record: FailureRecord) -> None:
        self._say(f"[bold red]failed[/] {record.recipe} {record.work} on {record.target}: ", record.reason)

    def _left(self) -> str:
        """Return the time left: what the remaining steps cost elsewhere, scaled by how this machine has done so far."""
        total, elapsed = sum(map(expected_s, self.steps)), self.now() - self._begun
        if self._done_s < 10:
            return ""
        minutes = elapsed * max(0.0, total / self._done_s - 1) / 60
        return f" · {minutes:.0f} min left" if minutes >= 1 else " · under a minute left"

    def _show(self, words: str) -> None:
        if self._bar is None:
            self._say("", words)
        else:
            self._bar.update(self._task, completed=self._done_s, description=words, refresh=True)

    def _say(self, markup: str, words: str) -> None:
        from rich.markup import escape

        self.console.print(markup + escape(words))
