"""NVIDIA GPUs by the driver's library (NVML): their names, states and energy counters; read, never set."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from pydantic import BaseModel, ConfigDict

# Why a GPU's clock rate is below what was asked, by NVML's bits. Two others, "idle" and "set by a user", are no fault.
SLOWED_BY = {
    0x04: "power limit",
    0x08: "hardware slowdown",
    0x20: "temperature (software)",
    0x40: "temperature (hardware)",
    0x80: "power brake",
}


class Gpu(BaseModel):
    """A GPU, at one moment or over a run; None where its driver does not say.

    number        its place in NVML's order, which is the bus's
    cuda          the newest CUDA that the driver runs, such as "12.4"
    slowed_by     what holds its clock rate down, of `SLOWED_BY`
    used_bytes    of its memory, by all programs
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    name: str
    driver: str | None = None
    cuda: str | None = None
    temperature_c: int | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    slowed_by: list[str] = []
    used_bytes: int | None = None
    total_bytes: int | None = None


class GpuState(Gpu):
    """A GPU at one moment, with the clock rates of its multiprocessors and its memory."""

    processor_mhz: int | None = None
    memory_mhz: int | None = None


def states(nvml: Any = None) -> list[GpuState]:
    """Return the state of each GPU; none without a driver. ``nvml`` is the library, `pynvml` if None."""
    nvml = nvml or library()
    return [] if nvml is None else [_state(nvml, number) for number in range(nvml.nvmlDeviceGetCount())]


def joules(nvml: Any = None) -> Iterator[tuple[int, float]]:
    """Yield the number of each GPU that counts its energy, since Volta, and its joules since the driver started."""
    nvml = nvml or library()
    for number in range(0 if nvml is None else nvml.nvmlDeviceGetCount()):
        counted = _ask(nvml, "nvmlDeviceGetTotalEnergyConsumption", nvml.nvmlDeviceGetHandleByIndex(number))
        if counted is not None:
            yield number, counted / 1e3


@cache
def library() -> Any:
    """Return NVML, begun; None where it is not installed, or there is no driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001, whatever a driver's library raises: then there is no GPU to read
        return None
    return pynvml


def _state(nvml: Any, number: int) -> GpuState:
    ask = partial(_ask, nvml)
    handle = nvml.nvmlDeviceGetHandleByIndex(number)
    memory = ask("nvmlDeviceGetMemoryInfo", handle)
    cuda = ask("nvmlSystemGetCudaDriverVersion")
    return GpuState(
        number=number,
        name=_words(ask("nvmlDeviceGetName", handle)) or f"GPU {number}",
        driver=_words(ask("nvmlSystemGetDriverVersion")),
        cuda=None if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}",
        processor_mhz=ask("nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_SM),
        memory_mhz=ask("nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_MEM),
        temperature_c=ask("nvmlDeviceGetTemperature", handle, nvml.NVML_TEMPERATURE_GPU),
        power_w=_watts(ask("nvmlDeviceGetPowerUsage", handle)),
        power_limit_w=_watts(ask("nvmlDeviceGetEnforcedPowerLimit", handle)),
        slowed_by=_slowed_by(ask(_reasons(nvml), handle)),
        used_bytes=None if memory is None else memory.used,
        total_bytes=None if memory is None else memory.total,
    )


def _ask(nvml: Any, function: str, *arguments: Any) -> Any:
    """Return what the driver answers; None where it has no such counter."""
    try:
        return getattr(nvml, function)(*arguments)
    except nvml.NVMLError:
        return None


def _reasons(nvml: Any) -> str:
    """Return the function that says what holds the clock rate down: its name changed with CUDA 12.2."""
    newer = "nvmlDeviceGetCurrentClocksEventReasons"
    return newer if hasattr(nvml, newer) else "nvmlDeviceGetCurrentClocksThrottleReasons"


def _slowed_by(bits: int | None) -> list[str]:
    return [reason for bit, reason in SLOWED_BY.items() if (bits or 0) & bit]


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1e3


def _words(answer: str | bytes | None) -> str | None:
    """Return an answer in words: the library's older releases give bytes."""
    return answer.decode() if isinstance(answer, bytes) else answer
