"""Progress: what a person can follow on a terminal and in a log, and when nothing is drawn."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench import plan, targets
from bench.report.progress import QUIET_S, DownloadReport, ProgressReport
from models.recipes import RECIPES
from tests.bench import made


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def steps() -> list[plan.Step]:
    """Return the smoke profile's steps of the dense recipe on both backends."""
    both = [targets.Target("jax"), targets.Target("tensorflow")]
    return plan.steps([RECIPES["dense"]], both, plan.PROFILES["smoke"], seeds=1)


def epoch(number: int) -> dict[str, object]:
    """Return what a worker tells at the end of an epoch."""
    figures = {"loss": 0.5, "accuracy": 0.75, "val_accuracy": 0.7}
    return {"phase": "final", "epoch": number, "epochs": 4, "epoch_s": 1.0, **figures}


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


def followed(screen: io.StringIO, *, terminal: bool, clock: Clock) -> ProgressReport:
    console = Console(file=screen, width=80, force_terminal=terminal, highlight=False)
    return ProgressReport(console, steps(), now=clock)


def test_a_log_has_one_line_for_each_step_however_long(screen: io.StringIO) -> None:
    """Lines of a log are searched: none is wrapped."""
    report = followed(screen, terminal=False, clock=Clock())
    with report:
        for position, step in enumerate(steps()):
            report.begin(step, position, len(steps()))
    assert len(screen.getvalue().splitlines()) == len(steps())
    assert "1/8 dense train to accuracy, seed 0, jax-cpu" in screen.getvalue()


def test_a_log_tells_an_epoch_now_and_then(screen: io.StringIO) -> None:
    """Fifty quick epochs are not fifty lines."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock)
    with report:
        report.begin(steps()[0], 0, len(steps()))
        report.progress(epoch(1))
        clock.time = QUIET_S
        report.progress(epoch(2))
    assert "epoch 1/4" not in screen.getvalue()
    assert "dense final epoch 2/4 loss 0.500 acc. 0.750 val. acc. 0.700" in screen.getvalue()


def test_a_terminal_shows_every_epoch_within_its_width(screen: io.StringIO) -> None:
    """One line is redrawn, by the calls alone: no thread draws while a clock runs."""
    report = followed(screen, terminal=True, clock=Clock())
    with report:
        assert report._bar is not None
        assert not report._bar.live.auto_refresh
        report.begin(steps()[0], 0, len(steps()))
        report.progress(epoch(1))
    assert "epoch 1/4" in screen.getvalue()


def test_the_time_left_follows_how_this_machine_has_done(screen: io.StringIO) -> None:
    """Half of the expected work done in ten minutes leaves ten."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock)
    expected = [plan.expected_s(step) for step in steps()]
    half = next(n for n in range(len(expected)) if sum(expected[:n]) >= 20)
    with report:
        clock.time = 600.0
        report.begin(steps()[half], half, len(steps()))
    minutes = 10 * (sum(expected) / sum(expected[:half]) - 1)
    assert f"{minutes:.0f} min left" in screen.getvalue()


def test_a_failure_stays_on_the_screen(screen: io.StringIO) -> None:
    """What failed is read after the bar has gone."""
    report = followed(screen, terminal=False, clock=Clock())
    with report:
        report.failed(made.failure())
    assert "failed dense parity on tensorflow-cpu: it was killed" in screen.getvalue()


def test_a_download_is_told_by_tenths(screen: io.StringIO) -> None:
    """A thousand chunks are eleven lines."""
    report = DownloadReport(Console(file=screen, width=80, highlight=False))
    for done in range(1001):
        report(done * 1000, 1_000_000)
    assert len(screen.getvalue().splitlines()) == 11
    assert "100 % of 1 MB" in screen.getvalue()
