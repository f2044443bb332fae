"""The run: passes with processes of their own, and a budget that is spent, with made workers and a made clock."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.analysis import regression, summary
from bench.analysis.summary import Summary
from bench.analysis.verification import rules as verify
from bench.plan import shards
from bench.plan.gate import Gate
from bench.plan.shards import Shard
from bench.plan.steps import PROFILES, Step, Timing
from bench.plan.targets import Target
from bench.protocol import Json
from bench.records import identity, machine, merge, packages, settings, store
from bench.records.schema import FailureRecord, PeaksRecord, ResumedRecord, TimingRecord, TrainingRecord
from bench.records.store import Run, StoreError
from bench.report.page import published, site
from bench.runner import run
from bench.runner.process import WorkerLost
from bench.runner.run import RunSpec
from bench.runner.sides import Sides
from datasets.errors import ExpectedError
from models.recipes import DENSE
from tests.bench.made import DIGEST, FakeWorker, comparison, target
from tests.faults.trials import MADE

TARGETS = (Target("jax"), Target("tensorflow"))
THREE = replace(PROFILES["smoke"], replicates=3)
# Seconds of a repeat by how many workers of the target were started before: neither process is like another.
UNLIKE: Callable[[int], float] = lambda number: 0.01 * (1 + 0.2 * (number % 3))  # noqa: E731
ALIKE: Callable[[int], float] = lambda number: 0.01  # noqa: E731


class Deaf:
    """A watcher that counts steps."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def begin(self, step: Step) -> None:
        self.steps.append(step)

    def starting(self, target: Target) -> None: ...
    def progress(self, values: Json) -> None: ...
    def failed(self, record: FailureRecord) -> None: ...


class World:
    """Made workers, and a clock that only their blocks and starts move."""

    def __init__(self, out: Path, *, repeat_s: Callable[[int], float], lost_from: int = 1_000_000) -> None:
        self.now_s = 0.0
        self.workers: dict[str, list[FakeWorker]] = {target.name: [] for target in TARGETS}
        self.journal: list[tuple[str, str]] = []
        self.watch = Deaf()
        self.hash_seeds: list[int] = []
        self._out, self._repeat_s, self._lost_from = out, repeat_s, lost_from

    def start(self, target: Target, *, hash_seed: int, **_: Any) -> FakeWorker:
        """Take the place of `WorkerProcess`."""
        self.hash_seeds.append(hash_seed)
        number = len(self.workers.setdefault(target.name, []))
        if number >= self._lost_from:
            raise WorkerLost(f"{target.name}: no memory")

        def cost(_: int, repeats: int) -> float:
            self.now_s += repeats * self._repeat_s(number)
            return repeats * self._repeat_s(number)

        worker = FakeWorker(cost, name=target.name, journal=self.journal)
        self.workers[target.name].append(worker)
        self.now_s += 2.0
        return worker

    def execute(self, order: RunSpec) -> Run:
        located = SimpleNamespace(corpus=SimpleNamespace(name="imdb", digest=DIGEST), folder=self._out)
        return run.execute(order, located, out=self._out, command="made", watch=self.watch)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Make a world in which `bench.runner.run` runs."""
    worlds = 0

    def make(repeat_s: Callable[[int], float] = UNLIKE, **options: int) -> World:
        nonlocal worlds
        worlds += 1
        found = World(tmp_path / str(worlds), repeat_s=repeat_s, **options)
        monkeypatch.setattr(run, "WorkerProcess", found.start)
        monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=lambda: found.now_s))
        monkeypatch.setattr(run.targets, "missing", lambda _: None)
        return found

    return make


def order(**changes: Any) -> RunSpec:
    """Return an order of the dense recipe on both targets, three replicates, nothing random."""
    return RunSpec(**{"recipes": [DENSE], "targets": TARGETS, "profile": THREE, "order_seed": 7, **changes})


def test_a_target_that_comes_with_a_later_pass_measures_no_peaks() -> None:
    """A curve over threads follows those over settings: its targets' peaks were planned, and the run never complete."""
    first, later = (Timing(DENSE, "train", ("fit",), 512, (one,)) for one in TARGETS)
    assert order(fixed_passes=[[first], [later]]).peaks_by == (TARGETS[0],)
    assert order(fixed_passes=[[first, later]]).peaks_by == tuple(TARGETS)
    assert order(comparison=comparison()).peaks_by == ()


