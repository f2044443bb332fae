"""A saved model whose layers hold code: it does not run."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest

from datasets.errors import ExpectedError
from models import saved_file
from models.recipes import DENSE

pytestmark = pytest.mark.framework


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # TensorFlow's, in saving
def test_code_in_a_saved_model_is_not_run(tmp_path: Path) -> None:
    """A Lambda layer holds Python's own bytecode: who scores with somebody's file must not run it.

    The same file runs its code where it is trusted, so that it is the safe mode which refuses it.
    """
    import keras

    from models import saved

    ran, file = tmp_path / "ran", tmp_path / "model.keras"
    path = str(ran)
    code = keras.layers.Lambda(lambda rows: (open(path, "w").close(), rows)[1])  # noqa: PTH123, as bytecode has it
    keras.Sequential([keras.Input((2,)), code]).save(file)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(saved_file.RECIPE, json.dumps(asdict(DENSE)))
        archive.writestr(saved_file.VOCABULARY, "the\na")
    ran.unlink()  # Keras called it, to know its shape
    with pytest.raises(ExpectedError, match=r"model\.keras to hold a model of Keras's own layers.*Lambda") as caught:
        saved.load(file)
    assert "\n" not in str(caught.value)
    assert not ran.exists()
    keras.saving.load_model(file, compile=False, safe_mode=False)
    assert ran.exists()
