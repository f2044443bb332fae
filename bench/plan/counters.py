"""The counters that a gate compares: where each repeats exactly, and by how much it may rise.

`bench.worker.operations.counters` explains the names. What repeats exactly was measured: the same operation counted in
several processes with several hash seeds (`tests/bench/worker/test_host_calls.py` repeats it). Once a
process counted four more calls of Python on JAX, 0.3 % of them: a gate shows that, and fails from its margin on.
"""

from __future__ import annotations

from dataclasses import dataclass

# Behind the name of a function that is written in C.
IN_C = " (C)"

# Any real change of a model or of Keras moves calls and operations a little; this much more is worth a failure.
MARGIN = 0.05
# A difference that is shown where a counter does not repeat exactly: a share of it, or blocks of memory.
NOISE, BLOCKS = 0.05, 100.0


@dataclass(frozen=True)
class CounterRule:
    """How a counter is compared.

    exact_on  the backends on which two processes with one hash seed count the same: there alone it can fail a gate
    but_not   backends and paths on which it does not
    margin    how much more of it is reported without failing the gate; 0 where one more fails
    least     a smaller difference is not shown where it is not exact
    """

    exact_on: tuple[str, ...]
    but_not: tuple[tuple[str, str], ...] = ()
    margin: float = MARGIN
    least: float = 0.0

    def is_exact(self, backend: str, path: str) -> bool:
        """Return whether it repeats exactly for ``path`` on ``backend``."""
        return backend in self.exact_on and (backend, path) not in self.but_not

    def shown(self, backend: str, path: str, before: float, after: float) -> bool:
        """Return whether the two differ by more than the counter does by itself."""
        noise = 0.0 if self.is_exact(backend, path) else max(self.least, NOISE * abs(before))
        return abs(after - before) > noise

    def fails(self, backend: str, path: str, before: float, after: float) -> bool:
        """Return whether the gate fails: an exact counter that rose by more than its margin."""
        return self.is_exact(backend, path) and after - before > self.margin * abs(before)


BOTH = ("jax", "tensorflow")
# Keras drops finished logs of earlier steps, which a thread converts: how many are finished is chance.
LOGS_IN_A_THREAD = (("jax", "fit"),)
RULES: dict[str, CounterRule] = {
    "compilations": CounterRule(("jax",), margin=0.0),
    "recompilations": CounterRule(("jax",), margin=0.0),
    "traces": CounterRule(("tensorflow",), margin=0.0),
    "retraces": CounterRule(("tensorflow",), margin=0.0),
    "graph_operations": CounterRule(("tensorflow",)),
    "program_flops": CounterRule(("jax",)),
    "program_bytes": CounterRule(("jax",)),
    "program_temporary_bytes": CounterRule(("jax",)),
    "python_calls": CounterRule(BOTH),
    "c_calls": CounterRule(BOTH, but_not=LOGS_IN_A_THREAD),
    "fixed_python_calls": CounterRule(BOTH),
    "fixed_c_calls": CounterRule(("tensorflow",)),
    "programs_launched": CounterRule(BOTH),
    "transfers_to_device": CounterRule(BOTH),
    "transfers_to_host": CounterRule(("tensorflow",)),
    "allocated_blocks_growth": CounterRule((), least=BLOCKS),
}


def counts(counter: str, function: str) -> bool:
    """Return whether calls of ``function`` by a repeat are what ``counter`` counts."""
    return counter == ("c_calls" if function.endswith(IN_C) else "python_calls")
