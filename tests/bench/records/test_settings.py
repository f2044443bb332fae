"""The settings under which a process measures: variables, processors, limits of its control groups."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT
from bench.records import settings
from bench.records.settings import Settings


def test_every_variable_that_a_framework_reads_is_recorded() -> None:
    """JAX_DISABLE_JIT and TF_NUM_INTRAOP_THREADS went unrecorded; what is nobody's business stays out."""
    environ = {
        "JAX_DISABLE_JIT": "1",
        "XLA_FLAGS": "--x",
        "TF_DISABLE_MKL": "1",
        "KERAS_NNX_ENABLED": "1",
        "OMP_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "2",
        "HOME": "home/someone",
        "PYTHONHASHSEED": "3",
        "KERAS_HOME": "elsewhere",
        "KERASMARK_DATA": "reviews",
    }
    assert list(settings.variables(environ)) == sorted(list(environ)[:6])


@pytest.mark.parametrize(
    "name",
    [
        *("TF_VAR_db_password", "TF_TOKEN_app_example_com", "TF_CLI_CONFIG_FILE", "TF_HTTP_USERNAME", "NVIDIA_API_KEY"),
        *("TF_CONFIG", "JAX_COORDINATOR_ADDRESS", "KERAS_DISTRIBUTION_JOB_ADDRESSES"),
    ],
)
def test_no_secret_and_no_host_is_recorded(name: str) -> None:
    """Terraform's variables begin like TensorFlow's and may hold passwords; a cluster's name its hosts."""
    assert settings.variables({name: "s3cret"}) == {}


def test_a_setting_with_key_in_its_name_is_no_secret() -> None:
    """What changes speed is recorded, whatever it is called."""
    assert settings.variables({"JAX_DEBUG_KEY_REUSE": "1"}) == {"JAX_DEBUG_KEY_REUSE": "1"}


def test_a_variable_that_is_no_text_can_be_recorded() -> None:
    """The system allows any bytes, JSON does not: such a variable ended a run at its first record."""
    code = "from bench.records import settings; print(settings.settings().model_dump_json())"
    environ = {b"TF_X": b"a\xff", b"TF_\xfe": b"1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, check=True)
    assert json.loads(done.stdout)["variables"] == {"TF_X": "a\\udcff", "TF_\\udcfe": "1"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("--xla_dump_to=/srv/someone/dump --x=1", "--xla_dump_to=dump --x=1"),
        ("/usr/a/lib.so:/usr/b/lib.so", "lib.so:lib.so"),
        ("--a=../someone/c --b='/srv/someone/d/'", "--a=c --b='d/'"),
        ("file:///srv/someone/x,~/y", "file:x,y"),
        ("/", "/"),
        ("--a=1 b:2", "--a=1 b:2"),
    ],
)
def test_no_folder_of_the_machine_is_recorded(value: str, kept: str) -> None:
    """Records name no user and no place."""
    assert settings.variables({"XLA_FLAGS": value}) == {"XLA_FLAGS": kept}


def groups(root: Path, files: dict[str, str]) -> Path:
    """Write the files of a tree of control groups."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content + "\n")
    return root


def limits(root: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a process in the control group ``place`` of the tree ``root``."""
    real = Path.read_text

    def read(self: Path, *args: str, **named: str) -> str:
        return place if str(self) == "/proc/self/cgroup" else real(self, *args, **named)

    monkeypatch.setattr(Path, "read_text", read)
    return settings.settings({}, cgroups=root)


def test_the_tightest_limit_of_all_groups_around_a_process_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container's quota lies above the process's own group."""
    files = {
        "a/cpu.max": "150000 100000",
        "a/b/cpu.max": "200000 100000",
        "a/b/memory.max": "max",
        "a/memory.max": str(2**29),
        "memory.max": "max",
    }
    found = limits(groups(tmp_path, files), "0::/a/b", monkeypatch)
    assert (found.processor_quota, found.memory_limit_gib) == (1.5, 0.5)


def test_version_1_of_control_groups_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files instead of one, in a tree for each controller."""
    files = {
        "cpu/a/cpu.cfs_quota_us": "50000",
        "cpu/a/cpu.cfs_period_us": "100000",
        "cpu/cpu.cfs_quota_us": "-1",
        "cpu/cpu.cfs_period_us": "100000",
        "memory/a/memory.limit_in_bytes": str(2**30),
        "memory/memory.limit_in_bytes": str(2**63 - 4096),  # what the system says for no limit
    }
    found = limits(groups(tmp_path, files), "3:cpu:/a\n4:memory:/a", monkeypatch)
    assert (found.processor_quota, found.memory_limit_gib) == (0.5, 1.0)


@pytest.mark.parametrize("place", ["0::/", "0::/gone", "3:cpu,cpuacct:/a"])
def test_without_a_limit_there_is_none(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root group, one that is not mounted here, other controllers."""
    found = limits(tmp_path, place, monkeypatch)
    assert (found.processor_quota, found.memory_limit_gib) == (None, None)


def test_a_process_on_one_core_says_so() -> None:
    """`taskset -c 0` halves the machine without a word of any variable."""
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from bench.records import settings; print(settings.settings().model_dump_json())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert json.loads(done.stdout)["usable_processors"] == 1
    assert settings.usable_processors() == len(os.sched_getaffinity(0))


def test_each_difference_is_told_by_name() -> None:
    """Under which other settings a run would be resumed; equal ones differ in nothing."""
    was = Settings(variables={"A": "1", "B": "2"}, usable_processors=2)
    now = Settings(variables={"B": "3", "XLA_FLAGS": "--x"}, usable_processors=1, memory_limit_gib=0.5)
    assert settings.differences(was, now) == [
        "A was '1', is unset",
        "B was '2', is '3'",
        "XLA_FLAGS was unset, is '--x'",
        "usable processors was 2, is 1",
        "memory limit in GiB was none, is 0.5",
    ]
    assert settings.differences(was, was) == []
