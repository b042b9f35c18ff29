"""What making a plan does to the process it runs in."""

import asyncio
import gc
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.core.actual import Absent, Actual
from reconciler.core.desired import Desired, Revision
from reconciler.core.holds import Holds
from reconciler.core.key import Key
from reconciler.core.plan import Plan
from reconciler.core.recorded import RecordedState
from reconciler.core.rights import Caller
from reconciler.packs.reading import read_packs
from reconciler.stages.plan import Wishes, plan_packs


@pytest.mark.parametrize("fails", [False, True])
async def test_what_a_plan_is_made_from_is_not_looked_through_for_garbage_until_it_is_made(*, fails: bool) -> None:
    usual = gc.get_threshold()
    meanwhile = []

    async def nothing(*_: object) -> Any:
        return RecordedState()

    async def holds() -> Holds:
        return Holds()

    async def gaps() -> tuple[str, ...]:
        return ()

    async def observe(_: object) -> Actual:
        meanwhile.append(gc.get_threshold())
        if fails:
            raise RuntimeError
        return {}

    ledger: Any = SimpleNamespace(recorded=nothing, holds=holds)
    source: Any = SimpleNamespace(gaps=gaps)
    platform: Any = SimpleNamespace(observe=observe)
    planning = plan_packs(Desired(Revision(), {}), (), source, ledger, platform, SystemClock())
    if fails:
        with pytest.raises(RuntimeError):
            await planning
    else:
        await planning
    assert [(young, middle) for young, middle, _ in meanwhile] == [usual[:2]]
    assert meanwhile[0][2] > 1000 * usual[2]
    assert gc.get_threshold() == usual


PACK = b"""
metadata: {requestor: pat@example.com, project_name: Q1, business_line: Sales}
recipient:
  - {name: analyst, type: D2O, email: analyst@partner.com, allowed_ips: [192.168.1.0/24]}
"""


async def planned(wishes: Wishes, platform: Any) -> Plan:
    async def recorded(*_: object) -> RecordedState:
        return RecordedState()

    async def holds() -> Holds:
        return Holds()

    async def gaps() -> tuple[str, ...]:
        return ()

    desired = read_packs({"sharepacks/q1.yaml": PACK}, Revision(), "https://adb-1.1.azuredatabricks.net")
    ledger: Any = SimpleNamespace(recorded=recorded, holds=holds)
    source: Any = SimpleNamespace(gaps=gaps)
    return await plan_packs(desired, desired.packs.keys(), source, ledger, platform, SystemClock(), wishes)


@pytest.mark.parametrize("is_expected", [False, True])
async def test_who_calls_is_asked_once_and_beside_the_rest_where_changes_are_expected(*, is_expected: bool) -> None:
    asked: list[str] = []
    has_been_asked = asyncio.Event()

    async def observe(keys: Collection[Key]) -> Actual:
        if keys and is_expected:
            await asyncio.wait_for(has_been_asked.wait(), 30)
        asked.extend("observed" for _ in keys)
        return {key: Absent() for key in keys}

    async def caller(workspace: str) -> Caller:
        asked.append(workspace)
        has_been_asked.set()
        return Caller("me", frozenset(), is_metastore_admin=True)

    platform = SimpleNamespace(observe=observe, caller=caller)
    plan = await planned(Wishes(expects_changes=is_expected), platform)
    assert [str(step.key) for step in plan.steps if step.is_change] == ["recipient/analyst"]
    place = "https://adb-1.1.azuredatabricks.net"
    assert asked == ([place, "observed"] if is_expected else ["observed", place])
