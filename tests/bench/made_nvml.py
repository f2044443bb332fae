"""Answers of the driver's library (NVML) that are made: an H100 at work, and an old GPU that tells little."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

# The clock rate is held down by the power limit and by temperature; the lowest bit says that the GPU is idle.
REASONS = 0x01 | 0x04 | 0x20


class Refused(Exception):
    """What NVML raises of a counter that a GPU does not have."""


def two_gpus(reasons: int = REASONS, **changed: Any) -> SimpleNamespace:
    """Return a library with two GPUs; the second one has a name, and refuses everything else."""

    def of_first(answer: Any) -> Any:
        def ask(handle: int, *_: object) -> Any:
            if handle == 1:
                raise Refused
            return answer

        return ask

    answers = {
        "nvmlDeviceGetTotalEnergyConsumption": of_first(12_500),
        "nvmlDeviceGetMemoryInfo": of_first(SimpleNamespace(used=3 * 2**30, total=80 * 2**30)),
        "nvmlDeviceGetClockInfo": lambda handle, kind: of_first({1: 1_755, 2: 2_619}[kind])(handle),
        "nvmlDeviceGetTemperature": of_first(61),
        "nvmlDeviceGetPowerUsage": of_first(312_400),
        "nvmlDeviceGetEnforcedPowerLimit": of_first(700_000),
        "nvmlDeviceGetCurrentClocksEventReasons": of_first(reasons),
        **changed,
    }
    return SimpleNamespace(
        NVMLError=Refused,
        NVML_CLOCK_SM=1,
        NVML_CLOCK_MEM=2,
        NVML_TEMPERATURE_GPU=0,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=["NVIDIA H100 80GB HBM3", b"Tesla K80"].__getitem__,
        nvmlSystemGetDriverVersion=lambda: "570.86.15",
        nvmlSystemGetCudaDriverVersion=lambda: 12_080,
        **answers,
    )
