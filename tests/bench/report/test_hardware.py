"""The tables of the hardware: one peak for the machine, and documents that were published before there was one."""

from __future__ import annotations

from bench.analysis.rows import HardwareRow, PeakRow
from bench.report.tables import hardware
from tests.bench import made, published

FORMER = {
    "schema_version": 2,
    "hardware": [HardwareRow(**made.cell().model_dump(), gflops=75.4, peak_gflops=55.7)],
    "peaks": [
        PeakRow(target="jax-cpu", product_gflops=106.0, copy_gb_per_s=7.7),
        PeakRow(target="tensorflow-cpu", product_gflops=55.7, copy_gb_per_s=29.6),
    ],
}


def test_a_former_document_shows_no_share_of_a_peak_that_was_not_the_machines() -> None:
    """75.4 GFLOP/s were shown as 135 % of TensorFlow's own product, while JAX's reached 106 on the same machine."""
    found = hardware.hardware(published.one(**FORMER))
    assert [column.key for column in found.columns][-2:] == ["path", "gflops"]
    assert "matrix products alone" in found.caption
    (row,) = found.rows
    assert found.columns[-1].text(row) == "75.4"


def test_a_former_document_shows_the_best_product_and_the_best_copy_of_its_targets() -> None:
    """One row for each peak, with who reached it."""
    found = hardware.peaks(published.one(**FORMER))
    texts = [[column.text(row) for column in found.columns] for row in found.rows]
    assert texts == [
        ["matrix product", "—", "106", "—", "jax-cpu"],
        ["memory traffic", "—", "—", "29.6", "tensorflow-cpu"],
    ]


def test_a_run_without_peaks_has_neither_table() -> None:
    """A comparison measures none."""
    found = published.one(hardware=[], peaks=[])
    assert (hardware.hardware(found).rows, hardware.peaks(found).rows) == ((), ())
