"""What a run says of its GPUs: their ranges over every reading, and what held them down."""

from __future__ import annotations

from bench.analysis.summary import summarize
from bench.records.nvml import GpuState
from bench.records.schema import GpuRecord
from bench.report import overview
from bench.report.tables import hardware
from tests.bench import made


def state(number: int = 0, *, mhz: int | None = 1_980, celsius: int | None = 40, by: tuple[str, ...] = ()) -> GpuState:
    return GpuState(number=number, name="NVIDIA H100", processor_mhz=mhz, temperature_c=celsius, slowed_by=[*by])


def shown(*records: GpuRecord) -> tuple[list[dict[str, str]], list[str]]:
    """Return the table of GPUs, by its columns, and the doubts of a run with these records."""
    document = summarize(made.run(*records, made.timing(made.cell(), made.blocks(0.1)))).document
    table = hardware.gpus(document)
    return [{column.key: column.text(row) for column in table.columns} for row in table.rows], overview.doubts(document)


def test_a_gpu_has_the_range_of_its_clock_rate_and_its_highest_temperature() -> None:
    """Over both readings of every process."""
    rows, doubts = shown(
        GpuRecord(replicate=0, before=[state()], after=[state(mhz=1_755, celsius=61)]),
        GpuRecord(replicate=1, before=[state(celsius=58)], after=[state(celsius=59)]),
    )
    assert [(row["processor_mhz_low"], row["temperature_c"]) for row in rows] == [("1,755 to 1,980", "61")]
    assert not [doubt for doubt in doubts if "GPU" in doubt]


def test_what_held_a_gpu_down_is_a_doubt() -> None:
    """Once each, of the GPU that it was: another one may be cool."""
    hot = state(1, by=("temperature (hardware)", "power limit"))
    rows, doubts = shown(GpuRecord(replicate=0, before=[state(), state(1)], after=[state(), hot]))
    assert [row["slowed_by"] for row in rows] == ["nothing", "temperature (hardware), power limit"]
    assert "the clock rate of GPU 1 was held down: temperature (hardware), power limit" in doubts


def test_what_a_driver_does_not_say_is_empty() -> None:
    rows, _ = shown(GpuRecord(replicate=0, before=[state(mhz=None, celsius=None)], after=[]))
    assert {rows[0][key] for key in rows[0]} >= {"NVIDIA H100", "nothing"}
    assert "1,980" not in str(rows)


def test_a_run_on_a_cpu_has_no_such_table() -> None:
    assert shown() == ([], shown()[1])
