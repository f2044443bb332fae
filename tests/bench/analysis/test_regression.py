"""The verdicts of a comparison: three answers, Holm's family, confirmation, controls and counters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bench.analysis import regression
from bench.analysis.regression import Decision, Due
from bench.analysis.stats import Estimate
from bench.exit_codes import ExitCode, of_comparison
from bench.records.schema import ComparisonRecord, Record, TimingRecord
from bench.records.store import Run
from tests.bench import made
from tests.bench.made import blocks

TIGHT = (0.999, 1.0, 1.001)


def timed(
    target: str, ratios: Sequence[float], *, path: str = "compiled step", phase: str = "train", first: int = 0
) -> list[Record]:
    """Return a replicate of a cell for each ratio to 10 ms a block, from replicate ``first`` on."""
    cell = made.cell(phase, path, target=f"jax-cpu@{target}")
    return [made.timing(cell, blocks(*[0.01 * r] * 3), replicate=first + n) for n, r in enumerate(ratios)]


def pair(ratios: Sequence[float], *, head: str = "head", path: str = "compiled step", first: int = 0) -> list[Record]:
    """Return ``head`` and its base over so many replicates."""
    return timed("base", [1.0] * len(ratios), path=path, first=first) + timed(head, ratios, path=path, first=first)


def decision(*records: Record, rule: ComparisonRecord | None = None) -> Decision:
    return Decision(rule or made.comparison(), records)


@pytest.mark.parametrize(
    ("low", "value", "high", "p_value", "answer"),
    [
        (0.98, 1.00, 1.02, 0.9, "same"),
        (1.005, 1.01, 1.02, 0.001, "same"),  # a real difference that is too small to matter
        (1.04, 1.05, 1.06, 0.001, "slower"),
        (0.90, 0.92, 0.94, 0.001, "faster"),
        (1.01, 1.05, 1.09, 0.06, "unresolved"),  # other cells of the family take their share of the level
        (0.90, 1.00, 1.10, 0.9, "unresolved"),
        (1 / 1.03, 1.0, 1.03, 0.9, "same"),  # the margin itself is within
    ],
)
def test_the_three_answers(low: float, value: float, high: float, p_value: float, answer: str) -> None:
    """Same within the margin, slower or faster where one is out of the question, else unresolved."""
    assert regression.answer(Estimate(value, low, high, 6), told_apart=p_value < 0.05, margin=0.03) == answer


def test_a_cell_that_is_a_tenth_slower_and_confirmed_is_slower() -> None:
    """Two rounds of three replicates, 10 % each: exit status 1."""
    found = decision(*pair([1.099, 1.1, 1.101]), *pair([1.101, 1.1, 1.099], first=3))
    (verdict,) = found.cells
    assert verdict.answer == "slower"
    assert verdict.ratio is not None
    assert verdict.ratio == pytest.approx(1.1)
    assert verdict.confirmed is not None
    assert of_comparison(found) == ExitCode.REGRESSION


def test_a_slower_that_a_fresh_batch_does_not_confirm_fails_nothing() -> None:
    """The fresh round says same: unresolved, with the reason, and no regression."""
    found = decision(*pair([1.099, 1.1, 1.101]), *pair(TIGHT, first=3))
    (verdict,) = found.cells
    assert verdict.answer == "unresolved"
    assert "fresh processes say same" in verdict.reason
    assert of_comparison(found) == ExitCode.UNRESOLVED
    assert of_comparison(found, allow_unresolved=True) == ExitCode.HELD


def test_a_slower_without_its_fresh_batch_fails_nothing() -> None:
    """Interrupted before the confirmation: what is not confirmed is no regression."""
    found = decision(*pair([1.099, 1.1, 1.101]))
    assert found.cells[0].answer == "unresolved"
    assert found.due() == Due(3, [found.cells[0].cell])


def test_the_fresh_batch_does_not_count_in_the_first() -> None:
    """The first round is noise around one, the second far off: replicates from the rule's number on are apart."""
    found = decision(*pair(TIGHT), *pair([1.5, 1.5, 1.5], first=3))
    assert (found.cells[0].answer, found.due()) == ("same", None)