def replicates(done: Run) -> dict[str, list[int]]:
    """Return the replicates of each cell in the order of their arrival."""
    found: dict[str, list[int]] = {}
    for record in done.records:
        if isinstance(record, TimingRecord):
            found.setdefault(record.cell.name, []).append(record.replicate)
    return found


def test_each_replicate_has_processes_of_its_own(world: Callable[..., World]) -> None:
    """Three passes start three workers of each target, end each, and train to accuracy in the first alone."""
    made = world()
    done = made.execute(order())
    assert {len(workers) for workers in made.workers.values()} == {3}
    assert all(worker.closed for workers in made.workers.values() for worker in workers)
    assert len(replicates(done)) == 20
    assert all(found == [0, 1, 2] for found in replicates(done).values())
    assert sum(isinstance(r, TrainingRecord) for r in done.records) == 2
    assert sum(isinstance(r, PeaksRecord) for r in done.records) == 2
    assert [step.name for step in made.watch.steps] == [step.name for one in order().passes() for step in one]


def test_workers_of_a_replicate_share_a_hash_seed_that_no_other_has(world: Callable[..., World]) -> None:
    """Equal circumstances where two are compared, others in the next replicate; the first is 0, as ever."""
    made = world()
    made.execute(order())
    assert made.hash_seeds == [0, 0, 1, 1, 2, 2]


def test_each_replicate_measures_what_its_own_processes_did(world: Callable[..., World]) -> None:
    """The second worker's repeats take 12 ms, the third's 14 ms: no record of a replicate holds another's."""
    done = world().execute(order())
    for record in done.records:
        if isinstance(record, TimingRecord) and record.cell.path == "floor":
            costs = {round(s.duration_s / s.repeats, 9) for s in record.samples}
            assert costs == {(0.01, 0.012, 0.014)[record.replicate]}


def test_equal_seeds_give_equal_orders_of_turns(world: Callable[..., World]) -> None:
    """The header holds the seed, so that anybody can have the same order again; another seed gives another."""
    journals = []
    for seed in (7, 7, 8):
        made = world()
        assert made.execute(order(order_seed=seed)).header.order_seed == seed
        journals.append(made.journal)
    assert journals[0] == journals[1] != journals[2]


def test_a_pass_draws_an_order_of_its_own(world: Callable[..., World]) -> None:
    """Who begins is drawn anew in each pass: over replicates, no cell always goes first."""
    made = world(ALIKE)
    made.execute(order(profile=replace(THREE, replicates=6)))
    a_pass = len(made.journal) // 6
    passes = [made.journal[start : start + a_pass] for start in range(0, 6 * a_pass, a_pass)]
    assert len({tuple(one) for one in passes}) > 1


def test_a_budget_that_the_first_pass_uses_up_adds_nothing(world: Callable[..., World]) -> None:
    """Every cell has its first replicate, whatever it costs, and no second one."""
    done = world().execute(order(budget_s=1.0))
    assert len(replicates(done)) == 20
    assert all(found == [0] for found in replicates(done).values())


def test_a_budget_is_spent_on_further_replicates_and_kept(world: Callable[..., World]) -> None:
    """Fresh workers for each pass, replicates in order, until no further pass fits: the last ends within the budget."""
    made = world()
    done = made.execute(order(budget_s=250.0))
    found = replicates(done)
    assert len(made.workers["jax-cpu"]) > 3
    assert all(numbers[:2] == [0, 1] and numbers == sorted(set(numbers)) for numbers in found.values())
    assert made.now_s <= 250.0
    assert sum(isinstance(r, TrainingRecord) for r in done.records) == 2


