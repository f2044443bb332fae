"""What NVML says of GPUs, with answers that are made."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from bench.records import nvml
from bench.records.nvml import GpuState
from tests.bench import made_nvml

H100 = GpuState(
    number=0,
    name="NVIDIA H100 80GB HBM3",
    driver="570.86.15",
    cuda="12.8",
    processor_mhz=1_755,
    memory_mhz=2_619,
    temperature_c=61,
    power_w=312.4,
    power_limit_w=700.0,
    slowed_by=["power limit", "temperature (software)"],
    used_bytes=3 * 2**30,
    total_bytes=80 * 2**30,
)


def test_each_gpu_has_a_state() -> None:
    """An old one tells its name alone, in bytes, and that is no error."""
    assert nvml.states(made_nvml.two_gpus()) == [
        H100,
        GpuState(number=1, name="Tesla K80", driver="570.86.15", cuda="12.8"),
    ]


@pytest.mark.parametrize(
    ("bits", "reasons"),
    [
        (0, []),
        (0x01 | 0x02, []),
        (0x40, ["temperature (hardware)"]),
        (0x80 | 0x08, ["hardware slowdown", "power brake"]),
    ],
)
def test_what_holds_the_clock_rate_down(bits: int, reasons: list[str]) -> None:
    """Being idle, and a clock rate that a user set, hold nothing down."""
    assert nvml.states(made_nvml.two_gpus(bits))[0].slowed_by == reasons


def test_an_older_library_has_another_name_for_it() -> None:
    library = made_nvml.two_gpus()
    library.nvmlDeviceGetCurrentClocksThrottleReasons = lambda _: 0x04
    del library.nvmlDeviceGetCurrentClocksEventReasons
    assert nvml.states(library)[0].slowed_by == ["power limit"]


def test_energy_is_of_those_that_count_it() -> None:
    """In joules, of millijoules."""
    assert list(nvml.joules(made_nvml.two_gpus())) == [(0, 12.5)]


def no_driver() -> None:
    raise made_nvml.Refused


@pytest.mark.parametrize("installed", [None, SimpleNamespace(nvmlInit=no_driver)], ids=["no library", "no driver"])
def test_without_a_driver_there_is_no_gpu(installed: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", installed)
    nvml.library.cache_clear()
    try:
        assert nvml.states() == []
        assert list(nvml.joules()) == []
    finally:
        nvml.library.cache_clear()
