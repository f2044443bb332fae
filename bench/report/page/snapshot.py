"""What is kept of a finished run to publish it: the rows of its summary or of its decision; it formats nothing."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from bench.analysis import paired_ratio, regression, summary
from bench.analysis.advice import USUAL
from bench.analysis.regression import CellVerdict
from bench.analysis.stats import Estimate, largest
from bench.analysis.summary import PredictionRow, Summary, TimedCell, TrainingRow, VectorizationRow
from bench.records.schema import ComparisonRecord, TrainingRecord
from bench.records.store import Run
from bench.report.page.rows import (
    AccuracyRow,
    BestRow,
    CountRow,
    CurvesRow,
    FailureRow,
    HardwareRow,
    ParityRow,
    PeerRow,
    Published,
    ReachedRow,
    ServingRow,
    StartupRow,
    TimedRow,
    VerdictRow,
)


def of_run(run: Run, doubts: Sequence[str] = ()) -> Published:
    """Return what is published of ``run``; ``doubts`` are said wherever it is shown."""
    found = summary.summarize(run)
    common = _common(found, doubts)
    if run.is_comparison:
        return Published(**common, **_decided(run))
    return Published(
        **common,
        accuracy=_accuracy(found),
        parity=_parity(found),
        serving=_serving(found),
        peers=_peers(found),
        best=[row for cells in _contests(found) for row in _best(found, cells)],
        timed=[_timed(row) for row in _rows(found)],
        reached=[ReachedRow(**_rounded(dataclasses.asdict(row))) for row in found.time_to_accuracy],
        startup=[
            StartupRow(recipe=row.recipe, target=row.target, path=path, seconds=number(estimate.value))
            for row in found.startup
            for path, estimate in row.seconds.items()
        ],
        hardware=_hardware(found),
        curves=_curves(found),
    )


def number(value: float | None) -> float | None:
    """Return ``value`` with six significant figures; None where it is none, or without bound."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def public(words: str) -> str:
    """Return ``words`` without the folders of whoever measured: an error's text may name some."""
    return re.sub(r"(?<![\w/.])/(?:[^\s/'\":]+/)+", "", words)


def _common(found: Summary, doubts: Sequence[str]) -> dict[str, Any]:
    header, targets = found.run.header, found.targets
    versions = {name: version for target in targets.values() for name, version in target.facts.versions.items()}
    return {
        "run_id": header.run_id,
        "started_at": header.started_at,
        "resumed_at": found.run.resumed_at,
        "profile": header.profile,
        "machine": header.machine,
        "devices": {name: record.facts.device_name for name, record in targets.items()},
        "commit": header.commit.revision if header.commit else None,
        "dirty": bool(header.commit and header.commit.dirty),
        "versions": dict(sorted(versions.items())),
        "corpus": header.corpus,
        "corpus_digest": header.corpus_digest,
        "command": header.command,
        "order_seed": header.order_seed,
        "seeds": sorted({r.seed for r in found.run.records if isinstance(r, TrainingRecord)}),
        "stolen": number(found.run.stolen),
        "doubts": [public(doubt) for doubt in doubts],
        "failures": [
            FailureRow(recipe=f.recipe, target=f.target, work=f.work, reason=public(f.reason)) for f in found.failures
        ],
    }


def _accuracy(found: Summary) -> list[AccuracyRow]:
    return [
        AccuracyRow(
            recipe=row.recipe.name,
            target=row.target,
            path=row.path,
            figure=row.figure,
            published=number(row.published),
            measured=number(row.measured),
            difference=number(row.difference),
            seeds=row.seeds,
            low=number(row.band[0]) if row.band else None,
            high=number(row.band[1]) if row.band else None,
            answer=row.answer,
            decides=row.decides,
        )
        for row in found.accuracy
    ]


def _parity(found: Summary) -> list[ParityRow]:
    return [
        ParityRow(
            recipe=record.recipe,
            targets=" = ".join(record.targets),
            predictions=number(record.prediction_difference),
            losses=number(largest(record.loss_differences)),
            answer=verdict.answer,
        )
        for record, verdict in found.parity
    ]


def _serving(found: Summary) -> list[ServingRow]:
    return [
        ServingRow(
            recipe=record.recipe,
            target=record.target,
            served_on=record.served_on,
            predictions=number(record.prediction_difference),
            answer=verdict.answer,
        )
        for record, verdict in found.serving
    ]


def _peers(found: Summary) -> list[PeerRow]:
    return [
        PeerRow(
            recipe=record.recipe,
            name=record.name,
            test_accuracy=number(record.test_accuracy),
            roc_auc=number(record.roc_auc),
            train_s=number(record.train_s),
            predict_s={reviews: number(seconds) or 0.0 for reviews, seconds in record.predict_s.items()},
        )
        for record in found.peers
    ]


def _rows(found: Summary) -> Iterable[TimedCell]:
    return [*found.training, *found.prediction, *found.vectorization]


