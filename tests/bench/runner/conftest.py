"""What the tests of the runner share: a machine on which no other program works."""

from __future__ import annotations

import pytest

from bench.records import machine


@pytest.fixture(autouse=True)
def idle_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests run beside these: their processor time must not count as a disturbance of fake workers."""
    moment = machine.Moment(load_1min=0.0, steal_s=0.0, busy_s=0.0)
    monkeypatch.setattr(machine, "moment", lambda: moment)
