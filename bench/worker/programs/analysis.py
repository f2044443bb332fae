"""What XLA says of a compiled JAX program: operations, bytes, temporary memory; loop bodies count once."""

from __future__ import annotations

from typing import Any


def analyse(run: Any, *arguments: Any) -> dict[str, float]:
    """Compile ``run``, a jitted function, for ``arguments`` and return XLA's own counts for one call."""
    program = run.lower(*arguments).compile()
    cost, memory = program.cost_analysis() or {}, program.memory_analysis()
    return {
        "program_flops": float(cost.get("flops", 0.0)),
        "program_bytes": float(cost.get("bytes accessed", 0.0)),
        "program_temporary_bytes": float(memory.temp_size_in_bytes) if memory else 0.0,
    }
