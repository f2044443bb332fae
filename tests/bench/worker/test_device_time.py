"""What profilers say of a device: on the processor here, by the same planes of which a GPU has its own."""

from __future__ import annotations

import pytest

from bench.backends import BACKENDS
from tests.bench import fresh

PROGRAM = """
import json, time
import keras, numpy
from bench.worker import backend, clock, device
product = backend.module("device").compile_function(lambda a: a @ a)
values = keras.ops.convert_to_tensor(numpy.ones((512, 512), numpy.float32))
device.wait(product(values))

def work(repeats):
    for _ in range(repeats):
        device.wait(product(values))

counters = backend.module("counters")
few, many = (clock.busy_s(counters.spans(lambda: work(repeats), "/host:CPU")) for repeats in (1, 9))
print(json.dumps([few, many, len(counters.spans(lambda: work(1), "/device:GPU")), device.peak_bytes()]))
"""


@pytest.mark.framework
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_profiler_sees_more_of_more_work_and_nothing_of_a_gpu_that_is_not_there(backend: str) -> None:
    """So that a machine without a GPU has neither its time nor its memory."""
    few, many, on_gpu, peak = fresh.answer(PROGRAM, backend)
    assert 0 < few < many
    assert (on_gpu, peak) == (0, None)


WITHOUT_CUDNN = """
import json
import keras, numpy
from models.model import create
from models.recipes import RECIPES
rows = numpy.ones((2, RECIPES["lstm"].encoding.sequence_length), numpy.int32)
found = []
for cudnn in (True, False):
    keras.utils.set_random_seed(0)
    model = create(RECIPES["lstm"], cudnn=cudnn)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM)]
    found.append([[layer.use_cudnn for layer in layers], model.jit_compile, model.predict_on_batch(rows).tolist()])
print(json.dumps(found))
"""


@pytest.mark.framework
@pytest.mark.parametrize("backend", BACKENDS)
def test_an_lstm_without_cudnn_is_the_same_model(backend: str) -> None:
    """Made as Keras does with ``use_cudnn=False``; on a CPU the two compute the same."""
    (usual, jit, scores), (without, same_jit, same_scores) = fresh.answer(WITHOUT_CUDNN, backend)
    assert (set(usual), set(without)) == ({"auto"}, {False})
    assert (jit, scores) == (same_jit, same_scores)
