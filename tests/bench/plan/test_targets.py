"""Tests of the targets: their names, what is refused, and the environment in which a worker starts."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from bench.backends import BACKENDS
from bench.cli.info.doctor import doctor
from bench.exit_codes import ExitCode
from bench.plan import targets
from bench.plan.targets import Device, Target
from datasets.errors import UsageError
from tests.bench import fresh

DEVICES: tuple[Device, ...] = ("cpu", "gpu")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_target_is_named_after_its_backend_and_device(backend: str, device: Device) -> None:
    """The name is the same in tables, records and logs; this interpreter measures unless another is given."""
    found = targets.find(backend, device)
    assert found.name == f"{backend}-{device}"
    assert found == Target(backend, device, sys.executable)


@pytest.mark.parametrize("name", ["torch", "pytorch"])
def test_torch_is_refused_with_the_reason(name: str) -> None:
    """Keras knows a third backend: that it is left out is meant, and said."""
    with pytest.raises(UsageError, match="PyTorch-free; use jax or tensorflow"):
        targets.find(name)


@pytest.mark.parametrize(
    ("name", "nearest"), [("jx", "jax"), ("jaxx", "jax"), ("tensorfow", "tensorflow"), ("tf", "tensorflow")]
)
def test_a_misspelt_backend_is_told_the_nearest(name: str, nearest: str) -> None:
    """An error says what came, what was probably meant, and what there is."""
    with pytest.raises(UsageError) as caught:
        targets.find(name)
    guess = f"did you mean {nearest!r}? known are jax, tensorflow, numpy, openvino"
    assert str(caught.value) == f"unknown backend {name!r}: {guess}"


def test_a_backend_like_no_other_gets_no_guess() -> None:
    """A far-fetched guess misleads."""
    with pytest.raises(UsageError) as caught:
        targets.find("mlx_c")
    assert str(caught.value) == "unknown backend 'mlx_c': known are jax, tensorflow, numpy, openvino"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("absent", ["keras", "backend"])
def test_a_missing_package_is_named(backend: str, absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages are looked for, not imported: the parent imports no framework."""
    package = backend if absent == "backend" else absent
    monkeypatch.setattr(targets.importlib.util, "find_spec", lambda name: None if name == package else object())
    reason = targets.missing(Target(backend))
    assert reason == f"{package} is not installed in this environment; use `nox -s bench-cpu`, which installs it"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_target_needs_no_other_backends_package(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX alone is enough for the target jax."""
    monkeypatch.setattr(
        targets.importlib.util, "find_spec", lambda name: object() if name in ("keras", backend) else None
    )
    assert targets.missing(Target(backend)) is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"KERAS_MAX_EPOCHS": ""},
        {"KERAS_BACKEND": "torch"},
        {"JAX_ENABLE_X64": "0", "JAX_DISABLE_JIT": "False", "KERAS_NNX_ENABLED": "n"},
        {"JAX_DEFAULT_MATMUL_PRECISION": "default", "JAX_NUMPY_DTYPE_PROMOTION": "standard"},
        {"JAX_THREEFRY_PARTITIONABLE": "true", "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT"},
        {"TF_NUM_INTRAOP_THREADS": "1", "XLA_FLAGS": "--x"},  # change speed alone: recorded
    ],
)
def test_an_ordinary_environment_is_not_refused(environ: dict[str, str]) -> None:
    """A worker's environment overrides the rest; a variable with its default value changes nothing."""
    assert targets.refused(environ) is None


@pytest.mark.parametrize("name", targets.REFUSED_VARIABLES)
def test_a_variable_that_changes_the_work_is_refused_by_name(name: str) -> None:
    """A run of other work would look fast or slow, and its accuracy would be blamed on the backend."""
    value = "0" if name == "JAX_THREEFRY_PARTITIONABLE" else "2"
    assert targets.refused({name: value, "HOME": "/"}) == f"unset {name} ({targets.REFUSED_VARIABLES[name]})"


# A value of each variable that JAX reads, and an expression whose value it changes.
OBEYED = {
    "JAX_DISABLE_JIT": ("1", "jax.config.jax_disable_jit"),
    "JAX_ENABLE_X64": ("1", "str(jax.numpy.ones(1).dtype)"),
    "JAX_DEFAULT_MATMUL_PRECISION": ("highest", "jax.config.jax_default_matmul_precision"),
    "JAX_EXPLICIT_X64_DTYPES": ("allow", "str(jax.numpy.ones(1, 'float64').dtype)"),
    "JAX_DEFAULT_PRNG_IMPL": ("rbg", "jax.random.normal(jax.random.key(1)).item()"),
    "JAX_THREEFRY_PARTITIONABLE": ("0", "jax.random.normal(jax.random.key(1), 3).tolist()"),
    "JAX_RANDOM_SEED_OFFSET": ("3", "jax.random.normal(jax.random.key(1)).item()"),
    "JAX_NUMPY_DTYPE_PROMOTION": ("strict", "str(jax.config.jax_numpy_dtype_promotion)"),
    "JAX_DEBUG_NANS": ("1", "jax.config.jax_debug_nans"),
    "JAX_DEBUG_INFS": ("1", "jax.config.jax_debug_infs"),
    "JAX_ENABLE_CHECKS": ("1", "jax.config.jax_enable_checks"),
    "JAX_CHECK_TRACER_LEAKS": ("1", "jax.config.jax_check_tracer_leaks"),
}


@pytest.mark.framework
def test_jax_obeys_the_variables_that_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that JAX does not know would be refused in vain, and the one that it took instead would be missed."""
    questions = ", ".join(f"{name!r}: {question}" for name, (_, question) in OBEYED.items())
    program = f"import json, warnings, jax; warnings.simplefilter('ignore'); print(json.dumps({{{questions}}}))"
    without = fresh.answer(program, "jax")
    for name, (value, _) in OBEYED.items():
        monkeypatch.setenv(name, value)
    obeyed = fresh.answer(program, "jax")
    assert [name for name in OBEYED if obeyed[name] == without[name]] == []


def test_doctor_names_the_variables_that_are_refused_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks what this machine can measure hears what is in the way."""
    monkeypatch.setenv("JAX_DISABLE_JIT", "1")
    screen = Console(width=200, record=True, file=io.StringIO())
    found = doctor(seconds=0)
    screen.print(found.shown)
    assert "unset JAX_DISABLE_JIT (JAX would compile nothing)" in screen.export_text()
    assert found.code == ExitCode.UNUSABLE


def test_all_refused_variables_are_named_at_once() -> None:
    """Whoever unsets one should not meet the next at the second try."""
    reason = targets.refused({**dict.fromkeys(targets.REFUSED_VARIABLES, "2"), "JAX_THREEFRY_PARTITIONABLE": "0"})
    assert reason is not None
    assert "unset KERAS_MAX_EPOCHS and KERAS_MAX_STEPS_PER_EPOCH (Keras would cut training short), KERAS_NNX" in reason
    assert all(name in reason and why in reason for name, why in targets.REFUSED_VARIABLES.items())
    assert reason.count("Keras would cut training short") == 1
    assert "\n" not in reason


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_starts_in_a_decided_environment(backend: str, device: Device) -> None:
    """Nothing of a user's settings may decide what is measured; the rest of the environment is left alone."""
    user = {
        "KERAS_BACKEND": "torch",
        "KERAS_HOME": "elsewhere/.keras",
        "JAX_ENABLE_COMPILATION_CACHE": "true",
        "PYTHONHASHSEED": "random",
        "LD_LIBRARY_PATH": "lib/of/a/user",
    }
    given = dict(user)
    found = targets.environment(Target(backend, device), "/tmp/empty", given)
    assert given == user
    assert found["KERAS_BACKEND"] == backend
    assert found["KERAS_HOME"] == "/tmp/empty"
    assert found["JAX_ENABLE_COMPILATION_CACHE"] == "false"
    assert found["PYTHONHASHSEED"] == "0"
    assert found["LD_LIBRARY_PATH"] == "lib/of/a/user"
    assert targets.environment(Target(backend, device), "", given, hash_seed=3)["PYTHONHASHSEED"] == "3"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_target_on_the_cpu_sees_no_gpu(backend: str) -> None:
    """Both frameworks would take one silently, whatever the user's variables say."""
    user = {"CUDA_VISIBLE_DEVICES": "0,1", "JAX_PLATFORMS": "cuda"}
    found = targets.environment(Target(backend, "cpu"), "", user)
    assert (found["CUDA_VISIBLE_DEVICES"], found["JAX_PLATFORMS"]) == ("", "cpu")


@pytest.mark.parametrize("backend", BACKENDS)
def test_targets_on_the_gpu_share_it_and_round_alike(backend: str) -> None:
    """Workers that take turns are alive together, so none may take all memory; matrix products are in full float32."""
    found = targets.environment(Target(backend, "gpu"), "", {"CUDA_VISIBLE_DEVICES": "1"})
    assert found["CUDA_VISIBLE_DEVICES"] == "1"
    assert found["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert found["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert found["NVIDIA_TF32_OVERRIDE"] == "0"


@pytest.mark.parametrize(("user", "level"), [({}, "1"), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0")])
def test_how_much_tensorflow_logs_is_the_users_choice(user: dict[str, str], level: str) -> None:
    """Logs change no result, and help whoever looks for a fault."""
    assert targets.environment(Target("tensorflow"), "", user)["TF_CPP_MIN_LOG_LEVEL"] == level
