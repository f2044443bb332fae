"""Recipes of one's own: what a user's file must hold, and what is said where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.plan import user_recipes as reader
from datasets.errors import ExpectedError
from models import user_recipes

GOOD = """
from datasets.encoding import Encoding
from models.recipes import Optimizer, Phase, Recipe

RECIPE = Recipe(
    name="mine", family="own", source="me", published=(), parameters=0, target_metric="accuracy",
    encoding=Encoding(words="text", vocabulary_size=50, form="padded", sequence_length=8),
    optimizer=Optimizer("adam"), phases=(Phase("final", epochs=1, batch_size=4),),
)

def build(recipe):
    return recipe.name
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "recipe.py"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_recipe_knows_the_file_that_builds_it(tmp_path: Path) -> None:
    """Whatever family it names, it is its own."""
    file = written(tmp_path, GOOD.replace('family="own"', 'family="dense"'))
    (recipe,) = user_recipes.load(file)
    assert (recipe.name, recipe.family, recipe.file) == ("mine", "own", str(file))
    assert user_recipes.function(recipe, "build")(recipe) == "mine"


@pytest.mark.parametrize("many", ["RECIPES = [RECIPE]", "RECIPES = (RECIPE,)", 'RECIPES = {"mine": RECIPE}'])
def test_several_recipes_in_one_file(tmp_path: Path, many: str) -> None:
    assert [recipe.name for recipe in user_recipes.load(written(tmp_path, f"{GOOD}\n{many}\n"))] == ["mine"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def build(recipe): ...", r"expected RECIPE = Recipe.own\(...\) in recipe.py; received \[None\]"),
        ("RECIPE = 3", r"received \[3\]"),
        (GOOD.replace("def build", "def make"), "expected a function build"),
        (GOOD.replace('"mine"', '"lstm"'), "lstm is a recipe of this suite; choose another name"),
        (GOOD.replace('"mine"', '"lstm-stacked"'), "lstm-stacked is a recipe of this suite"),
        (GOOD.replace('"mine"', '"../mine"'), "expected names of letters, digits, dots and dashes, each of one recipe"),
        (GOOD.replace('"mine"', '"my units=3"'), "received 'my units=3'"),
        (GOOD.replace('"mine"', '"/etc/mine"'), "received '/etc/mine'"),
        (GOOD.replace('"mine"', '".."'), r"received '\.\.'"),
        (GOOD.replace('"mine"', '""'), "received ''"),
        (GOOD.replace('"mine"', "3"), "received 3"),
        (GOOD.replace('"mine"', "'a\\x1b[2J'"), r"received 'a\\x1b\[2J'"),
        (f"{GOOD}\nRECIPES = [RECIPE, RECIPE]", "each of one recipe; received 'mine'"),
    ],
)
def test_a_file_that_lacks_something_says_what(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ExpectedError, match=words):
        user_recipes.load(written(tmp_path, text))


def test_a_digest_is_that_of_the_code(tmp_path: Path) -> None:
    """References and an interrupted run are of a model; a comment changes none, and a module beside the file may."""
    (tmp_path / "theirs.py").write_text("NAME = 'mine'\n")
    good = "import theirs\n" + GOOD
    texts = {"before": good, "commented": f"{good}\n# a comment\n", "changed": good.replace("epochs=1", "epochs=2")}

    def digest(text: str) -> str:
        return reader.read(written(tmp_path, text), tmp_path)[0].digest

    digests = {name: digest(text) for name, text in texts.items()}
    assert digests["before"] == digests["commented"] != digests["changed"]
    (tmp_path / "theirs.py").write_text("NAME = 'theirs'\n")
    assert digest(good) != digests["before"]


def test_no_file_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match="expected a Python file"):
        user_recipes.load(tmp_path / "nothing.py")


def test_the_parent_reads_it_in_a_child(tmp_path: Path) -> None:
    """All of the recipe comes back: encoding, phases, optimizer; what the file prints does no harm."""
    file = written(tmp_path, f"print('hello')\n{GOOD}")
    (recipe,) = reader.read(file)
    assert (recipe.name, recipe.encoding.sequence_length, recipe.phases[0].batch_size) == ("mine", 8, 4)
    assert recipe.file == str(file)


