"""The findings of `bench doctor`: what is good, what limits, what must be mended, and what to do."""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import pytest

from bench.analysis import regression, stats
from bench.analysis.machine import doctor
from bench.analysis.machine.doctor import Diagnosis, Effect, Finding
from bench.plan import gate
from bench.records.conditions import Conditions
from bench.records.nvml import GpuState
from bench.records.settings import Settings

QUIET = Conditions(
    processors=8,
    settings=Settings(usable_processors=8),
    governors=["performance"],
    turbo=False,
    clock_source="tsc",
    resolution_s=5e-8,
    load_1min=0.1,
    memory_gib=32,
    available_gib=24,
    free_disk_gib=100,
)


def every(now: Conditions, *, steal: float = 0.0, outside: float = 0.0, refused: str | None = None) -> list[Finding]:
    return [
        *doctor.processors(now),
        *doctor.load(now, steal=steal, outside=outside),
        doctor.clock(now),
        *doctor.room(now),
        *doctor.variables(now, refused),
    ]


def test_a_quiet_machine_needs_no_advice() -> None:
    assert [(f.topic, f.advice) for f in every(QUIET) if f.answer != "good" or f.advice] == []


@pytest.mark.parametrize(
    ("topic", "changed", "advice"),
    [
        ("processors", {"settings": Settings(usable_processors=1)}, "two keep"),
        ("processors", {"settings": Settings(usable_processors=8, processor_quota=1.5)}, "two keep"),
        ("clock rate", {"governors": ["performance", "powersave"]}, "cpupower"),
        ("turbo", {"turbo": True}, "turn turbo off"),
        ("load", {"load_1min": 6.0}, "end other programs"),
        ("timer", {"resolution_s": 1e-4}, "clock source"),
        ("memory", {"available_gib": 3.0}, "one recipe at a time"),
        ("memory", {"settings": Settings(usable_processors=8, memory_limit_gib=4.0)}, "one recipe at a time"),
        ("disk", {"free_disk_gib": 1.0}, "full run"),
        ("environment", {"settings": Settings(usable_processors=8, variables={"XLA_FLAGS": "--x"})}, "recorded"),
    ],
)
def test_what_limits_measuring_says_what_to_do(topic: str, changed: dict[str, Any], advice: str) -> None:
    (found,) = [f for f in every(QUIET.model_copy(update=changed)) if f.answer != "good"]
    assert (found.topic, found.answer) == (topic, "note")
    assert advice in found.advice


def test_other_work_is_told_apart_from_other_guests() -> None:
    """The one can be ended here, the other not."""
    assert [f.topic for f in every(QUIET, outside=0.2) if f.answer != "good"] == ["load"]
    assert [f.topic for f in every(QUIET, steal=0.2) if f.answer != "good"] == ["steal"]


def test_a_virtual_machine_names_no_governor_and_no_turbo() -> None:
    guest = QUIET.model_copy(update={"governors": None, "turbo": None})
    assert [f.topic for f in every(guest)][:2] == ["processors", "clock rate"]
    assert all(f.answer == "good" for f in every(guest))


def test_a_variable_that_falsifies_is_a_problem() -> None:
    found = [f for f in every(QUIET, refused="unset JAX_DISABLE_JIT (…)") if f.answer == "problem"]
    assert [f.advice for f in found] == ["unset JAX_DISABLE_JIT (…)"]
    assert not Diagnosis(tuple(found), ()).usable


def test_one_backend_is_enough_and_none_is_a_problem() -> None:
    missing = "jax is not installed in this environment; use `nox -s bench-cpu`, which installs it"
    versions = {"keras": "3.15.1", "tensorflow-cpu": "2.21.0"}
    some = [*doctor.backends({"jax": missing, "tensorflow": None}, versions)]
    assert [(f.answer, f.found) for f in some] == [
        ("note", "jax is not installed in this environment"),
        ("good", "tensorflow-cpu 2.21.0, Keras 3.15.1"),
    ]
    assert some[0].advice == "use `nox -s bench-cpu`, which installs it"
    none = [*doctor.backends({"jax": missing, "tensorflow": missing}, {})]
    assert {f.answer for f in none} == {"problem"}
    assert Diagnosis(tuple(some), ()).usable


