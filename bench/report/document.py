"""The report for programs: a run and everything that follows from it as one JSON document; it decides nothing."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from pydantic import BaseModel

from bench.analysis.regression import Decision
from bench.analysis.summary import Summary
from bench.exit_codes import ExitCode
from bench.records.schema import TargetRecord
from bench.records.store import Run
from models.recipes import Recipe


def render(summary: Summary, code: ExitCode) -> str:
    """Return the document. Raw samples stay in the run's records; seconds and shares are unrounded."""
    document = {
        "run": summary.run.header,
        "stolen": summary.run.stolen,
        "targets": summary.targets,
        "accuracy": [{**_fields(row), "difference": row.difference} for row in summary.accuracy],
        "parity": [{**record.model_dump(), "verdict": verdict} for record, verdict in summary.parity],
        "serving": [{**record.model_dump(), "verdict": verdict} for record, verdict in summary.serving],
        "peers": summary.peers,
        "training": summary.training,
        "time_to_accuracy": summary.time_to_accuracy,
        "prediction": summary.prediction,
        "vectorization": summary.vectorization,
        "startup": summary.startup,
        "advice": summary.advice,
        "peaks": summary.peaks,
        "hardware": summary.hardware,
        "counters": summary.counters,
        "failures": summary.failures,
        "verdicts": summary.verdicts,
        "exit_code": int(code),
    }
    return json.dumps(plain(document), indent=2, allow_nan=False)


def comparison(run: Run, decision: Decision, code: ExitCode) -> str:
    """Return the document of a run that compared targets."""
    document = {
        "run": run.header,
        "stolen": run.stolen,
        "rule": decision.rule,
        "targets": {record.target: record for record in run.records if isinstance(record, TargetRecord)},
        "cells": decision.cells,
        "counters": [{**_fields(count), "worse": count.worse} for count in decision.counts],
        "controls": decision.controls,
        "void": decision.void,
        "failures": decision.failures,
        "exit_code": int(code),
    }
    return json.dumps(plain(document), indent=2, allow_nan=False)


def plain(value: Any) -> Any:
    """Return ``value`` in JSON's types; a recipe as its name, a number without bound as null."""
    if isinstance(value, Recipe):
        return value.name
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(_fields(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