def test_a_budget_knows_no_number_of_replicates(world: Callable[..., World]) -> None:
    """The profile's three are for a run without one: time decides alone."""
    assert len(order(budget_s=60.0).passes()) == 1
    assert len(order().passes()) == 3


def test_a_budget_is_not_spent_on_what_is_known_well_enough(world: Callable[..., World]) -> None:
    """Two processes that agree to the last digit have an interval of no width: an hour is left over."""
    made = world(ALIKE)
    found = replicates(made.execute(order(budget_s=3600.0)))
    assert all(numbers == [0, 1] for numbers in found.values())
    assert made.now_s < 400.0


def test_a_pass_that_measures_nothing_is_the_last(world: Callable[..., World]) -> None:
    """Workers that do not come up take no time, so a budget would be spent on a million failures."""
    made = world(lost_from=2)
    done = made.execute(order(budget_s=3600.0))
    failures = [record for record in done.records if isinstance(record, FailureRecord)]
    assert all(numbers == [0, 1] for numbers in replicates(done).values())
    assert len(failures) == 20
    assert {record.reason for record in failures} == {"jax-cpu: no memory", "tensorflow-cpu: no memory"}


@pytest.fixture
def same_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages here are those of the made workers."""
    every = target("jax-cpu").facts.versions | target("tensorflow-cpu").facts.versions
    monkeypatch.setattr(packages, "versions", lambda: every)


FIRST = order(budget_s=1.0)  # spent by the first pass


def identities(done: Run) -> list[Hashable]:
    """Return what `done` has, in the order of its arrival."""
    return [found for found in map(identity.of, done.records) if found]


def neighbours_were_timed_together(done: Run) -> bool:
    """Whether all cells of a step were timed in one attempt: only blocks that were neighbours are compared."""
    attempts: dict[tuple[object, ...], set[int]] = {}
    for record in done.records:
        if isinstance(record, TimingRecord):
            step = (record.cell.recipe, record.cell.phase, record.cell.batch_size, record.replicate)
            attempts.setdefault(step, set()).add(record.attempt)
    return all(len(found) == 1 for found in attempts.values())


@pytest.mark.usefixtures("same_packages")
@pytest.mark.parametrize(
    ("share", "budget_s"), [*((number / 12, None) for number in range(13)), (0.1, 100.0), (0.9, 100.0)]
)
def test_a_run_that_is_cut_anywhere_is_resumed(
    world: Callable[..., World], share: float, budget_s: float | None
) -> None:
    """Even inside a line: it ends with every record of a whole run, once each; what it had is not measured again."""
    made = world()
    file = made.execute(order(budget_s=budget_s)).folder / store.RECORDS
    whole, content = store.read(file.parent), file.read_bytes()
    header = content.index(b"\n") + 1
    file.write_bytes(content[: header + int(share * (len(content) - header))])
    cut = store.read(file.parent)
    again = world()
    done = again.execute(order(budget_s=budget_s, order_seed=8, resumed=cut))
    assert done.folder == whole.folder
    assert {*map(identity.of, cut.records)} <= {*map(identity.of, done.records)}
    assert neighbours_were_timed_together(done)
    (resumed,) = [record for record in done.records if isinstance(record, ResumedRecord)]
    assert (resumed.order_seed, done.resumed_at) == (8, [resumed.resumed_at])
    found = identities(done)
    assert len(found) == len(set(found))
    assert set(found) == set(identities(whole)) or (budget_s and set(found) >= set(identities(world().execute(FIRST))))


SIDES = Sides(tuple(Target("jax", label=label) for label in ("base", "head")), {"base": "made", "head": "made"})
GATED = Gate([DENSE], SIDES.targets, replicates=2)


def gated(**changes: Any) -> RunSpec:
    """Return a gate whose base with extra work takes no longer, so that its control fails and is measured again."""
    planned = GATED
    return replace(SIDES.run_spec(planned, margin=0.03, alpha=0.05, order_seed=1), **changes)


@pytest.mark.usefixtures("same_packages")
@pytest.mark.parametrize("share", [number / 12 for number in range(13)])
def test_a_gate_that_is_cut_anywhere_is_resumed(world: Callable[..., World], share: float) -> None:
    """In its first round, its second one or a confirmation: it decides as it would have, from whole rounds."""
    file = world(ALIKE).execute(gated()).folder / store.RECORDS
    whole, content = store.read(file.parent), file.read_bytes()
    assert max(record.replicate for record in whole.records if isinstance(record, TimingRecord)) > 1
    header = content.index(b"\n") + 1
    file.write_bytes(content[: header + int(share * (len(content) - header))])
    done = world(ALIKE).execute(gated(resumed=store.read(file.parent)))
    assert set(identities(done)) == set(identities(whole))
    assert (done.finished, done.missing(), done.damage) == (True, [], ())
    assert answers(done) == answers(whole)


def test_a_complete_default_gate_is_published(world: Callable[..., World], tmp_path: Path) -> None:
    """Each cell is asked for what its plan gave it: three processes where they agree, one that counts."""
    spec = SIDES.run_spec(Gate([DENSE], SIDES.targets), margin=0.03, alpha=0.05, order_seed=1)
    done = world(ALIKE).execute(spec)
    found = replicates(done)
    assert found["dense train fit 8 jax-cpu@head"][:3] == [0, 1, 2]
    assert found["dense train compiled step 512 jax-cpu@head"][:3] == [0, 1, 2]
    assert found["dense startup import 512 jax-cpu@head"][:3] == [0, 1, 2]
    assert [problem for problem in verify.problems(done) if not problem.startswith(MADE)] == []
    assert all(check.answer == "passed" for check in verify.checks(done) if "planned" in check.rule)
    site.publish(tmp_path / "results", [published.of_document(Summary(done, ()).document)])
    (file,) = (tmp_path / "results").glob("*/*.md")
    text = file.read_text(encoding="utf-8")
    assert "## Counters" in text
    assert "| dense train 512 | compiled step | jax@head | 1 |" in text


def answers(done: Run) -> list[tuple[str, str | None]]:
    """Return what a gate decides of each cell."""
    found = regression.decide(done)
    return [(row.cell.name, row.answer) for row in (*found.cells, *found.controls)]


def test_another_gate_resumes_nothing(world: Callable[..., World]) -> None:
    """Other replicates, another margin: the rule was fixed before anything was measured."""
    done = world(ALIKE).execute(gated())
    other = Gate([DENSE], SIDES.targets, replicates=3)
    for spec in (SIDES.run_spec(other, margin=0.03, alpha=0.05, order_seed=1), gated(comparison=comparison())):
        with pytest.raises(ExpectedError, match="this one measures other work, or decides by another rule"):
            world(ALIKE).execute(replace(spec, resumed=done))


@pytest.mark.usefixtures("same_packages")
def test_other_settings_resume_nothing(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    """XLA_FLAGS, or one core instead of two: the mixture was published without a word."""
    done = world().execute(order())
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    monkeypatch.setattr(settings, "usable_processors", lambda: 64)
    with pytest.raises(ExpectedError, match=r"XLA_FLAGS was unset, is '--xla.*usable processors was \d+, is 64"):
        world().execute(order(resumed=done))


@pytest.mark.usefixtures("same_packages")
def test_a_lost_cell_that_is_measured_again_makes_the_run_whole(world: Callable[..., World]) -> None:
    """It ended with 5 for ever, and could not be published."""
    done = world(lost_from=2).execute(order())
    assert done.failures()
    again = world().execute(order(resumed=done))
    assert (again.failures(), again.missing(), again.finished) == ([], [], True)
    assert [problem for problem in verify.problems(again) if not problem.startswith(MADE)] == []


@pytest.mark.usefixtures("same_packages")
def test_a_run_that_another_process_resumed_meanwhile_is_left_alone(world: Callable[..., World]) -> None:
    """Both read it, one was first: the other's plan of what is missing is out of date."""
    file = world().execute(order()).folder / store.RECORDS
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-2]))
    cut = store.read(file.parent)
    world().execute(order(resumed=cut))
    with pytest.raises(StoreError, match="resumed by another process just now"):
        world().execute(order(resumed=cut))


