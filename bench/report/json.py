"""JSON for programs: a run's document, or a comparison of runs, with the exit status."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from pydantic import BaseModel

from bench.analysis.compare_runs import RunComparison
from bench.analysis.summary import Summary
from bench.exit_codes import ExitCode


def render(summary: Summary, code: ExitCode) -> str:
    """Return every row of a run, unrounded, and the facts of its targets; raw samples stay in its records."""
    facts = {name: record.facts for name, record in summary.targets.items()}
    verdicts = [] if summary.run.is_comparison else summary.verdicts
    return _text({**dict(summary.document), "targets": facts, "verdicts": verdicts, "exit_code": int(code)})


def compared(found: RunComparison, code: ExitCode) -> str:
    """Return what two runs, or two targets of one, say of each other."""
    return _text({**_fields(found), "verdicts": found.verdicts, "exit_code": int(code)})


def _text(value: Any) -> str:
    return json.dumps(_plain(value), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    """Return ``value`` in JSON's types, a number without bound as null."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(_fields(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
