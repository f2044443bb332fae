"""Measure Keras 3 models on JAX and TensorFlow: one folder for each stage, from plan to report."""

from pathlib import Path

VERSION = "0.1.0"

# What the suite carries, to be read alone: its packages, reference figures and lock files. Its processes start here,
# so that this folder comes first on their path. It is the checkout, or lies inside the installed package `kerasmark`.
ROOT = Path(__file__).resolve().parent.parent

INSTALLED = not (ROOT / "pyproject.toml").exists()

# What it writes, and reads again: under the checkout, or under the working directory of the installed command.
RESULTS = (Path.cwd() if INSTALLED else ROOT) / "results"

# How its command line is called, in messages and in full.
PROGRAM = "kerasmark" if INSTALLED else "bench"
COMMAND = "kerasmark" if INSTALLED else "python -m bench"
RUN_ON_CPU = "kerasmark run" if INSTALLED else "nox -s bench-cpu"
