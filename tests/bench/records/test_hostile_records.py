"""Damaged and forged records: whatever they hold, every report of them is made or says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz import messages, recipe_answers, records

CHANGES = st.lists(st.binary(min_size=6, max_size=6), max_size=records.MOST_CHANGES)


@pytest.mark.parametrize("run", range(3))
def test_the_runs_that_are_damaged_are_good_ones(run: int) -> None:
    """A fuzzer that starts from a run which nobody reads finds nothing."""
    found = records.damaged(bytes([run]))
    assert len(found.splitlines()) > 20
    records.check(bytes([run]))


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2), CHANGES)
def test_no_damage_to_a_record_ends_a_report_as_a_bug(run: int, changes: list[bytes]) -> None:
    """A value of another type, a missing field, a line twice, moved or cut, a byte changed."""
    records.check(bytes([run]) + b"".join(changes))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400))
@example(b'{"kind":"done","values":[]}\n')
@example(b'{"kind":"progress","values":{"epoch":"\\u001b[2J"}}\n')
@example(b'{"kind":"failed","error":5,"message":null}\n')
@example(b'{"kind":"hello","protocol":"3","backend":{},"device":1,"device_name":[],"versions":0,"settings":[]}\n')
@example(b"[" * 10_000 + b"\n")
def test_no_bytes_on_the_pipe_end_a_session_as_a_bug(data: bytes) -> None:
    """Garbage, half messages, messages whose fields are of another type."""
    messages.check(data)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@example(b'{"recipes":[{}]}')
@example(b'{"recipes":{"name":"x"},"error":[]}')
@example(b'{"error":"\\u001b[2J"}')
def test_no_answer_of_a_file_of_recipes_is_taken_for_recipes(data: bytes) -> None:
    """The file runs in a process of its own, and may answer anything."""
    recipe_answers.check(data)
