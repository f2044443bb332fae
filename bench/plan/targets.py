"""The targets: what is measured, and the environment variables of its worker."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import INSTALLED, ROOT, backends
from datasets.errors import ExpectedError

Device = Literal["cpu", "gpu"]

# Frameworks obey these in silence, and then compute something else, or compile it otherwise. Variables that change
# speed alone are recorded (`bench.records.settings`). `bench.worker.device` asks the framework what is in force.
REFUSED_VARIABLES = {
    "KERAS_MAX_EPOCHS": "Keras would cut training short",
    "KERAS_MAX_STEPS_PER_EPOCH": "Keras would cut training short",
    "KERAS_NNX_ENABLED": "Keras would use another class of variables",
    "JAX_DISABLE_JIT": "JAX would compile nothing",
    "JAX_ENABLE_X64": "JAX would compute in 64 bits",
    "JAX_DEFAULT_MATMUL_PRECISION": "JAX would multiply matrices in another precision",
    "JAX_EXPLICIT_X64_DTYPES": "JAX would compute in 64 bits",
    "JAX_NUMPY_DTYPE_PROMOTION": "JAX would choose other types",
    "JAX_DEFAULT_PRNG_IMPL": "JAX would draw other random numbers",
    "JAX_THREEFRY_PARTITIONABLE": "JAX would draw other random numbers",
    "JAX_RANDOM_SEED_OFFSET": "JAX would draw other random numbers",
    "JAX_DEBUG_NANS": "JAX would check every result, and repeat steps",
    "JAX_DEBUG_INFS": "JAX would check every result, and repeat steps",
    "JAX_ENABLE_CHECKS": "JAX would check itself inside timed regions",
    "JAX_CHECK_TRACER_LEAKS": "JAX would check itself inside timed regions",
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": "TensorFlow would compile every function by XLA",
    "TF_SET_ONEDNN_FPMATH_MODE": "oneDNN would multiply matrices in another precision",
    "ONEDNN_DEFAULT_FPMATH_MODE": "oneDNN would multiply matrices in another precision",
    "DNNL_DEFAULT_FPMATH_MODE": "oneDNN would multiply matrices in another precision",
}
# Values, in small letters, that leave the default in place: of a switch, and of those that are none.
_OFF = ("", "0", "n", "no", "f", "false", "off")
_DEFAULTS = {
    "JAX_DEFAULT_MATMUL_PRECISION": ("", "default"),
    "JAX_EXPLICIT_X64_DTYPES": ("", "warn", "error"),
    "JAX_NUMPY_DTYPE_PROMOTION": ("", "standard"),
    "JAX_DEFAULT_PRNG_IMPL": ("", "threefry2x32"),
    "JAX_THREEFRY_PARTITIONABLE": ("", "1", "y", "yes", "t", "true", "on"),
    "ONEDNN_DEFAULT_FPMATH_MODE": ("", "strict"),
    "DNNL_DEFAULT_FPMATH_MODE": ("", "strict"),
}


@dataclass(frozen=True)
class Target:
    """One thing to measure: a backend on a device, by an interpreter (its package versions) and a checkout.

    label       distinguishes it from other targets of its backend: "head", "keras==3.14.1"
    checkout    the folder of the kerasmark whose worker does the work
    variation   the recipe that it trains and predicts instead of the one asked for, as in "dense units=32"
    recipes     the user's file of recipes
    folder      the first place to look for that file's imports
    extra_work  share of real work added to every repeat, by which a gate proves that it finds a slowdown
    host        the target whose process does its work; itself if None
    devices     how many devices train one model, data-parallel; simulated on the CPU
    processes   how many processes have these devices, in equal parts
    threads     of the framework's pools; as many as it likes if 0
    quiet       one framework thread on one core: see `bench.plan.gate`
    unusable    why it cannot start, such as an environment that could not be built
    """

    backend: str
    device: Device = "cpu"
    python: str = sys.executable
    label: str = ""
    variation: str = ""
    checkout: Path = ROOT
    recipes: Path | None = None
    folder: Path | None = None
    extra_work: float = 0.0
    host: Target | None = None
    devices: int = 1
    processes: int = 1
    threads: int = 0
    quiet: bool = False
    unusable: str = ""

    @property
    def name(self) -> str:
        """The name in tables and records, such as "jax-cpu" or "jax-cpu@head"."""
        return f"{self.backend}-{self.device}" + (f"@{self.label}" if self.label else "")

    @property
    def trains(self) -> bool:
        """Whether its backend trains."""
        return backends.trains(self.backend)

    @property
    def process(self) -> Target:
        """The target whose process does the work of this one."""
        return self.host or self


def find(backend: str, device: Device = "cpu") -> Target:
    """Return the target for ``backend``; UsageError where that is not measured."""
    return Target(backends.find(backend).name, device)


def missing(target: Target) -> str | None:
    """Return why ``target`` cannot start in this interpreter, or None; packages are located, not imported."""
    if target.unusable:
        return target.unusable
    if target.python != sys.executable:
        return None  # an environment that was built for it
    for package in ("keras", target.backend):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed in this environment; {_what_installs(target.backend)}"
    return None


def trainers(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return those of ``targets`` whose backend trains."""
    return tuple(target for target in targets if target.trains)