@pytest.mark.usefixtures("same_packages")
def test_a_resumed_replicate_keeps_its_hash_seed(world: Callable[..., World]) -> None:
    """The last timing is lost: workers are started for the last replicate alone, as they were."""
    file = world().execute(order()).folder / store.RECORDS
    *lines, _, _ = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines))
    again = world()
    again.execute(order(resumed=store.read(file.parent)))
    assert again.hash_seeds == [2, 2]


@pytest.mark.usefixtures("same_packages")
def test_a_complete_run_starts_no_worker_again(world: Callable[..., World]) -> None:
    """Nothing is outstanding, so no worker is started and nothing but the attempt and its end is written."""
    done = world().execute(order())
    assert order(resumed=done).passes() == []
    again = world()
    found = again.execute(order(resumed=done))
    assert again.workers == {target.name: [] for target in TARGETS}
    assert len(found.records) == len(done.records) + 2


def test_a_run_of_other_packages_is_left_as_it_is(world: Callable[..., World]) -> None:
    """What is installed here is not what the made workers have: refused before anything is written."""
    done = world().execute(order())
    with pytest.raises(ExpectedError, match="packages and settings of"):
        world().execute(order(resumed=done))
    assert store.read(done.folder) == done


def test_a_run_says_what_it_was_asked_for(world: Callable[..., World]) -> None:
    """Enough to resume it; fixed passes do not follow from options."""
    asked = world().execute(order(seeds=2, budget_s=1.0)).header.options
    assert asked is not None
    assert (asked.recipes, asked.backends, asked.device) == (["dense"], ["jax", "tensorflow"], "cpu")
    assert (asked.seeds, asked.budget_s) == (2, 1.0)
    assert order(fixed_passes=[]).options is None


