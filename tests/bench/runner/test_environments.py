"""The environments: their names and what is installed, with a made installer; the real one needs a package index."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.runner import environments
from bench.runner.environments import Interpreter, Requirement
from datasets.errors import ExpectedError

HERE = Interpreter(sys.executable, "3.11.7")
# What `uv python list` prints, in short: the same Python by two names, one that the suite does not run on, and PyPy.
LISTED = json.dumps(
    [
        {"path": path, "version": version, "implementation": implementation}
        for path, version, implementation in [
            ("made/python3.13", "3.13.0", "cpython"),
            ("made/python3.14", "3.14.0", "cpython"),
            ("made/python3.12", "3.12.1", "cpython"),
            ("made/python3.12.0", "3.12.0", "cpython"),
            ("made/pypy3.12", "3.12.9", "pypy"),
            (HERE.path, HERE.version, "cpython"),
            ("made/python3.9", "3.9.18", "cpython"),
        ]
    ]
)
OLDER, NEWER = Interpreter("made/python3.12", "3.12.1"), Interpreter("made/python3.13", "3.13.0")


class Installer:
    """Takes the place of `subprocess.run`: notes what uv was asked, makes the folders of its environments.

    error    the word at which it fails
    needing  what resolves on some Pythons alone: a requirement, and their paths
    """

    def __init__(self, error: str = "", needing: dict[str, list[str]] | None = None) -> None:
        self.asked: list[list[str]] = []
        self._error = error
        self._needing = needing or {}

    def __call__(self, command: list[str], *, input: str = "", **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:3] == [sys.executable, "-m", "uv"]
        self.asked.append(command[3:])
        if command[3] == "venv":
            Path(command[-1]).mkdir(parents=True)
        if self._error and self._error in command:
            raise subprocess.CalledProcessError(2, command, stderr="resolving\nerror: no such version\n")
        if command[3:5] == ["python", "list"]:
            return subprocess.CompletedProcess(command, 0, stdout=LISTED)
        if command[3:5] == ["pip", "compile"] and command[8] not in self._needing.get(input, [command[8]]):
            raise subprocess.CalledProcessError(1, command, stderr="error: it wants a later Python\n")
        return subprocess.CompletedProcess(command, 0)


@pytest.fixture(autouse=True)
def python_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this be a Python 3.11, whichever it is."""
    monkeypatch.setattr(environments.platform, "python_version", lambda: HERE.version)


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    made = Installer()
    monkeypatch.setattr(environments.subprocess, "run", made)
    return made


def build(text: str, folder: Path) -> str:
    return environments.build(Requirement(text), folder, HERE, notice=lambda _: None)


def interpreter(*texts: str) -> Interpreter:
    return environments.interpreter([Requirement(text) for text in texts])


def test_sides_are_of_this_python_where_they_can_be(installer: Installer) -> None:
    """Nobody is asked for other Pythons."""
    assert interpreter("jax==0.9.0", "jax==0.10.2") == HERE
    assert all(words[:2] == ["pip", "compile"] for words in installer.asked)


