"""Databricks throttles, fails, and loses answers: each pack still ends as Git says, and nothing is done twice."""

import asyncio
from typing import Any

import pytest

from reconciler.core.verdict import Conflict, Record
from reconciler.ports.ledger import Claim, FenceLostError, WorkStatus
from reconciler.render.plan_json import plan_document
from reconciler.stages.call import Calling
from reconciler.stages.submit import submit
from reconciler.stages.work import work
from tests.journeys.dying import end_leases
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

ROOT = "/api/2.1/unity-catalog"
WRITES = [
    f"POST {ROOT}/recipients",
    f"POST {ROOT}/shares",
    f"PATCH {ROOT}/shares/sales_q1_share",
    f"PATCH {ROOT}/shares/sales_q1_share/permissions",
]


@pytest.fixture(autouse=True)
def _quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long to wait before the next try is decided elsewhere (`tests/core/test_retry.py`)."""
    monkeypatch.setattr("reconciler.core.retry.DELAYS", (0.05, 0.1, 0.2, 0.5, 1.0))


async def assert_as_the_file_says(journey: Journey, sdk: Any) -> None:
    assert [item.name for item in sdk.recipients.list()] == ["sales-analyst"]
    share = sdk.shares.get("sales_q1_share", include_shared_data=True)
    assert {item.name for item in share.objects} == {"prod_catalog.sales.transactions", "prod_catalog.sales.customers"}
    grants = sdk.shares.share_permissions("sales_q1_share").privilege_assignments
    assert [grant.principal for grant in grants] == ["sales-analyst"]
    assert not (await journey.plan()).has_changes
    open_ones = await journey.rows("SELECT * FROM reconciler.operations WHERE outcome IN ('begun', 'unknown')")
    assert open_ones == []


@pytest.mark.parametrize("pattern", WRITES)
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "error_code": "INTERNAL_ERROR"},
        {"status": 504, "error_code": "DEADLINE_EXCEEDED", "after_handler": True},
        {"status": 429, "error_code": "REQUEST_LIMIT_EXCEEDED", "retry_after": 1},
        {"drop_connection": True},
        {"drop_connection": True, "after_handler": True},
    ],
    ids=["500", "504-but-done", "429", "dropped", "dropped-but-done"],
)
async def test_a_fault_at_any_write_is_survived(
    journey: Journey, sdk: Any, pattern: str, fault: dict[str, Any]
) -> None:
    journey.save("sales.yaml", SALES)
    journey.control.fault(pattern, times=1, **fault)
    await journey.converge()
    await assert_as_the_file_says(journey, sdk)
    done = [
        entry for entry in journey.control.log(writes_only=True) if entry["status"] == 200 or entry["fault"] == "after"
    ]
    paths = [(entry["method"], entry["path"]) for entry in done]
    assert len(paths) == len(set(paths)) == 4, "something was done twice"


@pytest.mark.parametrize("pattern", WRITES)
@pytest.mark.parametrize("is_done", [False, True])
async def test_a_worker_that_dies_at_a_call_is_followed_by_another(
    journey: Journey, sdk: Any, pattern: str, is_done: bool
) -> None:
    journey.save("sales.yaml", SALES)
    plan = await journey.plan()
    submission = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")
    (work_id,) = submission.work_ids
    claim = await journey.ledger.claim("doomed", work_id, 60)
    if is_done:
        journey.control.fault(pattern, times=1, drop_connection=True, after_handler=True)
    platform = _DyingPlatform(journey.platform, pattern)
    with pytest.raises(_DiedError):
        await work(_calling(journey, claim, platform), lambda _: None, 0.0)
    await end_leases(journey)
    await journey.workforce().work_until_done([work_id])
    assert [item.status for item in await journey.ledger.work([work_id])] == [WorkStatus.DONE]
    await assert_as_the_file_says(journey, sdk)


@pytest.mark.parametrize("is_done", [False, True])
async def test_what_a_dead_worker_began_and_nobody_wants_any_more_is_not_lost(journey: Journey, is_done: bool) -> None:
    journey.save("sales.yaml", SALES)
    plan = await journey.plan()
    submission = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")
    (work_id,) = submission.work_ids
    claim = await journey.ledger.claim("doomed", work_id, 60)
    journey.control.fault(WRITES[1], times=1, drop_connection=True, after_handler=is_done)
    with pytest.raises(_DiedError):
        await work(_calling(journey, claim, _DyingPlatform(journey.platform, WRITES[1])), lambda _: None, 0.0)
    await end_leases(journey)
    journey.save("sales.yaml", SALES.partition("share:\n")[0])
    after = await journey.plan()
    if is_done:
        (verdict,) = [step.verdict for step in after.steps if step.is_held]
        assert isinstance(verdict, Conflict)
        assert verdict.rule == "unproven-owner"
    else:
        assert not after.is_held
    await journey.apply()
    left = [item["name"] for item in journey.control.state()["shares"]]
    assert left == (["sales_q1_share"] if is_done else [])


def _calling(journey: Journey, claim: Any, platform: Any) -> Calling:
    assert isinstance(claim, Claim)
    return Calling(claim, journey.ledger, platform, journey.clock, grace=0.0)


class _DiedError(BaseException):
    """The process ends here: nothing is caught, nothing is written."""


class _DyingPlatform:
    """The real platform, until the call with the given path: that one is sent, and the process is gone."""

    def __init__(self, platform: Any, pattern: str) -> None:
        self._platform = platform
        self._call = {
            WRITES[0]: "CreateRecipient",
            WRITES[1]: "CreateShare",
            WRITES[2]: "UpdateShare",
            WRITES[3]: "ChangeGrants",
        }[pattern]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    async def perform(self, call: Any) -> Any:
        if type(call).__name__ != self._call:
            return await self._platform.perform(call)
        try:
            await self._platform.perform(call)
        finally:
            raise _DiedError


async def test_a_worker_that_slept_past_its_lease_writes_nothing(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    plan = await journey.plan()
    submission = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")
    (work_id,) = submission.work_ids
    sleeper = await journey.ledger.claim("sleeper", work_id, 0.2)
    await asyncio.sleep(0.3)
    await journey.workforce().work_until_done([work_id])
    journey.control.clear_log()
    before = await journey.rows("SELECT count(*) FROM deltashare.audit_trail")
    with pytest.raises(FenceLostError):
        await work(_calling(journey, sleeper, journey.platform), lambda _: None, 0.0)
    assert journey.writes() == []
    assert await journey.rows("SELECT count(*) FROM deltashare.audit_trail") == before


async def test_a_rename_of_the_record_alone_needs_no_call(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.save("sales.yaml", SALES.replace("analyst@partner.com", "other@partner.com"))
    assert [type(step.verdict) for step in (await journey.plan()).steps if step.is_work] == [Record]


async def test_every_read_failing_submits_nothing(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    journey.control.fault(f"GET {ROOT}/*", status=403, error_code="PERMISSION_DENIED", times=0)
    plan = await journey.plan()
    assert plan.is_held
    assert [(str(step.key), step.verdict, step.objections) for step in plan.steps if step.is_work] == []
    await journey.apply(plan)
    assert journey.writes() == []