SHARDS = 3


@pytest.fixture
def parted(world: Callable[..., World], tmp_path: Path) -> Callable[..., list[Run]]:
    """Measure the shards of a run, each in a folder of its own."""

    def measure(**changes: Any) -> list[Run]:
        found = order(**changes)
        busy = shards.with_work(found.planned(), SHARDS)
        return [world(ALIKE).execute(replace(found, shard=Shard(number, SHARDS))) for number in busy]

    return measure


def folders(runs: Sequence[Run]) -> list[Path]:
    return [done.folder for done in runs]


def test_shards_together_are_the_whole_run(
    parted: Callable[..., list[Run]], world: Callable[..., World], tmp_path: Path
) -> None:
    """The same records, the peaks of the machine once; complete, unedited, and nothing occurs twice."""
    whole = world(ALIKE).execute(order())
    (merged,) = merge.merge(folders(parted()), tmp_path / "merged")
    assert merged.measured == whole.measured
    assert (merged.missing(), merged.damage, merged.finished) == ([], (), True)
    failed = {check.rule for check in verify.checks(merged) if check.answer == "failed"}
    assert failed <= {check.rule for check in verify.checks(whole) if check.answer == "failed"}
    assert len([r for r in merged.records if isinstance(r, PeaksRecord)]) == len(TARGETS)
    assert summary.summarize(merged).document.timings


def test_shards_that_begin_in_one_moment_have_names_of_their_own(parted: Callable[..., list[Run]]) -> None:
    """Eight machines that a cluster starts at once: a name is a moment and the shard."""
    for done in parted():
        shard = done.header.options.shard  # type: ignore[union-attr]
        assert shard is not None
        assert done.header.run_id.endswith(f"-shard-{shard.number}-of-{SHARDS}")


def test_merging_again_changes_nothing(parted: Callable[..., list[Run]], tmp_path: Path) -> None:
    """In whatever order the shards are named, and however often."""
    found = folders(parted())
    (first,) = merge.merge(found, tmp_path / "merged")
    before = (first.folder / store.RECORDS).read_bytes()
    (again,) = merge.merge([*reversed(found), *found], tmp_path / "merged")
    assert (again.folder, (again.folder / store.RECORDS).read_bytes()) == (first.folder, before)
    assert [path.name for path in (tmp_path / "merged").iterdir()] == [first.folder.name]


