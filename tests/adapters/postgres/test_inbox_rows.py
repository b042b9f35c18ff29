"""What an upload does to the rows of its pack: they say that it is in progress without looking as if anything had been
applied, and say again what they said when nothing comes of it."""

import asyncio
import json
from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.portal import Portal
from reconciler.core.actual import Absent
from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId
from reconciler.core.pack import Declared, SharePack, Strategy
from reconciler.core.plan import PackPlan
from reconciler.core.planning import World, make_plan
from reconciler.core.problem import Where
from reconciler.core.recorded import PackStatus
from reconciler.core.share import Share
from reconciler.ports.inbox import UploadStatus
from reconciler.ports.ledger import PackState, WorkStatus
from tests.adapters.postgres.samples import (
    COMMIT,
    NEXT_COMMIT,
    PACK,
    SALES_KEY,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    claim,
    claimed,
    progress,
    submitted,
    work_order,
)
from tests.adapters.postgres.uploads import CALLER, an_upload, enter

IN_GIT = "In Git; waiting to be planned"


@pytest.fixture
def portal(ledger: PostgresLedger) -> Portal:
    return ledger.portal()


async def state(ledger: PostgresLedger, pack: PackId = PACK) -> PackState:
    [found] = await ledger.pack_states(pack)
    return found


def as_told(of: PackState) -> tuple[PackStatus, str, str]:
    return of.status, of.provisioning_status, of.error_message


async def count(connection: asyncpg.Connection, table: str) -> int:
    found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_a_new_pack_is_on_record_as_in_progress_with_nothing_applied(
    portal: Portal, ledger: PostgresLedger
) -> None:
    share_pack_id = await enter(portal, an_upload())
    found = await state(ledger)
    assert as_told(found) == (PackStatus.IN_PROGRESS, IN_GIT, "")
    assert (found.share_pack_id, found.share_pack_name) == (share_pack_id, "SharePack_john")
    assert (found.path, found.workspace, found.requested_by) == (
        "sharepacks/sales q1.yaml",
        WORKSPACE,
        "john.doe@jll.com",
    )
    recorded = (await ledger.recorded([], [PACK])).packs[PACK]
    assert (recorded.commit, recorded.applied_commit, recorded.generation) == ("", "", 0)


def planned(desired: SharePack, world: World) -> PackPlan:
    revision = Revision(COMMIT, is_committed=True, content="")
    return make_plan(Desired(revision, {PACK: desired}), [PACK], world).packs[0]


async def test_a_plan_of_a_pack_that_was_only_handed_in_is_that_of_a_new_one(
    portal: Portal, ledger: PostgresLedger
) -> None:
    upload = an_upload()
    declared = Declared(Share("sales"), Where(upload.path))
    desired = SharePack(PACK, upload.path, upload.requestor, WORKSPACE, {SALES_KEY: declared})
    fresh = planned(desired, World(await ledger.recorded([SALES_KEY], [PACK]), {SALES_KEY: Absent()}, 0))
    await enter(portal, upload)
    handed_in = planned(desired, World(await ledger.recorded([SALES_KEY], [PACK]), {SALES_KEY: Absent()}, 0))
    assert handed_in == fresh
    assert handed_in.strategy is Strategy.NEW
    assert handed_in.rows_behind


async def test_submitting_it_is_an_ordinary_update(portal: Portal, ledger: PostgresLedger) -> None:
    share_pack_id = await enter(portal, an_upload())
    held = await claimed(ledger)
    assert as_told(await state(ledger)) == (PackStatus.IN_PROGRESS, "Waiting for a worker", "")
    await ledger.finish(held, WorkStatus.DONE)
    found = await state(ledger)
    assert (found.status, found.commit, found.applied_commit) == (PackStatus.COMPLETED, COMMIT, COMMIT)
    assert (found.share_pack_id, found.share_pack_name) == (share_pack_id, "SharePack_john")


async def test_a_new_pack_of_which_all_is_held_says_what_it_is(
    portal: Portal, ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    await enter(portal, an_upload())
    await ledger.submit(a_plan(), [an_order(held=("share/sales: too much",))])
    found = await state(ledger)
    assert (found.status, found.commit, found.error_message) == (PackStatus.FAILED, COMMIT, "share/sales: too much")
    config = await connection.fetchval("SELECT config FROM deltashare.share_packs WHERE is_current")
    assert json.loads(config) == {"metadata": {"project_name": "Sales Q1"}}


async def test_a_pack_that_git_loses_before_it_is_planned_goes(portal: Portal, ledger: PostgresLedger) -> None:
    await enter(portal, an_upload())
    assert await ledger.all_packs() == [PACK]
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order(removed=True)])
    assert (await state(ledger)).is_deleted
    assert await ledger.all_packs() == []


async def applied(ledger: PostgresLedger) -> None:
    await ledger.finish(await claimed(ledger), WorkStatus.DONE)


