"""Tests of the record: what is written comes back, and what does not fit is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.records.schema import SCHEMA_VERSION, Cell, PeaksRecord, Record, RunHeader, Sample, TimingRecord, parse
from tests.bench import made

SAMPLES = [
    Sample(repeats=1, duration_s=0.5, warmup=True),
    Sample(repeats=3, duration_s=0.75, calls_s=[0.25, 0.25, 0.25], turn=1, processor_s=0.5, switches=2, steal_s=0.01),
]
RECORDS: list[Record] = [
    made.header(),
    made.header(commit=None),
    made.header(options=made.OPTIONS),
    made.plan("dense parity jax-cpu = tensorflow-cpu"),
    made.resumed(),
    made.finished(),
    made.target(),
    made.training(final=made.result({"val_accuracy": [0.5, 0.75]}, epoch_s=[1.5, 1.25])),
    made.timing(made.cell(), SAMPLES),
    made.parity(),
    made.serving(),
    made.exports(failed={"OpenVINO": "no conversion"}),
    made.baseline(),
    made.peaks(),
    made.gpus(),
    made.counters(made.cell()),
    made.comparison(),
    made.failure(),
]
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def sampled(calls_s: list[float], *, each: bool, **fields: object) -> Sample:
    """Return a block of these calls, each with a clock of its own or all with one."""
    whole = {"repeats": len(calls_s), "duration_s": sum(calls_s), "calls_s": calls_s if each else None}
    return Sample(**whole, **fields)  # type: ignore[arg-type]


def kind(record: Record) -> str:
    """Return a record's word, for the names of tests."""
    return record.kind


@pytest.mark.parametrize("record", RECORDS, ids=kind)
def test_a_record_survives_its_line(record: Record) -> None:
    """One line of JSON holds all of a record: what is read equals what was written."""
    line = record.model_dump_json()
    assert "\n" not in line
    assert parse(line) == record


def test_every_kind_of_record_is_tried_here() -> None:
    """A new kind of record must come back from disk as well."""
    assert {type(record) for record in RECORDS} == set(get_args(Record))


@settings(deadline=None)
@given(
    st.builds(
        sampled,
        calls_s=st.lists(st.floats(1e-9, 10_000), min_size=1, max_size=5),
        each=st.booleans(),
        processor_s=FLOATS,
        load_1min=FLOATS,
    )
)
def test_samples_lose_no_digit(sample: Sample) -> None:
    """Every raw sample is kept as it was measured: seconds are written with all their digits."""
    record = made.timing(made.cell(), [sample])
    assert parse(record.model_dump_json()) == record


@pytest.mark.parametrize("record", RECORDS, ids=kind)
def test_a_field_that_the_schema_does_not_know_is_refused(record: Record) -> None:
    """A file of a later version is not half understood."""
    line = json.dumps({**record.model_dump(mode="json"), "colour": "red"})
    with pytest.raises(ValidationError, match="colour"):
        parse(line)


@pytest.mark.parametrize("record", RECORDS, ids=kind)
def test_a_field_that_is_missing_is_refused(record: Record) -> None:
    """What was not measured is never filled in."""
    required = [name for name, field in type(record).model_fields.items() if field.is_required()]
    for name in required:
        body = record.model_dump(mode="json")
        del body[name]
        with pytest.raises(ValidationError, match=name):
            parse(json.dumps(body))


@pytest.mark.parametrize("line", ["", "{", "null", "[]", '{"kind":"dream"}', '{"seed":1}'])
def test_a_line_that_holds_no_record_is_refused(line: str) -> None:
    """The kind decides which schema a line must fit."""
    with pytest.raises(ValidationError):
        parse(line)


def test_records_cannot_be_changed() -> None:
    """What was measured stays as it is; what follows from it is computed."""
    with pytest.raises(ValidationError, match="frozen"):
        made.failure().reason = "another"


