"""Tests of affinity: how processors are shared among workers that train side by side."""

from __future__ import annotations

import pytest

from bench.runner import affinity


@pytest.mark.parametrize(
    ("usable", "number", "expected"),
    [
        ({0, 1}, 2, [{0}, {1}]),
        ({0, 1, 2, 5, 7}, 2, [{0, 1}, {2, 5}]),  # equal shares: the fifth belongs to nobody
        ({0, 1}, 1, [None]),
        ({3}, 2, [None, None]),
        (set(), 2, [None, None]),
    ],
)
def test_processors_are_shared_equally(
    monkeypatch: pytest.MonkeyPatch, usable: set[int], number: int, expected: list[set[int] | None]
) -> None:
    """A target that had more of them would learn as much, in another time; too few of them are not shared."""
    monkeypatch.setattr(affinity, "usable", lambda: usable)
    assert affinity.shares(number) == expected
