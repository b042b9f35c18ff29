"""A worker whose process ends at a call of its choosing: nothing is caught, nothing is written afterwards."""

import asyncio
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

#: Seconds: the dead worker's lease, after which another may take over.
LEASE = 0.5


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
    await asyncio.sleep(LEASE + 0.1)
    return submission.work_ids


async def _work_all(journey: Journey, work_ids: Collection[UUID], platform: Any) -> None:
    for work_id in work_ids:
        claim = await journey.ledger.claim("doomed", work_id, LEASE)
        if isinstance(claim, Claim):
            await work(Calling(claim, journey.ledger, platform, journey.clock, LEASE, grace=0.0), lambda _: None, 0.0)
