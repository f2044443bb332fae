"""The findings of `bench doctor`: what a machine can measure, how well, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.analysis import regression, stats
from bench.analysis.gate import looks
from bench.plan import gate
from bench.plan.steps import PROFILES
from bench.records.conditions import Conditions
from bench.records.nvml import GpuState

Answer = Literal["good", "note", "problem"]

# The level at which a smallest effect is stated; its power is that of a gate's tables.
ALPHA = 0.05
# Cells that decide in one tier of a gate over four recipes and two backends; they share its level.
GATE_CELLS = 16
# Below this, advice is given: dense takes 2 GB in each process, and the environments 3 GB of the disk.
MEMORY_GIB, DISK_GIB = 6.0, 5.0
# More than this makes timings wide: of load, of a core's time, of what other guests take.
BUSY_LOAD, BUSY_SHARE = 0.5, 0.05
# A GPU without a program has less than this of its memory in use; some drivers keep half of it.
GPU_USED_GIB = 1.0
# A block lasts 20 ms: a coarser clock is wrong by more than a thousandth.
COARSE_S = 2e-5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    answer  "good", "note" where it limits what can be measured, "problem" where it must be mended first
    advice  what to do; empty where nothing is
    """

    topic: str
    answer: Answer
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Effect:
    """The smallest change that a measurement would find nine times in ten, from this machine's noise.

    processes  of each side
    smallest   as a ratio less one: 0.02 for 2 %
    """

    measurement: str
    processes: int
    smallest: float


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found."""

    findings: tuple[Finding, ...]
    effects: tuple[Effect, ...]

    @property
    def usable(self) -> bool:
        """Whether anything can be measured."""
        return not any(finding.answer == "problem" for finding in self.findings)


def backends(missing: Mapping[str, str | None], versions: Mapping[str, str]) -> Iterator[Finding]:
    """Yield each backend with its versions, or what installs it; a problem only where there is none at all."""
    none = all(missing.values())
    for name, reason in missing.items():
        if reason is None:
            packages = [package for package in (name, f"{name}-cpu") if package in versions]
            found = ", ".join(f"{package} {versions[package]}" for package in packages) or "installed"
            yield Finding(name, "good", f"{found}, Keras {versions.get('keras', versions.get('keras-nightly', '?'))}")
        else:
            found, _, advice = reason.partition("; ")
            yield Finding(name, "problem" if none else "note", found, advice)


def gpus(found: Sequence[str], why: str | None) -> Finding:
    """Return the GPUs, or that there is none."""
    if found:
        return Finding("GPU", "good", "; ".join(found), "nox -s bench-gpu")
    return Finding("GPU", "note", "none: CPU targets only", (why or "").rpartition("; ")[2])


def gpu_states(states: Sequence[GpuState]) -> Iterator[Finding]:
    """Yield what would disturb timings on each GPU: a clock rate that is held down, other programs in its memory."""
    for state in states:
        topic, used = f"GPU {state.number}", (state.used_bytes or 0) / 2**30
        found = [
            f"{state.processor_mhz} MHz" if state.processor_mhz is not None else "",
            f"{state.temperature_c} °C" if state.temperature_c is not None else "",
            f"{used:.1f} GiB in use" if state.used_bytes is not None else "",
            f"slowed by: {', '.join(state.slowed_by)}" if state.slowed_by else "",
        ]
        advice = [
            "let it cool or raise its power limit" if state.slowed_by else "",
            "end the programs that use it: nvidia-smi lists them" if used > GPU_USED_GIB else "",
        ]
        said = "; ".join(filter(None, advice))
        words = ", ".join(filter(None, found)) or "its driver tells no state"
        yield Finding(topic, "note" if said else "good", words, said)


def cuda(libraries: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the CUDA libraries of this environment by name and version, where it has any."""
    if libraries:
        yield Finding("CUDA", "good", ", ".join(f"{name} {version}" for name, version in libraries.items()))


def workers(answers: Mapping[str, tuple[bool, str]]) -> Iterator[Finding]:
    """Yield for each target whose worker was started whether it runs on its device, or what it said."""
    for target, (runs, said) in answers.items():
        yield Finding(target, "good" if runs else "note", said, "" if runs else "its cells would fail")


