"""Tests of `bench init`: what it writes, where, and that nobody's file is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT
from bench.__main__ import main
from bench.cli.info.init import RECIPES, WORKFLOW

PLACE = Path(".github") / "workflows" / WORKFLOW


def test_it_writes_two_files_and_names_the_next_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer reads what was written and calls the last line."""
    assert main(["init", str(tmp_path / "new")]) == 0
    wrote = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*") if file.is_file())
    assert wrote == [f"new/{PLACE}", f"new/{RECIPES}"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"wrote {tmp_path / 'new' / RECIPES}: ")
    assert lines[-1] == f"next: python -m bench run --recipes {tmp_path / 'new' / RECIPES}"


def test_it_never_writes_over_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that exists leaves everything as it was, unless --force says otherwise."""
    (tmp_path / RECIPES).write_text("mine", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == [RECIPES]
    assert main(["init", str(tmp_path), "--force"]) == 0
    assert "Recipe.own" in (tmp_path / RECIPES).read_text(encoding="utf-8")


def test_the_workflow_goes_to_the_top_of_the_repository(tmp_path: Path) -> None:
    """GitHub looks nowhere else, and names files from there."""
    (tmp_path / ".git").mkdir()
    assert main(["init", str(tmp_path / "bench marks")]) == 0
    text = (tmp_path / PLACE).read_text(encoding="utf-8")
    assert f'RECIPES: "bench marks/{RECIPES}"\n' in text


def test_the_workflow_uses_the_action_as_it_is() -> None:
    """Its inputs exist; `nox -s lint` checks the file against GitHub's schema."""
    text = (ROOT / "kerasmark" / "templates" / WORKFLOW).read_text(encoding="utf-8")
    used = re.findall(r"^          ([a-z-]+): ", text.partition("uses: kerasmark/kerasmark")[2], re.MULTILINE)
    inputs = (ROOT / "action.yml").read_text(encoding="utf-8").partition("\noutputs:")[0]
    assert used == ["recipes", "backend"]
    assert all(f"\n  {name}:\n" in inputs for name in used)


@pytest.mark.framework
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_the_recipe_file_learns_what_it_says(tmp_path: Path, backend: str) -> None:
    """By plain Keras, from its own data, it reaches its expected accuracy."""
    assert main(["init", str(tmp_path)]) == 0
    code = f"""
import keras, {RECIPES.removesuffix(".py")} as own
keras.utils.set_random_seed(0)
(figure,), model = own.RECIPE.published, own.build(own.RECIPE)
phase = own.RECIPE.phase("final")
model.fit(*own.data("train", 0), batch_size=phase.batch_size, epochs=phase.epochs, verbose=0)
found = model.evaluate(*own.data("test", 0), verbose=0, return_dict=True)["accuracy"]
print(found, figure.values[0])
"""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found, expected = map(float, done.stdout.split())
    assert found == pytest.approx(expected, abs=0.02)
