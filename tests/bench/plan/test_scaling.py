"""The plan of scaling over devices: accuracy and equal work first, then every number of devices in turns."""

from __future__ import annotations

from bench.plan import scaling
from bench.plan.steps import ParityCheck, Timing, Training
from bench.plan.targets import Target, environment
from models.recipes import RECIPES

RECIPE = RECIPES["pooling-logits"]
SIDES = [scaling.targets(Target(name), [1, 2, 4]) for name in ("jax", "tensorflow")]


def test_each_number_of_devices_trains_and_equals_one() -> None:
    first, *_ = scaling.passes(RECIPE, SIDES, epochs={"final": 2}, replicates=1)
    assert [step.target.devices for step in first if isinstance(step, Training)] == [1, 2, 4] * 2
    pairs = [[target.devices for target in step.targets] for step in first if isinstance(step, ParityCheck)]
    assert pairs == [[1, 2], [1, 4]] * 2


def test_strong_scaling_keeps_the_batch_and_weak_scaling_each_device_s_share() -> None:
    """Each pass holds one backend's targets, so that they are neighbours in time."""
    _, *timed = scaling.passes(RECIPE, SIDES, epochs={"final": 2}, replicates=2)
    assert len(timed) == 2 * len(SIDES)
    for work in timed:
        steps = [step for step in work if isinstance(step, Timing)]
        size = RECIPE.batch_size
        assert [(step.batch_size, [t.devices for t in step.targets]) for step in steps] == [
            (size, [1, 2, 4]),
            (2 * size, [2]),
            (4 * size, [4]),
        ]
        assert len({target.backend for step in steps for target in step.targets}) == 1


def test_processes_of_tensorflow_have_a_device_each() -> None:
    """A processor is one device of theirs; JAX parts it among as many as there are."""
    found = {
        name: [(t.devices, t.processes) for t in scaling.targets(Target(name), [1, 2, 4], [1, 2])]
        for name in ("jax", "tensorflow")
    }
    assert found == {
        "jax": [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2)],
        "tensorflow": [(1, 1), (2, 1), (2, 2), (4, 1)],
    }


def test_a_label_names_its_devices() -> None:
    assert [scaling.devices(scaling.label(count)) for count in (1, 2, 8)] == [1, 2, 8]


def test_jax_sees_as_many_devices_on_the_processor() -> None:
    """One device is what everybody has: nothing is set; the user's own flags stay."""
    one, two, _ = (environment(t, "home", {"XLA_FLAGS": "--own"})["XLA_FLAGS"] for t in SIDES[0])
    assert one == "--own"
    assert two == "--own --xla_force_host_platform_device_count=2"


def test_devices_that_wait_for_each_other_have_threads() -> None:
    """With as many threads as processors, devices on JAX waited for ever, and XLA ended the process."""
    _, _, four = (environment(target, "home", {}) for target in SIDES[0])
    assert int(four["PJRT_NPROC"]) >= 2 * 4
    assert four["JAX_CPU_ENABLE_ASYNC_DISPATCH"] == "false"
