"""Changes made by hand in the workspace: found, named as drift, corrected, and told in the history."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest_asyncio
from databricks.sdk.service.sharing import (
    AuthenticationType,
    PermissionsChange,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.core.access import access_changes
from reconciler.core.changes import Cause
from reconciler.core.key import share_key
from reconciler.core.share import Share
from reconciler.core.verdict import Create, Update
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES


@pytest_asyncio.fixture
async def applied(journey: Journey) -> AsyncIterator[Journey]:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.control.clear_log()
    yield journey


def remove(name: str) -> SharedDataObjectUpdate:
    table = SharedDataObject(name, data_object_type=SharedDataObjectDataObjectType.TABLE)
    return SharedDataObjectUpdate(SharedDataObjectUpdateAction.REMOVE, table)


async def test_a_stranger_and_a_lost_table_are_drift_and_are_corrected(applied: Journey, sdk: Any) -> None:
    sdk.recipients.create("stranger", AuthenticationType.TOKEN)
    sdk.shares.update_permissions("sales_q1_share", changes=[PermissionsChange(principal="stranger", add=["SELECT"])])
    sdk.shares.update("sales_q1_share", updates=[remove("prod_catalog.sales.customers")])
    plan = await applied.plan()
    (verdict,) = (step.verdict for step in plan.steps if step.is_work)
    assert isinstance(verdict, Update)
    assert verdict.cause is Cause.DRIFT
    changes = {change.recipient: change for change in access_changes(step.verdict for step in plan.steps)}
    assert changes["stranger"].is_drift
    assert changes["stranger"].loses == ("prod_catalog.sales.transactions",)
    assert changes["sales-analyst"].gains == ("prod_catalog.sales.customers",)
    applied.control.clear_log()
    await applied.converge()
    # The stranger goes before the table comes back.
    assert [path for _, path, _ in applied.writes()] == [
        "/shares/sales_q1_share/permissions",
        "/shares/sales_q1_share",
    ]
    granted = sdk.shares.share_permissions("sales_q1_share").privilege_assignments
    assert [grant.principal for grant in granted] == ["sales-analyst"]
    assert sdk.recipients.get("stranger").name == "stranger"
    found, *corrected = (await applied.ledger.history(share_key("sales_q1_share", "")))[-3:]
    assert found.change_reason == "found changed by hand"
    assert isinstance(found.resource, Share)
    assert found.resource.recipients == frozenset({"sales-analyst", "stranger"})
    assert [version.change_reason for version in corrected] == ["grants changed", "share updated"]


async def test_what_was_deleted_by_hand_is_created_again_and_continues_its_history(applied: Journey, sdk: Any) -> None:
    sdk.shares.delete("sales_q1_share")
    (verdict,) = [step.verdict for step in (await applied.plan()).steps if step.is_work]
    assert isinstance(verdict, Create)
    assert verdict.cause is Cause.DRIFT
    await applied.converge()
    versions = await applied.ledger.history(share_key("sales_q1_share", ""))
    assert [version.version for version in versions] == list(range(1, len(versions) + 1))
    for before, after in pairwise(versions):
        assert before.effective_to == after.effective_from
    assert [version.change_reason for version in versions if version.resource is None] == ["found deleted by hand"]
    last = versions[-1].resource
    assert isinstance(last, Share)
    assert last.recipients == frozenset({"sales-analyst"})


async def test_file_and_hand_together_are_told_apart(applied: Journey, sdk: Any) -> None:
    sdk.shares.update("sales_q1_share", comment="by hand")
    applied.save("sales.yaml", SALES + "      - prod_catalog.sales.refunds\n")
    (verdict,) = [step.verdict for step in (await applied.plan()).steps if step.is_work]
    assert isinstance(verdict, Update)
    assert {change.field: change.cause for change in verdict.changes} == {"comment": Cause.DRIFT, "objects": Cause.FILE}
    assert verdict.cause is Cause.BOTH


async def test_hand_made_changes_to_unmanaged_things_are_left_alone(applied: Journey, sdk: Any) -> None:
    sdk.recipients.update("sales-analyst", comment="a note nobody asked for", properties_kvpairs=None)
    sdk.shares.create("scratch")
    assert not (await applied.plan()).has_changes
