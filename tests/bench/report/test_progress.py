"""Progress: what a person can follow on a terminal and in a log, and when nothing is drawn."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.plan import steps, targets
from bench.records.schema import FailureRecord
from bench.report.progress import QUIET_S, DownloadReport, ProgressReport
from bench.report.terminal import PlainConsole
from models.recipes import RECIPES
from tests.bench import made


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def planned() -> list[steps.Step]:
    """Return the smoke profile's steps of the dense recipe on both backends."""
    both = [targets.Target("jax"), targets.Target("tensorflow")]
    return steps.passes([RECIPES["dense"]], both, steps.PROFILES["smoke"], seeds=1)[0]


def epoch(number: int) -> dict[str, object]:
    """Return what a worker tells at the end of an epoch."""
    figures = {"loss": 0.5, "accuracy": 0.75, "val_accuracy": 0.7}
    return {"phase": "final", "epoch": number, "epochs": 4, "elapsed_s": 1.0, **figures}


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


def followed(screen: io.StringIO, *, terminal: bool, clock: Clock, budget_s: float | None = None) -> ProgressReport:
    console = Console(file=screen, width=80, force_terminal=terminal, highlight=False)
    return ProgressReport(console, planned(), budget_s=budget_s, now=clock)


def test_a_log_has_one_line_for_each_step_however_long(screen: io.StringIO) -> None:
    """Lines of a log are searched: none is wrapped."""
    report = followed(screen, terminal=False, clock=Clock())
    with report:
        for step in planned():
            report.begin(step)
    lines = screen.getvalue().splitlines()
    assert len(lines) == len(planned()) == 8
    assert lines[0] == "1/8 dense train to accuracy by compiled loop, seed 0, jax-cpu"
    assert lines[3].startswith("4/8 dense train 512, jax-cpu and tensorflow-cpu")


@pytest.mark.parametrize("terminal", [True, False])
def test_no_name_is_markup_or_drives_the_terminal(screen: io.StringIO, terminal: bool) -> None:
    """A recipe of a user may be called anything: it is shown as it is, but for control characters."""
    console = PlainConsole(file=screen, width=80, force_terminal=terminal, color_system=None)
    hostile = "[/nope][bold] [link=x] :fire: \x1b]0;x\x07\u202e"
    report = ProgressReport(console, planned(), now=Clock())
    with report:
        report._show(hostile)
        report.failed(FailureRecord(recipe="[x]", work="[bold]", target="a", reason=hostile, log="logs/a"))
    said = screen.getvalue()
    assert said.count("[/nope][bold] [link=x] :fire:") >= 2
    assert "failed [x] [bold] on a" in said
    assert not {"\x07", "\u202e"} & {*said}
    assert "\x1b]" not in said
    assert terminal or "\x1b" not in said


def test_what_a_budget_adds_is_counted_beyond_the_plan(screen: io.StringIO) -> None:
    """How many steps a budget adds is not known beforehand: +1, +2 and so on, never 9 of 8."""
    report = followed(screen, terminal=False, clock=Clock(), budget_s=600.0)
    with report:
        for step in [*planned(), *planned()[-2:]]:
            report.begin(step)
    lines = screen.getvalue().splitlines()
    assert lines[7].startswith("8/8 dense vectorize 1000, ")
    assert lines[8].startswith("+1 dense predict 512, ")
    assert lines[9].startswith("+2 dense vectorize 1000, ")


def test_beyond_the_plan_no_time_left_is_guessed(screen: io.StringIO) -> None:
    """A gate that confirms knows how many steps it adds only when it adds them."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock)
    with report:
        for step in [*planned(), planned()[0]]:
            clock.time += 60.0
            report.begin(step)
    *expected, added = screen.getvalue().splitlines()
    assert "left" in expected[-1]
    assert "left" not in added
    assert added.startswith("+1 ")


def test_with_a_budget_its_own_rest_is_the_time_left(screen: io.StringIO) -> None:
    """Ten minutes given, four gone: six are left, from the first step on, whatever the steps were expected to take."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock, budget_s=600.0)
    with report:
        report.begin(planned()[0])
        clock.time = 240.0
        report.begin(planned()[1])
    assert [line.rsplit(", ", 1)[1] for line in screen.getvalue().splitlines()] == [
        "10 min of the budget left",
        "6 min of the budget left",
    ]


