"""A worker whose process ends at a call of its choosing: nothing is caught, nothing is written afterwards."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import pytest

from reconciler.core.plan import Plan
from reconciler.ports.ledger import Claim
from reconciler.render.plan_json import plan_document
from reconciler.stages.call import Calling
from reconciler.stages.submit import submit
from reconciler.stages.work import work
from tests.journeys.journey import Journey

#: Seconds; on a busy machine a short one would run out before the worker is meant to die.
LEASE = 60.0


class DiedError(BaseException):
    """The process ends here."""


class DyingPlatform:
    """The real platform up to the first call of a type. That one is sent or not, and the process is gone."""

    def __init__(self, platform: Any, call_type: type, *, is_done: bool) -> None:
        self._platform = platform
        self._call_type = call_type
        self._is_done = is_done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    async def perform(self, call: Any) -> Any:
        if not isinstance(call, self._call_type):
            return await self._platform.perform(call)
        if self._is_done:
            await self._platform.perform(call)
        raise DiedError


async def die_at(journey: Journey, plan: Plan, call_type: type, *, is_done: bool) -> Collection[UUID]:
    """Work through a plan up to that call, one pack after the other, and wait until the dead worker's lease is over.
    Answers all of the work."""
    submission = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")
    platform: Any = DyingPlatform(journey.platform, call_type, is_done=is_done)
    with pytest.raises(DiedError):
        await _work_all(journey, submission.work_ids, platform)
    await end_leases(journey)
    return submission.work_ids


async def end_leases(journey: Journey) -> None:
    """As if so much time had passed that another worker may take over."""
    await journey.rows("UPDATE reconciler.leases SET expires_at = clock_timestamp() - interval '1 second'")


async def _work_all(journey: Journey, work_ids: Collection[UUID], platform: Any) -> None:
    for work_id in work_ids:
        claim = await journey.ledger.claim("doomed", work_id, LEASE)
        if isinstance(claim, Claim):
            await work(Calling(claim, journey.ledger, platform, journey.clock, LEASE, grace=0.0), lambda _: None, 0.0)
