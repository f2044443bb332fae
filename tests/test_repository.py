"""The repository as a whole: what may be imported where, how modules are laid out, and which words are banned."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from bench.runner import environments
from bench.runner.environments import locked

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bench", "datasets", "kerasmark", "models")
FRAMEWORKS = {"keras", "jax", "jaxlib", "tensorflow"}
# The order of the stages in bench/: each imports only those before it, and bench.protocol.
STAGES = ("records", "plan", "worker", "analysis", "runner", "report", "cli")
SOURCES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) if path.parent.name != "templates"
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# The Pythons that it runs on, the oldest first.
PYTHONS = [f"3.{n}" for n in range(30) if f"3.{n}" in SpecifierSet(PROJECT["project"]["requires-python"])]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
DOCUMENTS = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING")]
DOCUMENTS += sorted((ROOT / "docs").glob("*.md"))
# Riddles, metaphors and words with another meaning here; beside each what to write instead.
BANNED = {
    "go on with": "resume",
    "goes on with": "resumes",
    "gone on with": "resumed",
    "goes on where it stopped": "resumes",
    "held against": "compared with",
    "peers outside deep learning": "classical baselines",
    "wobble": "deterministic",
    "a word of everything": "a quick check of every stage",
    "wrong use": "usage error",
    "struck": "excluded",
    "trained here, served there": "cross-backend serving",
    "positive, called so": "true positives",
    "what is there to be had": "how good is",
    "asked again": "re-measured",
    "whoever": "a user, a reader, a caller",
    "where time is what is given": "under a time budget",
    "cries wolf": "false alarm",
    "of one's own": "user's",
    "fresh batch": "fresh round",
}
MOST_MODULES, FEWEST_LINES = 14, 20
# Short and still modules of their own: which backend a worker runs, and one module for each command word.
SEAMS = (ROOT / "bench" / "worker" / "backend.py", *(ROOT / "bench" / "cli").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the top-level names that a source imports anywhere, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def modules(path: Path) -> set[str]:
    """Return the dotted names of every module that a source imports, or imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def stage(path: Path) -> str:
    """Return the folder of bench/ in which a source stands; nothing for one that stands in none."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "bench" and len(parts) > 2 else ""


def named_modules(folder: Path) -> list[Path]:
    """Return the modules of a folder, without `__init__` and `__main__`."""
    return [path for path in folder.glob("*.py") if not path.name.startswith("__")]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_workers_and_model_builders_import_a_framework(path: Path) -> None:
    """A framework in the parent would disturb what is measured: only workers import one."""
    builder = path.parent.name == "models" and path.name not in ("recipes.py", "variations.py")
    worker = path.is_relative_to(ROOT / "bench" / "worker")
    if not (builder or worker):
        assert not imported(path) & FRAMEWORKS
    if builder:
        assert not imported(path) & (FRAMEWORKS - {"keras"})


@pytest.mark.parametrize("path", [*SOURCES, ROOT / "noxfile.py", *sorted((ROOT / "tests").rglob("*.py"))], ids=name)
def test_nothing_imports_torch(path: Path) -> None:
    """The suite is PyTorch-free."""
    assert "torch" not in imported(path)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_datasets_import_no_other_package(path: Path) -> None:
    """The data comes first: it depends on neither models nor measurements."""
    if path.is_relative_to(ROOT / "datasets"):
        assert not imported(path) & {"bench", "models"}


@pytest.mark.parametrize("path", [path for path in SOURCES if stage(path)], ids=name)
def test_a_stage_imports_only_the_stages_before_it(path: Path) -> None:
    """Data flows one way: plan before worker, records before rows, rows before reports."""
    later = STAGES[STAGES.index(stage(path)) + 1 :]
    assert not [m for m in modules(path) if m.startswith(tuple(f"bench.{one}." for one in later))]


def test_other_pythons_are_looked_for_where_the_suite_runs() -> None:
    """`versions` may build its sides on another Python than this one: its workers run the suite's own code."""
    assert SpecifierSet(PROJECT["project"]["requires-python"]) == environments.PYTHONS


