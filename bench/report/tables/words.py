"""Words that several reports share: a target's name, what a run was measured on, counts and marks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bench.analysis.rows import RunDocument, TimingRow, once
from bench.analysis.stats import TRIMMED
from bench.backends import EVERY
from bench.records import packages
from bench.records.schema import Cell
from bench.records.store import BUSY
from bench.report.tables.columns import share
from datasets.corpus import OWN

TITLES = {name: backend.title for name, backend in EVERY.items()} | {"sklearn": "scikit-learn"}

SYNTHETIC = "SYNTHETIC REVIEWS: not the IMDB, never compared with results on the IMDB"


def label(document: RunDocument, target: str) -> str:
    """Return the target's name, without the device where all targets share it."""
    devices = {name.partition("@")[0].rpartition("-")[2] for name in document.devices}
    where, at, side = target.partition("@")
    short = where.removesuffix(f"-{next(iter(devices))}") if len(devices) == 1 else where
    return f"{short}{at}{side}"


def name(document: RunDocument, target: str) -> str:
    """Return a target as its makers write it."""
    short = label(document, target)
    return TITLES.get(short, short)


def marks(row: TimingRow) -> str:
    return ("†" if row.excluded else "") + ("" if row.steady else "*")


def rows(document: RunDocument) -> str:
    """Return what the suite's models read, "reviews"; "rows" where users bring all of the data themselves."""
    return "rows" if document.corpus == OWN.name else "reviews"


def many(document: RunDocument, number: int) -> str:
    """Return so many of them: "one review", "32 rows"."""
    return f"one {rows(document)[:-1]}" if number == 1 else f"{number} {rows(document)}"


def work(document: RunDocument, phase: str, batch_size: int) -> str:
    """Return a piece of work in words: "train", "predict 32 reviews"."""
    batch = f"{batch_size} {rows(document)[: None if batch_size != 1 else -1]}"
    return {"train": "train", "predict": f"predict {batch}", "vectorize": f"vectorize {batch}"}.get(phase, phase)


def short_work(phase: str, batch_size: int) -> str:
    """Return a piece of work in few words, with its number of reviews where several are measured: "predict 32"."""
    return phase if phase == "train" else f"{phase} {batch_size}"


def curve(metric: str) -> str:
    return metric.replace("val_", "validation ").replace("_", " ")


def over_seeds(seeds: Collection[int]) -> str:
    """Say how the figures of so many seeds became one; an unfinished run has fewer of some recipes."""
    fewest, most = min(seeds, default=0), max(seeds, default=0)
    many = f"{between(fewest, most)} seed{'s' * (most != 1)}"
    if most < TRIMMED:
        return many
    return f"mean of {many}, best and worst dropped" + " of three or more" * (fewest < TRIMMED)


def unjudged(document: RunDocument) -> list[str]:
    """Return the recipes that were trained and whose accuracy nothing decides."""
    decided = {row.recipe for row in document.accuracy if row.decides}
    return [name for name in once(row.recipe for row in document.curves) if name not in decided]


def between(fewest: int, most: int) -> str:
    return f"{most}" if fewest == most else f"{fewest} to {most}"


def by_phase(cells: Sequence[Cell]) -> str:
    """Return how many cells of which paths, phase by phase."""
    groups = {phase: [cell for cell in cells if cell.phase == phase] for phase in once(cell.phase for cell in cells)}
    words = [f"{phase} {', '.join(once(cell.path for cell in group))}" for phase, group in groups.items()]
    return f"{len(cells)} cells ({'; '.join(words)})"


def taken(document: RunDocument) -> str:
    """Say what others took of the processors' time while clocks ran; nothing where nobody took any."""
    shares = {"other guests of the host": document.steal_share, "other programs": document.outside_share}
    found = [f"{who} took {share(value)}" for who, value in shares.items() if value]
    if not found:
        return ""
    again = f"; {document.retaken} blocks were taken again" if document.retaken else ""
    advice = "; repeat in a quieter hour" if busy(document) else ""
    return f"{' and '.join(found)} of the processors' time while clocks ran{again}{advice}"


