"""The tables of the hardware: one peak for the machine, and documents that were published before there was one."""

from __future__ import annotations

from pathlib import Path

from bench.analysis.rows import CounterRow, HardwareRow, PeakRow
from bench.plan.steps import PROFILES
from bench.report.page import site
from bench.report.tables import hardware, lists
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


def test_counters_are_shown_with_their_units_and_memory_that_grew_is_named() -> None:
    """Compilations and traces in one column, bytes in MB and GB; a leak is said in words below."""
    leaking = made.cell("predict", "predict", batch_size=32, target="tensorflow-cpu")
    rows = [
        CounterRow(**made.cell().model_dump(), counters={"compilations": 3.0, "recompilations": 0.0}),
        CounterRow(
            **leaking.model_dump(),
            counters={"traces": 2.0, "retraces": 1.0, "program_bytes": 2.1e7, "growth_bytes": 64e6}
            | {"peak_resident_bytes": 2.5e9, "program_flops": 4.9e8, "graph_operations": 1_234.0},
        ),
    ]
    found = hardware.counters(published.one(counters=rows))
    assert [column.title for column in found.every_column] == [
        *("work", "path", "backend", "programs", "later", "graph operations", "MFLOP"),
        *("MB moved", "MB temporary", "GB at peak", "MB growth"),
    ]
    texts = [[column.text(row) for column in found.every_column] for row in found.rows]
    assert texts[0] == ["dense train 512", "fit", "jax", "3", "0", *["—"] * 6]
    assert texts[1][1:] == ["predict", "tensorflow", "2", "1", "1,234", "490", "21.0", "—", "2.50", "64.0"]
    assert found.notes[-1] == "memory grew by more than 16 MB: dense predict on tensorflow"


def test_the_list_of_a_profile_without_counters_says_which_has_them() -> None:
    """Who looks for compilations or memory in a default run learns where to find them."""
    shown = {name: " ".join(lists.steps(PROFILES[name], [], []).footnotes) for name in PROFILES}
    assert [name for name, notes in shown.items() if "by --profile full and every gate" in notes] == [
        "smoke",
        "default",
        "serving",
    ]


def test_counters_reach_every_file_that_is_published(tmp_path: Path) -> None:
    """They were measured, and the documents that are published had none."""
    counted = made.counters(made.cell(), compilations=3.0, peak_resident_bytes=2.5e9)
    site.publish(tmp_path, [published.of_run(made.run(*published.records()[3:], counted))])
    (kept,) = site.every(tmp_path)
    assert kept.counters[0].counters == {"compilations": 3.0, "peak_resident_bytes": 2.5e9}
    markdown, values = (next(tmp_path.glob(f"*/*.{ending}")).read_text() for ending in ("md", "csv"))
    assert "| dense train 512 | fit | jax | 3 | — | — | — | — | — | 2.50 | — |" in markdown
    assert "counters_compilations,counters_peak_resident_bytes" in values
    assert "GB at peak" in (tmp_path / site.PAGE).read_text()