def installed() -> list[str]:
    """Return the backends that can start in this interpreter; all of them where none can, so that each says why."""
    return [name for name in backends.BACKENDS if missing(Target(name)) is None] or list(backends.BACKENDS)


def require_installed(targets: Sequence[Target]) -> None:
    """Raise ExpectedError where one of ``targets`` cannot start in this interpreter."""
    reason = next(filter(None, map(missing, targets)), None)
    if reason is not None:
        raise ExpectedError(reason)


def _what_installs(backend: str) -> str:
    if INSTALLED:
        extra = "cpu" if backend == "numpy" else backend
        return f"install kerasmark with an extra: kerasmark[{extra}], or kerasmark[cpu] for both measured backends"
    return "use `nox -s bench-cpu`, which installs it"


def installed_serving_backends() -> list[str]:
    """Return the backends that can serve a saved model here; NumPy's needs no framework."""
    return [name for name in backends.EVERY if importlib.util.find_spec(name) is not None]


def refused(environ: Mapping[str, str]) -> str | None:
    """Return which variables in ``environ`` would falsify a run, and how, in one line, or None."""
    found: dict[str, list[str]] = {}
    for name, why in REFUSED_VARIABLES.items():
        if environ.get(name, "").lower() not in _DEFAULTS.get(name, _OFF):
            found.setdefault(why, []).append(name)
    return f"unset {', '.join(f'{_and(names)} ({why})' for why, names in found.items())}" if found else None


def _and(names: Sequence[str]) -> str:
    """Return ``names`` in words: "A", "A and B", "A, B and C"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def environment(
    target: Target, keras_home: str, environ: Mapping[str, str] = os.environ, *, hash_seed: int = 0
) -> dict[str, str]:
    """Return the environment of the worker of ``target``.

    ``keras_home`` is an empty folder: a user's ``keras.json`` could set another precision. ``hash_seed`` decides how
    Python lays its dictionaries out, from 0 to 4294967295.
    """
    return {
        **environ,
        "KERAS_BACKEND": target.backend,
        "KERAS_HOME": keras_home,
        "PYTHONHASHSEED": str(hash_seed),
        "TF_CPP_MIN_LOG_LEVEL": environ.get("TF_CPP_MIN_LOG_LEVEL", "1"),
        # Compiling is measured: a cache on disk would hide it.
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        **_DEVICE_VARIABLES[target.device],
        **(_quiet_variables(environ) if target.quiet else {}),
        **(_thread_variables(environ, target.threads) if target.threads else {}),
        **(_simulated(target, environ) if target.devices > 1 and target.device == "cpu" else {}),
        **({"PYTHONPATH": str(target.folder)} if target.folder else {}),
    }


def _simulated(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what lets JAX see the processor as the devices of each process; TensorFlow is told by the worker.

    Devices wait for each other in threads of XLA's pool, so that it needs some for each of them, and no step may begin
    before the last one ended: else they wait for ever, and XLA ends the process.
    """
    devices = target.devices // target.processes
    flag = f"--xla_force_host_platform_device_count={devices}"
    threads = str(max(os.cpu_count() or 1, 2 * devices))
    return {
        "XLA_FLAGS": f"{environ.get('XLA_FLAGS', '')} {flag}".strip(),
        "JAX_CPU_ENABLE_ASYNC_DISPATCH": "false",
        **dict.fromkeys(("PJRT_NPROC", "NPROC"), threads),
    }


def _quiet_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps every library to one thread; flags that the user set for XLA stay.

    XLA's client counts the processors that it starts with unless PJRT_NPROC (NPROC in older releases) says how many.
    JAX's programs run in the thread that calls them: handing each to another one took two fifths of a short prediction.
    """
    return {**_thread_variables(environ, 1), "JAX_CPU_ENABLE_ASYNC_DISPATCH": "false"}


def _thread_variables(environ: Mapping[str, str], threads: int) -> dict[str, str]:
    """Return what keeps every library to so many threads."""
    flags = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()} intra_op_parallelism_threads={threads}"
    openmp, tensorflow = (
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    )
    names = (*openmp, *tensorflow, "PJRT_NPROC", "NPROC")
    return {"XLA_FLAGS": f"{environ.get('XLA_FLAGS', '')} {flags}".strip(), **dict.fromkeys(names, str(threads))}


_DEVICE_VARIABLES: dict[str, dict[str, str]] = {
    "cpu": {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""},
    "gpu": {
        # Both frameworks share one GPU while their workers take turns, so neither may take it whole.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        # One policy for matrix products, the precise one: float32 without TF32 rounding.
        "NVIDIA_TF32_OVERRIDE": "0",
    },
}