OPEN = (0.97, 1.0, 1.03)
LOOKS = made.comparison(fewest=3, replicates=6)


def test_an_open_cell_is_looked_at_again_after_each_process() -> None:
    """Three leave it open, four more say same: it is decided by all of them, and by no more."""
    waiting = decision(*pair(OPEN), rule=LOOKS)
    assert waiting.due() == Due(3, [waiting.cells[0].cell])
    for one, processes in ((OPEN, 6), ((0.985, 1.0, 1.015), 4)):
        (found,) = decision(*pair(one), *pair([1.0] * 3, first=3), rule=LOOKS).cells
        assert (found.answer, found.processes) == ("same", processes)


def test_a_cell_that_is_decided_stays_as_it_is() -> None:
    """Another cell of its recipe may bring it more processes, of whatever they say."""
    found = decision(*pair(TIGHT), *pair([1.5] * 3, first=3), rule=LOOKS)
    assert (found.cells[0].answer, found.cells[0].processes, found.due()) == ("same", 3, None)


def test_what_is_slower_is_confirmed_by_processes_of_its_own() -> None:
    """Those that found it do not confirm it: the numbers from the rule's most on do."""
    clear = pair((1.099, 1.1, 1.101))
    waiting = decision(*clear, rule=LOOKS)
    assert waiting.due() == Due(6, [waiting.cells[0].cell])
    assert waiting.cells[0].answer == "unresolved"
    found = decision(*clear, *pair((1.099, 1.1, 1.101), first=6), rule=LOOKS)
    assert (found.cells[0].answer, found.cells[0].confirmed_processes, found.due()) == ("slower", 3, None)
    assert decision(*clear, *pair(TIGHT, first=6), rule=LOOKS).cells[0].answer == "unresolved"


def test_a_cell_that_stays_open_ends_with_the_processes() -> None:
    """Nothing is asked for without end."""
    found = decision(*pair(OPEN), *pair(OPEN, first=3), rule=LOOKS)
    assert (found.cells[0].answer, found.due()) == ("unresolved", None)


def test_looks_share_the_level() -> None:
    """Processes with p = .04 are slower in one look at 5 %, and not in the first of four."""
    loose = pair((1.032, 1.05, 1.068))
    assert decision(*loose).due() is not None
    assert decision(*loose, rule=LOOKS).due() == Due(3, [decision(*loose).cells[0].cell])


def test_tiers_are_families_of_their_own_with_margins_of_their_own() -> None:
    """4 % is the same for a noisy call and no answer for a program; each tier has half of the level."""
    rule = made.comparison(
        deciding=[made.deciding("train", "compiled step"), made.deciding("train", "fit", tier="called", margin=0.1)]
    )
    wide = (1.03, 1.04, 1.05)
    found = decision(*pair(wide), *pair(wide, path="fit"), rule=rule)
    assert [(row.tier, row.margin, row.answer) for row in found.cells] == [
        ("compiled", 0.03, "unresolved"),
        ("called", 0.1, "same"),
    ]


def test_cells_that_are_alike_lend_each_other_their_variance() -> None:
    """Three values scatter by chance: five cells of one path know better how much such cells do."""
    lone = (1.0, 1.0, 1.055)
    scattered = [(0.995, 1.0, 1.005)] * 4
    alone = decision(*pair(lone)).cells[0]
    rule = made.comparison(deciding=[made.deciding("train", "compiled step")])
    records = [
        record.model_copy(update={"cell": record.cell.model_copy(update={"recipe": f"other {n}"})})
        for n, ratios in enumerate(scattered)
        for record in pair(ratios)
        if isinstance(record, TimingRecord)
    ]
    together = decision(*pair(lone), *records, rule=rule).cells[0]
    assert alone.ratio_high is not None
    assert together.ratio_high is not None
    assert together.ratio_high < alone.ratio_high


