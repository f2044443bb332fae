"""The exports: what other tools read, tried with the real ones where they can be installed."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pyperf
import pytest

from bench.analysis.summary import Summary
from bench.records.schema import Record
from bench.records.store import Run
from bench.report import exports
from bench.report.exports import series
from datasets import errors
from datasets.plain_text import CONTROLS
from tests.bench import made
from tests.bench.made import blocks, calls

FIT, FLOOR = made.cell("train", "fit"), made.cell("train", "floor")
CALL = made.cell("predict", "compiled", batch_size=32)


def summary(*records: Record, run_id: str = "20260731T120000Z-smoke") -> Summary:
    """Return a run: `fit` of 10, 20 and 90 ms in one process and 21 ms in another, a floor of 10 ms, one prediction."""
    default = (
        made.target(),
        made.timing(FIT, blocks(0.01, 0.02, 0.09), replicate=0),
        made.timing(FIT, blocks(0.021, 0.021), replicate=1),
        made.timing(FLOOR, blocks(0.01, 0.01, 0.01), replicate=0),
        made.timing(FLOOR, blocks(0.01, 0.01), replicate=1),
        made.timing(CALL, calls([0.001, 0.001, 0.004], [0.001])),
    )
    return Summary(Run(Path("made"), made.header(run_id=run_id), records or default), ())


def processes(seconds: Sequence[float], run_id: str) -> Summary:
    """Return a run of `fit` with so many processes, and a floor of 10 ms."""
    found = [
        made.timing(cell, blocks(value), replicate=replicate)
        for replicate, fit in enumerate(seconds)
        for cell, value in ((FIT, fit), (FLOOR, 0.01))
    ]
    return summary(made.target(), *found, run_id=run_id)


def render(name: str, of: Summary | None = None) -> str:
    return exports.FORMATS[name](of or summary())


def test_a_process_gives_one_value() -> None:
    """Its median: one turn of 90 ms beside two of 10 and 20 is a disturbance, and turns are not independent."""
    fit, floor, call = series.every(summary())
    assert fit.values == [0.02, 0.021]
    assert fit.over_floor == pytest.approx([2.0, 2.1])
    assert (floor.over_floor, floor.floor_share) == ([], None)
    assert call.values == [0.001]
    assert fit.processes[0].warmups == ((1, 99.0),)


def test_an_export_has_the_estimates_of_the_tables() -> None:
    """Means of all turns said 42 ms where the tables said 13: a slope that noise made large was one value of many."""
    of = summary()
    row = next(row for row in of.timing_rows if row.cell == FIT)
    fit = series.every(of)[0]
    assert (fit.seconds.value, fit.seconds.low, fit.seconds.high) == (row.seconds, row.seconds_low, row.seconds_high)
    assert fit.facts["floor_share"] == row.floor_share
    assert fit.times_floor is not None
    assert fit.times_floor.value == pytest.approx(1 / (row.floor_share or 0))
    mean = json.loads(render("pytest-benchmark", of))["benchmarks"][0]["stats"]["mean"]
    assert mean == pytest.approx(row.seconds, rel=0.01)


def test_a_slope_below_zero_is_no_process() -> None:
    """Noise can give one: no tool takes seconds below zero."""
    of = summary(made.target(), made.timing(FIT, made.fits(-0.001)), made.timing(FIT, made.fits(0.01), replicate=1))
    (fit,) = series.every(of)
    assert fit.values == pytest.approx([0.01])


def test_what_failed_its_accuracy_is_struck() -> None:
    """A diverged training's timings belong to other work: no tool is handed them."""
    struck = made.training(final=made.result(epoch_s=[1.0] * 4, accuracy=float("nan")))
    of = summary(made.target(), struck, made.timing(FIT, blocks(0.01, 0.03)))
    assert series.every(of) == []


