"""Packs that are handed in: kept once, whoever comes at once, and on record from when they are in Git, without looking
as if anything had been applied."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.portal import Portal
from reconciler.core.key import PackId
from reconciler.ports.inbox import UploadStatus
from reconciler.ports.ledger import LedgerError, TooNewError
from tests.adapters.postgres.samples import (
    COMMIT,
    OTHER_PACK,
    PACK,
)
from tests.adapters.postgres.uploads import CALLER, an_upload, enter


@pytest.fixture
def portal(ledger: PostgresLedger) -> Portal:
    return ledger.portal()


async def count(connection: asyncpg.Connection, table: str) -> int:
    found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_a_file_is_kept_as_it_came(portal: Portal) -> None:
    upload = replace(an_upload(bytes(range(256))), former_path="sharepacks/old.yaml")
    kept = await portal.inbox.receive(upload)
    assert kept == replace(upload, received_at=kept.received_at)
    assert kept.received_at is not None
    assert await portal.inbox.unfinished(0) == [kept]
    assert await portal.inbox.find(upload.id) == replace(kept, content=b"")


async def test_twenty_at_once_with_the_same_file_are_one_upload(portal: Portal, connection: asyncpg.Connection) -> None:
    uploads = [an_upload() for _ in range(20)]
    kept = await asyncio.gather(*map(portal.inbox.receive, uploads))
    assert len({each.id for each in kept}) == 1
    assert {each.content for each in kept} == {uploads[0].content}
    assert await count(connection, "reconciler.uploads") == 1
    entered = await asyncio.gather(
        *(
            portal.inbox.committed(each, COMMIT, strategy="NEW", share_pack_name=f"name {n}")
            for n, each in enumerate(kept)
        )
    )
    assert len(set(entered)) == 1
    assert await count(connection, "deltashare.share_packs") == 1
    assert await count(connection, "deltashare.requests") == 1


async def test_twenty_at_once_with_packs_of_their_own_are_twenty(
    portal: Portal, connection: asyncpg.Connection
) -> None:
    packs = [PackId.of("New Line", f"Project {number}") for number in range(20)]
    ids = await asyncio.gather(*(enter(portal, an_upload(b"the same", pack)) for pack in packs))
    assert set(ids) == {pack_ids(pack).share_pack for pack in packs}
    assert await count(connection, "reconciler.uploads") == 20
    assert await count(connection, "deltashare.tenants") == 1
    assert await count(connection, "deltashare.projects") == 20


async def test_files_of_one_pack_that_differ_are_all_kept(portal: Portal) -> None:
    contents = [f"version: {number}".encode() for number in range(20)]
    await asyncio.gather(*(portal.inbox.receive(an_upload(content)) for content in contents))
    assert {each.content for each in await portal.inbox.unfinished(0)} == set(contents)


@pytest.mark.parametrize(
    ("ending", "anew", "is_the_same"),
    [
        (None, False, True),
        # It is on its way already.
        (None, True, True),
        (UploadStatus.SUBMITTED, False, True),
        # Git has something else by now.
        (UploadStatus.SUBMITTED, True, False),
        (UploadStatus.FAILED, False, False),
        (UploadStatus.FAILED, True, False),
    ],
)
async def test_the_same_file_again_is_the_same_upload_unless_nothing_came_of_it(
    portal: Portal, ending: UploadStatus | None, anew: bool, is_the_same: bool
) -> None:
    first = await portal.inbox.receive(an_upload())
    if ending is not None:
        await portal.inbox.end(first.id, ending, "why")
    again = await portal.inbox.receive(an_upload(), anew=anew)
    assert (again.id == first.id) == is_the_same
    assert again.content == first.content


async def test_only_the_newest_file_of_a_pack_counts_as_handed_in(portal: Portal) -> None:
    first = await portal.inbox.receive(an_upload(b"one"))
    await portal.inbox.receive(an_upload(b"two"))
    assert (await portal.inbox.receive(an_upload(b"one"))).id != first.id
    assert len(await portal.inbox.uploads(PACK)) == 3


async def test_a_rejected_file_is_kept_without_its_content_and_may_come_again(portal: Portal) -> None:
    upload = replace(an_upload(), reason='[{"Rule": "x"}]')
    await portal.inbox.reject(upload)
    found = await portal.inbox.find(upload.id)
    assert found is not None
    assert (found.status, found.content, found.reason) == (UploadStatus.REJECTED, b"", upload.reason)
    assert await portal.inbox.unfinished(0) == []
    assert (await portal.inbox.receive(an_upload())).status is UploadStatus.RECEIVED


async def test_a_rejected_file_may_say_what_no_database_takes(portal: Portal) -> None:
    strange = "a\x00b\ud800"
    upload = replace(an_upload(pack=PackId.of(strange, strange)), requestor=strange, reason=strange)
    await portal.inbox.reject(upload)
    found = await portal.inbox.find(upload.id)
    assert found is not None
    assert (found.pack.business_line, found.requestor, found.reason) == ("a?b?", "a?b?", "a?b?")


async def test_uploads_of_a_pack_come_newest_first_and_no_more_than_asked_for(portal: Portal) -> None:
    kept = [await portal.inbox.receive(an_upload(content)) for content in (b"1", b"2", b"3")]
    await portal.inbox.receive(an_upload(b"4", OTHER_PACK))
    assert [each.id for each in await portal.inbox.uploads(PACK)] == [each.id for each in reversed(kept)]
    assert [each.id for each in await portal.inbox.uploads(PACK, limit=1)] == [kept[2].id]
    assert {each.content for each in await portal.inbox.uploads(PACK)} == {b""}


async def test_what_has_just_come_is_not_swept_yet(portal: Portal, connection: asyncpg.Connection) -> None:
    older, newer = an_upload(b"1"), an_upload(b"2")
    await portal.inbox.receive(older)
    await portal.inbox.receive(newer)
    assert await portal.inbox.unfinished(60) == []
    await connection.execute(
        "UPDATE reconciler.uploads SET changed_at = changed_at - interval '61 s' WHERE upload_id = $1", older.id
    )
    assert [each.id for each in await portal.inbox.unfinished(60)] == [older.id]


async def test_an_upload_knows_its_pack_from_when_it_is_in_git(portal: Portal) -> None:
    upload = await portal.inbox.receive(an_upload())
    assert upload.share_pack_id is None
    share_pack_id = await enter(portal, upload)
    found = await portal.inbox.find(upload.id)
    assert found is not None
    assert (found.status, found.commit, found.share_pack_id) == (UploadStatus.COMMITTED, COMMIT, share_pack_id)


async def test_what_is_said_again_is_not_written_again(portal: Portal, connection: asyncpg.Connection) -> None:
    upload = an_upload()
    first = await enter(portal, upload)
    before = await count(connection, "deltashare.audit_trail")
    assert await enter(portal, upload) == first
    await portal.inbox.proposed(replace(upload, id=upload.id), COMMIT, 1)
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    ended = await count(connection, "deltashare.audit_trail")
    await portal.inbox.end(upload.id, UploadStatus.FAILED, "too late")
    assert await enter(portal, upload) == first
    found = await portal.inbox.find(upload.id)
    assert found is not None
    assert (found.status, found.reason) == (UploadStatus.SUBMITTED, "")
    assert before < ended == await count(connection, "deltashare.audit_trail")


async def test_a_proposed_pack_is_on_record_as_an_upload_alone(portal: Portal, ledger: PostgresLedger) -> None:
    upload = await portal.inbox.receive(an_upload())
    await portal.inbox.proposed(upload, COMMIT, 7)
    found = await portal.inbox.find(upload.id)
    assert found is not None
    assert (found.status, found.pull_request, found.commit) == (UploadStatus.COMMITTED, 7, COMMIT)
    assert found.share_pack_id is None
    assert await ledger.pack_states() == []
    assert [each.content for each in await portal.inbox.unfinished(0)] == [upload.content]


async def test_the_content_goes_when_the_upload_is_over(portal: Portal, connection: asyncpg.Connection) -> None:
    upload = an_upload()
    await enter(portal, upload)
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    assert await connection.fetchval("SELECT content FROM reconciler.uploads") is None
    assert await portal.inbox.unfinished(0) == []


async def test_every_status_is_audited_with_who_handed_it_in(portal: Portal, connection: asyncpg.Connection) -> None:
    upload = an_upload()
    await enter(portal, upload)
    await portal.inbox.end(upload.id, UploadStatus.SUBMITTED)
    rows = await connection.fetch(
        """
        SELECT entity_version, operation, new_values, actor, commit_id FROM deltashare.audit_trail
        WHERE entity_type = 'upload' AND entity_id = $1 ORDER BY entity_version
        """,
        upload.id,
    )
    told: list[Mapping[str, object]] = [json.loads(row["new_values"]) for row in rows]
    assert [row["operation"] for row in rows] == ["CREATE", "UPDATE", "UPDATE"]
    assert [each["status"] for each in told] == ["received", "committed", "submitted"]
    assert {row["actor"] for row in rows} == {CALLER}
    assert [row["commit_id"] for row in rows] == [None, COMMIT, COMMIT]
    assert {each["digest"] for each in told} == {upload.digest}
    assert not any("content" in each for each in told)
    makers = await connection.fetch("SELECT DISTINCT created_by FROM deltashare.share_packs")
    assert [row["created_by"] for row in makers] == [CALLER]


async def test_an_upload_ends_as_submitted_or_failed_and_only_when_there_is_one(portal: Portal) -> None:
    upload = await portal.inbox.receive(an_upload())
    with pytest.raises(ValueError, match="submitted or failed, not as committed"):
        await portal.inbox.end(upload.id, UploadStatus.COMMITTED)
    with pytest.raises(ValueError, match="receive it first"):
        await portal.inbox.end(uuid4(), UploadStatus.FAILED)
    assert await portal.inbox.find(uuid4()) is None


async def test_a_schema_that_a_newer_program_made_is_not_written(
    portal: Portal, connection: asyncpg.Connection
) -> None:
    upload = await portal.inbox.receive(an_upload())
    revision = await connection.fetchval("SELECT version_num FROM reconciler.alembic_version")
    await connection.execute("UPDATE reconciler.alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(TooNewError):
            await portal.inbox.committed(upload, COMMIT, strategy="NEW", share_pack_name="x")
    finally:
        await connection.execute("UPDATE reconciler.alembic_version SET version_num = $1", revision)
    assert await count(connection, "deltashare.share_packs") == 0


async def test_without_a_database_it_says_so(ledger: PostgresLedger) -> None:
    portal = ledger.portal()
    await ledger.close()
    with pytest.raises(LedgerError):
        await portal.inbox.unfinished(0)