def test_a_faster_cell_needs_no_confirmation() -> None:
    """It fails nothing."""
    found = decision(*pair([0.899, 0.9, 0.901]))
    assert found.cells[0].answer == "faster"
    assert of_comparison(found) == ExitCode.HELD


def test_one_process_tells_nothing() -> None:
    """However many blocks it has: the replicate is the process."""
    (verdict,) = decision(*pair([1.2])).cells
    assert (verdict.answer, verdict.ratio, verdict.min_detectable) == ("unresolved", None, None)


def test_a_family_of_cells_shares_the_level() -> None:
    """Processes at 1.032, 1.05 and 1.068 have p = .04: enough alone, too little among four."""
    loose = (1.032, 1.05, 1.068)
    alone = decision(*pair(loose))
    assert alone.due() is not None
    rule = made.comparison(deciding=[made.deciding("train", name) for name in ("a", "b", "c", "d")])
    records = [r for name in ("a", "b", "c") for r in pair((0.9, 1.0, 1.1), path=name)] + pair(loose, path="d")
    assert decision(*records, rule=rule).due() is None


def test_what_does_not_decide_is_no_row_of_the_gate() -> None:
    found = decision(*pair(TIGHT), *pair([1.99, 2.0, 2.01], path="fit"))
    assert [verdict.path for verdict in found.cells] == ["compiled step"]
    assert of_comparison(found) == ExitCode.HELD


CONTROLS = {"itself": "base again", "extra work": "base +10% work"}


def controlled(again: Sequence[float], slowed: Sequence[float]) -> Decision:
    """Return a gate that holds, with these controls."""
    rule = made.comparison(controls=CONTROLS)
    return decision(*pair(TIGHT), *timed("base again", again), *timed("base +10% work", slowed), rule=rule)


def test_controls_that_come_out_as_known_hold() -> None:
    """The base again is the same, the base with a tenth more is slower."""
    found = controlled(TIGHT, [1.099, 1.1, 1.101])
    assert [(control.control, control.passed) for control in found.controls] == [("itself", True), ("extra work", True)]
    assert not found.void
    assert of_comparison(found) == ExitCode.HELD


CLEAR = [1.099, 1.1, 1.101]


@pytest.mark.parametrize(
    ("again", "slowed"),
    [
        (CLEAR, CLEAR),  # it alarms where nothing differs
        (TIGHT, []),  # a control was not measured
    ],
)
def test_a_base_that_differs_from_itself_voids_the_gate(again: Sequence[float], slowed: Sequence[float]) -> None:
    """Whatever the cells say, nothing can be concluded."""
    found = controlled(again, slowed)
    assert found.void
    assert of_comparison(found) == ExitCode.UNRESOLVED


def test_a_control_that_is_not_found_takes_same_back() -> None:
    """A gate that does not see 10 % more work cannot say that nothing is slower, in that tier."""
    found = controlled(TIGHT, TIGHT)
    assert not found.void
    assert found.cells[0].answer == "unresolved"
    assert "so did 10% more work" in found.cells[0].reason
    assert of_comparison(found) == ExitCode.UNRESOLVED


def test_a_control_that_is_not_found_takes_nothing_from_a_slowdown() -> None:
    """What was found and confirmed was found."""
    rule = made.comparison(controls=CONTROLS)
    slow = [*pair(CLEAR), *pair(CLEAR, first=3)]
    found = decision(*slow, *timed("base again", TIGHT), *timed("base +10% work", TIGHT), rule=rule)
    assert (found.void, found.cells[0].answer) == (False, "slower")
    assert of_comparison(found) == ExitCode.REGRESSION


