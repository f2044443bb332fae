"""Tests of the Python interface: light to import, apart from a program's own packages, a process for a command."""

from __future__ import annotations

import ast
from pathlib import Path

import installed
import pytest

import kerasmark
from kerasmark import _command
from models.recipes import Recipe

# Packages as a program may have them: each says whose it is.
FOREIGN = {"datasets": "WHOSE = 'theirs'\n", "models": "WHOSE = 'theirs'\n", "bench": "WHOSE = 'theirs'\n"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed.install(tmp_path_factory.mktemp("site"))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return the folder of a program with packages of the suite's names."""
    for name, text in FOREIGN.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")
    return tmp_path


def answer(site: Path, cwd: Path, code: str, **variables: str) -> object:
    """Return the literal that ``code`` prints at last, run where the suite is installed."""
    done = installed.python(site, "-c", code, cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr[-4_000:]
    return ast.literal_eval(done.stdout.splitlines()[-1])


def test_importing_it_loads_nothing_that_takes_long(site: Path, tmp_path: Path) -> None:
    """A program pays for what it uses."""
    loaded = set(answer(site, tmp_path, "import sys, kerasmark\nprint(sorted(sys.modules))"))  # type: ignore[call-overload]
    assert not loaded & {"keras", "numpy", "pydantic", "bench", "datasets", "models"}


def test_in_the_suite_s_processes_there_is_one_of_each_class() -> None:
    """A user's file is read there, and its recipes are checked by their class."""
    assert kerasmark.Recipe is Recipe
    assert kerasmark.Encoding.__module__ == "datasets.encoding"


@pytest.mark.framework
def test_each_name_exists_and_says_what_it_is(site: Path, tmp_path: Path) -> None:
    """`help(kerasmark)` and completion offer what there is, with docstrings."""
    code = """
import kerasmark
print([name for name in dir(kerasmark) if not getattr(kerasmark, name).__doc__])
"""
    assert answer(site, tmp_path, code, KERAS_BACKEND="jax") == []
    assert dir(kerasmark) == sorted(kerasmark.__all__)


def test_another_name_is_an_attribute_error() -> None:
    """As of any module; `from kerasmark import Recipy` then names the nearest one."""
    with pytest.raises(AttributeError, match="no attribute 'Recipy'"):
        _ = kerasmark.Recipy


def test_a_program_keeps_its_packages_of_the_same_names(site: Path, program: Path) -> None:
    """Hugging Face's package is called `datasets`: before and after, imported already or not, each name is theirs."""
    code = """
import sys
import datasets
before = list(sys.path)
from kerasmark import Encoding, Recipe
import models, bench
kept = [module.WHOSE for module in (datasets, sys.modules["datasets"], models, bench)]
print([*kept, Recipe.__module__, Encoding.__module__, sys.path == before, "bench.plan" in sys.modules])
"""
    theirs = ["theirs"] * 4
    assert answer(site, program, code) == [*theirs, "models.recipes", "datasets.encoding", True, False]


def test_what_is_imported_later_shares_its_classes(site: Path, program: Path) -> None:
    """The suite is one program, however often a caller looks away in between."""
    code = """
import datasets, models
from kerasmark import Encoding, Recipe, _isolation
with _isolation.suite():
    from models import variations, recipes
    from datasets import encoding
print([variations.Recipe is Recipe, recipes.Recipe is Recipe, encoding.Encoding is Encoding, datasets.WHOSE])
"""
    assert answer(site, program, code) == [True, True, True, "theirs"]


@pytest.mark.framework
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_program_with_such_packages_trains_and_predicts(site: Path, program: Path, backend: str) -> None:
    """Its callbacks run while the suite works, and import what is theirs."""
    code = """
import sys
import datasets, keras, numpy as np
import kerasmark
class Theirs(keras.callbacks.Callback):
    seen = set()
    def on_epoch_end(self, epoch, logs=None):
        import models
        self.seen |= {models.WHOSE, sys.modules["datasets"].WHOSE}
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
x = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
y = x.sum(axis=1, keepdims=True)
history = kerasmark.compiled_loop(model, x, y, batch_size=32, epochs=3, validation_data=(x, y), callbacks=[Theirs()])
scores = kerasmark.predictor(model)(x[:5])
near = np.allclose(scores, model.predict_on_batch(x[:5]), atol=1e-5)
losses = history.history["loss"]
print([losses[-1] < losses[0], len(history.history["val_loss"]), scores.shape, bool(near), sorted(Theirs.seen)])
"""
    quiet = {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "JAX_PLATFORMS": "cpu",
        "PYTHONWARNINGS": "error::UserWarning",
    }
    assert answer(site, program, code, **quiet) == [True, 3, (5, 1), True, ["theirs"]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the program that stands for the command line; what it is given is its document."""
    file = tmp_path / "command.py"
    monkeypatch.setattr(_command, "_START", file)
    file.write_text("import json, sys\nprint(json.dumps({'words': sys.argv[1:]}))\nsys.exit(4)\n", encoding="utf-8")
    return file


def test_run_gives_its_arguments_to_the_command(command: Path) -> None:
    """One definition of each option: the command's. Status 3, 4 and 5 have a document all the same."""
    found = kerasmark.run(
        Path("mine.py"), recipe=["a", "b units=3"], backend=["jax"], profile="smoke", seeds=2, out="there"
    )
    chosen = ["--recipes", "mine.py", "--recipe", "a", "b units=3", "--backend", "jax", "--profile", "smoke"]
    assert found["words"] == ["run", *chosen, "--seeds", "2", "--device", "cpu", "--out", "there", "--json"]


def test_compare_gives_its_arguments_to_the_command(command: Path) -> None:
    """The words of `kerasmark compare`."""
    found = kerasmark.compare("jax", "tensorflow", margin=0.05)
    assert found["words"] == [
        "compare",
        "jax",
        "tensorflow",
        "--run",
        "latest",
        "--margin",
        "0.05",
        "--alpha",
        "0.05",
        "--json",
    ]


def test_a_command_without_a_document_raises_its_own_line(command: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Progress and errors reach the user's standard error as they come; the last line is the reason."""
    command.write_text(
        "import sys\nprint('note', file=sys.stderr)\nsys.exit('kerasmark: no file x')\n", encoding="utf-8"
    )
    with pytest.raises(kerasmark.CommandFailed, match=r"^kerasmark: no file x$") as raised:
        kerasmark.run("x")
    assert raised.value.status == 1
    assert capfd.readouterr().err == "note\nkerasmark: no file x\n"


def test_a_document_that_is_none_is_refused(command: Path) -> None:
    """Whatever is wrong with the command, a caller never gets half an answer."""
    for printed in ("print('[1]')", "print('{')", ""):
        command.write_text(printed, encoding="utf-8")
        with pytest.raises(kerasmark.CommandFailed):
            kerasmark.run()


def test_the_real_command_answers_from_any_folder(site: Path, program: Path) -> None:
    """A folder with packages of the suite's names does not lead its command astray."""
    code = """
import kerasmark
try:
    kerasmark.compare("a", "b")
except kerasmark.CommandFailed as error:
    print([error.status, str(error)[:40]])
"""
    assert answer(site, program, code) == [6, "kerasmark: no run called 'latest' under "[:40]]
