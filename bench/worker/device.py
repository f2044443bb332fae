"""The device of a worker: which one runs, under which settings, how to seed it and how to wait for it."""

from __future__ import annotations

from typing import Any

import keras

from bench.worker import backend, distribution


class WrongDevice(Exception):
    """The framework does not run on the device of the target."""


class WrongSetting(Exception):
    """The framework is set to compute something else than what is measured."""


def prove(wanted: str) -> tuple[str, str]:
    """Run a small product on the default device and return its kind ("cpu", "gpu") and its name.

    Raises WrongDevice where that is not ``wanted``: JAX falls back to the CPU without an error.
    """
    kind, name = backend.module("device").probe()
    if kind != wanted:
        raise WrongDevice(f"expected the device {wanted!r}; {keras.backend.backend()} ran on {kind!r} ({name})")
    return kind, name


def on_gpu() -> bool:
    """Whether operations run on a GPU unless told otherwise."""
    return bool(backend.module("device").probe()[0] == "gpu")


def share_compilations(folder: str) -> None:
    """Let processes of one run share what the backend compiled, where it can: they start sooner."""
    backend.module("device").share_compilations(folder)


def seed(value: int) -> None:
    """Set every random seed that Keras draws from on the running backend: equal seeds give equal weights."""
    backend.module("device").seed(value)


def drawn(model: keras.Model) -> list[Any]:
    """Return the states of the random generators that ``model`` holds: each draw changes one."""
    states = [variable for variable in model.non_trainable_variables if variable.name == "seed_generator_state"]
    return [keras.ops.convert_to_numpy(variable.value).tolist() for variable in states]


def wait(value: Any) -> None:
    """Return once ``value``, a tensor or a tree of them, is computed."""
    backend.module("device").wait(value)


def wait_for_weights(model: keras.Model) -> None:
    """Return once the weights of ``model`` are those of the last step."""
    wait([variable.value for variable in model.trainable_variables])


def move(model: keras.Model) -> None:
    """Give the weights of ``model``, and of its optimizer if it is compiled, other memory; they keep their values."""
    optimizer = model.optimizer if model.compiled else None
    backend.module("device").move([*model.variables, *(optimizer.variables if optimizer else [])])


def peak_bytes() -> int | None:
    """Return the most of the device's memory that was in use since `forget_peak`; None where nothing says it."""
    peak: int | None = backend.module("device").peak_bytes()
    return peak


def forget_peak() -> None:
    """Begin the peak of the device's memory anew, where the backend can."""
    backend.module("device").forget_peak()


def settings() -> dict[str, Any]:
    """Return the settings that change speed or results: as the framework reports them, and the variables it reads."""
    from bench.records import settings as here  # pydantic: not part of a framework's import, which is timed

    return {
        **in_force(),
        "image_data_format": keras.config.image_data_format(),
        "tf32": False,
        **({"devices": distribution.devices()} if distribution.devices() > 1 else {}),
        **({"processes": distribution.processes()} if distribution.processes() > 1 else {}),
        "processors": here.usable_processors(),
        "variables": here.variables(),
    }


def in_force() -> dict[str, Any]:
    """Return what Keras and the backend say about themselves: quick, since it is asked after every answer."""
    return {
        "floatx": keras.config.floatx(),
        "dtype_policy": keras.config.dtype_policy().name,
        **{name: getattr(keras.config, name)() for name in _CUTS if hasattr(keras.config, name)},
        **backend.module("device").reported(),
    }


def require_same_work() -> None:
    """Raise WrongSetting where the settings in force compute something else than the recipes say.

    A variable may have set it, or the user's file of recipes.
    """
    found = in_force()
    wrong = {name: value for name, value in EXPECTED.items() if found.get(name, value) != value}
    if wrong:
        expected = ", ".join(f"{name} {value}" for name, value in wrong.items())
        came = ", ".join(f"{name} is {found[name]}" for name in wrong)
        raise WrongSetting(f"expected {expected}; {came}: unset what sets it, a variable or the file of recipes")


# By these `fit` ends earlier than it was asked to; older releases of Keras have none.
_CUTS = ("max_epochs", "max_steps_per_epoch")

# What a backend reports, where it has such a setting, if the work is that of the recipes.
EXPECTED: dict[str, Any] = {
    **dict.fromkeys(_CUTS),
    "floatx": "float32",
    "dtype_policy": "float32",
    "jit": True,
    "x64": False,
    "matmul_precision": "default",
    "type_promotion": "standard",
    "random_numbers": "threefry2x32",
    "checks": False,
}
