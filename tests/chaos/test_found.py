"""What runs of chaos have found, each as a test of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from reconciler.sandbox import Sandbox, Seed
from tests.chaos.asking import left_to_a_person
from tests.chaos.landscape import SEED, Landscape, new_pack
from tests.chaos.mortal import DiedError, Life
from tests.chaos.town import Town
from tests.chaos.workspace import Workspace

LINE = "Sales Operations"


@pytest.fixture(scope="module")
def found_sandbox() -> Iterator[str]:
    with Sandbox(Seed.from_yaml(SEED)).serving() as url:
        yield url


@pytest_asyncio.fixture
async def town(found_sandbox: str, migrated_database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    town = await Town.open(tmp_path / "packs", found_sandbox, migrated_database_url, 0)
    town.workspace.control.reset()
    town.repository.landscape = Landscape()
    yield town
    await town.close()


class Gate:
    """A port of which one call waits before it is done, until it may."""

    def __init__(self, port: Any, call: str) -> None:
        self._port, self._call = port, call
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name != self._call:
            return found

        async def waiting(*arguments: Any, **named: Any) -> Any:
            self.reached.set()
            await self.opened.wait()
            return await found(*arguments, **named)

        return waiting


async def ends_well(town: Town) -> list[str]:
    for _ in range(4):
        await town.time_passes()
        await town.tick(Life())
        await town.work(Life())
    return await town.wrong()


async def test_a_pack_removed_while_it_was_being_made_is_removed_with_all_it_made(town: Town) -> None:
    """The daemon looks before a worker has made anything, finds nothing to remove, and says so after it has."""
    path, document = new_pack(LINE, "Alpha")
    document["recipient"].append({"name": "sales-r0", "type": "D2O", "email": "partner@example.com"})
    document["share"].append({"name": "sales_s0", "recipients": ["sales-r0"], "data_objects": ["chaos.s.t_1"]})
    town.repository.landscape.packs[path] = document
    town.repository.commit("Add a pack")
    await town.tick(Life())
    del town.repository.landscape.packs[path]
    town.repository.commit("Remove it again")
    gate, ledger = Gate(town.ledger, "submit"), town.ledger
    town.ledger = gate  # type: ignore[assignment]
    removing = asyncio.create_task(town.tick(Life()))
    await gate.reached.wait()
    town.ledger = ledger
    await town.work(Life())
    assert {item["name"] for item in town.workspace.control.state()["shares"]} == {"sales_s0"}
    gate.opened.set()
    await removing
    town.repository.removed |= {"share/sales_s0": 0.0, "recipient/sales-r0": 0.0}
    assert await ends_well(town) == []


@pytest.mark.parametrize("whole_pack", [False, True], ids=["share", "pack"])
async def test_a_call_begun_and_never_made_is_concluded_when_git_takes_back_what_it_was_for(
    town: Town, whole_pack: bool
) -> None:
    """Also when nothing else is to be done for the pack that would have a worker look."""
    await _begin_and_take_back(town, is_done=False, whole_pack=whole_pack)
    assert await ends_well(town) == []


@pytest.mark.parametrize("whole_pack", [False, True], ids=["share", "pack"])
async def test_what_was_made_unseen_and_taken_back_by_git_is_left_to_a_person_and_told(
    town: Town, whole_pack: bool
) -> None:
    await _begin_and_take_back(town, is_done=True, whole_pack=whole_pack)
    await ends_well(town)
    assert await left_to_a_person(await town.plan(), town.dsn) == {"share/sales_s0"}
    assert {item["name"] for item in town.workspace.control.state()["shares"]} == {"sales_s0"}
    town.workspace.delete("share/sales_s0")
    assert await ends_well(town) == []


def test_something_foreign_is_the_same_however_it_is_shown(found_sandbox: str) -> None:
    """Its maker, too, may be cut off before it holds anything."""
    workspace = Workspace(found_sandbox)
    workspace.control.reset()
    workspace.sdk.shares.create("foreign-0")
    before = workspace.strangers()
    for is_left_out in (True, False):
        workspace.control.knobs(empty_lists_omitted=is_left_out)
        assert workspace.strangers() == before
    workspace.sdk.shares.update("foreign-0", comment="touched")
    assert workspace.strangers() != before


async def _begin_and_take_back(town: Town, *, is_done: bool, whole_pack: bool) -> None:
    path, document = new_pack(LINE, "Alpha")
    town.repository.landscape.packs[path] = document
    town.repository.commit("Add an empty pack")
    await town.tick(Life())
    await town.work(Life())
    document["share"].append({"name": "sales_s0", "recipients": [], "data_objects": []})
    town.repository.commit("Add a share")
    await town.tick(Life())
    platform, life = town.platform, Life()
    town.platform = DyingAtPerform(platform, life, is_done=is_done)  # type: ignore[assignment]
    assert await town.work(life) == "died"
    town.platform = platform
    document["share"].clear()
    if whole_pack:
        del town.repository.landscape.packs[path]
    town.repository.commit("Take it back")


class DyingAtPerform:
    """The process ends at the first call of all, once it is done or before."""

    def __init__(self, platform: Any, life: Life, *, is_done: bool) -> None:
        self._platform, self._life, self._is_done = platform, life, is_done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    async def perform(self, call: Any) -> Any:
        if self._is_done:
            await self._platform.perform(call)
        self._life.is_over = True
        raise DiedError
