"""Tests of the installed command: the checkout's words, results in the working directory, nothing of the repository."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import installed
import pytest

from bench import ROOT, VERSION
from bench.plan import targets
from bench.plan.targets import Target


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder like site-packages, inside a git repository of somebody's."""
    top = tmp_path_factory.mktemp("project")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(top))
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "theirs"], check=True)
    return installed.install(top / ".venv" / "site-packages")


def said(site: Path, cwd: Path, *words: str, status: int = 0) -> str:
    """Return what the installed command says, on both streams."""
    done = installed.python(site, "-m", "kerasmark", *words, cwd=cwd, COLUMNS="200")
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_no_package_of_the_suite_is_importable_but_kerasmark(site: Path, tmp_path: Path) -> None:
    """Hugging Face's `datasets` and anybody's `models` stay what they are."""
    assert [path.name for path in site.iterdir()] == ["kerasmark"]
    code = "import importlib.util as u; print([n for n in ('bench', 'datasets', 'models') if u.find_spec(n)])"
    assert installed.python(site, "-c", code, cwd=tmp_path).stdout == "[]\n"


@pytest.mark.parametrize(
    "words", ["--help", "list", "runs", "history", "reference --show synthetic", "doctor --seconds 0"]
)
def test_a_command_has_what_it_reads(site: Path, tmp_path: Path, words: str) -> None:
    """Reference figures and everything else that a command reads lie in the wheel; reading writes nothing."""
    found = said(site, tmp_path, *words.split())
    assert "python -m bench" not in found
    assert not list(tmp_path.iterdir())


def test_the_command_is_called_kerasmark_in_what_it_says(site: Path, tmp_path: Path) -> None:
    """What a message tells a user to call exists."""
    assert said(site, tmp_path, "--version") == f"kerasmark {VERSION}\n"
    assert "Usage: kerasmark run" in said(site, tmp_path, "run", "--help")
    assert "`kerasmark run` makes one" in said(site, tmp_path, "runs")
    assert said(site, tmp_path, "nonsense", status=2).startswith("kerasmark: ")


def test_results_are_written_under_the_working_directory(site: Path, tmp_path: Path) -> None:
    """An installed package may be read-only, and is removed with its environment."""
    said(site, tmp_path, "publish")
    assert (tmp_path / "results" / "index.html").exists()
    assert not (tmp_path / "README.md").exists()
    assert not (site / "kerasmark" / "_suite" / "results" / "index.html").exists()


@pytest.mark.parametrize("words", ["regress --base HEAD", "calibrate", "calibrate --show"])
def test_what_measures_the_repository_says_so_in_one_line(site: Path, tmp_path: Path, words: str) -> None:
    """There is no checkout to compare: the surrounding repository is somebody else's."""
    complaint = said(site, tmp_path, *words.split(), status=6)
    assert complaint.count("\n") == 1
    assert "in a checkout" in complaint


def test_a_record_has_the_version_and_not_the_commit_of_a_repository_around(site: Path, tmp_path: Path) -> None:
    """The environment often lies inside a user's repository."""
    code = "from bench.records import machine, packages; print(machine.commit(), packages.versions()['kerasmark'])"
    suite = site / "kerasmark" / "_suite"
    assert installed.python(suite, "-c", code, cwd=tmp_path).stdout == f"None {VERSION}\n"


def test_the_checkout_is_told_apart_from_the_wheel() -> None:
    """A checkout writes under itself, and its commit says what measured."""
    from bench import INSTALLED, RESULTS
    from bench.records import packages

    assert not INSTALLED
    assert RESULTS == ROOT / "results"
    assert packages.SUITE not in packages.versions()


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_missing_backend_names_its_extra(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    """The command starts without any, and says in one line what to install."""
    monkeypatch.setattr(targets, "INSTALLED", True)
    monkeypatch.setattr(targets.importlib.util, "find_spec", lambda _: None)
    assert f"kerasmark[{backend}]" in str(targets.missing(Target(backend)))
    assert targets.installed() == ["jax", "tensorflow"]


def test_the_backends_that_are_installed_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one extra a run needs no --backend."""
    monkeypatch.setattr(targets.importlib.util, "find_spec", lambda name: None if name == "jax" else SimpleNamespace())
    assert targets.installed() == ["tensorflow"]


def hook(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Return what hatch_build.py defines; hatchling is not needed for it."""
    name = "hatchling.metadata.plugin.interface"
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(MetadataHookInterface=object))  # type: ignore[misc]
    return runpy.run_path(str(ROOT / "hatch_build.py"))


def test_the_extras_are_the_dependency_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is named once, and what is locked and tested is what is installed."""
    made = hook(monkeypatch)
    metadata: dict[str, object] = {}
    one = made["Dependencies"]()  # type: ignore[operator]
    one.root = str(ROOT)
    one.update(metadata)
    groups = installed.PROJECT["dependency-groups"]
    assert metadata["dependencies"] == groups["harness"]
    assert metadata["optional-dependencies"] == {
        "jax": groups["worker"] + groups["jax-cpu"],
        "tensorflow": groups["worker"] + groups["tensorflow-cpu"],
        "cpu": groups["worker"] + groups["jax-cpu"] + groups["tensorflow-cpu"],
        "openvino": groups["worker"] + groups["openvino"],
        "serving": groups["openvino"] + [line for line in groups["serving"] if isinstance(line, str)],
        "cluster": groups["cluster"],
    }
    assert all(isinstance(line, str) for line in (*groups["harness"], *groups["worker"]))


def test_the_build_backend_is_locked() -> None:
    """`nox -s wheel` builds with requirements/build.txt, which is the lock of the group `build`."""
    assert installed.PROJECT["build-system"]["requires"] == installed.PROJECT["dependency-groups"]["build"]