def test_a_phase_that_is_not_timed_is_no_cell() -> None:
    """The words of the design, and no other."""
    with pytest.raises(ValidationError, match="'vectorize', 'startup', 'train', 'predict' or 'harness'"):
        Cell(recipe="dense", phase="evaluate", path="fit", batch_size=1, target="jax-cpu")  # type: ignore[arg-type]


def test_a_cell_is_named_in_the_order_of_its_words() -> None:
    """Recipe, phase, path, batch size, target: as in messages."""
    assert made.cell().name == "dense train fit 512 jax-cpu"


def test_an_operation_is_named_without_its_target() -> None:
    """What failed, whatever it ran on; spaces of a path's name stay."""
    assert made.cell("train", "fit steps=10", batch_size=32).operation == "train fit steps=10 32"


def test_a_training_says_its_path() -> None:
    """How a recipe was driven to its accuracy is part of what was measured."""
    record = made.training(path="compiled loop")
    assert parse(record.model_dump_json()).path == "compiled loop"  # type: ignore[union-attr]


def test_a_header_says_its_schema_without_being_told() -> None:
    """The version comes from the code, so it cannot be forgotten."""
    assert made.header().schema_version == SCHEMA_VERSION
    assert json.loads(made.header().model_dump_json())["schema_version"] == SCHEMA_VERSION


@pytest.mark.parametrize("record", RECORDS, ids=kind)
def test_the_kind_comes_first_in_the_line(record: Record) -> None:
    """A reader of the file sees at once what a line is."""
    assert record.model_dump_json().startswith(f'{{"kind":"{record.kind}"')


def test_a_read_record_has_its_own_type() -> None:
    """Reports choose records by type."""
    assert isinstance(parse(made.header().model_dump_json()), RunHeader)
    assert isinstance(parse(made.timing(made.cell(), SAMPLES).model_dump_json()), TimingRecord)


@pytest.mark.parametrize("name", ["run", "peers"])
def test_a_run_of_schema_1_is_read_and_keeps_every_value(name: str) -> None:
    """Real records, written at commit 5c5fec1, stay readable: what was renamed keeps its values."""
    lines = (Path(__file__).parent / "schema-1" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    header, *records = [parse(line) for line in lines]
    assert isinstance(header, RunHeader)
    assert (header.schema_version, header.planned) == (2, False)
    old = [json.loads(line) for line in lines]
    asked = old[0].pop("asked", None)
    assert (header.options.model_dump(exclude={"shard"}) if header.options else None) == asked
    assert json.loads(
        header.model_dump_json(exclude={"options", "schema_version", "settings", "process", "recipes", "merged"})
    ) == {key: value for key, value in old[0].items() if key != "schema_version"}
    assert [_as_written(record) for record in records] == old[1:]


def _as_written(record: Record) -> dict[str, object]:
    """Return the fields of ``record`` that its version had."""
    later = {"attempt", "lost", "processors", "parts", "unsupported"}
    fields: dict[str, object] = json.loads(record.model_dump_json(exclude=later))
    if isinstance(record, PeaksRecord):
        (product,), (copied,) = record.products_gflops, record.memory_gb_per_s
        assert {product.by.split()[0], copied.by.split()[0]} == {record.target.partition("-")[0]}
        assert (product.working_set_bytes, copied.working_set_bytes) == (3 * 4 * 1024 * 1024, 2 * 128 * 2**20)
        former = {"product_gflops": product.rates, "copy_gb_per_s": copied.rates}
        return {"kind": "peaks", "target": record.target, **former}
    phase = ("steps", "test", "fell_back")
    newer = {"timing": ("outside_s", "retaken", "after_s", "energy_j"), "training": phase, "reference": phase}
    return _without(fields, newer.get(str(fields["kind"]), ()))


def _without(value: Any, names: Sequence[str]) -> Any:
    """Return ``value`` without the fields of these names, at any depth."""
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    return [_without(one, names) for one in value] if isinstance(value, list) else value
