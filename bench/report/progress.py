"""Progress on stderr: which recipe, epoch, loss, accuracy, time left; drawn between clocks, never while one runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.control import Control
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.segment import ControlType
from rich.table import Column as RichColumn
from rich.text import Text

from bench.plan.steps import Step, expected_s
from bench.plan.targets import Target
from bench.protocol import Json
from bench.records.schema import FailureRecord

# Before so many of the expected seconds are done, the time left would be a guess.
MEANINGFUL_S = 20.0

# Where there is no terminal, epochs are told at most this often.
QUIET_S = 15.0


@dataclass
class ProgressReport:
    """Follows a session. On a terminal one line is redrawn in place; elsewhere steps and some epochs are lines."""

    console: Console
    steps: Sequence[Step]
    budget_s: float | None = None
    now: Callable[[], float] = time.monotonic
    _position: int = field(default=0, init=False)
    _done_s: float = field(default=0.0, init=False)
    _begun: float = field(default=0.0, init=False)
    _told: float = field(default=-QUIET_S, init=False)
    _words: str = field(default="", init=False)
    _bar: Progress | None = field(default=None, init=False)
    _task: TaskID = field(default=TaskID(0), init=False)

    def __enter__(self) -> ProgressReport:
        self._begun = self.now()
        if self.console.is_terminal:
            words = TextColumn("{task.description}", markup=False, table_column=RichColumn(no_wrap=True))
            # No thread redraws: only the calls below do, and a session makes them between clocks.
            self._bar = Progress(
                BarColumn(bar_width=8), words, console=self.console, auto_refresh=False, transient=True
            )
            self._task = self._bar.add_task("starting", total=sum(map(expected_s, self.steps)) or 1)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def starting(self, target: Target) -> None:
        """Say that a worker starts."""
        self._show(f"starting {target.name}: importing its framework")

    def begin(self, step: Step) -> None:
        """Say which step begins; those beyond the plan are what a budget adds."""
        self._done_s = sum(map(expected_s, self.steps[: self._position]))
        self._position += 1
        total = len(self.steps)
        where = f"{self._position}/{total}" if self._position <= total else f"+{self._position - total}"
        self._words = f"{where} {step.recipe.name}"
        targets = " and ".join(target.name for target in step.targets)
        self._show(f"{self._words} {step.name}, {targets}{self._left()}")

    def progress(self, values: Json) -> None:
        """Say where a training stands."""
        self._done_s += min(values["elapsed_s"], 60.0)
        if self._bar is None and self.now() - self._told < QUIET_S:
            return
        names = {"loss": "loss", "accuracy": "acc.", "val_accuracy": "val. acc."}
        figures = " ".join(f"{short} {values[name]:.3f}" for name, short in names.items() if name in values)
        target = f"{values['target']} " if "target" in values else ""  # several may train side by side
        epoch = f"{target}{values['phase']} epoch {values['epoch']}/{values['epochs']}"
        epoch += f" {values['share']:.0%}" if "share" in values else ""
        self._show(f"{self._words} {epoch} {figures}{self._left()}")

    def failed(self, record: FailureRecord) -> None:
        """Say what failed, on a line that stays."""
        self._say(
            Text.assemble(("failed ", "bold red"), f"{record.recipe} {record.work} on {record.target}: {record.reason}")
        )

    def _left(self) -> str:
        """Return the time left: what the remaining steps cost elsewhere, scaled by how this machine has done so far."""
        total, elapsed = sum(map(expected_s, self.steps)), self.now() - self._begun
        if self.budget_s is not None and elapsed < self.budget_s:
            return f", {(self.budget_s - elapsed) / 60:.0f} min of the budget left"
        if self._done_s < MEANINGFUL_S or self._position > len(self.steps):
            return ""  # too early to tell, or beyond the plan
        minutes = elapsed * max(0.0, total / self._done_s - 1) / 60
        return f", {minutes:.0f} min left" if minutes >= 1 else ", under a minute left"

    def _show(self, words: str) -> None:
        if self._bar is None:
            self._told = self.now()
            self._say(Text(words))
        else:
            self._bar.update(self._task, completed=self._done_s, description=words, refresh=True)

    def _say(self, text: Text) -> None:
        # A line in a file is one line, however long.
        self.console.print(text, soft_wrap=not self.console.is_terminal)


@dataclass
class DownloadReport:
    """Follows a download by tenths: one line redrawn on a terminal, a line each elsewhere."""

    console: Console
    _tenth: int = field(default=-1, init=False)

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` bytes (0 where unknown) have come."""
        tenth = 10 * done // total if total else 0
        if tenth != self._tenth:
            self._tenth = tenth
            share = f"{10 * tenth} % of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
            redrawn = self.console.is_terminal and not self.console.is_dumb_terminal
            self.console.print(f"fetched {share}", end="" if redrawn else "\n", style="dim")
            self.console.control(*([Control(ControlType.CARRIAGE_RETURN)] if redrawn else []))
