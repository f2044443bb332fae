"""The command line, used wrongly and rightly: one line says what to do, the exit status says what it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from bench.__main__ import app, main
from bench.analysis.bisection.step import DEFAULT_RULE, Rule
from bench.analysis.calibration import replicate_pool
from bench.cli.compare import bisect
from bench.cli.options import ProfileName
from bench.plan import steps
from bench.records import bundle, store
from bench.report import exports
from models.recipes import DENSE
from tests.bench import honest, made
from tests.bench.analysis.test_error_rates import record as pool_record
from tests.bench.made import blocks

ROOT = Path(__file__).resolve().parents[3]

Try = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Try:
    """Run the command line in this process and return its exit status, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("KERASMARK_CACHE", str(tmp_path / "cache"))

    def run(*words: str) -> tuple[int, str, str]:
        status = main([*words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "--recipe", "lstn"], "did you mean 'lstm'"),
        (["run", "--recipe", "pooling"], "known are dense, pooling-dropout, pooling-logits, lstm"),
        (["run", "--backend", "tensorflw"], "did you mean 'tensorflow'"),
        (["run", "--backend", "torch"], "PyTorch-free; use jax or tensorflow"),
        (["run", "--profile", "ful"], 'Did you mean "full"?'),
        (["run", "--seeds", "0"], 'Invalid value "0" for --seeds. Must be >= 1.'),
        (["run", "--budget", "0"], 'Invalid value "0.0" for --budget. Must be > 0.'),
        (["run", "--budget", "-2.5"], 'Invalid value "-2.5" for --budget. Must be > 0.'),
        (["run", "--budget", "long"], "long"),
        (["run", "--resume", "latest", "--recipe", "lstm"], "--resume uses the options of the interrupted run"),
        (["run", "--resume", "latest", "--profile", "full"], "--resume uses the options of the interrupted run"),
        (["run", "--device", "tpu"], "cpu"),
        (["rum"], "run"),
        (["run", "--recipe", "dense units=many"], "units: expected a whole number from 1"),
        (["run", "--recipe", "dense embedding=keras"], "unknown setting of dense 'embedding'"),
        (["regress"], "--base"),
        (["regress", "--base", "HEAD", "--replicates", "1"], 'Invalid value "1" for --replicates. Must be >= 2.'),
        (["regress", "--base", "HEAD", "--margin", "5"], 'Invalid value "5.0" for --margin. Must be < 1.'),
        (["regress", "--base", "HEAD", "--alpha", "0"], 'Invalid value "0.0" for --alpha. Must be > 0.'),
        (["versions", "keras==3.15.1"], "versions takes two or more requirements"),
        (["versions", "keras==3.15.1", "keras==3.15.1"], "versions takes two or more requirements"),
        (["bisect"], "--good"),
        (["bisect", "--good", "HEAD", "--bad", "HEAD"], "expected HEAD to be an ancestor of HEAD; it is the same"),
        (["bisect", "--good", "HEAD", "--bad", "HEAD~1"], "name an older commit, or swap the two"),
        (["bisect", "--good", "HEAD~1", "--bad", "HEAD", "--replicates", "2"], '"2" for --replicates. Must be >= 3.'),
        (["bisect", "--good", "HEAD~1", "--bad", "HEAD", "--nightlies"], "--nightlies are for a PACKAGE"),
        (["bisect", "keras", "--good", "1", "--bad", "2", "--repo", "."], "releases are searched, or --repo"),
        (
            ["bisect", "keras", "--good", "3.15.1", "--bad", "3.15.1", "--candidates", "3.15.1"],
            "two different releases",
        ),
        (["export", "--format", "cvs"], "did you mean 'csv'"),
        (["sweep", "dense", "--over", "optimizer=agagrad"], "optimizer: expected one of rmsprop, adam"),
        (["sweep", "dense", "--over", "optimiser=adam"], "did you mean 'optimizer'"),
        (["sweep", "dense", "--also", "lstm-stack"], "known are"),
        (["sweep", "dense", "--over", "units"], "--over takes SETTING=VALUE,VALUE"),
        (["sweep", "dense", "--seeds", "0"], 'Invalid value "0" for --seeds. Must be >= 1.'),
        (["train", "dens"], "did you mean 'dense'"),
        (["train", "dense", "units=many"], "units: expected a whole number from 1"),
        (["train", "dense", "--backend", "torch"], "PyTorch-free"),
        (["score", "nowhere", "text", "--backend", "tensorflw"], "did you mean 'tensorflow'"),
        (["score", "nowhere", "--batch-size", "0"], 'Invalid value "0" for --batch-size. Must be >= 1.'),
        (["sample", "0"], 'Invalid value "0" for COUNT. Must be >= 1.'),
        (["history", "--cell", "nothing"], "no published run has a cell 'nothing'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_is_one_line_that_says_what_to_do(bench: Try, words: list[str], hint: str) -> None:
    """Exit status 2, nothing on standard output, one line with the nearest right word."""
    status, out, err = bench(*words)
    assert (status, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert hint in err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["regress", "--base", "no-such-branch"], "no commit 'no-such-branch' here; fetch it first"),
        (["regress", "--base", "HEAD", "--repo", "/"], "expected a git repository"),
        (["bisect", "--good", "no-such-branch", "--bad", "HEAD"], "no commit 'no-such-branch' here; fetch it first"),
        (["regress", "--base", "HEAD", "--recipes", "nowhere.py"], "no file nowhere.py"),
        (["run", "--recipes", "dense"], "no file dense; --recipes takes a Python file"),
        (["compare", "jax", "tensorflow"], "no run called 'latest'"),
        (["export", "nothing"], "no run called 'nothing'"),
        (["run", "--resume", "nothing"], "no run called 'nothing'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_told_in_one_line(bench: Try, tmp_path: Path, words: list[str], hint: str) -> None:
    """Exit status 6, nothing on standard output, one line that says what to do."""
    status, out, err = bench(*words, "--out", str(tmp_path / "runs"))
    assert (status, out) == (6, "")
    assert len(err.strip().splitlines()) == 1
    assert hint in err


def made_run(folder: Path) -> Path:
    """Write a run of two targets, three processes each, TensorFlow twice as slow, and return the folder of runs."""
    writer = store.RunWriter(folder / "20260731T120000Z-smoke")
    records = [made.header(), made.target("jax-cpu"), made.target("tensorflow-cpu")]
    for target, step_s in (("jax-cpu", 0.01), ("tensorflow-cpu", 0.02)):
        for path, factor in (("fit", 2.0), ("floor", 1.0)):
            for replicate, wobble in enumerate((0.99, 1.0, 1.01)):
                seconds = step_s * factor * wobble
                cell = made.cell("train", path, target=target)
                records.append(made.timing(cell, blocks(seconds, seconds, seconds), replicate=replicate))
    for record in records:
        writer.append(record)
    writer.close()
    return folder


def test_a_list_has_a_user_s_recipes(bench: Try) -> None:
    """Beside any of the suite that are named, and without the floor that nobody wrote for them."""
    file = str(ROOT / "examples" / "own_model.py")
    status, out, _ = bench("list", "--recipes", file, "--recipe", "bigrams", "lstm", "--profile", "smoke")
    assert status == 0
    assert "all: bigrams, lstm" in out
    assert "fit, compiled loop" in " ".join(out.split())


def test_a_user_s_recipes_are_needed_again_to_resume(bench: Try, tmp_path: Path) -> None:
    """A record names their file, and not where it lies."""
    own = replace(DENSE, name="mine", family="own", file="mine.py", published=())
    writer = store.RunWriter(tmp_path / "20260801T120000Z-smoke")
    options = made.OPTIONS.model_copy(update={"recipes": ["mine"]})
    writer.append(
        made.header(run_id=writer.folder.name, options=options, recipes=(own,)), made.target(), made.plan("x")
    )
    writer.close()
    status, out, err = bench("run", "--resume", "latest", "--out", str(tmp_path))
    assert (status, out) == (6, "")
    assert "20260801T120000Z-smoke has recipes of mine.py: give --recipes FILE again" in err


def test_a_gate_is_not_the_latest_run_to_resume(bench: Try, tmp_path: Path) -> None:
    """Its passes do not follow from the options of `bench run`."""
    writer = store.RunWriter(tmp_path / "20260801T120000Z-gate")
    writer.append(made.header(profile="gate"), made.comparison(), made.target(), made.training())
    writer.close()
    status, out, err = bench("run", "--resume", "latest", "--out", str(tmp_path))
    assert (status, out) == (6, "")
    assert "expected one of `bench run`; the newest are 20260801T120000Z-gate; `bench run` measures one" in err


def test_two_targets_are_compared_in_the_newest_run_that_has_both(bench: Try, tmp_path: Path) -> None:
    """A gate after it is passed over, and both the heading and a note name the run."""
    writer = store.RunWriter(made_run(tmp_path) / "20260801T120000Z-gate")
    writer.append(made.header(profile="gate"), made.comparison(), made.target(), made.training())
    writer.close()
    status, out, err = bench("compare", "jax", "tensorflow", "--out", str(tmp_path))
    assert status == 0
    assert "in the run 20260731T120000Z-smoke" in out
    assert "latest: 20260731T120000Z-smoke, the newest run that timed jax and tensorflow" in " ".join(err.split())


def test_two_targets_of_a_run_are_compared(bench: Try, tmp_path: Path) -> None:
    """Twice the seconds, told as a table and as a document; exit status 0: a comparison gates nothing."""
    runs = str(made_run(tmp_path))
    status, out, _ = bench("compare", "jax", "tensorflow", "--out", runs)
    assert (status, out.count(" 2.0×")) == (0, 4)  # both cells, and the upper end of both intervals
    assert "tensorflow-cpu against jax-cpu\nin the run 20260731T120000Z-smoke\n1 cell: 1 slower\n" in out
    status, out, _ = bench("compare", "jax", "tensorflow", "--out", runs, "--json")
    assert {row["answer"] for row in json.loads(out)["rows"]} == {"slower"}


def test_a_run_is_the_same_as_itself(bench: Try, tmp_path: Path) -> None:
    """By its shares of the floor."""
    status, out, _ = bench("compare", "latest", "latest", "--out", str(made_run(tmp_path)))
    assert status == 0
    assert "2 cells: 2 the same" in out


@pytest.mark.parametrize("name", list(exports.FORMATS))
def test_a_run_is_exported_to_the_terminal_and_to_a_file(bench: Try, tmp_path: Path, name: str) -> None:
    """The same bytes on both ways."""
    runs, file = str(made_run(tmp_path)), tmp_path / "exported"
    status, out, _ = bench("export", "--format", name, "--out", runs)
    assert status == 0
    assert bench("export", "--format", name, "--out", runs, "--to", str(file))[:2] == (0, "")
    assert file.read_text(encoding="utf-8") == out


def test_a_sample_is_shown(bench: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reviews with what each of the four models is given of them, from the cache that other tests fill too."""
    monkeypatch.delenv("KERASMARK_CACHE")
    status, out, _ = bench("sample", "2", "--seed", "1", "--data", "synthetic")
    assert status == 0
    assert out.count("What each model is given") == 2
    assert all(name in out for name in ("dense", "pooling-dropout", "pooling-logits", "lstm"))


def test_a_data_path_that_is_nothing_is_told_in_one_line(bench: Try, tmp_path: Path) -> None:
    """What was given and cannot be used is an error: the synthetic reviews never stand in for a typing mistake."""
    status, out, err = bench("run", "--data", str(tmp_path / "nowhere"))
    assert (status, out) == (6, "")
    assert len(err.strip().splitlines()) == 1
    assert "no such file or folder" in err


def test_a_damaged_archive_is_told_in_one_line(bench: Try, tmp_path: Path) -> None:
    """A cut download is found before anything is trained on it."""
    archive = tmp_path / "aclImdb_v1.tar.gz"
    archive.write_bytes(b"\x1f\x8b\x08 cut")
    status, _, err = bench("run", "--data", str(archive))
    assert status == 6
    assert "bench:" in err.strip().splitlines()[-1]


def test_a_variable_that_would_cut_training_short_is_refused(bench: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras would obey it silently and the figures would belong to another schedule."""
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    status, _, err = bench("run")
    assert status == 6
    assert "unset KERAS_MAX_EPOCHS" in err


def test_a_gpu_run_without_a_gpu_ends_at_once_with_one_line(bench: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded, fetched or trained: what is missing is said, with what works instead."""
    monkeypatch.setattr("bench.plan.gpus._nvidia_smi", lambda: None)
    monkeypatch.setattr("bench.plan.gpus.shutil.which", lambda _: None)
    status, out, err = bench("run", "--device", "gpu")
    assert (status, out) == (6, "")
    assert err.strip() == (
        "bench: no GPU run here: nvidia-smi is not installed, so there is no NVIDIA driver; use `nox -s bench-cpu`"
    )


def test_a_results_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, bench: Try) -> None:
    """The run ends before it measures what it could not keep."""
    (tmp_path / "out").write_text("a file where a folder is wanted")
    from bench.records.store import RunWriter, StoreError

    with pytest.raises(StoreError, match="--out"):
        RunWriter(tmp_path / "out" / "run")


def test_show_without_a_run_names_what_there_is(bench: Try, tmp_path: Path) -> None:
    """A newcomer learns that there is none yet."""
    status, _, err = bench("show", "yesterday", "--out", str(tmp_path))
    assert status == 6
    assert "no run called 'yesterday'" in err


@pytest.mark.parametrize("profile", ["smoke", "default", "full"])
def test_list_shows_every_step_of_a_profile(bench: Try, profile: str) -> None:
    """What will be measured can be read before it is, in 80 columns."""
    status, out, _ = bench("list", "--profile", profile)
    assert status == 0
    for recipe in ("dense", "pooling-dropout", "pooling-logits", "lstm"):
        assert recipe in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("profile", "passes", "left_out"),
    [("smoke", "1 pass,", 38), ("default", "5 passes,", 30), ("full", "5 passes,", 0)],
)
def test_list_says_how_often_and_what_it_leaves_out(bench: Try, profile: str, passes: str, left_out: int) -> None:
    """Worked by hand for dense on JAX: full has 47 cells, smoke 10 of them and default 18."""
    _, out, _ = bench("list", "--profile", profile, "--recipe", "dense", "--backend", "jax")
    words = " ".join(out.split())
    assert f"timed in {passes} each with processes of its own" in words
    assert (f"left to --profile full: {left_out} cells (" in words) is (left_out > 0)


def test_list_names_every_path_that_is_timed(bench: Try) -> None:
    """Which cells there are is a question of paths, and of what a backend offers."""
    _, out, _ = bench("list", "--profile", "full", "--recipe", "dense")
    words = " ".join(out.split())
    for path in ("fit steps=50", "train_on_batch", "eager", "predict from text", "double loop", "floor"):
        assert path in words


def test_list_names_the_shards_for_a_workflow(bench: Try) -> None:
    """A matrix as GitHub Actions reads it: only shards that have work."""
    status, out, _ = bench("list", "--as", "github-matrix", "--shards", "50", "--recipe", "dense")
    found = [one["shard"] for one in json.loads(out)["include"]]
    assert status == 0
    assert 1 < len(found) < 50
    assert all(re.fullmatch(r"[0-9]+/50", shard) for shard in found)


def test_a_shard_without_work_is_refused_with_those_that_have(bench: Try) -> None:
    _, out, _ = bench("list", "--as", "github-matrix", "--shards", "50", "--recipe", "dense")
    busy = {one["shard"] for one in json.loads(out)["include"]}
    empty = next(f"{number}/50" for number in range(1, 51) if f"{number}/50" not in busy)
    status, _, said = bench("run", "--recipe", "dense", "--shard", empty)
    assert status == 2
    assert f"shard {empty} has no work in this run" in " ".join(said.split())


def test_a_run_is_submitted_as_one_file_and_verified(bench: Try, tmp_path: Path) -> None:
    """What `submit` wrote, `verify` reads: by more rules than a run of one's own."""
    run = honest.write(tmp_path / "runs" / "one")
    status, _, said = bench("submit", "one", "--out", str(tmp_path / "runs"), "--to", str(tmp_path))
    assert "not submitted" in said, "its accuracy is made"
    assert status == 6
    file = bundle.write(run, tmp_path)
    status, out, _ = bench("verify", str(file), "--json")
    failed = [check["rule"] for check in json.loads(out)["checks"] if check["answer"] == "failed"]
    assert (status, failed) == (5, ["accuracy is what seeds reach"])


def test_nothing_to_merge_is_a_usage_error(bench: Try, tmp_path: Path) -> None:
    for words in ([], [str(tmp_path)], [str(tmp_path / "none")]):
        status, _, said = bench("merge", *words)
        assert status == 2
        assert "shard" in said


def test_doctor_says_what_this_machine_can_measure(bench: Try) -> None:
    """Backends, GPU, processors, data and the rest, each with what to do; the noise in seconds that can be chosen."""
    status, out, _ = bench("doctor", "--seconds", "0.1")
    assert status == 0
    topics = {words[1] for line in out.splitlines() if (words := line.split())[:1] and words[0] in ("good", "note")}
    assert topics >= {"jax", "tensorflow", "GPU", "processors", "load", "timer", "memory", "disk", "reviews", "noise"}
    assert "9 times in 10" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_doctor_answers_programs(bench: Try) -> None:
    """The same findings as JSON; without noise there is no smallest effect."""
    status, out, _ = bench("doctor", "--json", "--seconds", "0")
    document = json.loads(out)
    assert status == document["exit_code"] == 0
    assert {finding["answer"] for finding in document["findings"]} <= {"good", "note"}
    assert document["effects"] == []
    assert "noise" not in {finding["topic"] for finding in document["findings"]}


@pytest.mark.framework
def test_doctor_starts_workers(bench: Try) -> None:
    """Each backend imports and runs on its device; without CUDA libraries none is asked for a GPU."""
    status, out, _ = bench("doctor", "--json", "--seconds", "0", "--start")
    found = {finding["topic"]: finding["found"] for finding in json.loads(out)["findings"]}
    assert status == 0
    assert [said.startswith("runs on ") for said in (found["jax-cpu"], found["tensorflow-cpu"])] == [True, True]
    assert "jax-gpu" not in found


def test_help_names_the_commands_and_the_exit_status(bench: Try) -> None:
    """The first thing that a newcomer types answers what can be done."""
    status, out, _ = bench("--help")
    assert status == 0
    for word in ("run", "show", "list", "doctor", "reference", "Exit status"):
        assert word in out


@pytest.mark.parametrize("word", [word for word in app if not word.startswith("-")])
def test_every_option_has_help(word: str) -> None:
    """An option without a word of help sends a newcomer to the source."""
    found = [one for one in app[word].assemble_argument_collection(parse_docstring=True) if one.show]
    assert [one.name for one in found if not one.parameter.help] == []


def test_the_profiles_of_the_command_line_are_those_of_the_plan() -> None:
    """They stand there twice, since importing the plan would keep `--help` waiting."""
    assert get_args(ProfileName) == tuple(steps.PROFILES)


def test_the_rule_of_a_bisection_is_the_one_that_is_calibrated() -> None:
    """The command's defaults stand there twice, for the same reason."""
    options = bisect.DEFAULTS
    assert Rule(options.margin, options.alpha, options.replicates) == DEFAULT_RULE


@pytest.mark.parametrize(("former", "word"), [("peers", "baselines"), ("run --stall-limit 9", "run")])
def test_a_former_name_still_works(bench: Try, former: str, word: str) -> None:
    """Both names lead to the same command: the one complaint is about the recipe."""
    found = bench(*former.split(), "--recipe", "lstn")
    assert found == bench(word, "--recipe", "lstn")
    assert "did you mean 'lstm'" in found[2]


def test_names_may_be_given_with_commas_or_one_by_one(bench: Try) -> None:
    """Both habits work, and a name given twice counts once."""
    _, with_commas, _ = bench("list", "--recipe", "dense,lstm", "--backend", "jax")
    _, one_by_one, _ = bench("list", "--recipe", "dense", "--recipe", "lstm", "--recipe", "dense", "--backend", "jax")
    assert with_commas == one_by_one
    assert "tensorflow" not in with_commas


def test_an_interruption_ends_with_130_and_keeps_what_was_measured(bench: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is an answer of its own, and says where the records are."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("datasets.locate.open_corpus", interrupt)
    status, _, err = bench("run")
    assert status == 130
    assert "bench show latest" in err


def test_json_is_one_document_with_everything_in_it(bench: Try, tmp_path: Path) -> None:
    """Programs get what people see, unrounded, from the records alone."""
    from tests.bench.written import write_run

    write_run(tmp_path / "runs" / "a-run")
    status, out, _ = bench("show", "a-run", "--out", str(tmp_path / "runs"), "--json")
    document = json.loads(out)
    assert document["exit_code"] == status
    expected = {"run_id", "machine", "targets", "accuracy", "parity", "timings", "verdicts", "startup", "best_paths"}
    assert expected <= set(document)
    assert {row["phase"] for row in document["timings"]} == {"train", "predict", "vectorize"}
    fit = document["timings"][0]
    assert (fit["path"], fit["processes"]) == ("fit", 3)
    assert fit["floor_share_low"] <= fit["floor_share"] <= fit["floor_share_high"]


def test_piped_output_is_plain_text(tmp_path: Path) -> None:
    """No escape sequence reaches a file, and no line is wider than 80 columns."""
    from tests.bench.written import write_run

    write_run(tmp_path / "a-run")
    done = subprocess.run(
        [sys.executable, "-m", "bench", "show", "a-run", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
        check=False,
    )
    assert "\x1b" not in done.stdout
    assert done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_calibrate_shows_what_was_measured_so_far(bench: Try, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A replicate: it says how many a gate formed from the pool needs, and writes the page beside the data."""
    monkeypatch.setattr("bench.runner.calibrate.FOLDER", tmp_path)
    made_pool = [pool_record(0, label, [0.01] * 3) for label in ("base", "head")]
    replicate_pool.append(tmp_path / "pool.jsonl", made_pool)
    status, out, _ = bench("calibrate", "--show")
    assert status == 0
    assert "neighbouring replicates" in " ".join(out.split())
    assert "# Error rates of the gate" in (tmp_path / "README.md").read_text(encoding="utf-8")
