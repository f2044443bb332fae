"""JSON for programs: a run's document, or a comparison of runs, with the exit status."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from bench.analysis.bisection.result import Result
from bench.analysis.compare_runs import RunComparison
from bench.analysis.machine.curves import Curve
from bench.analysis.machine.doctor import Diagnosis
from bench.analysis.machine.queueing import LoadRow, Measured
from bench.analysis.machine.scaling import ScalingRow
from bench.analysis.summary import Summary
from bench.analysis.verification.rules import CheckRow
from bench.exit_codes import ExitCode
from bench.records.machine import Machine
from bench.records.store import Run


def render(summary: Summary, code: ExitCode) -> str:
    """Return every row of a run, unrounded, and the facts of its targets; raw samples stay in its records."""
    facts = {name: record.facts for name, record in summary.targets.items()}
    verdicts = [] if summary.run.is_comparison else summary.verdicts
    return _text({**dict(summary.document), "targets": facts, "verdicts": verdicts, "exit_code": int(code)})


def compared(found: RunComparison, code: ExitCode) -> str:
    """Return the comparison of two runs, or of two targets of one."""
    fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return _text({**fields, "verdicts": found.verdicts, "exit_code": int(code)})


def bisected(found: Result, code: ExitCode) -> str:
    """Return a bisection: what was searched, a row for each cell of each step, and how it ended."""
    header, rule = found.run.header, found.rule
    return _text(
        {
            "run_id": header.run_id,
            "started_at": header.started_at,
            "machine": header.machine,
            "candidates": rule.sides,
            "margin": rule.margin,
            "alpha": rule.alpha,
            "most_processes": rule.replicates,
            "processes": found.processes,
            "steps": found.rows,
            "conclusion": found.conclusion,
            "change": found.change,
            "exit_code": int(code),
        }
    )


def verified(run_id: str, checks: Sequence[CheckRow], code: ExitCode) -> str:
    """Return the rules about the records of a run."""
    return _text({"run_id": run_id, "checks": checks, "exit_code": int(code)})


def scaled(run: Run, rows: Sequence[ScalingRow], code: ExitCode) -> str:
    """Return how training scales over devices."""
    scaling = [{**dataclasses.asdict(row), "efficiency": row.efficiency} for row in rows]
    return _text({**_facts(run), "scaling": scaling, "exit_code": int(code)})


def curves(run: Run, found: Sequence[Curve], code: ExitCode) -> str:
    """Return how cost grows with settings."""
    rows = [{**dataclasses.asdict(curve), "gained_until": curve.gained_until} for curve in found]
    return _text({**_facts(run), "curves": rows, "exit_code": int(code)})


def load(rows: Sequence[LoadRow], measured: Measured, code: ExitCode) -> str:
    """Return how processes that serve a model stood load."""
    return _text({**dataclasses.asdict(measured), "load": rows, "exit_code": int(code)})


def diagnosis(found: Diagnosis, machine: Machine, code: ExitCode) -> str:
    """Return what a machine can measure."""
    return _text({"machine": machine, "findings": found.findings, "effects": found.effects, "exit_code": int(code)})


def _facts(run: Run) -> dict[str, Any]:
    header = run.header
    return {"run_id": header.run_id, "started_at": header.started_at, "machine": header.machine}


def _text(document: dict[str, Any]) -> str:
    """Return ``document`` as JSON; a number that is not finite is null."""
    return to_json(document, indent=2, inf_nan_mode="null").decode()