def test_a_machine_without_a_gpu_measures_on_its_processor() -> None:
    none = doctor.gpus([], "no GPU run here: nvidia-smi lists no NVIDIA GPU; use `nox -s bench-cpu`")
    assert (none.answer, none.advice) == ("note", "use `nox -s bench-cpu`")
    assert doctor.gpus(["NVIDIA H100, 550.1"], None).found == "NVIDIA H100, 550.1"


def test_what_workers_and_their_libraries_say_is_told() -> None:
    """A worker that refuses limits what can be measured; the machine is usable all the same."""
    found = [*doctor.workers({"jax-cpu": (True, "runs on cpu"), "jax-gpu": (False, "WrongDevice: ran on 'cpu'")})]
    assert [(f.topic, f.answer, f.found) for f in found] == [
        ("jax-cpu", "good", "runs on cpu"),
        ("jax-gpu", "note", "WrongDevice: ran on 'cpu'"),
    ]
    assert [*doctor.cuda({})] == []
    assert [f.found for f in doctor.cuda({"cublas": "13.10", "cudnn": "9.28"})] == ["cublas 13.10, cudnn 9.28"]


def test_a_gpu_that_is_hot_or_busy_is_told() -> None:
    """One at rest has some memory in use, which is its driver's."""
    rest = GpuState(number=0, name="H100", processor_mhz=345, temperature_c=31, used_bytes=2**29)
    hot = rest.model_copy(update={"slowed_by": ["power limit"]})
    taken = rest.model_copy(update={"number": 1, "used_bytes": 20 * 2**30})
    found = [*doctor.gpu_states([rest, hot, taken, GpuState(number=2, name="K80")])]
    assert [(f.topic, f.answer) for f in found] == [
        ("GPU 0", "good"),
        ("GPU 0", "note"),
        ("GPU 1", "note"),
        ("GPU 2", "good"),
    ]
    assert (found[0].found, found[0].advice) == ("345 MHz, 31 °C, 0.5 GiB in use", "")
    assert found[1].found.endswith("slowed by: power limit")
    assert "nvidia-smi" in found[2].advice
    assert found[3].found == "its driver tells no state"


def test_reviews_come_from_a_variable_the_cache_or_the_network() -> None:
    assert doctor.data(given=True, cached=[]).answer == "good"
    assert doctor.data(given=False, cached=["imdb"]).advice == ""
    assert "--data" in doctor.data(given=False, cached=[]).advice


def test_a_loud_machine_is_told() -> None:
    assert doctor.noise(0.01, 0.02, 8).answer == "good"
    assert "unresolved" in doctor.noise(0.05, 0.1, 8).advice


def test_more_processes_and_less_noise_find_smaller_effects() -> None:
    """Half the noise halves them; a gate finds less at its last look than halfway."""
    loud, quiet = doctor.effects(0.02), doctor.effects(0.01)
    assert [one.processes for one in quiet] == [5, 8, gate.MOST]
    gates = [one.smallest for one in quiet[1:]]
    assert gates == sorted(gates, reverse=True)
    for one, other in zip(quiet, loud, strict=True):
        assert math.log1p(other.smallest) == pytest.approx(2 * math.log1p(one.smallest))


def test_the_smallest_effect_is_found_nine_times_in_ten() -> None:
    """Of made replicates with that noise and that effect: the level of the default run, by Student's test."""
    effect: Effect = doctor.effects(0.02)[0]
    draw = random.Random(0)

    def told_apart() -> bool:
        values = [draw.gauss(math.log1p(effect.smallest), 0.02) for _ in range(effect.processes)]
        return stats.t_test(values) < doctor.ALPHA and statistics.mean(values) > 0

    assert sum(told_apart() for _ in range(2_000)) / 2_000 == pytest.approx(regression.POWER, abs=0.04)