def command(*words: object) -> str:
    """Return what a module's own command prints; it must succeed."""
    done = subprocess.run([sys.executable, "-m", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(folder: Path, name: str, *runs: Summary, ending: str = "json") -> list[Path]:
    """Write each of ``runs`` in one format."""
    files = [folder / f"000{number}_made.{ending}" for number, _ in enumerate(runs, start=1)]
    for file, run in zip(files, runs, strict=True):
        file.write_text(render(name, run), encoding="utf-8")
    return files


def test_pytest_benchmark_compares_two_exported_runs(tmp_path: Path) -> None:
    """The real command reads both files, and prints seconds and percents of the floor's in groups of their own."""
    files = written(tmp_path, "pytest-benchmark", summary(), summary(run_id="20260801T120000Z-smoke"))
    shown = command("pytest_benchmark", "--storage", f"file://{tmp_path}", "compare", "--group-by=group", *files)
    assert shown.count("dense_train[fit-512-jax-cpu]") == 2
    assert shown.count("dense_train_over_floor[fit-512-jax-cpu]") == 2
    assert shown.count("dense_predict[compiled-32-jax-cpu]") == 2
    assert "benchmark 'dense train 512 over its floor: percent, not seconds': 2 tests" in shown
    assert re.search(r"over_floor\S+ \(0001_made\) +200\.0000 \(1\.0\) +210\.0000", shown)


def test_pytest_benchmark_s_columns_by_hand() -> None:
    """10, 20, 20, 30 ms: mean and median 20, deviation 8.165, quartiles 17.5 and 22.5, fences 10 and 30."""
    of = processes([0.01, 0.03, 0.02, 0.02], "20260731T120000Z-smoke")
    stats = json.loads(render("pytest-benchmark", of))["benchmarks"][0]["stats"]
    assert (stats["rounds"], stats["min"], stats["max"]) == (4, 0.01, 0.03)
    assert [stats[name] for name in ("mean", "median", "q1", "q3")] == pytest.approx([0.02, 0.02, 0.0175, 0.0225])
    assert stats["stddev"] == pytest.approx(0.0081650, rel=1e-4)
    assert (stats["outliers"], stats["ld15iqr"], stats["hd15iqr"]) == ("2;0", 0.01, 0.03)
    assert stats["ops"] == pytest.approx(50)


def test_pyperf_reads_each_process_as_a_run(tmp_path: Path) -> None:
    """The real library: names, one value a run, warm-up blocks, and what the number needs."""
    (file,) = written(tmp_path, "pyperf", summary())
    suite = pyperf.BenchmarkSuite.load(str(file))
    over = f"{FIT.name} {series.OVER_FLOOR}"
    assert suite.get_benchmark_names() == [FIT.name, over, FLOOR.name, CALL.name]
    fit, times = suite.get_benchmark(FIT.name), suite.get_benchmark(over)
    assert (fit.get_nrun(), fit.get_values(), times.get_values()) == (2, (0.02, 0.021), (2.0, 2.1))
    assert fit.get_runs()[0].warmups == ((1, 99.0),)
    assert fit.get_metadata()["floor_share"] == pytest.approx(1 / 2.05, rel=0.01)
    assert fit.get_metadata()["kerasmark_run"] == "20260731T120000Z-smoke"


def test_pyperf_s_own_commands_show_and_compare(tmp_path: Path) -> None:
    """What a user would do with the files: twice as slow in seconds and as a multiple of the floor."""
    fast, slow = [0.0200, 0.0201, 0.0202, 0.0203, 0.0204], [0.0400, 0.0402, 0.0404, 0.0406, 0.0408]
    first, second = written(tmp_path, "pyperf", processes(fast, "20260731T120000Z-a"), processes(slow, "20260801T1Z-b"))
    shown = command("pyperf", "show", "--quiet", first)
    assert f"{FIT.name}: Mean +- std dev: 20.2 ms" in shown
    assert f"{FIT.name} {series.OVER_FLOOR}: Mean +- std dev: 2.02" in shown
    compared = command("pyperf", "compare_to", "--table", first, second)
    (floors, seconds) = compared.split("Benchmarks with tag ")[1:3]
    assert floors.startswith(f"'{series.OVER_FLOOR}'")
    assert re.search(r"2\.02 +\| 4\.04: 2\.00x slower", floors)
    assert re.search(r"20\.2 ms +\| 40\.4 ms: 2\.00x slower", seconds)


def test_github_action_benchmark_s_list() -> None:
    """Its documented fields: a name, a unit and a number; smaller is better, of the floor's multiple too."""
    fit, times, *others = json.loads(render("github-action-benchmark"))
    assert (fit["name"], fit["unit"]) == (FIT.name, "ms")
    assert fit["value"] == pytest.approx(20.5, rel=0.01)
    assert (times["name"], times["unit"]) == (f"{FIT.name} {series.OVER_FLOOR}", "× floor")
    assert times["value"] == pytest.approx(2.05, rel=0.01)
    assert [row["name"] for row in others] == [FLOOR.name, CALL.name]
    assert all(set(row) == {"name", "unit", "value", "range", "extra"} for row in (fit, times, *others))


# Bencher's own schema of its metric format (https://bencher.dev/docs/reference/bencher-metric-format).
METRIC = {
    "type": "object",
    "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
    "required": ["value"],
    "additionalProperties": False,
}
MEASURES = {"type": "object", "patternProperties": {".+": METRIC}, "minProperties": 1}
BENCHER = {"type": "object", "patternProperties": {".+": MEASURES}}


def test_bencher_s_metric_format() -> None:
    """Measures of each benchmark, bounds only where there are any: one process has those of its own noise."""
    found = json.loads(render("bencher"))
    jsonschema.validate(found, BENCHER)
    fit = found[FIT.name]
    assert fit["latency"]["value"] == pytest.approx(2.05e7, rel=0.01)
    assert fit["floor-share"]["value"] == pytest.approx(1 / 2.05, rel=0.01)
    assert set(fit["latency"]) == set(fit["floor-share"]) == {"value", "lower_value", "upper_value"}
    assert found[CALL.name] == {"latency": {"value": pytest.approx(1e6)}}


# A configuration line of Go's format: benchstat makes a table for each combination of their values.
CONFIGURATION = re.compile(r"[a-z][^A-Z\s]*:\s*(.*)")


def test_go_s_format_line_by_line() -> None:
    """A name without blanks, a count, values with units: a line for each process."""
    lines = [line for line in render("benchfmt").splitlines() if line.startswith("Benchmark")]
    name = "BenchmarkDense/phase=train/path=fit/target=jax-cpu/batch=512"
    assert lines[:2] == [f"{name} 1 2e+07 ns/op 50 floor-%", f"{name} 1 2.1e+07 ns/op 47.619 floor-%"]
    assert len(lines) == 5
    assert not re.search(r"-\d+ 1 ", "\n".join(lines))  # it would be taken for GOMAXPROCS


def test_what_differs_from_run_to_run_splits_no_table_of_benchstat() -> None:
    """Two runs of one machine and corpus have the same configuration lines; all else is a line that is ignored."""
    runs = [render("benchfmt", summary(run_id=run_id)) for run_id in ("20260731T120000Z-a", "20260801T120000Z-b")]
    configured, others = zip(*map(parted, runs), strict=True)
    assert configured[0] == configured[1] == ["corpus: imdb", "cpu: Made CPU, 2 processors"]
    assert all(line.startswith(("# ", "Unit floor-% better=higher")) for lines in others for line in lines)
    assert "# run: 20260731T120000Z-a" in others[0]


def parted(text: str) -> tuple[list[str], list[str]]:
    """Return the configuration lines, and those that are neither configuration nor a result."""
    lines = [line for line in text.splitlines() if not line.startswith("Benchmark")]
    configured = [line for line in lines if CONFIGURATION.fullmatch(line)]
    return configured, [line for line in lines if line not in configured]


@pytest.mark.skipif(shutil.which("benchstat") is None, reason="benchstat, a program in Go, is not on the path")
def test_benchstat_joins_two_runs_and_tests_them(tmp_path: Path) -> None:
    """The real program: one table a unit, both runs side by side, six processes are enough for its interval."""
    fast, slow = ([pace * (1 + n / 1_000) for n in range(6)] for pace in (0.02, 0.04))
    runs = [processes(fast, "20260731T120000Z-a"), processes(slow, "20260801T120000Z-b")]
    files = written(tmp_path, "benchfmt", *runs, ending="txt")
    done = subprocess.run(["benchstat", *map(str, files)], capture_output=True, text=True, check=True)
    assert "+100.00% (p=0.002 n=6)" in done.stdout
    assert "-50.00% (p=0.002 n=6)" in done.stdout
    assert done.stdout.count("corpus: imdb") == 1
    assert not done.stderr


def test_csv_reads_back() -> None:
    """One line a cell beside the other tables; a bound that is not known is empty."""
    rows = [row for row in csv.DictReader(io.StringIO(render("csv"))) if row["table"] == "timings"]
    fit, _, call = rows
    assert (fit["recipe"], fit["path"], fit["processes"]) == ("dense", "fit", "2")
    assert float(fit["seconds"]) == pytest.approx(0.0205, rel=0.01)
    assert (call["seconds"], call["seconds_high"]) == ("0.001", "")


@pytest.mark.parametrize("name", list(exports.FORMATS))
def test_no_name_forges_a_line_or_a_key(name: str) -> None:
    """Whatever a recipe, a target, a machine or a corpus is called: as many lines, or keys, as without it."""
    attack = '=1+1\n"}, "forged": {"\r\nBenchmarkForged 1 1 ns/op\nforged: 1\x1b[2J\x9b\u202e\x00'
    name_ = re.sub(r"[/\x00-\x1f]", "", attack)  # as a record's schema lets it be called
    words = {"recipe": name_, "target": name_}
    records = [
        record.model_copy(update={"cell": record.cell.model_copy(update=words)})
        for record in (made.timing(FIT, blocks(0.01, 0.03)), made.timing(FIT, blocks(0.02, 0.02), replicate=1))
    ]
    machine = made.MACHINE.model_copy(update={"cpu": attack, "python": attack, "system": attack})
    header = made.header().model_copy(update={"machine": machine, "corpus": attack, "profile": attack})
    hostile = render(name, Summary(Run(Path("made"), header, tuple(records)), ()))
    plain = render(name, Summary(Run(Path("made"), made.header(), records=(_timed(0), _timed(1))), ()))
    assert shape(hostile) == shape(plain)
    assert not CONTROLS.search(hostile)
    assert not re.search(r"\\u00[01]|\\u009b|\\u202e", hostile)
    assert not re.search(r"(?m)^(forged|BenchmarkForged|=)", hostile)


def _timed(replicate: int) -> Record:
    return made.timing(FIT, blocks(0.01, 0.03) if replicate == 0 else blocks(0.02, 0.02), replicate=replicate)


def shape(text: str) -> object:
    """Return how many keys and items JSON has, at each depth; of other text, what each line is."""
    if not text.startswith(("{", "[")):
        lines = text.splitlines()
        return [(line.startswith("Benchmark"), bool(CONFIGURATION.fullmatch(line))) for line in lines]

    def of(value: object) -> object:
        if isinstance(value, dict):
            return [of(item) for item in value.values()]
        return [of(item) for item in value] if isinstance(value, list) else type(value).__name__

    return of(json.loads(text))


@pytest.mark.parametrize("name", list(exports.FORMATS))
def test_a_run_without_timings_is_an_empty_file_of_its_format(name: str) -> None:
    """A run whose workers all failed can be exported without a traceback."""
    assert isinstance(render(name, summary(made.failure())), str)


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(errors.UsageError, match="unknown format 'pyprf': did you mean 'pyperf'"):
        errors.find("format", "pyprf", exports.FORMATS)
