"""The search of a bisection on made histories, whose culprit is known: what it finds, and what it does not claim."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bench.analysis import stats
from bench.analysis.bisection import search, step
from bench.analysis.bisection.search import Ask, Conclusion, Key, Ratios, Search, State
from bench.analysis.bisection.step import Rule

RULE = Rule(margin=0.02, alpha=0.05, most=12)
TIGHT = (-0.001, 0.0, 0.001)


@dataclass
class History:
    """Commits whose seconds are known, in cells of one backend; each process is off by some share.

    seconds  of each commit by the cell
    noise    standard deviation of a process, and of those of some commits
    broken   commits that cannot be measured
    """

    seconds: Mapping[str, Sequence[float]]
    noise: float = 0.004
    noisy: Mapping[str, float] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    asked: list[Ask] = field(default_factory=list)
    _measured: dict[tuple[int, str, str], dict[Key, dict[int, float]]] = field(default_factory=dict)
    _failed: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(str, range(max(map(len, self.seconds.values())))))

    def ratios(self, stage: int, label: str, base: str) -> Ratios:
        return self._measured.get((stage, label, base), {})

    def failures(self, stage: int, number: int) -> Mapping[str, str]:
        return self._failed.get((stage, number), {})

    def measure(self, ask: Ask) -> None:
        self.asked.append(ask)
        failed = {label: self.broken[label] for label in ask.labels if label in self.broken}
        if failed:
            self._failed[ask.stage, ask.number] = failed
            return
        for key in ask.keys or tuple(self.seconds):
            logs = {label: self._log(str(key), label, ask) for label in ask.labels}
            for label, base in zip(ask.labels[1:], ask.labels, strict=False):
                found = self._measured.setdefault((ask.stage, label, base), {})
                found.setdefault(key, {})[ask.number] = logs[label] - logs[base]

    def _log(self, key: str, label: str, ask: Ask) -> float:
        draw = random.Random(f"{self.seed} {key} {label} {ask.stage} {ask.number}")
        return math.log(self.seconds[key][int(label)]) + draw.gauss(0, self.noisy.get(label, self.noise))


def searched(history: History, rule: Rule = RULE) -> tuple[Conclusion, State]:
    """Search a history to its end."""
    wanted = Search(history.labels, rule)
    while (found := search.state(wanted, history)).ask is not None:
        history.measure(found.ask)
    assert found.conclusion is not None
    return found.conclusion, found


def slower_from(culprit: int, *, commits: int = 64, ratio: float = 1.05) -> list[float]:
    """Return the seconds of a history that is slower from one commit on; commit 0 is the good end."""
    return [ratio if commit >= culprit else 1.0 for commit in range(commits + 1)]


@pytest.mark.parametrize("culprit", [1, 2, 31, 32, 33, 63, 64])
def test_the_culprit_is_found_in_as_many_steps_as_halving_takes(culprit: int) -> None:
    """64 candidates are six halvings; two steps prove the ends and one the culprit, at the edges too."""
    ended, found = searched(History({"train": slower_from(culprit)}))
    assert (ended.ending, ended.culprits, ended.parent) == ("found", (str(culprit),), str(culprit - 1))
    assert ended.others == ()
    assert [one.kind for one in found.steps] == ["ends", "ends again", *["candidate"] * 6, "proof"]
    (proved,) = found.steps[-1].cells
    assert proved.from_good.low < 1.05 < proved.from_good.high
    assert proved.from_good.count >= step.FIRST_PROOF


def test_two_neighbours_need_no_search() -> None:
    """The second proof of the ends is that of the culprit."""
    ended, found = searched(History({"train": [1.0, 1.05]}))
    assert (ended.ending, ended.culprits, ended.parent) == ("found", ("1",), "0")
    assert len(found.steps) == 2


def test_equal_ends_stop_the_search_before_it_begins() -> None:
    """Nothing is slower, so there is no culprit; a difference within the margin is none."""
    for ratio in (1.0, 1.004):
        ended, found = searched(History({"train": slower_from(5, ratio=ratio), "predict": [1.0] * 65}, noise=0.002))
        assert (ended.ending, len(found.steps)) == ("not slower", 1)
        assert found.steps[0].answer == "same"


def test_a_good_end_that_is_slower_is_told() -> None:
    """Ends that were swapped have no culprit; the cells that are faster say why."""
    ended, found = searched(History({"train": slower_from(5, ratio=0.9)}))
    assert ended.ending == "not slower"
    assert found.steps[0].having("faster") == ("train",)


def test_what_fresh_processes_do_not_confirm_is_no_slowdown() -> None:
    """A busy minute that made the bad end slower once is over in the second step."""

    class Once(History):
        def measure(self, ask: Ask) -> None:
            self.seconds = {"train": slower_from(5, ratio=1.0 if ask.stage else 1.1)}
            super().measure(ask)

    ended, found = searched(Once({"train": slower_from(5)}))
    assert ended.ending == "not slower"
    assert [one.answer for one in found.steps] == ["slower", "same"]


def test_the_clearest_cells_are_searched() -> None:
    """Ten cells became slower; two are measured further, those that need the fewest processes."""
    cells = {f"cell {number}": slower_from(20, ratio=1.03 + number / 100) for number in range(10)}
    history = History(cells)
    ended, _ = searched(history)
    assert ended.culprits == ("20",)
    assert history.asked[0].keys is None
    (searched_keys,) = {ask.keys for ask in history.asked if ask.stage == 1}
    assert searched_keys is not None
    assert len(searched_keys) == search.MOST_CELLS
    assert min(int(str(key).split(" ")[1]) for key in searched_keys) >= 5


def test_cells_of_two_backends_are_not_measured_in_one_pass() -> None:
    """A pass has workers of one backend; a second one would double the time of each step."""
    history = History({name: slower_from(7, ratio=1.1) for name in ("a jax", "b jax", "c tf")})
    wanted = Search(history.labels, RULE, together=lambda key: str(key).split(" ")[1])
    while (found := search.state(wanted, history)).ask is not None:
        history.measure(found.ask)
    assert found.conclusion is not None
    assert found.conclusion.culprits == ("7",)
    assert len({str(key).split(" ")[1] for key in history.asked[-1].keys or ()}) == 1


def test_a_candidate_that_cannot_be_measured_is_skipped() -> None:
    """As `git bisect skip` does: a neighbour stands in for it, and the culprit is found all the same."""
    ended, found = searched(History({"train": slower_from(20)}, broken={"32": "it does not build"}))
    assert (ended.ending, ended.culprits) == ("found", ("20",))
    (skipped,) = [one for one in found.steps if one.answer == "skipped"]
    assert (skipped.label, skipped.reason, skipped.processes) == ("32", "it does not build", 0)


def test_commits_around_the_culprit_that_cannot_be_measured_are_the_answer() -> None:
    """One of them is the culprit, and nothing says which."""
    broken = dict.fromkeys(("19", "20", "21"), "it does not build")
    ended, _ = searched(History({"train": slower_from(20)}, broken=broken))
    assert (ended.ending, ended.culprits, ended.parent) == ("interval", ("19", "20", "21", "22"), "18")


def test_an_end_that_fails_stops_the_search() -> None:
    """Without it nothing can be compared; its reason is told."""
    ended, _ = searched(History({"train": slower_from(20)}, broken={"0": "it ended"}))
    assert (ended.ending, ended.reason) == ("failed", "it ended")


def test_an_unresolved_candidate_is_taken_for_neither() -> None:
    """It takes all processes that are allowed, then its neighbour decides."""
    ended, found = searched(History({"train": slower_from(20)}, noisy={"32": 0.2}))
    assert (ended.ending, ended.culprits) == ("found", ("20",))
    unresolved = [one for one in found.steps if one.answer == "unresolved"]
    assert [(one.label, one.processes) for one in unresolved] == [("32", RULE.most)]


def test_where_nothing_resolves_the_interval_is_the_answer() -> None:
    """A search does not go on for hours, and it never guesses: the culprit is among those that it names."""
    noisy = {str(commit): 0.2 for commit in range(10, 30)}
    ended, found = searched(History({"train": slower_from(20)}, noisy=noisy))
    assert ended.ending == "interval"
    assert "20" in ended.culprits
    assert sum(one.answer == "unresolved" for one in found.steps) == step.MOST_UNRESOLVED
    assert ended.reason == "3 candidates stayed unresolved"


def test_of_two_culprits_the_larger_one_is_found_and_the_other_is_told() -> None:
    """A candidate between the ends is told apart from both; the search goes on where the larger part is."""
    seconds = [1.0 if commit < 10 else 1.04 if commit < 50 else 1.12 for commit in range(65)]
    ended, found = searched(History({"train": seconds}))
    assert (ended.ending, ended.culprits) == ("found", ("50",))
    assert "between" in [one.answer for one in found.steps]
    (other,) = ended.others
    assert int(other.after) < 10 <= int(other.until)
    assert other.change.value == pytest.approx(1.04, abs=0.01)


def test_a_culprit_that_leaves_a_part_of_the_change_says_so() -> None:
    """No candidate lay between: the second change is in the culprit's own half, and only the proof tells."""
    seconds = [1.0, 1.0, 1.06, 1.12]
    ended, _ = searched(History({"train": seconds}, noise=0.001))
    assert ended.ending == "found"
    assert ended.others


