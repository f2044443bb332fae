"""Counters of a backend that only predicts: it compiles no program that could be counted."""

from __future__ import annotations

from collections.abc import Callable

Program = int

NAME = "compilations"
LAUNCHES = TO_DEVICE = TO_HOST = None
observe = None


def programs() -> set[Program]:
    """Return nothing."""
    return set()


def forget_programs() -> None:
    """Do nothing."""


def sizes(programs: set[Program]) -> dict[str, float]:
    """Return nothing."""
    del programs
    return {}


def spans(work: Callable[[], object], planes: str) -> list[tuple[float, float]]:
    """Return nothing: there is no profiler."""
    del work, planes
    return []