def busy(document: RunDocument) -> bool:
    """Whether others took so much that intervals are wide."""
    return is_busy((document.steal_share or 0.0) + (document.outside_share or 0.0))


def is_busy(taken_share: float) -> bool:
    """Whether others took so much of the processors' time that intervals are wide."""
    return taken_share >= BUSY


# Of runs that were measured before `fit`'s clock stopped at its last step.
FIT_WAITS = (
    "fit on TensorFlow: this run's steps contain waits for tf.data, which later runs leave out (docs/measuring.md)"
)

# The one rule for "different", wherever two measurements are compared.
TOLD_APART = (
    "told apart: the interval of the ratio excludes one; it allows for every row of the table, so that at most one in "
    "twenty of those told apart is expected to be equal"
)
PAIRED = (
    "ratios are paired, from neighbouring blocks: they tell two backends apart where the intervals of their absolute "
    "speeds overlap, because the machine's own changes of speed touch both"
)
EACH_BY_ITSELF = "told apart: the 95% interval of the ratio excludes one; of twenty such intervals, about one misses"


def told_apart(document: RunDocument) -> str:
    """Return the rule by which rows of a run are told apart; an older document has each interval by itself."""
    return EACH_BY_ITSELF if document.retaken is None else TOLD_APART


def minute(moment: str) -> str:
    """Return a moment of ISO 8601 as people read it, in UTC."""
    return moment[:16].replace("T", " ") + " UTC"


def duration(seconds: float) -> str:
    """Return how long something took, as people say it: "45 s", "8 min", "3 h 50 min"."""
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def dates(document: RunDocument) -> str:
    """Return when a run began and, where it was interrupted, when it was resumed."""
    later = ", ".join(once(map(minute, document.resumed_at)))
    return minute(document.started_at) + (f", resumed at {later}" if later else "")


def commit(document: RunDocument) -> str:
    if document.commit is None:
        return "unknown"
    return document.commit[:10] + (" with uncommitted changes" if document.dirty else "")


def measured_by(document: RunDocument) -> str:
    """Return which state of the suite measured: its commit, or the version that was installed."""
    installed = document.versions.get(packages.SUITE)
    return f"{packages.SUITE} {installed}" if installed else f"commit {commit(document)}"


def title(document: RunDocument) -> str:
    """Return a run's name for people: when, what, and by which state of the suite."""
    return f"{minute(document.started_at)}, {document.profile}, {measured_by(document)}"


def machine(document: RunDocument) -> str:
    """Return the kind of machine that measured, by its processors."""
    return f"{document.machine.cpu}, {document.machine.processors} processors"


def reproduced_by(document: RunDocument) -> str:
    """Return the one command that measures it again."""
    checkout = f"git checkout {document.commit[:10]} && " if document.commit else ""
    return f"{checkout}{document.command}"


def versions(document: RunDocument) -> str:
    return ", ".join(f"{name} {version}" for name, version in document.versions.items())


def corpus(document: RunDocument) -> str:
    if document.corpus == OWN.name:
        return "the recipes' own"
    return f"{document.corpus} ({document.corpus_digest[:12]})"


def facts(document: RunDocument) -> dict[str, str]:
    """Return what a published number needs, by name."""
    names = [device for device in once(document.devices.values()) if device != "cpu"]
    devices = f"; devices: {', '.join(names)}" if names else ""
    processes = {row.processes for row in document.timings} or {document.replicates or 0}
    ends = " to ".join(map(str, sorted({min(processes), max(processes)})))
    return {
        "machine": document.machine.title + devices,
        "date": dates(document),
        "commit": commit(document),
        "versions": versions(document),
        "corpus": corpus(document),
        "seeds": ", ".join(map(str, document.seeds)) or "none: nothing was trained to accuracy",
        **({"taken by others": words} if (words := taken(document)) else {}),
        "order of turns": f"drawn from {document.order_seed}",
        "spread": f"95% intervals over {ends} fresh processes of each target",
    }