def test_cells_that_changed_at_different_commits_are_searched_apart() -> None:
    """The clearest cell leads; the other one's change is told with the commits that hold it."""
    history = History({"train": slower_from(50, ratio=1.2), "predict": slower_from(10, ratio=1.05)})
    ended, _ = searched(history)
    assert ended.culprits == ("50",)
    (other,) = ended.others
    assert other.key == "predict"
    assert int(other.after) < 10 <= int(other.until)
    assert history.asked[-1].keys == ("train",)


def test_a_culprit_that_is_not_slower_than_its_parent_is_not_proved() -> None:
    """A wrong turn shows at the end: the proof has fresh processes of both."""

    class Misled(History):
        def measure(self, ask: Ask) -> None:
            if ask.labels == ("19", "20"):
                self.seconds = {"train": [1.0] * 65}
            super().measure(ask)

    ended, _ = searched(Misled({"train": slower_from(20)}))
    assert (ended.ending, ended.culprits) == ("unproved", ("20",))


def test_a_search_is_the_same_whenever_it_is_resumed() -> None:
    """Records alone decide: replayed from half of them it asks for the next process, and not for an earlier one."""
    history = History({"train": slower_from(20)})
    ended, whole = searched(history)
    again = History({"train": slower_from(20)})
    for ask in history.asked[:17]:
        again.measure(ask)
    found = search.state(Search(again.labels, RULE), again)
    assert found.ask == history.asked[17]
    assert found.steps == whole.steps[: len(found.steps)]
    assert searched(again)[0] == ended


