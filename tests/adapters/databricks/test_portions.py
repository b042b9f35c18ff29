"""Many questions of one kind: some by one thread, each answered or failed for itself, nobody kept waiting by all."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.portions import MOST, Portion, take
from reconciler.adapters.databricks.workspace import Workspace
from reconciler.core.actual import Absent
from reconciler.core.calls import CreateShare
from reconciler.core.key import Key, share_key
from reconciler.ports.platform import UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN


def keys(url: str, count: int) -> list[Key]:
    return [share_key(f"share_{number:02}", url) for number in range(count)]


def test_portions_are_small_and_become_one_towards_the_end() -> None:
    left, sizes = deque(keys("https://w", 100)), []
    while left:
        sizes.append(len(take(left, hands=5)))
    assert sum(sizes) == 100
    assert sizes[0] == MOST
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-19:] == [1] * 19


@dataclass
class Asked:
    """Stands for a workspace: what is done to the portion while it asks about one of its resources."""

    is_held_up: bool = False
    names: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        return cast("Workspace", self)


def test_what_is_left_when_databricks_asks_to_wait_is_given_back() -> None:
    asked, some = Asked(), keys("https://w", 4)

    def ask(_: Workspace, key: Key) -> str:
        asked.is_held_up = key == some[1]
        return key.name

    portion = Portion(some, ask)
    portion(asked.workspace)
    assert portion.leave() == ({some[0]: "share_00", some[1]: "share_01"}, some[2:])


def test_what_was_answered_before_a_failure_stands() -> None:
    some = keys("https://w", 4)

    def ask(_: Workspace, key: Key) -> str:
        if key == some[2]:
            raise UnavailableError("gone")
        return key.name

    portion = Portion(some, ask)
    with pytest.raises(UnavailableError):
        portion(Asked().workspace)
    assert portion.leave() == ({some[0]: "share_00", some[1]: "share_01"}, some[2:])


def test_nothing_more_is_asked_for_somebody_who_has_left() -> None:
    asked, some = Asked(), keys("https://w", 4)
    portion: Portion[str]

    def ask(_: Workspace, key: Key) -> str:
        asked.names.append(key.name)
        if key == some[1]:
            assert portion.leave() == ({some[0]: "share_00"}, some[1:])
        return key.name

    portion = Portion(some, ask)
    portion(asked.workspace)
    assert asked.names == ["share_00", "share_01"]


async def test_one_that_fails_fails_alone_and_none_is_asked_twice(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=1)
    some = keys(url, 24)
    try:
        await asyncio.gather(*(platform.perform(CreateShare(key)) for key in some))
        control.fault(
            "GET /api/2.1/unity-catalog/shares/share_05/permissions", status=403, error_code="PERMISSION_DENIED"
        )
        control.clear_log()
        told = await platform.grants(some)
    finally:
        await platform.close()
    assert list(told) == some
    assert {key.name for key, readers in told.items() if readers is None} == {"share_05"}
    assert control.counts()["total"] == 24


async def test_who_asks_later_does_not_wait_for_all_that_is_asked(control: ControlClient, url: str) -> None:
    platform = DatabricksPlatform(ADMIN, in_flight=2)
    try:
        await platform.observe(keys(url, 1))
        control.latency(20)
        many = asyncio.create_task(platform.observe(keys(url, 60)))
        await asyncio.sleep(0.05)
        assert list((await platform.observe(keys(url, 1))).values()) == [Absent()]
        assert not many.done()
        assert set((await many).values()) == {Absent()}
    finally:
        await platform.close()


async def test_a_platform_that_is_closed_answers_for_each(url: str) -> None:
    platform = DatabricksPlatform(ADMIN)
    await platform.close()
    found = await platform.observe(keys(url, 30))
    assert len(found) == 30
    assert len({str(each) for each in found.values()}) == 1
