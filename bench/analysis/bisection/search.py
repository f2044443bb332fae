"""The search of a bisection: prove the ends, halve what lies between them, prove the culprit.

`state` replays what was measured so far and says what to measure next, so that records alone decide, an interrupted
search resumes, and a simulated history is searched by the code that searches real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from bench.analysis import regression, stats
from bench.analysis.bisection import step
from bench.analysis.bisection.step import FIRST_LOOK, FIRST_PROOF, MOST_UNRESOLVED, Look, Rule
from bench.analysis.stats import Estimate, Prior

Key = Hashable  # a cell without its target
Ratios = Mapping[Key, Mapping[int, float]]  # log-ratios by cell, then by the number of the process within its stage
Kind = Literal["ends", "ends again", "candidate", "proof"]
Ending = Literal["found", "unproved", "interval", "not slower", "failed"]

ENDS: tuple[Kind, Kind] = ("ends", "ends again")

# Cells that the search measures, the clearest: each more costs a third of a step's time.
MOST_CELLS = 2
# How sure it must be that a culprit leaves a part of the change to another.
REST_CONFIDENCE = 0.99


class Evidence(Protocol):
    """What was measured: by the stage of the search and the labels of two targets."""

    def ratios(self, stage: int, label: str, base: str, /) -> Ratios:
        """Return the logarithms of the seconds of ``label`` over those of ``base``."""

    def failures(self, stage: int, number: int, /) -> Mapping[str, str]:
        """Return why targets failed in process ``number`` of a stage, by their labels."""


@dataclass(frozen=True)
class Search:
    """What is searched: the labels from the good end to the bad one, and how it decides.

    together  cells with one value of this can be measured in one pass
    margin    of a cell, within which its ends are the same; that of the rule if None
    """

    labels: tuple[str, ...]
    rule: Rule
    together: Callable[[Key], Hashable] = lambda _: None
    margin: Callable[[Key], float] | None = None

    def margin_of(self, key: Key) -> float:
        return self.rule.margin if self.margin is None else self.margin(key)


@dataclass(frozen=True)
class Ask:
    """What to measure next: one fresh process of each target; ``keys`` are its cells, None for all."""

    stage: int
    number: int
    labels: tuple[str, ...]
    keys: tuple[Key, ...] | None


@dataclass(frozen=True)
class CellStep:
    """What a step says of one cell: the change from good, and that to bad where a candidate lies between them."""

    key: Key
    from_good: Estimate
    to_bad: Estimate | None
    answer: str


@dataclass(frozen=True)
class Step:
    """A finished step: ``label`` was compared with ``good``, and with ``bad`` if it is a candidate."""

    kind: Kind
    stage: int
    label: str
    good: str
    bad: str
    processes: int
    answer: str
    cells: tuple[CellStep, ...] = ()
    nearer: str = ""
    reason: str = ""

    def having(self, *answers: str) -> tuple[Key, ...]:
        """Return the cells with one of these answers."""
        return tuple(cell.key for cell in self.cells if cell.answer in answers)


@dataclass(frozen=True)
class Other:
    """A change beside the one that was searched: after the label ``after`` and up to ``until``."""

    after: str
    until: str
    key: Key
    change: Estimate


@dataclass(frozen=True)
class Conclusion:
    """How a search ended: the culprit is one of ``culprits``, in their order."""

    ending: Ending
    culprits: tuple[str, ...] = ()
    parent: str = ""
    others: tuple[Other, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class State:
    """The finished steps, and what to measure next or how the search ended."""

    steps: tuple[Step, ...]
    ask: Ask | None = None
    conclusion: Conclusion | None = None


def state(search: Search, evidence: Evidence) -> State:
    """Return how far the search came by ``evidence``."""
    replay = _Replay(search, evidence)
    found = replay.run()
    ended = found if isinstance(found, Conclusion) else None
    return State(tuple(replay.steps), found if isinstance(found, Ask) else None, ended)


@dataclass
class _Replay:
    """One replay: the culprit is after ``low`` up to ``high``; candidates are compared with ``good`` and ``bad``."""

    search: Search
    evidence: Evidence
    steps: list[Step] = field(default_factory=list)
    noise: dict[Key, list[Sequence[float]]] = field(default_factory=dict)
    others: list[Other] = field(default_factory=list)
    keys: tuple[Key, ...] = ()
    low: int = 0
    high: int = 0
    good: str = ""
    bad: str = ""

    def run(self) -> Ask | Conclusion:
        labels = self.search.labels
        self.high, self.good, self.bad = len(labels) - 1, labels[0], labels[-1]
        return self._prove_ends() or self._halve() or self._prove_culprit()

    def _prove_ends(self) -> Ask | Conclusion | None:
        """Tell the ends apart, choose the cells of the search, and confirm them by fresh processes."""
        for kind in ENDS:
            found = self._pair(kind, self.good, self.bad, FIRST_LOOK)
            if isinstance(found, Ask):
                return found
            if found.answer != "slower":
                return Conclusion("failed" if found.answer == "failed" else "not slower", reason=found.reason)
            self.keys = self._clearest(found)
        return None

    def _clearest(self, found: Step) -> tuple[Key, ...]:
        """Return the cells that need the fewest processes, of those that one pass can measure.

        Of the first look, also what it leaves unresolved: by three processes a cell is slower that happens to scatter
        little, and a clearer one is not.
        """
        logs = self._logs(found.stage, found.label, found.good, found.processes)
        common = stats.prior([*logs.values()])
        open_ones = found.having("slower", "unresolved") if found.kind == "ends" else found.having("slower")
        ordered = sorted(open_ones, key=lambda key: -step.clearness(logs[key], common))
        first = self.search.together(ordered[0])
        return tuple(key for key in ordered if self.search.together(key) == first)[:MOST_CELLS]

    def _halve(self) -> Ask | Conclusion | None:
        """Place one candidate after another; None once a single culprit is left."""
        tried: set[int] = set()
        unresolved = 0
        while left := [index for index in range(self.low + 1, self.high) if index not in tried]:
            middle = min(left, key=lambda index: (abs(2 * index - self.low - self.high), index))
            found = self._candidate(self.search.labels[middle])
            if isinstance(found, Ask):
                return found
            if found.answer == "failed":
                return Conclusion("failed", reason=found.reason)
            if found.answer in ("skipped", "unresolved"):
                tried.add(middle)
                unresolved += found.answer == "unresolved"
                if unresolved == MOST_UNRESOLVED:
                    return self._interval(f"{unresolved} candidates stayed unresolved")
            else:
                self._narrow(middle, found)
        return self._interval("what lies between cannot be measured") if self.high - self.low > 1 else None

    def _narrow(self, index: int, found: Step) -> None:
        """Keep the half with the larger change, and the cells that changed there."""
        label = self.search.labels[index]
        agreeing = [cell.key for cell in found.cells if cell.answer in ("unresolved", "between", found.nearer)]
        for cell in found.cells:
            if cell.answer == "between" or cell.key not in agreeing:
                self.others.append(self._other(cell, found, label))
        if found.answer == "between":
            self.good, self.bad = (self.good, label) if found.nearer == "bad" else (label, self.bad)
        self.low, self.high = (self.low, index) if found.nearer == "bad" else (index, self.high)
        self.keys = tuple(agreeing)

    def _other(self, cell: CellStep, found: Step, label: str) -> Other:
        """Return the change in the half that the search leaves."""
        ends = self.search.labels[self.low], self.search.labels[self.high]
        if found.nearer == "bad" and cell.to_bad is not None:
            return Other(label, ends[1], cell.key, cell.to_bad)
        return Other(ends[0], label, cell.key, cell.from_good)

    def _prove_culprit(self) -> Ask | Conclusion:
        """Compare the culprit with its parent in fresh processes; two ends that are neighbours were just proved."""
        parent, culprit = self.search.labels[self.low], self.search.labels[self.high]
        if len(self.search.labels) == 2:
            return Conclusion("found", (culprit,), parent)
        found = self._pair("proof", parent, culprit, FIRST_PROOF)
        if isinstance(found, Ask):
            return found
        if found.answer != "slower":
            reason = found.reason or f"fresh processes call it {found.answer}"
            return Conclusion("unproved", (culprit,), parent, tuple(self.others), reason)
        return Conclusion("found", (culprit,), parent, (*self.others, *self._rest(found)))

    def _rest(self, proof: Step) -> list[Other]:
        """Return what the culprit leaves of the change between the ends, where that is told apart and not small."""
        ends = next(one for one in self.steps if one.kind == "ends again")
        key = self.keys[0]
        one, whole = (self._logs(each.stage, each.label, each.good, each.processes)[key] for each in (proof, ends))
        rest = stats.shift(one, whole, REST_CONFIDENCE)
        centre = stats.hodges_lehmann(whole)
        small = centre - stats.hodges_lehmann(one) < step.SMALLER_PART * centre
        if self.others or rest is None or rest.low <= 1 or small:
            return []
        return [Other(self.search.labels[0], self.search.labels[-1], key, rest)]

    def _interval(self, reason: str) -> Conclusion:
        culprits = self.search.labels[self.low + 1 : self.high + 1]
        return Conclusion("interval", culprits, self.search.labels[self.low], tuple(self.others), reason)

    def _pair(self, kind: Kind, good: str, bad: str, fewest: int) -> Ask | Step:
        """Compare two labels; ends over all cells, whichever those are, until one is slower."""
        stage, level = len(self.steps), self.search.rule.ends_level()
        most = self.search.rule.most_of_ends
        count = self._count(stage, most, (bad, good))
        blank = Step(kind, stage, bad, good, bad, count, "unresolved")
        for number in range(fewest, count + 1):
            cells = self._compared(self._logs(stage, bad, good, number), level)
            blank = replace(blank, processes=number, cells=cells, answer=_summed(cells))
            enough = fewest if blank.answer == "slower" else fewest + FIRST_LOOK
            if blank.answer != "unresolved" and number >= enough:
                return self._finish(blank, (bad, good))
        return self._continued(blank, count, most, (good, bad))

    def _compared(self, logs: Mapping[Key, Sequence[float]], level: float) -> tuple[CellStep, ...]:
        """Compare cells as one family."""
        known = {key: values for key, values in logs.items() if len(values) > 1}
        p_values = stats.holm([step.p_value_of(values, self._prior(key)) for key, values in known.items()])
        found = []
        for (key, values), p_value in zip(known.items(), p_values, strict=True):
            estimate = step.estimate(values, self._prior(key))
            margin = self.search.margin_of(key)
            found.append(
                CellStep(key, estimate, None, regression.answer(estimate, told_apart=p_value < level, margin=margin))
            )
        return tuple(found)

    def _candidate(self, label: str) -> Ask | Step:
        """Place a candidate between good and bad, looking after each process from the third on."""
        stage, good, bad = len(self.steps), self.good, self.bad
        most = self.search.rule.most
        count = self._count(stage, most, (label, good), (bad, label))
        blank = Step("candidate", stage, label, good, bad, count, "unresolved")
        for number in range(FIRST_LOOK, count + 1):
            cells = self._placed(stage, label, number)
            blank = replace(blank, processes=number, cells=tuple(cell for cell, _ in cells))
            decided = [look for cell, look in cells if look.answer != "unresolved"]
            if decided:
                blank = replace(blank, answer=decided[0].answer, nearer=decided[0].nearer)
                return self._finish(blank, (label, good), (bad, label))
        return self._continued(blank, count, most, (good, label, bad))

    def _placed(self, stage: int, label: str, number: int) -> list[tuple[CellStep, Look]]:
        level = self.search.rule.level(len(self.search.labels) - 1, len(self.keys))
        from_good, to_bad = self._logs(stage, label, self.good, number), self._logs(stage, self.bad, label, number)
        found = []
        for key in self.keys:
            logs = from_good.get(key, []), to_bad.get(key, [])
            if min(map(len, logs)) < 2:
                continue
            look = step.place(*logs, level=level, prior=self._prior(key))
            after_good, before_bad = (step.estimate(values, self._prior(key)) for values in logs)
            found.append((CellStep(key, after_good, before_bad, look.answer), look))
        return found

    def _continued(self, left: Step, count: int, most: int, labels: tuple[str, ...]) -> Ask | Step:
        """Ask for one more process of an undecided step, unless one failed or there were enough."""
        failed = self.evidence.failures(left.stage, count)
        reasons = [(label, failed[label]) for label in labels if label in failed]
        if reasons:
            skipped = left.kind == "candidate" and reasons[0][0] == left.label
            answer = "skipped" if skipped else "failed"
            return self._finish(replace(left, answer=answer, reason=reasons[0][1]))
        if count < most:
            return Ask(left.stage, count, labels, self.keys or None)
        return self._finish(left)  # its scatter is no measure of others'

    def _finish(self, done: Step, *pairs: tuple[str, str]) -> Step:
        """Keep a step, and its scatter for the variances of later ones."""
        self.steps.append(done)
        for label, base in pairs:
            for key, values in self._logs(done.stage, label, base, done.processes).items():
                self.noise.setdefault(key, []).append(values)
        return done

    def _count(self, stage: int, most: int, *pairs: tuple[str, str]) -> int:
        """Return how many processes of a stage have a cell of every pair, up to ``most``."""
        every = [self.evidence.ratios(stage, label, base) for label, base in pairs]
        count = 0
        while all(any(count in values for values in ratios.values()) for ratios in every):
            count += 1
        return min(count, most)

    def _logs(self, stage: int, label: str, base: str, number: int) -> dict[Key, list[float]]:
        """Return the log-ratios of the first ``number`` processes in the cells of the search."""
        ratios = self.evidence.ratios(stage, label, base)
        return {
            key: [values[each] for each in sorted(values) if each < number]
            for key, values in ratios.items()
            if not self.keys or key in self.keys
        }

    def _prior(self, key: Key) -> Prior | None:
        return step.pooled(self.noise.get(key, []))


def _summed(cells: Sequence[CellStep]) -> str:
    """Return the answer of a family: slower if any cell is, else unresolved, faster or the same."""
    answers = [cell.answer for cell in cells]
    for answer in ("slower", "unresolved", "faster"):
        if answer in answers:
            return answer
    return "same" if answers else "unresolved"
