"""Shards: each step of a run is in exactly one, and always in the same one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.plan import shards, steps
from bench.plan.shards import Shard
from bench.plan.steps import PROFILES, Step
from bench.plan.targets import Target
from datasets.errors import UsageError
from models.recipes import RECIPES

TARGETS = [Target("jax"), Target("tensorflow")]


def passes(*recipes: str, profile: str = "default") -> list[list[Step]]:
    chosen = PROFILES[profile]
    return steps.passes([RECIPES[name] for name in recipes], TARGETS, chosen, seeds=chosen.seeds)


def cells(work: list[list[Step]]) -> list[str]:
    return [identity for each in work for step in each for identity in steps.identities(step)]


@given(st.integers(1, 40), st.sampled_from(sorted(PROFILES)))
def test_shards_part_the_work(of: int, profile: str) -> None:
    """Nothing is lost, and nothing is measured twice."""
    whole = passes(*RECIPES, profile=profile)
    parts = [Shard(number, of).part(whole) for number in range(1, of + 1)]
    assert sorted(found for part in parts for found in cells(part)) == sorted(cells(whole))
    assert shards.with_work(whole, of) == [n for n, part in enumerate(parts, start=1) if part]


@pytest.mark.parametrize("of", [2, 8])
def test_a_cell_is_in_the_same_shard_whatever_else_is_measured(of: int) -> None:
    for name in RECIPES:
        for number in range(1, of + 1):
            alone = set(cells(Shard(number, of).part(passes(name))))
            beside = set(cells(Shard(number, of).part(passes(*RECIPES))))
            assert alone <= beside


def test_what_is_compared_stays_together() -> None:
    """Every target, path and replicate of a step: their blocks are neighbours in time."""
    whole = passes(*RECIPES, profile="full")
    for step in (step for each in whole for step in each):
        same = [other for each in whole for other in each if (other.recipe, other.name) == (step.recipe, step.name)]
        assert len({shards.number(other, 8) for other in same}) == 1


@pytest.mark.parametrize("words", ["", "2", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "one/two", "1 / 4", "99999/99999"])
def test_what_names_no_shard_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="expected a shard as NUMBER/ALL"):
        shards.parse(words)


def test_a_shard_is_read_as_it_is_written() -> None:
    assert str(shards.parse("2/8")) == "2/8"