def test_a_failed_control_is_measured_again() -> None:
    """Chance fails some: fresh processes of that cell alone have the last word, whichever control it is."""
    for again, slowed, label, other in (
        (CLEAR, CLEAR, "base again", [1.0, 1.0, 1.0]),
        (TIGHT, TIGHT, "base +10% work", CLEAR),
    ):
        waiting = controlled(again, slowed)
        due = waiting.due()
        assert due is not None
        assert (due.replicate, [cell.label for cell in due.cells]) == (3, [label])
        fresh = (*timed("base", [1.0] * 3, first=3), *timed(label, other, first=3))
        mended = Decision(waiting.rule, (*waiting.records, *fresh))
        assert [(one.passed, one.remeasured) for one in mended.controls if one.remeasured] == [(True, True)]
        assert (mended.void, mended.due(), mended.cells[0].answer) == (False, None, "same")


def test_passed_controls_are_not_measured_again() -> None:
    """Also where there are processes of them, which another control asked for."""
    found = controlled(TIGHT, CLEAR)
    assert found.due() is None
    fresh = (*timed("base", [1.0] * 3, first=3), *timed("base again", [1.5] * 3, first=3))
    assert not Decision(found.rule, (*found.records, *fresh)).void


def test_a_gate_that_is_void_for_lack_of_cells_says_that_they_failed() -> None:
    """A control that was lost with its worker is another thing than one that came out wrong."""
    found = Decision(made.comparison(controls=CONTROLS), (*pair(TIGHT),), failures=(made.failure(),))
    assert found.void
    assert of_comparison(found) == ExitCode.CELLS_FAILED


def counted(**head: float) -> Decision:
    """Return a gate that holds, whose base has one compilation and 1,000 bytes."""
    base = {"compilations": 1.0, "program_bytes": 1000.0, "peak_resident_bytes": 5e8}
    cells = [made.cell("train", "compiled step", target=f"jax-cpu@{label}") for label in ("base", "head")]
    counters = [made.counters(cells[0], **base), made.counters(cells[1], **{**base, **head})]
    return decision(*pair(TIGHT), *counters)


def test_equal_counters_are_no_finding() -> None:
    assert counted().counter_changes == []


def test_one_more_compilation_is_a_regression() -> None:
    """Exact counters have no noise: no interval and no confirmation."""
    found = counted(compilations=2.0)
    ((count,),) = (found.counter_changes,)
    assert (count.counter, count.before, count.after, count.worse) == ("compilations", 1.0, 2.0, True)
    assert of_comparison(found) == ExitCode.REGRESSION


def test_fewer_bytes_are_told_and_fail_nothing() -> None:
    found = counted(program_bytes=900.0)
    assert [count.worse for count in found.counter_changes] == [False]
    assert of_comparison(found) == ExitCode.HELD


def test_the_memory_of_a_process_is_no_deterministic_counter() -> None:
    assert counted(peak_resident_bytes=6e8).counter_changes == []


def test_a_few_more_bytes_are_told_and_a_twentieth_more_fail() -> None:
    """Every real change of a model moves them a little: 1,050 of 1,000 are within the margin, 1,051 are not."""
    within, beyond = counted(program_bytes=1050.0), counted(program_bytes=1051.0)
    assert [(row.worse, row.fails) for row in within.counter_changes] == [(True, False)]
    assert [(row.worse, row.fails) for row in beyond.counter_changes] == [(True, True)]
    assert (of_comparison(within), of_comparison(beyond)) == (ExitCode.HELD, ExitCode.REGRESSION)


def called(backend: str, before: Mapping[str, float], after: Mapping[str, float]) -> Decision:
    """Return a gate that holds, whose sides call these functions in a step of `fit`."""
    records = []
    for label, functions in (("base", before), ("head", after)):
        record = made.counters(
            made.cell(target=f"{backend}-cpu@{label}"),
            python_calls=sum(number for name, number in functions.items() if not name.endswith(" (C)")),
            c_calls=sum(number for name, number in functions.items() if name.endswith(" (C)")),
        )
        records.append(record.model_copy(update={"functions": dict(functions)}))
    return decision(*pair(TIGHT), *records)