def test_the_level_of_a_look_is_shared_by_all_looks_of_a_search() -> None:
    """64 candidates: 6 halvings and 3 tried in vain, 10 looks each (at 3 to 12 processes), 2 cells: a 180th."""
    assert RULE.looks == 10
    assert RULE.level(64, 2) == pytest.approx(0.05 / 180)
    assert RULE.level(1, 1) == pytest.approx(0.05 / 40)
    assert RULE.ends_level() == pytest.approx(0.05 / 22)  # looks at 3 to 24 processes


@pytest.mark.parametrize(
    ("from_good", "to_bad", "answer"),
    [
        (0.05, 0.0, "bad"),
        (0.0, 0.05, "good"),
        (0.03, 0.02, "between"),
        (0.048, 0.002, "bad"),  # a twentieth of the change lies elsewhere: no second culprit
        (0.002, 0.048, "good"),
        (-0.02, 0.07, "good"),  # faster than the good end
        (0.07, -0.02, "bad"),
    ],
)
def test_a_candidate_is_placed_by_both_ends(from_good: float, to_bad: float, answer: str) -> None:
    """Bad is told apart from good and nearer to bad; between is told apart from both."""
    logs = [[centre + off / 10 for off in TIGHT] for centre in (from_good, to_bad)]
    assert step.place(*logs, level=0.001).answer == answer


def test_a_candidate_in_the_noise_is_unresolved() -> None:
    """Neither end can be excluded; nearer is no answer."""
    found = step.place([-0.02, 0.05, 0.04], [0.04, -0.02, 0.01], level=0.001)
    assert (found.answer, found.nearer) == ("unresolved", "bad")


def test_the_scatter_of_earlier_steps_moderates_a_later_one() -> None:
    """Two samples of three: variances 1 and 4 of two degrees of freedom each; with one value nothing is known."""
    assert step.pooled([[1.0, 2.0, 3.0], [0.0, 2.0, 4.0], [9.0]]) == stats.Prior(2.5, 4)
    assert step.pooled([[1.0]]) is None


def test_one_sided_p_values_add_up_to_one() -> None:
    """The p-value of the mirrored values is the rest."""
    values = [0.01, 0.02, 0.04]
    mirrored = [-value for value in values]
    assert step.above_zero(values) + step.above_zero(mirrored) == pytest.approx(1)
    assert step.above_zero(values) == pytest.approx(stats.t_test(values) / 2)