def test_folders_do_not_import_each_other_in_circles() -> None:
    """Of two folders one comes first: what both need stands in a third."""
    rooms = {str(folder.relative_to(ROOT)).replace("/", "."): folder for folder in (ROOT / "bench").rglob("*/")}
    rooms = {room: folder for room, folder in rooms.items() if (folder / "__init__.py").exists()}

    def needs(room: str) -> set[str]:
        wanted = {module for path in rooms[room].glob("*.py") for module in modules(path)}
        inside = [max((r for r in rooms if f"{m}.".startswith(f"{r}.")), key=len, default=room) for m in wanted]
        return {other for other in inside if other != room}

    assert len(rooms) > 8
    graphlib.TopologicalSorter({room: needs(room) - {"bench.worker"} for room in rooms}).prepare()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_command_line_prints(path: Path) -> None:
    """Standard output belongs to results, and one place decides what goes there."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    prints = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert not prints or path == ROOT / "bench" / "__main__.py"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_module_says_in_one_line_what_it_is(path: Path) -> None:
    """The first line is a sentence that a reader can stop at."""
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    assert first
    assert first[0].endswith(".")


@pytest.mark.parametrize("path", [*SOURCES, *DOCUMENTS], ids=name)
def test_no_text_has_a_banned_phrase(path: Path) -> None:
    """Plain English, in the field's words."""
    text = " ".join(path.read_text(encoding="utf-8").lower().split())
    assert not {phrase: f"write {instead!r}" for phrase, instead in BANNED.items() if phrase in text}


def test_a_folder_has_few_modules() -> None:
    """A newcomer can read the list of a folder: at most six modules in bench/, fourteen in each folder below."""
    count = {folder: len(named_modules(folder)) for folder in [ROOT / "bench", *(ROOT / "bench").rglob("*/")]}
    assert count[ROOT / "bench"] <= 6
    assert not {name(folder): number for folder, number in count.items() if number > MOST_MODULES}


def test_a_module_is_worth_opening() -> None:
    """A few lines belong to the module that uses them."""
    found = [path for folder in (ROOT / "bench").rglob("*/") for path in named_modules(folder) if path not in SEAMS]
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in found}
    assert not {path: number for path, number in lines.items() if number < FEWEST_LINES}


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["list"], ["runs"]], ids=" ".join)
def test_the_parent_process_never_loads_a_framework(command: list[str], tmp_path: Path) -> None:
    """A fresh process that runs a command has no framework among its modules afterwards."""
    words = [*command, "--out", str(tmp_path)] if command == ["runs"] else command
    assert not loaded(words) & (FRAMEWORKS | {"torch"})


@pytest.mark.parametrize(
    "command", [["--help"], ["regress", "--help"], ["sample", "--help"], ["publish", "--help"]], ids=" ".join
)
def test_help_waits_for_no_library(command: list[str]) -> None:
    """It answers in under half a second: what takes long to import waits until a command runs."""
    assert not loaded(command) & {
        "numpy",
        "scipy",
        "pydantic",
        "psutil",
        "requests",
        "ruptures",
        "plotext",
        "altair",
        "vl_convert",
    }


def loaded(words: list[str]) -> set[str]:
    """Return the modules of a fresh process after it ran a command."""
    code = f"import sys\nfrom bench.__main__ import main\nmain({words!r})\nprint(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ast.literal_eval(done.stderr.strip().splitlines()[-1]))


@pytest.mark.parametrize("path", LOCKS, ids=name)
def test_locks_have_hashes_and_name_no_index_and_no_torch(path: Path) -> None:
    """A lock installs the same bytes everywhere and from anywhere."""
    text = path.read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert not re.search(r"https?://|--index|--extra-index|--find-links|file:", text)
    assert not re.search(r"^(torch|pytorch)[a-z-]*==", text, re.MULTILINE)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", ["cpu", "test", "gpu-jax"])
def test_a_lock_has_the_frameworks_for_each_python(name: str, python: str) -> None:
    """JAX and jaxlib are one release, and a newer Python never has an older framework."""
    found, oldest = (frameworks(name, one) for one in (python, PYTHONS[0]))
    assert found.keys() >= {"keras", "jax", "jaxlib", "tensorflow-cpu"}
    assert found["jax"] == found["jaxlib"]
    assert all(found[package] >= oldest[package] for package in found)


