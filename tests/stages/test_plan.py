"""What making a plan does to the process it runs in."""

import gc
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.core.actual import Actual
from reconciler.core.desired import Desired, Revision
from reconciler.core.holds import Holds
from reconciler.core.recorded import RecordedState
from reconciler.stages.plan import plan_packs


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