def processors(now: Conditions) -> Iterator[Finding]:
    """Yield how many processors there are for this process, and how their clock rate is chosen."""
    usable, quota = now.settings.usable_processors, now.settings.processor_quota
    found = f"{usable} of {now.processors} usable" + (f", limited to the time of {quota:g}" if quota else "")
    few = min(usable, quota or usable) < 2
    advice = "two keep what is timed apart from the rest; with one, intervals are wider" if few else ""
    yield Finding("processors", "note" if few else "good", found, advice)
    if now.governors is None:
        yield Finding("clock rate", "good", "chosen by the host: the system names no governor")
    else:
        slow = now.governors != ["performance"]
        advice = "set the governor to performance: cpupower frequency-set -g performance" if slow else ""
        yield Finding("clock rate", "note" if slow else "good", f"governor {', '.join(now.governors)}", advice)
    if now.turbo is not None:
        advice = "the rate falls as the processor warms; turn turbo off to compare over hours" if now.turbo else ""
        yield Finding("turbo", "note" if now.turbo else "good", "on" if now.turbo else "off", advice)


def load(now: Conditions, *, steal: float, outside: float) -> Iterator[Finding]:
    """Yield how busy the machine is with other work."""
    busy = outside > BUSY_SHARE or now.load_1min > BUSY_LOAD * now.processors
    found = f"1 minute {now.load_1min:.2f}, other programs took {outside:.0%} of the processors"
    yield Finding("load", "note" if busy else "good", found, "end other programs, or repeat later" if busy else "")
    taken = steal > BUSY_SHARE
    advice = "other guests of this host slow it down: repeat at another hour" if taken else ""
    yield Finding("steal", "note" if taken else "good", f"other guests took {steal:.0%}", advice)


def clock(now: Conditions) -> Finding:
    """Return the source of time and the smallest step that it shows."""
    source = f"{now.clock_source}, " if now.clock_source else ""
    coarse = now.resolution_s > COARSE_S
    advice = "blocks of 20 ms cannot be timed to a thousandth: choose another clock source" if coarse else ""
    return Finding("timer", "note" if coarse else "good", f"{source}steps of {now.resolution_s * 1e9:.0f} ns", advice)


def room(now: Conditions) -> Iterator[Finding]:
    """Yield memory and disk."""
    limit = now.settings.memory_limit_gib
    available = min(now.available_gib, limit or math.inf)
    little = available < MEMORY_GIB
    found = f"{available:.0f} GiB free of {now.memory_gib:.0f}" + (f", limit {limit:g}" if limit else "")
    advice = "dense takes 2 GB in each process: measure one backend and one recipe at a time" if little else ""
    yield Finding("memory", "note" if little else "good", found, advice)
    full = now.free_disk_gib < DISK_GIB
    advice = "a full run needs 3 GB of environments beside its records" if full else ""
    yield Finding("disk", "note" if full else "good", f"{now.free_disk_gib:.0f} GiB free for runs", advice)


def variables(now: Conditions, refused: str | None) -> Iterator[Finding]:
    """Yield the variables that falsify a run, and those that change its speed and are recorded."""
    if refused:
        yield Finding("environment", "problem", "variables that change the work", refused)
    others = now.settings.variables
    if others:
        advice = "recorded with every run; unset them for figures that others can compare"
        yield Finding("environment", "note", ", ".join(f"{name}={value}" for name, value in others.items()), advice)
    elif not refused:
        yield Finding("environment", "good", "no variable changes the work or its speed")


def effects(deviation: float) -> tuple[Effect, ...]:
    """Return the smallest effects that follow from the standard deviation of a pair of processes.

    The default run compares backends by the intervals of its replicates; a gate shares its level among its cells and
    its looks, here the one halfway and the last.
    """
    level = ALPHA / len(gate.TIERS) / GATE_CELLS
    replicates = PROFILES["default"].replicates
    found = [Effect("default run", replicates, _smallest(deviation, replicates, ALPHA))]
    for count in ((gate.FEWEST + gate.MOST) // 2, gate.MOST):
        look = looks.at(gate.FEWEST, gate.MOST, level, count)
        found.append(Effect("gate", count, _smallest(deviation, count, look)))
    return tuple(found)


def _smallest(deviation: float, count: int, alpha: float) -> float:
    return math.expm1(stats.min_detectable(deviation, count, alpha=alpha, power=regression.POWER))


def noise(deviation: float, within: float, pairs: int) -> Finding:
    """Return how far equal processes differ."""
    found = f"{pairs} pairs of equal processes differ by {deviation:.1%} (SD), one turn by {within:.1%}"
    loud = deviation > 0.03
    advice = "small changes need many processes here: a gate leaves them unresolved" if loud else ""
    return Finding("noise", "note" if loud else "good", found, advice)


def data(*, given: bool, cached: Sequence[str]) -> Finding:
    """Return where the reviews come from."""
    known = f"in the cache: {', '.join(cached)}" if cached else "the cache is empty"
    if given:
        return Finding("reviews", "good", f"KERASMARK_DATA is set; {known}")
    advice = "" if cached else "the first run downloads them (84 MB); without a network give --data or KERASMARK_DATA"
    return Finding("reviews", "good" if cached else "note", known, advice)
