"""The exports: what other tools read, tried with the real ones where they can be installed."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

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

FIT = made.cell("train", "fit")
CALL = made.cell("predict", "compiled", batch_size=32)


def summary(*records: Record) -> Summary:
    """Return a run of two cells: 10 and 30 ms in one process, 20 ms in another; a prediction of 1 ms in one."""
    default = (
        made.target(),
        made.timing(FIT, blocks(0.01, 0.03), replicate=0),
        made.timing(FIT, blocks(0.02, 0.02), replicate=1),
        made.timing(CALL, calls([0.001, 0.001, 0.004], [0.001])),
    )
    return Summary(Run(Path("made"), made.header(), records or default), ())


def render(name: str, of: Summary | None = None) -> str:
    return exports.FORMATS[name](of or summary())


def test_a_series_has_a_list_for_each_process() -> None:
    """A median call where each had a clock; warm-up apart."""
    fit, call = series.every(summary())
    assert fit.processes == ((0.01, 0.03), (0.02, 0.02))
    assert call.processes == ((0.001, 0.001),)
    assert fit.warmups[0] == ((1, 99.0),)


def test_what_failed_its_accuracy_is_struck() -> None:
    """A diverged training's timings belong to other work: no tool is handed them."""
    struck = made.training(final=made.result(epoch_s=[1.0] * 4, accuracy=float("nan")))
    of = summary(made.target(), struck, made.timing(FIT, blocks(0.01, 0.03)))
    assert series.every(of) == []


def test_pytest_benchmark_compares_two_exported_runs(tmp_path: Path) -> None:
    """The real command reads both files and prints a row for each cell."""
    files = [tmp_path / f"000{n}_made.json" for n in (1, 2)]
    for file in files:
        file.write_text(render("pytest-benchmark"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest_benchmark", "--storage", f"file://{tmp_path}", "compare"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("dense_train[fit-512-jax-cpu]") == 2
    assert done.stdout.count("dense_predict[compiled-32-jax-cpu]") == 2


def test_pytest_benchmark_s_columns_by_hand() -> None:
    """10, 20, 20, 30 ms: mean and median 20, deviation 8.165, quartiles 17.5 and 22.5, fences 10 and 30."""
    stats = json.loads(render("pytest-benchmark"))["benchmarks"][0]["stats"]
    assert (stats["rounds"], stats["min"], stats["max"]) == (4, 0.01, 0.03)
    assert [stats[name] for name in ("mean", "median", "q1", "q3")] == pytest.approx([0.02, 0.02, 0.0175, 0.0225])
    assert stats["stddev"] == pytest.approx(0.0081650, rel=1e-4)
    assert (stats["outliers"], stats["ld15iqr"], stats["hd15iqr"]) == ("2;0", 0.01, 0.03)
    assert stats["ops"] == pytest.approx(50)


def test_pyperf_reads_each_process_as_a_run(tmp_path: Path) -> None:
    """The real library: names, values by run, the mean, warm-up blocks."""
    file = tmp_path / "made.json"
    file.write_text(render("pyperf"), encoding="utf-8")
    suite = pyperf.BenchmarkSuite.load(str(file))
    fit = suite.get_benchmark(FIT.name)
    assert (fit.get_nrun(), fit.get_values()) == (2, (0.01, 0.03, 0.02, 0.02))
    assert fit.mean() == pytest.approx(0.02)
    assert fit.get_runs()[0].warmups == ((1, 99.0),)
    assert suite.get_benchmark_names() == [FIT.name, CALL.name]


def test_pyperf_s_own_command_prints_it(tmp_path: Path) -> None:
    """What a user would do with the file."""
    file = tmp_path / "made.json"
    file.write_text(render("pyperf"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", "show", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert FIT.name in done.stdout


def test_github_action_benchmark_s_list() -> None:
    """Its documented fields: a name, a unit and a number; smaller is better."""
    fit, _ = json.loads(render("github-action-benchmark"))
    assert (fit["name"], fit["unit"]) == (FIT.name, "ms")
    assert fit["value"] == pytest.approx(20, rel=0.01)
    assert set(fit) == {"name", "unit", "value", "range", "extra"}


def test_bencher_s_metric_format() -> None:
    """A measure of each benchmark, bounds only where there are any: one process has those of its own noise."""
    found = json.loads(render("bencher"))
    assert found[FIT.name]["latency"]["value"] == pytest.approx(2e7, rel=0.01)
    assert set(found[FIT.name]["latency"]) == {"value", "lower_value", "upper_value"}
    assert set(found[CALL.name]["latency"]) == {"value"}


def test_go_s_format_line_by_line() -> None:
    """Configuration lines, then a name without blanks, a count, a value, a unit: a line for each process."""
    lines = render("benchfmt").splitlines()
    results = [line for line in lines if line.startswith("Benchmark")]
    assert results[0] == "BenchmarkDense/phase=train/path=fit/batch=512/target=jax-cpu 2 2e+07 ns/op"
    assert len(results) == 3
    assert all(re.fullmatch(r"[a-z-]+: .*", line) for line in lines if line not in results)
    assert all(len(line.split()) == 4 for line in results)


def test_csv_reads_back() -> None:
    """One line a cell; a bound that is not known is empty."""
    fit, call = csv.DictReader(io.StringIO(render("csv")))
    assert (fit["recipe"], fit["path"], fit["processes"]) == ("dense", "fit", "2")
    assert float(fit["seconds"]) == pytest.approx(0.02, rel=0.01)
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
    """Return how many keys and items JSON has, at each depth; of other text, how many lines and where they part."""
    if not text.startswith(("{", "[")):
        return [line.count(",") > 1 for line in text.splitlines()]

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