async def test_a_pack_on_record_keeps_its_id_its_name_and_the_commit_that_removals_are_judged_from(
    portal: Portal, ledger: PostgresLedger
) -> None:
    await applied(ledger)
    before = await state(ledger)
    upload = await portal.inbox.receive(an_upload())
    entered = await portal.inbox.committed(upload, NEXT_COMMIT, strategy="UPDATE", share_pack_name="another")
    assert (entered.share_pack_id, entered.share_pack_name) == (before.share_pack_id, before.share_pack_name)
    after = await state(ledger)
    assert as_told(after) == (PackStatus.IN_PROGRESS, IN_GIT, "")
    assert (
        replace(
            after,
            status=before.status,
            provisioning_status=before.provisioning_status,
            last_updated=before.last_updated,
        )
        == before
    )


@pytest.mark.parametrize("ending", [UploadStatus.SUBMITTED, UploadStatus.FAILED])
async def test_a_pack_of_which_nothing_was_submitted_says_again_what_it_said(
    portal: Portal, ledger: PostgresLedger, ending: UploadStatus
) -> None:
    held = await claimed(ledger)
    await ledger.finish(held, WorkStatus.FAILED, "Databricks refused it")
    before = as_told(await state(ledger))
    upload = an_upload()
    await enter(portal, upload, NEXT_COMMIT)
    await portal.inbox.end(upload.id, ending, "why")
    assert as_told(await state(ledger)) == before


async def test_a_new_pack_of_which_nothing_was_submitted_has_failed(portal: Portal, ledger: PostgresLedger) -> None:
    upload = an_upload()
    await enter(portal, upload)
    await portal.inbox.end(upload.id, UploadStatus.FAILED, "the platform is down")
    assert as_told(await state(ledger)) == (PackStatus.FAILED, "Nothing was submitted", "the platform is down")


async def test_what_was_submitted_meanwhile_stands(portal: Portal, ledger: PostgresLedger) -> None:
    upload = an_upload()
    await enter(portal, upload)
    await submitted(ledger, a_plan(), [work_order()])
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    assert as_told(await state(ledger)) == (PackStatus.IN_PROGRESS, "Waiting for a worker", "")


async def test_the_first_of_two_uploads_does_not_end_what_the_second_waits_for(
    portal: Portal, ledger: PostgresLedger
) -> None:
    await applied(ledger)
    before = as_told(await state(ledger))
    first, second = an_upload(b"1"), an_upload(b"2")
    await enter(portal, first)
    await enter(portal, second)
    await portal.inbox.end(first.id, UploadStatus.SUBMITTED)
    assert (await state(ledger)).provisioning_status == IN_GIT
    await portal.inbox.end(second.id, UploadStatus.SUBMITTED)
    assert as_told(await state(ledger)) == before


async def test_a_removed_pack_that_is_handed_in_again_goes_on(portal: Portal, ledger: PostgresLedger) -> None:
    await applied(ledger)
    await ledger.submit(a_plan(NEXT_COMMIT), [an_order(removed=True)])
    before = await state(ledger)
    assert before.is_deleted
    upload = an_upload()
    assert await enter(portal, upload) == before.share_pack_id
    after = await state(ledger)
    assert not after.is_deleted
    assert as_told(after) == (PackStatus.IN_PROGRESS, IN_GIT, "")
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    assert (await state(ledger)).status is PackStatus.FAILED


async def test_its_request_gives_way_to_that_of_the_plan(portal: Portal, connection: asyncpg.Connection) -> None:
    upload = an_upload()
    await enter(portal, upload)
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    rows = await connection.fetch(
        """
        SELECT request_status, requested_by, commit_id, created_by FROM deltashare.requests
        WHERE request_id = $1 ORDER BY version
        """,
        upload.id,
    )
    assert [tuple(row) for row in rows] == [
        ("SUBMITTED", "john.doe@jll.com", COMMIT, CALLER),
        ("SUPERSEDED", "john.doe@jll.com", COMMIT, CALLER),
    ]


async def test_packs_of_others_are_left_alone(portal: Portal, ledger: PostgresLedger) -> None:
    await submitted(ledger, a_plan(), [work_order(THIRD_PACK)])
    before = await state(ledger, THIRD_PACK)
    upload = an_upload()
    await enter(portal, upload)
    await portal.inbox.end(upload.id, UploadStatus.FAILED, "why")
    assert await state(ledger, THIRD_PACK) == before


async def test_a_worker_and_an_upload_of_one_pack_do_not_lose_each_others_word(
    portal: Portal, ledger: PostgresLedger
) -> None:
    work = await submitted(ledger, a_plan(), [work_order()])
    held = await claim(ledger, work[PACK])
    upload = an_upload()
    await asyncio.gather(enter(portal, upload), *(progress(ledger, held, f"step {number}") for number in range(10)))
    assert (await state(ledger)).status is PackStatus.IN_PROGRESS
    await ledger.finish(held, WorkStatus.DONE)
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    assert (await state(ledger)).status is PackStatus.COMPLETED