def _timed(row: TimedCell) -> TimedRow:
    fields: dict[str, Any] = {
        **row.cell.model_dump(),
        **_bounded("seconds", row.seconds),
        **_bounded("share", row.floor),
        "processes": row.replicates,
        "steady": row.steady,
        "struck": row.struck,
    }
    if isinstance(row, TrainingRow):
        fields |= {"reviews_per_s": row.reviews_per_s.value, "first_step_s": row.first_step_s, "call_s": row.call_s}
    if isinstance(row, VectorizationRow):
        fields |= {"reviews_per_s": row.reviews_per_s.value, "megabytes_per_s": row.megabytes_per_s.value}
    if isinstance(row, PredictionRow):
        names = ("reviews_per_s", "p50_s", "p90_s", "p95_s", "p99_s", "calls")
        fields |= {name: getattr(row, name) for name in names}
    return TimedRow(**_rounded(fields))


def _contests(found: Summary) -> list[list[TimedCell]]:
    """Return the ways to do each piece of work with Keras, of targets that learned what they should."""
    rows = [
        row
        for row in (*found.training, *found.prediction)
        if not (row.is_floor or row.struck or row.cell.path.endswith("from text")) and row.seconds.value > 0
    ]
    work = groupby(rows, key=lambda row: (row.cell.recipe, row.cell.phase, row.cell.batch_size))
    return [list(cells) for _, cells in work]


def _best(found: Summary, cells: Sequence[TimedCell]) -> list[BestRow]:
    """Return the fastest of ``cells`` beside the fastest of any other target, and beside the usual path."""
    best = min(cells, key=lambda row: row.seconds.value)
    others = [row for row in cells if row.cell.target != best.cell.target]
    rival = min(others, key=lambda row: row.seconds.value, default=None)
    usual = [row for row in cells if row.cell == best.cell.model_copy(update={"path": USUAL[best.cell.phase]})]
    over = usual[0] if usual and usual[0] is not best else None
    speed = getattr(best, "reviews_per_s")  # noqa: B009, training and prediction rows have it
    row = BestRow(
        **best.cell.model_dump(),
        reviews_per_s=number(speed.value if isinstance(speed, Estimate) else speed),
        rival=rival.cell.target if rival else None,
        rival_path=rival.cell.path if rival else None,
        **_bounded("times", _faster(found, best, rival)),
        usual=USUAL[best.cell.phase],
        **_bounded("over_usual", _faster(found, best, over)),
    )
    return [row]


def _faster(found: Summary, row: TimedCell, other: TimedCell | None) -> Estimate | None:
    """Return how many times as fast as ``other`` ``row`` is, from neighbouring blocks."""
    return None if other is None else paired_ratio.ratio(found.timings[other.cell], found.timings[row.cell])


def _hardware(found: Summary) -> list[HardwareRow]:
    return [
        HardwareRow(**row.cell.model_dump(), gflops=number(row.gflops), peak_gflops=number(row.peak_gflops))
        for row in found.hardware
    ]


def _curves(found: Summary) -> list[CurvesRow]:
    """Return every curve of the first seed on each path: seeds differ by less than a chart shows."""
    trained = [record for record in found.run.records if isinstance(record, TrainingRecord)]
    first = min((record.seed for record in trained), default=0)
    return [
        CurvesRow(
            recipe=record.recipe,
            target=record.target,
            path=record.path,
            seed=record.seed,
            phase=name,
            curves={metric: [number(value) for value in values] for metric, values in phase.curves.items()},
            epoch_s=[number(value) or 0.0 for value in phase.epoch_s],
        )
        for record in trained
        if record.seed == first
        for name, phase in record.phases.items()
    ]


def _decided(run: Run) -> dict[str, Any]:
    decision = regression.decide(run)
    rule: ComparisonRecord = decision.rule
    cells = [_verdict(one) for one in decision.cells]
    controls = [_verdict(one.verdict, control=one.name, held=one.passed) for one in decision.controls]
    return {
        "sides": rule.sides,
        "margin": rule.margin,
        "replicates": rule.replicates,
        "void": decision.void,
        "verdicts": cells + controls,
        "counts": [
            CountRow(cell=one.cell.name, counter=one.counter, before=one.before, after=one.after)
            for one in decision.counts
        ],
    }


def _verdict(one: CellVerdict, *, control: str | None = None, held: bool | None = None) -> VerdictRow:
    ratio = one.ratio
    return VerdictRow(
        recipe=one.cell.recipe,
        operation=one.cell.operation,
        target=one.cell.target,
        ratio=number(ratio.value) if ratio else None,
        low=number(ratio.low) if ratio else None,
        high=number(ratio.high) if ratio else None,
        smallest=number(one.min_detectable),
        answer=one.answer,
        reason=one.reason,
        decides=one.decides,
        control=control,
        held=held,
    )


def _bounded(name: str, estimate: Estimate | None) -> dict[str, Any]:
    if estimate is None:
        return {}
    low = number(estimate.low) or None  # a bound of zero is none
    return {name: number(estimate.value), f"{name}_low": low, f"{name}_high": number(estimate.high)}


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: number(value) if isinstance(value, float) else value for name, value in fields.items()}