@pytest.mark.parametrize("name", ["cpu", "test", "gpu-jax"])
def test_a_python_that_allows_a_newer_jax_has_it(name: str) -> None:
    """JAX 0.11 and later want Python 3.12 (their Requires-Python), so one version for all Pythons is an old one."""
    assert frameworks(name, "3.11")["jax"] < Version("0.11") < frameworks(name, "3.12")["jax"]


def test_nothing_limits_the_frameworks_from_above() -> None:
    """A limit would keep the newest release out of the lock, and so out of what is measured."""
    groups = PROJECT["dependency-groups"]
    lines = [Requirement(line) for name in ("worker", "jax-cpu", "tensorflow-cpu") for line in groups[name]]
    assert {line.name for line in lines} >= {"keras", "jax", "tensorflow", "tensorflow-cpu"}
    assert not {str(line) for line in lines if {one.operator for one in line.specifier} - {">="}}


def frameworks(name: str, python: str) -> dict[str, Version]:
    """Return the versions of the frameworks in a lock for a Python on Linux."""
    machine = {"python_full_version": f"{python}.0", "sys_platform": "linux", "platform_machine": "x86_64"}
    found = locked(ROOT / "requirements" / f"{name}.txt", {**machine, "python_version": python})
    return {package: Version(found[package]) for package in (*FRAMEWORKS, "tensorflow-cpu") if package in found}


def test_continuous_integration_runs_each_python() -> None:
    """The oldest and the newest run everything; the gate of the weekly lock and the action use these too."""
    ci, weekly = (workflow(name) for name in ("ci", "lock"))
    everything = re.findall(r'python: "([\d.]+)"\n +command: bash \.ci/run', ci)
    fast = re.findall(r'python: "([\d.]+)"\n +command: \./nox -s tests -- -m "not framework"', ci)
    assert everything == [PYTHONS[0], PYTHONS[-1]]
    assert sorted(everything + fast) == PYTHONS
    assert f'python: ["{PYTHONS[0]}", "{PYTHONS[-1]}"]' in weekly
    assert f'default: "{PYTHONS[-1]}"' in (ROOT / "action.yml").read_text(encoding="utf-8")


def test_new_packages_run_where_nothing_can_be_written() -> None:
    """Of the weekly workflow's jobs one can write, and it starts neither nox nor Python."""
    head, *jobs = re.split(r"^  (?=\w+:\n    )", workflow("lock").split("\njobs:\n")[1], flags=re.MULTILINE)
    writing = [job for job in jobs if ": write" in job]
    assert len(jobs) == 3
    assert [job.partition(":")[0] for job in writing] == ["propose"]
    assert not re.search(r"nox|python", writing[0])
    assert "permissions:\n  contents: read\n" in workflow("lock").split("\njobs:\n")[0]
    assert not head


def workflow(name: str) -> str:
    return (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")


def test_each_gpu_environment_has_cuda_for_one_framework() -> None:
    """Two sets of CUDA libraries in one environment fight."""
    jax = (ROOT / "requirements/gpu-jax.txt").read_text(encoding="utf-8")
    tensorflow = (ROOT / "requirements/gpu-tensorflow.txt").read_text(encoding="utf-8")
    assert re.search(r"^jax-cuda13-plugin==", jax, re.MULTILINE)
    assert not re.search(r"^tensorflow==", jax, re.MULTILINE)
    assert re.search(r"^tensorflow==2\.20", tensorflow, re.MULTILINE)
    assert "jax-cuda" not in tensorflow


def test_no_committed_file_names_a_place_of_a_machine() -> None:
    """Paths, users and hosts of the measuring machines stay out of the repository."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    place = re.compile("|".join(f"/{folder}/" for folder in ("root", "home", "work", "opt", "farm")))
    guilty = [
        file
        for file in files
        if (ROOT / file).is_file() and place.search((ROOT / file).read_text(encoding="utf-8", errors="replace"))
    ]
    assert not guilty
