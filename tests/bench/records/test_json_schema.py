"""The published JSON Schemas: they are those of the models, and hold for what the suite writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench import ROOT
from bench.analysis.rows import RunDocument
from bench.records import schema
from bench.records.schema import Record
from bench.report.page import published as documents
from bench.report.page import site
from tests.bench import written

FOLDER = ROOT / "docs" / "schema"
SCHEMAS: dict[str, dict[str, Any]] = {
    "record.json": schema.json_schema(),
    "published-run.json": RunDocument.model_json_schema(),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_made_from_the_models(name: str) -> None:
    """Whoever changes a field changes the file: `UPDATE_GOLDEN=1` writes it."""
    text = json.dumps(SCHEMAS[name], indent=1, sort_keys=True) + "\n"
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("record", written.full_records()[:60] + written.records(), ids=lambda record: record.kind)
def test_a_record_fits_the_schema(record: Record) -> None:
    """Each kind, as it stands in a line of a run."""
    jsonschema.validate(json.loads(record.model_dump_json()), _read("record.json"))


@pytest.mark.parametrize("file", sorted((ROOT / "results").glob(site.KEPT)), ids=lambda file: file.stem)
def test_a_published_run_fits_the_schema(file: Path) -> None:
    """Every document in results/, those of older versions too."""
    jsonschema.validate(json.loads(file.read_bytes()), _read("published-run.json"))
    assert documents.load(file).run_id


def test_what_does_not_fit_is_refused() -> None:
    """A word where a number belongs, and a field that no version had."""
    good = json.loads(written.records()[0].model_dump_json())
    for bad in ({**good, "order_seed": "many"}, {**good, "colour": "red"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, _read("record.json"))


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found
