"""Calibration of the gate: replicates of known targets, and how often the gate errs on them."""