def test_a_first_pass_that_outlasts_its_budget_is_told_by_its_own_work(screen: io.StringIO) -> None:
    """No time of the budget is left, but the first pass is done whole: then the steps tell how long it takes."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock, budget_s=60.0)
    with report:
        for step in planned()[:-1]:
            report.begin(step)
        clock.time = 6_000.0
        report.begin(planned()[-1])
    last = screen.getvalue().splitlines()[-1]
    assert "budget" not in last
    assert last.endswith("min left")


def test_a_log_tells_an_epoch_now_and_then(screen: io.StringIO) -> None:
    """Fifty quick epochs are not fifty lines."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock)
    with report:
        report.begin(planned()[0])
        report.progress(epoch(1))
        clock.time = QUIET_S
        report.progress({**epoch(2), "target": "jax-cpu"})
    assert "epoch 1/4" not in screen.getvalue()
    assert "dense jax-cpu final epoch 2/4 loss 0.500 acc. 0.750 val. acc. 0.700" in screen.getvalue()


def test_a_part_of_an_epoch_is_told_by_its_share(screen: io.StringIO) -> None:
    """An epoch of the lstm takes twenty seconds: what has no figures yet still says where it stands."""
    report = followed(screen, terminal=True, clock=Clock())
    with report:
        report.begin(planned()[0])
        report.progress({"phase": "final", "epoch": 1, "epochs": 4, "share": 0.256, "elapsed_s": 5.0})
    assert "final epoch 1/4 26%" in screen.getvalue()


def test_seconds_of_an_epoch_are_done_work(screen: io.StringIO) -> None:
    """Each message says how long it is since the last one: parts of an epoch add up, and are not counted twice."""
    report = followed(screen, terminal=True, clock=Clock())
    with report:
        report.begin(planned()[0])
        for share in (0.5, 1.0):
            report.progress({"phase": "final", "epoch": 1, "epochs": 4, "share": share, "elapsed_s": 2.0})
    assert report._done_s == 4.0


def test_a_terminal_shows_every_epoch_within_its_width(screen: io.StringIO) -> None:
    """One line is redrawn, by the calls alone: no thread draws while a clock runs."""
    report = followed(screen, terminal=True, clock=Clock())
    with report:
        assert report._bar is not None
        assert not report._bar.live.auto_refresh
        report.begin(planned()[0])
        report.progress(epoch(1))
    assert "epoch 1/4" in screen.getvalue()


def test_the_time_left_follows_how_this_machine_has_done(screen: io.StringIO) -> None:
    """Half of the expected work done in ten minutes leaves ten."""
    clock = Clock()
    report = followed(screen, terminal=False, clock=clock)
    expected = [steps.expected_s(step) for step in planned()]
    half = next(n for n in range(len(expected)) if sum(expected[:n]) >= 20)
    with report:
        for step in planned()[:half]:
            report.begin(step)
        clock.time = 600.0
        report.begin(planned()[half])
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
    report = DownloadReport(PlainConsole(file=screen, width=80))
    for done in range(1001):
        report(done * 1000, 1_000_000)
    assert len(screen.getvalue().splitlines()) == 11
    assert "100 % of 1 MB" in screen.getvalue()


def test_a_download_redraws_one_line_of_a_terminal(screen: io.StringIO) -> None:
    """The carriage return is the console's own; one in a word would be replaced."""
    report = DownloadReport(PlainConsole(file=screen, width=80, force_terminal=True, color_system=None))
    report(0, 1_000_000)
    report(1_000_000, 1_000_000)
    assert screen.getvalue() == "fetched 0 % of 1 MB\rfetched 100 % of 1 MB\r"
