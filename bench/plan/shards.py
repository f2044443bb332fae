"""Shards: parts of one run that several machines measure, or one machine after another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.plan.steps import Step
from datasets.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """One of several parts, counted from 1.

    A step of a recipe, with all its targets, paths and replicates, is in one shard: what is compared is measured by one
    machine. Which one follows from the step's name and from ``of`` alone, whatever else is measured.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, step: Step) -> bool:
        """Whether ``step`` is in this shard."""
        return number(step, self.of) == self.number

    def part(self, passes: Sequence[Sequence[Step]]) -> list[list[Step]]:
        """Return those steps of each pass that are in this shard, without passes that have none."""
        found = [[step for step in steps if self.has(step)] for steps in passes]
        return [steps for steps in found if steps]


def parse(words: str) -> Shard:
    """Return the shard in words such as "2/8"; UsageError where they name none."""
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", words)
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.of:
        raise UsageError(f"expected a shard as NUMBER/ALL, counted from 1, as in 2/8; received {words!r}")
    return shard


def with_work(passes: Iterable[Sequence[Step]], of: int) -> list[int]:
    """Return the numbers of the shards that have any of the steps."""
    return sorted({number(step, of) for steps in passes for step in steps})


def number(step: Step, of: int) -> int:
    """Return the number of the shard that ``step`` is in."""
    digest = hashlib.sha256(f"{step.recipe.name} {step.name}".encode()).digest()
    return 1 + int.from_bytes(digest[:8]) % of
