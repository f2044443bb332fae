"""Calibration of the gate: replicates of known targets, and the gate's error rates on them."""
