"""Backends of Keras that only predict: NumPy and OpenVINO, by Keras's own calls."""