def test_the_parent_finds_what_the_file_imports_beside_it(tmp_path: Path) -> None:
    """Somebody's models live in their repository."""
    (tmp_path / "theirs.py").write_text("NAME = 'from-beside'\n")
    file = written(tmp_path, "import theirs\n" + GOOD.replace('"mine"', "theirs.NAME"))
    assert [recipe.name for recipe in reader.read(file, tmp_path)] == ["from-beside"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero, in line 1$"),
        ("def far():\n    raise ValueError('gone')\nfar()", "ValueError: gone, in line 2 of far$"),
        ("def (", r"SyntaxError: .*recipe\.py, line 1\)"),
        ("import no_such_thing", "No module named 'no_such_thing', in line 1$"),
        ("\nimport torch", "expected a file without PyTorch, .*; it imports torch, in line 2$"),
        ("import torch.nn", "expected a file without PyTorch, .*; it imports torch, in line 1$"),
        ("import sys; sys.modules['torch'] = sys\n" + GOOD, "it imports torch, itself or by what it imports$"),
        ("RECIPE = 3", "expected RECIPE"),
        (GOOD.replace("epochs=1", "epochs=0"), "mine: expected phases of at least one epoch and one review a step"),
    ],
)
def test_a_file_that_fails_is_told_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ExpectedError, match=rf"recipe.py: .*{words}"):
        reader.read(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match=r"no file nothing\.py"):
        reader.read(tmp_path / "nothing.py")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os; os._exit(0)", "it ended its process with status 0, before it named recipes"),
        ("import os; os.abort()", "it ended its process with status -6"),
        ("import os; os.closerange(3, 100); os._exit(5)", "with status 5"),
        (
            "import os, sys; sys.stderr.write('x' * 50_000_000 + '\\nno \\x1b[2Jdevice\\n'); os.abort()",
            "with status -6, before it named recipes; its last words: no \ufffd\\[2Jdevice",
        ),
        ("import os, sys; os.close(2); os.write(int(sys.argv[2]), b'{}\\n')", "expected at least one recipe"),
        ('import os, sys; os.write(int(sys.argv[2]), b\'{"error": "a\\\\nb"}\\n\')', "recipe.py: a b$"),
        ("import os, sys; os.write(int(sys.argv[2]), b'[' * 90_000 + b'\\n')", "expected models.recipes.Recipe; "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "it did not end within 3 s"),
        (
            'import os, sys; os.write(int(sys.argv[2]), b\'{"doing": "build"}\\n\'); os._exit(4)',
            "it ended its process with status 4, in build$",
        ),
        (
            'import os, sys; os.write(int(sys.argv[2]), b\'{"doing": "a\\\\nb"}\\n\')\nwhile True: pass',
            r"it did not end within 3 s, in a b; does it loop\?",
        ),
        (
            'import os, sys\nwhile True: os.write(int(sys.argv[2]), b\'{"doing": "more"}\\n\')',
            "received more than 1048576 bytes",
        ),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise Exception('a\\nb\\x1b[2J')", "Exception: a b\ufffd\\[2J"),
        ("while True: pass", "it did not end within 3 s"),
        (
            GOOD.replace("parameters=0", "parameters='many'"),
            "expected models.recipes.Recipe; .* at recipes.0.parameters",
        ),
        (GOOD.replace('source="me"', "source='x' * 2_000_000"), "received more than 1048576 bytes"),
        (GOOD.replace('source="me"', "source=print"), "TypeError: .*not JSON serializable"),
        (GOOD.replace("batch_size=4", "batch_size='many'"), r"at recipes\.0\.phases\.0\.batch_size"),
    ],
)
def test_a_hostile_file_is_told_in_one_line(
    tmp_path: Path, text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it does to its own process, the parent says which file it was, and waits no longer than it must."""
    monkeypatch.setattr(reader, "READ_LIMIT_S", 3.0)
    with pytest.raises(ExpectedError, match=words) as caught:
        reader.read(written(tmp_path, text))
    assert str(caught.value).startswith("recipe.py: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        "import atexit; atexit.register(print, '{\"recipes\": []}')",
        'print(\'{"error": "forged"}\', flush=True)',
        "import subprocess; subprocess.Popen(['sleep', '600'], close_fds=False)",
        "import sys; sys.stdout.write('x' * 100_000_000)",
        "import sys; sys.stderr.write('x' * 100_000_000)",
        "import os; os.closerange(0, 3)",
    ],
)
def test_what_a_good_file_does_besides_changes_nothing(tmp_path: Path, more: str) -> None:
    """What it prints is not its answer, and a process that it started ends with it."""
    (recipe,) = reader.read(written(tmp_path, f"{GOOD}\n{more}\n"))
    assert recipe.name == "mine"


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    """A batch size or a tolerance may be computed."""
    text = GOOD.replace("batch_size=4", "batch_size=numpy.int64(4), held_out=numpy.int32(1)")
    (recipe,) = reader.read(written(tmp_path, f"import numpy\n{text}"))
    assert (recipe.batch_size, recipe.phases[0].held_out) == (4, 1)
    assert type(recipe.batch_size) is int
