"""`bench doctor`: check what this machine can measure."""

from __future__ import annotations

import os

from bench.backends import BACKENDS
from bench.cli import Outcome


def doctor() -> Outcome:
    """Check what this machine can measure: backends, reviews, GPU."""
    from bench.plan import gpus, targets
    from bench.report import notices
    from datasets.locate import DATA_VARIABLE

    found = [(name, targets.missing(targets.Target(name))) for name in BACKENDS]
    state = "is set" if os.environ.get(DATA_VARIABLE) else "is not set: the cache, then the download"
    data = f"{DATA_VARIABLE} {state}"
    return Outcome(notices.diagnosis(found, data=data, gpus=gpus.gpus(), refused=targets.refused(os.environ)))
