"""A short day of a small fleet: nothing is lost, everything is counted, and everything ends as the packs say."""

from dataclasses import replace
from functools import cache

import pytest

from reconciler.core.verdict import Keep
from tests.scale.api import Kind
from tests.scale.assumed import DAY, Fleet, Setting
from tests.scale.day import Day
from tests.scale.packs import estate

SMALL = Fleet(12, packs_in_workspace=6, objects_in_share=4)
#: Busy enough that all of it happens: hand edits, 429, lost messages, dead workers.
BUSY = Setting(rate=5, burst=10, seconds=DAY / 12, changed=0.9, by_hand=0.3, lost=0.3, deaths=0.3, workers=2)


@cache
def a_day(setting: Setting = BUSY, seed: int = 5, *, is_applied: bool = True) -> Day:
    day = Day(estate(SMALL, seed, is_applied=is_applied), setting, seed)
    day.run()
    return day


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_no_change_is_lost_and_each_ends_applied(seed: int) -> None:
    day = a_day(seed=seed)
    assert day.counts["pull requests"] + day.counts["changes by hand"] == len(day.changes) > 10
    assert not day.unfinished
    assert not day.yard.open
    plan = day.estate.plan(list(day.estate.packs), day.timeline.now)
    assert {type(step.verdict) for pack in plan.packs for step in pack.steps} == {Keep}
    assert day.yard.counts["done"] + day.yard.counts["superseded"] == day.yard.counts["submitted"]
    for change in day.changes:
        assert change.done_at is not None
        assert change.done_at >= change.made_at


def test_trouble_happened_and_was_got_over() -> None:
    day = a_day()
    assert day.calls.throttled.total() > 0
    assert day.yard.counts["workers lost"] > 0
    assert day.yard.counts["found by the sweep"] > 0
    assert day.counts["drift found"] > 0


def test_calls_are_the_sum_of_their_kinds_and_the_limit_is_kept() -> None:
    day = a_day()
    assert day.calls.total == sum(bucket.accepted for bucket in day.buckets.values()) + day.calls.throttled.total()
    writes = sum(len(where.calls) for where in day.estate.workspaces.values())
    assert day.calls.done[Kind.WRITE] + day.calls.done[Kind.ROTATE] == writes
    for bucket in day.buckets.values():
        assert bucket.most_in_a_second <= BUSY.rate + BUSY.burst
        assert bucket.accepted <= BUSY.burst + BUSY.rate * day.timeline.now
    assert day.yard.queue.requests["delete"] <= day.yard.queue.requests["put"]


def test_a_seed_gives_the_same_day_again() -> None:
    one, other = a_day(), a_day.__wrapped__()
    assert one.calls == other.calls
    assert one.changes == other.changes
    assert one.counts == other.counts
    assert one.calls != a_day(seed=6).calls


def test_a_quiet_day_costs_what_its_looks_cost() -> None:
    quiet = Setting(rate=1e6, burst=1e6, seconds=DAY / 8, changed=0, by_hand=0, full_every=4)
    day = a_day(quiet)
    looks, full = day.counts["looks"], day.counts["packs read in full"]
    assert day.calls.done[Kind.FULL] == full * (2 + 2 * 2)
    # A pack is read in full at one of three or four looks, six packs at each look.
    assert looks * 6 / 4 - 12 <= full <= looks * 6 / 3 + 12
    # Where some are not read in full, the lists are asked, and every recipient of the workspace.
    assert 0 < day.calls.done[Kind.LIST] <= looks * 2
    assert day.calls.done[Kind.GRANTS] == day.calls.done[Kind.LIST] / 2 * 12
    assert day.calls.done[Kind.WRITE] == 0
    assert day.yard.queue.requests["put"] == day.counts["rotations"]


def test_looks_in_full_cost_more_and_find_the_same() -> None:
    all_in_full, some = a_day(replace(BUSY, full_every=1)), a_day()
    assert all_in_full.calls.done[Kind.GRANTS] == 0
    assert all_in_full.calls.done[Kind.FULL] > some.calls.done[Kind.FULL]
    for day in (all_in_full, some):
        assert day.counts["drift found"] > 0
        assert not day.unfinished


@pytest.mark.parametrize("workers", [1, 3])
def test_a_fleet_is_made_from_nothing(workers: int) -> None:
    day = a_day(replace(BUSY, watches=False, changed=0, by_hand=0, workers=workers), is_applied=False)
    assert not day.unfinished
    made = day.estate.workspaces.values()
    assert sum(len(where.resources) for where in made) == 12 * 4
    # A call for each recipient; for each share one to make it, one for its objects, one for its grants.
    assert day.calls.done[Kind.WRITE] == 12 * (2 + 2 * 3)