@pytest.mark.parametrize(
    ("needing", "expected"),
    [
        ({"jax==0.11.0": [OLDER.path, NEWER.path]}, OLDER),
        ({"jax==0.11.0": [OLDER.path, NEWER.path], "jax==0.12.0": [NEWER.path]}, NEWER),
    ],
)
def test_sides_are_of_the_oldest_other_python_that_all_install_on(
    needing: dict[str, list[str]], expected: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sides on two Pythons would differ by more than the package; which one it is, is said."""
    monkeypatch.setattr(environments.subprocess, "run", Installer(needing=needing))
    assert interpreter("jax==0.11.0", "jax==0.12.0") == expected
    assert Requirement("jax==0.11.0").title(expected) == f"jax==0.11.0, Python {expected.minor}"


def test_no_python_for_both_says_which_were_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what uv says of this one, since another may lack for another reason."""
    needing = {"jax==0.4.0": ["made/python3.9"], "jax==0.12.0": [NEWER.path]}
    monkeypatch.setattr(environments.subprocess, "run", Installer(needing=needing))
    words = rf"expected a Python that jax==0\.4\.0 and jax==0\.12\.0 install on; none of {HERE.minor}, 3\.12, 3\.13 "
    with pytest.raises(ExpectedError, match=words + r".*jax==0\.4\.0 on .*later Python.*uv python install"):
        interpreter("jax==0.4.0", "jax==0.12.0")


def test_a_checkout_s_python_is_not_looked_up(installer: Installer, tmp_path: Path) -> None:
    """What it needs, its installation says."""
    assert interpreter(str(tmp_path), "keras==3.15.1") == HERE
    assert len(installer.asked) == 1


def test_the_locked_packages_come_first_and_then_the_requirement(installer: Installer, tmp_path: Path) -> None:
    """With their hashes; the interpreter is that of the new environment."""
    python = build("keras==3.14.1", tmp_path)
    venv, locked, wanted = installer.asked
    assert (venv[0], locked[:2], wanted[:2]) == ("venv", ["pip", "install"], ["pip", "install"])
    assert "--require-hashes" in locked
    assert wanted[-1] == "keras==3.14.1"
    assert Path(python).is_relative_to(tmp_path)
    assert python in wanted


def test_a_nightly_build_takes_the_place_of_the_release(installer: Installer, tmp_path: Path) -> None:
    """It has a name of its own and the same files: both of them together would be neither."""
    build("keras-nightly==3.16.0.dev1", tmp_path)
    _, _, removed, wanted = installer.asked
    assert (removed[:2], removed[-1]) == (["pip", "uninstall"], "keras")
    assert wanted[-1] == "keras-nightly==3.16.0.dev1"


def test_an_environment_is_built_once(installer: Installer, tmp_path: Path) -> None:
    """The same requirement finds the same interpreter and installs nothing."""
    assert build("keras==3.14.1", tmp_path) == build("keras==3.14.1", tmp_path)
    assert len(installer.asked) == 3
    assert build("keras==3.15.1", tmp_path) != build("keras==3.14.1", tmp_path)


def test_another_lock_file_is_another_environment(
    installer: Installer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is installed decides a measurement as well."""
    before = build("keras==3.14.1", tmp_path)
    lock = tmp_path / "cpu.txt"
    lock.write_text("numpy==1\n")
    monkeypatch.setattr(environments, "LOCK", lock)
    assert build("keras==3.14.1", tmp_path) != before


def test_an_environment_that_was_left_unfinished_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted or failed installation is no environment."""
    monkeypatch.setattr(environments.subprocess, "run", Installer("keras==99"))
    with pytest.raises(ExpectedError, match=r"cannot install: .*no such version"):
        build("keras==99", tmp_path)
    again = Installer()
    monkeypatch.setattr(environments.subprocess, "run", again)
    build("keras==99", tmp_path)
    assert len(again.asked) == 3


def test_a_checkout_is_installed_each_time(installer: Installer, tmp_path: Path) -> None:
    """Its files may have changed under its name."""
    checkout = tmp_path / "my-keras"
    checkout.mkdir()
    build(str(checkout), tmp_path / "kept")
    build(str(checkout), tmp_path / "kept")
    assert len(installer.asked) == 6
    assert installer.asked[-1][-1] == str(checkout)


LOCKED = """\
jax==0.10.2 ; python_full_version < '3.12' \\
    --hash=sha256:00
jax==0.12.0.1 ; python_full_version >= '3.12' \\
    --hash=sha256:01
keras==3.15.1 \\
    --hash=sha256:02
rich==14.0
"""


def test_a_lock_is_titled_by_what_it_has_for_the_python_of_the_sides(tmp_path: Path) -> None:
    """Its lines for this Python are not installed on another one."""
    (tmp_path / "cpu.txt").write_text(LOCKED)
    assert Requirement(str(tmp_path / "cpu.txt")).title(NEWER) == "keras 3.15.1, jax 0.12.0.1, Python 3.13"


@pytest.mark.parametrize(("python", "jax"), [("3.11.9", "0.10.2"), ("3.13.0", "0.12.0.1")])
def test_a_lock_has_one_version_of_a_package_for_each_python(python: str, jax: str, tmp_path: Path) -> None:
    """Its markers say which line is for which Python."""
    lock = tmp_path / "cpu.txt"
    lock.write_text(LOCKED)
    found = environments.locked(lock, {"python_full_version": python})
    assert found == {"jax": jax, "keras": "3.15.1", "rich": "14.0"}


def test_a_lock_is_the_whole_environment(installer: Installer, tmp_path: Path) -> None:
    """Nothing of this checkout's own lock is installed beneath it, and every hash is checked."""
    lock = tmp_path / "jax.txt"  # the name of a package, and still noticed by every backend
    lock.write_text("keras==3.15.1\n")
    build(str(lock), tmp_path / "kept")
    _, installed = installer.asked
    assert installed[-3:] == ["--require-hashes", "-r", str(lock)]
    assert Requirement(str(lock)).backends == ("jax", "tensorflow")


def test_a_changed_lock_is_another_environment_and_says_what_it_has(installer: Installer, tmp_path: Path) -> None:
    """Its content decides, not its name; the packages that decide a measurement are named, the others are not."""
    lock = tmp_path / "base.txt"
    lock.write_text("keras==3.15.1\nrich==14.0\n")
    before = build(str(lock), tmp_path / "kept")
    assert (Requirement(str(lock)).label, Requirement(str(lock)).title(HERE)) == ("base.txt", "keras 3.15.1")
    lock.write_text("keras==3.16.0\nrich==14.0\n")
    assert build(str(lock), tmp_path / "kept") != before


@pytest.mark.parametrize(
    ("text", "label", "backends"),
    [
        ("keras==3.14.1", "keras==3.14.1", ("jax", "tensorflow")),
        ("jax>=0.9", "jax>=0.9", ("jax",)),
        ("JAXlib==0.9", "JAXlib==0.9", ("jax",)),
        ("tensorflow_cpu==2.20", "tensorflow_cpu==2.20", ("tensorflow",)),
        ("keras @ git+https://x.org/k.git", "keras _ git+https___x.org_k.git", ("jax", "tensorflow")),
    ],
)
def test_a_requirement_s_label_is_fit_for_a_file_and_a_table(text: str, label: str, backends: tuple[str, ...]) -> None:
    """No slash, no @, which parts a target's name; a package of one backend is noticed there alone."""
    assert (Requirement(text).label, Requirement(text).backends) == (label, backends)


def test_a_path_s_label_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    wheel = tmp_path / "keras-4.0-py3-none-any.whl"
    wheel.write_bytes(b"made")
    assert Requirement(str(wheel)).label == wheel.name
