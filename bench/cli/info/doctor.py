"""`bench doctor`: check what this machine can measure, and how well."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bench.backends import BACKENDS
from bench.cli import Outcome
from bench.cli.options import Json


def doctor(
    *,
    seconds: Annotated[float, Parameter(validator=Number(gte=0))] = 10.0,
    start: bool = False,
    json: Json = False,
) -> Outcome:
    """Check what this machine can measure, how well, and what to do about the rest.

    Backends, GPU, processors, load, timer, memory, disk, reviews and environment variables; and the noise of equal
    processes that take turns, with the smallest changes that the default run and a gate would find here.

    Parameters
    ----------
    seconds
        How long noise is measured; 0 leaves it out.
    start
        Also start a worker of each backend, on the CPU and where CUDA libraries are installed on the GPU.
    """
    from bench.analysis.machine import doctor as checks
    from bench.exit_codes import ExitCode
    from bench.plan import gpus, targets
    from bench.records import conditions, machine, nvml, packages, store
    from bench.report import json as report_json
    from bench.report import notices
    from bench.runner.checks import noise
    from bench.runner.checks import start as starting
    from datasets import cache_index
    from datasets.locate import DATA_VARIABLE, cache_folder

    now = conditions.conditions(store.DEFAULT_FOLDER)
    measured = noise.measure(seconds) if seconds else None
    nvidia = gpus.gpus()
    missing = {name: targets.missing(targets.Target(name)) for name in BACKENDS}
    installed = [name for name, reason in missing.items() if reason is None]
    cuda = packages.cuda_libraries()
    devices: tuple[targets.Device, ...] = ("cpu", "gpu") if cuda else ("cpu",)
    started = [targets.Target(name, device) for device in devices for name in installed] if start else []
    found = [
        *checks.backends(missing, packages.versions()),
        checks.gpus(nvidia, None if nvidia else gpus.why_no_gpu()),
        *checks.gpu_states(nvml.states()),
        *checks.cuda(cuda),
        *checks.workers(starting.answers(started) if started else {}),
        *checks.processors(now),
        *checks.load(now, steal=measured.steal if measured else 0.0, outside=measured.outside if measured else 0.0),
        checks.clock(now),
        *checks.room(now),
        checks.data(given=bool(os.environ.get(DATA_VARIABLE)), cached=cache_index.names(cache_folder(os.environ))),
        *checks.variables(now, targets.refused(os.environ)),
    ]
    effects: tuple[checks.Effect, ...] = ()
    if measured:
        found.append(checks.noise(measured.deviation, measured.within, len(measured.log_ratios)))
        effects = checks.effects(measured.deviation)
    diagnosis = checks.Diagnosis(tuple(found), effects)
    code = ExitCode.HELD if diagnosis.usable else ExitCode.UNUSABLE
    shown = report_json.diagnosis(diagnosis, machine.machine(), code) if json else notices.diagnosis(diagnosis)
    return Outcome(shown, code)