def test_calls_that_rise_by_more_than_the_margin_fail_where_they_repeat_exactly() -> None:
    """Five of a hundred are told, six fail; C calls of `fit` on JAX are not exact: five are noise and six are told."""
    found = {
        (backend, name, after): called(backend, {name: 100.0}, {name: after})
        for backend, name in (("tensorflow", "keras.fit"), ("jax", "keras.fit"), ("jax", "list.remove (C)"))
        for after in (105.0, 106.0)
    }
    assert {key: [row.fails for row in one.counter_changes] for key, one in found.items()} == {
        ("tensorflow", "keras.fit", 105.0): [False],
        ("tensorflow", "keras.fit", 106.0): [True],
        ("jax", "keras.fit", 105.0): [False],
        ("jax", "keras.fit", 106.0): [True],
        ("jax", "list.remove (C)", 105.0): [],
        ("jax", "list.remove (C)", 106.0): [False],
    }
    assert of_comparison(found["tensorflow", "keras.fit", 106.0]) == ExitCode.REGRESSION
    assert of_comparison(found["jax", "list.remove (C)", 106.0]) == ExitCode.HELD


def test_a_change_of_calls_names_the_functions_that_explain_it() -> None:
    """Appeared, vanished, multiplied: the largest first, without what is small beside them, each by its kind."""
    base = {"a": 10.0, "gone": 4.0, "small": 1.0, "same": 50.0, "len (C)": 2.0}
    head = {"a": 30.0, "new": 5.0, "small": 2.0, "same": 50.0, "len (C)": 3.0}
    python, c = called("tensorflow", base, head).counter_changes
    assert [(row.function, row.before, row.after) for row in python.functions] == [("a", 10, 30), ("new", 0, 5)]
    assert [(row.function, row.before, row.after) for row in c.functions] == [("len (C)", 2, 3)]


def test_no_more_than_five_functions_are_named() -> None:
    """Another release changes hundreds: a reader looks at a few."""
    base, head = ({f"f{n}": float(many) for n in range(20)} for many in (1, 2))
    (row,) = called("tensorflow", base, head).counter_changes
    assert [one.function for one in row.functions] == ["f0", "f1", "f10", "f11", "f12"]


def test_nothing_compared_is_a_failure() -> None:
    """A gate whose cells all failed has not passed."""
    assert of_comparison(decision(made.failure())) == ExitCode.UNRESOLVED


def test_the_smallest_effect_that_could_be_seen_grows_with_the_scatter() -> None:
    """Half the scatter sees half as far, on the logarithmic scale."""
    wide, narrow = (decision(*pair([1 / r, 1.0, r])).cells[0].min_detectable for r in (1.02**2, 1.02))
    assert math.log(wide) == pytest.approx(2 * math.log(narrow))


def test_an_open_cell_says_how_many_replicates_would_settle_it() -> None:
    """Scatter of 3 % around one: three replicates cannot, some tens can; a settled cell needs none."""
    (open_cell,) = decision(*pair([0.97, 1.0, 1.03])).cells
    assert open_cell.needed is not None
    assert 4 <= open_cell.needed <= 20
    assert decision(*pair(TIGHT)).cells[0].needed is None


def test_three_versions_are_each_held_against_the_first() -> None:
    """Labels are requirements, which may hold anything but the first @."""
    rule = made.comparison(sides={"keras==1": "keras==1", "keras==2": "keras==2", "keras @ git": "x"})
    records = [
        *timed("keras==1", [1.0] * 3),
        *timed("keras==2", TIGHT),
        *timed("keras @ git", [0.8, 0.801, 0.799]),
    ]
    found = decision(*records, rule=rule)
    assert [(verdict.cell.target.split("@", 1)[1], verdict.answer) for verdict in found.cells] == [
        ("keras==2", "same"),
        ("keras @ git", "faster"),
    ]


def test_a_run_that_compares_nothing_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="expected the records of a comparison"):
        regression.decide(Run(Path("made"), made.header(), ()))
