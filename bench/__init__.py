"""Measure Keras 3 models on JAX and TensorFlow: one folder for each stage, from plan to report."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # the checkout