def test_a_shard_that_lacks_is_named(parted: Callable[..., list[Run]], tmp_path: Path) -> None:
    """A run of some shards is not complete: nobody should publish it as the whole."""
    found = parted()
    (merged,) = merge.merge(folders(found)[:-1], tmp_path)
    last = found[-1].header.options.shard.number  # type: ignore[union-attr]
    assert merge.lacking(merged.header) == [f"{last}/{SHARDS}"]
    assert any(f"shard {last}/{SHARDS} is not merged" in problem for problem in verify.problems(merged))


def test_other_content_under_the_same_name_is_refused(parted: Callable[..., list[Run]], tmp_path: Path) -> None:
    one = parted()[0]
    other = tmp_path / "copy" / one.folder.name
    writer = store.RunWriter(other)
    writer.append(one.header.model_copy(update={"order_seed": 99}), *one.records)
    writer.close()
    with pytest.raises(StoreError, match="is there twice with other content"):
        merge.merge([one.folder, other], tmp_path / "merged")


def test_a_shard_that_was_measured_twice_is_refused(
    parted: Callable[..., list[Run]], world: Callable[..., World], tmp_path: Path
) -> None:
    """Nobody else can say which of the two counts."""
    found = parted()
    number = found[0].header.options.shard.number  # type: ignore[union-attr]
    again = world(ALIKE).execute(order(shard=Shard(number, SHARDS)))
    with pytest.raises(StoreError, match="was measured twice on this machine"):
        merge.merge([*folders(found), again.folder], tmp_path / "merged")


def test_an_interrupted_shard_is_resumed_first(
    parted: Callable[..., list[Run]], world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own options say which part it is."""
    found = parted()
    cut = found[0]
    lines = (cut.folder / store.RECORDS).read_bytes().splitlines(keepends=True)
    (cut.folder / store.RECORDS).write_bytes(b"".join(lines[:-2]))
    with pytest.raises(StoreError, match="was interrupted: resume it"):
        merge.merge(folders(found), tmp_path / "merged")
    shard = Shard(cut.header.options.shard.number, SHARDS)  # type: ignore[union-attr]
    made = {"keras": "3.15.1", "jax": "1.0", "tensorflow": "1.0"}
    monkeypatch.setattr(packages, "versions", lambda: made)
    world(ALIKE).execute(order(shard=shard, resumed=store.read(cut.folder)))
    (merged,) = merge.merge(folders(found), tmp_path / "merged")
    assert merged.missing() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"seeds": 2}, "options"), ({"order_seed": 8}, ""), ({"profile": replace(THREE, name="other")}, "profile")],
)
def test_shards_of_other_work_are_refused(
    parted: Callable[..., list[Run]], tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    """What must be the same is named; the order of turns may differ."""
    first, second = parted()[:1], parted(**changes)[1:]
    if not said:
        assert len(merge.merge(folders([*first, *second]), tmp_path / "merged")) == 1
        return
    with pytest.raises(StoreError, match=rf"was measured otherwise than .*: .*{said}"):
        merge.merge(folders([*first, *second]), tmp_path / "merged")


def test_machines_stay_apart(parted: Callable[..., list[Run]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their seconds are never in one table: a run for each."""
    mine = machine.machine()
    first = parted()[:1]
    monkeypatch.setattr(machine, "machine", lambda: mine.model_copy(update={"cpu": "Another CPU"}))
    second = parted()[1:]
    merged = merge.merge(folders([*first, *second]), tmp_path / "merged")
    assert {run.header.machine.cpu for run in merged} == {mine.cpu, "Another CPU"}
    assert all(merge.lacking(run.header) for run in merged)


def test_a_whole_run_is_no_shard(world: Callable[..., World], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no shard: measure shards with"):
        merge.merge([world(ALIKE).execute(order()).folder], tmp_path / "merged")
