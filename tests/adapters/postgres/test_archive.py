"""The record as people ask for it: pages without gaps, versions, tenancies and what happened in order, each narrowed to
the business lines that may be seen."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.connection import STATEMENT_SECONDS
from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus
from reconciler.core.share import Share
from reconciler.core.tenant import Tenant
from reconciler.ports.archive import Archive, Filter, Happening
from reconciler.ports.ledger import WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST,
    ANALYST_KEY,
    COMMIT,
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    claimed,
    progress,
    work_order,
)
from tests.adapters.postgres.uploads import an_upload, enter

SALES_LINE = frozenset({PACK.business_line_key})


@pytest.fixture
def archive(ledger: PostgresLedger) -> Archive:
    return ledger.portal().archive


@pytest.fixture
async def three(ledger: PostgresLedger) -> PostgresLedger:
    """Two packs of one business line and one of another."""
    await ledger.submit(a_plan(), [work_order(pack) for pack in (PACK, OTHER_PACK, THIRD_PACK)])
    return ledger


async def listed(archive: Archive, narrowed: Filter) -> list[PackId]:
    page = await archive.packs(narrowed)
    assert page.total == len(page.packs)
    assert page.next is None
    return [state.pack for state in page.packs]


async def test_packs_come_by_business_line_and_project(three: PostgresLedger, archive: Archive) -> None:
    assert await listed(archive, Filter()) == [THIRD_PACK, PACK, OTHER_PACK]
    assert (await archive.packs(Filter())).packs == sorted(await three.pack_states(), key=lambda each: each.pack)


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        (Filter(lines=SALES_LINE), [PACK, OTHER_PACK]),
        (Filter(lines=frozenset()), []),
        (Filter(business_line=" sales  OPERATIONS "), [PACK, OTHER_PACK]),
        (Filter(business_line="legal", lines=SALES_LINE), []),
        (Filter(status=PackStatus.IN_PROGRESS), [THIRD_PACK, PACK, OTHER_PACK]),
        (Filter(status=PackStatus.FAILED), []),
        (Filter(workspace=f"{WORKSPACE.upper()}/"), [THIRD_PACK, PACK, OTHER_PACK]),
        (Filter(workspace="https://adb-2.azuredatabricks.net"), []),
        (Filter(text="q1"), [PACK]),
        (Filter(text="CONTRACTS.yaml"), [THIRD_PACK]),
        (Filter(text="sharepack_JOHN"), [THIRD_PACK, PACK, OTHER_PACK]),
        (Filter(text="john.doe@"), [THIRD_PACK, PACK, OTHER_PACK]),
        # No pattern of any kind.
        (Filter(text="q_"), []),
        (Filter(text="%"), []),
        (Filter(text="sales q", lines=frozenset({"legal"})), []),
    ],
)
async def test_a_list_is_narrowed(
    three: PostgresLedger, archive: Archive, narrowed: Filter, expected: list[PackId]
) -> None:
    assert await listed(archive, narrowed) == expected


@pytest.mark.parametrize("strange", ["\x00", "\ud800", "." * 5000])
async def test_whatever_is_asked_for_is_not_there_and_nothing_breaks(
    three: PostgresLedger, archive: Archive, strange: str
) -> None:
    asked = f"sales{strange}"
    for narrowed in (Filter(text=asked), Filter(business_line=asked), Filter(workspace=asked)):
        assert await listed(archive, narrowed) == []
    assert await archive.projects(None, asked) == []
    assert await archive.share_versions(None, recipient=asked, object_name=asked) == []
    assert await archive.recipients_at([asked], None) == {}
    assert await archive.happenings(10**30, None) == ()


async def test_a_removed_pack_is_in_no_list_but_found_by_its_id(three: PostgresLedger, archive: Archive) -> None:
    await three.submit(a_plan(NEXT_COMMIT), [an_order(PACK, removed=True)])
    assert await listed(archive, Filter(lines=SALES_LINE)) == [OTHER_PACK]
    found = await archive.pack(pack_ids(PACK).share_pack)
    assert found is not None
    assert found.is_deleted
    assert await archive.pack(pack_ids(PackId.of("No", "Such")).share_pack) is None


async def test_pages_have_no_gap_and_nothing_twice_while_packs_come(ledger: PostgresLedger, archive: Archive) -> None:
    def packs(*numbers: int) -> list[PackId]:
        return [PackId.of(f"Line {number % 3}", f"Projet n\N{MIDDLE DOT}{number:03}") for number in numbers]

    first = packs(*range(0, 60, 2))
    await ledger.submit(a_plan(), [an_order(pack) for pack in first])
    found: list[PackId] = []
    after, begun = "", 1
    while True:
        page = await archive.packs(Filter(), after, 7)
        found += [state.pack for state in page.packs]
        await ledger.submit(a_plan(), [an_order(pack) for pack in packs(begun, 60 - begun)])
        begun += 2
        if page.next is None:
            break
        assert len(page.packs) == 7
        after = page.next
    assert found == sorted(set(found))
    assert set(first) <= set(found)


async def test_the_last_page_has_no_next(three: PostgresLedger, archive: Archive) -> None:
    first = await archive.packs(Filter(), limit=2)
    assert (first.total, len(first.packs)) == (3, 2)
    assert first.next is not None
    last = await archive.packs(Filter(), first.next, limit=2)
    assert (last.total, [state.pack for state in last.packs], last.next) == (3, [OTHER_PACK], None)


@pytest.mark.parametrize(
    "after",
    ["x", "W10=", "bnVsbA==", "WyJhIl0=", "WzEsIDJd", "WyJcdWQ4MDAiLCAiYSJd", "WyJcdTAwMDAiLCAiYSJd", "é", "[" * 9],
)
async def test_what_no_page_gave_is_refused(archive: Archive, after: str) -> None:
    with pytest.raises(ValueError, match="no page of packs ends at"):
        await archive.packs(Filter(), after)


async def test_the_versions_of_a_pack_tell_what_changed_by_whom(ledger: PostgresLedger, archive: Archive) -> None:
    await ledger.finish(await claimed(ledger), WorkStatus.DONE)
    versions = await archive.pack_versions(pack_ids(PACK).share_pack)
    assert [(each.version, each.values["share_pack_status"]) for each in versions] == [
        (1, "IN_PROGRESS"),
        (2, "COMPLETED"),
    ]
    first, last = versions
    assert first.effective_to == last.effective_from
    assert last.effective_to is None
    assert {each.commit for each in versions} == {COMMIT}
    assert (first.created_by, first.change_reason) == ("john.doe@jll.com", "submitted")
    assert first.values["config"] == {"metadata": {"project_name": "Sales Q1"}}
    assert not {name for each in versions for name in each.values if name.endswith("_id")} - {
        "commit_id",
        "applied_commit_id",
    }
    assert await archive.pack_versions(pack_ids(THIRD_PACK).share_pack) == []


async def test_tenants_and_projects_are_listed_with_their_versions(ledger: PostgresLedger, archive: Archive) -> None:
    await ledger.submit(a_plan(), [an_order(pack) for pack in (OTHER_PACK, PACK, THIRD_PACK)])
    tenant = Tenant("Sales Operations", {}, "owner@jll.com")
    await ledger.submit(a_plan(NEXT_COMMIT), [replace(an_order(PACK), tenant=tenant)])
    [legal, sales] = await archive.tenants(None)
    assert (legal.name, sales.name, sales.business_line) == ("Legal", "Sales Operations", "Sales Operations")
    assert sales.values["owner"] == "owner@jll.com"
    assert [(each.name, each.business_line) for each in await archive.projects(None)] == [
        ("Contracts", "Legal"),
        ("Sales Q1", "Sales Operations"),
        ("Sales Q2", "Sales Operations"),
    ]
    versions = await archive.tenancy_versions(sales.id)
    assert [(each.values["owner"], each.commit) for each in versions] == [
        (None, COMMIT),
        ("owner@jll.com", NEXT_COMMIT),
    ]
    assert sales.since == versions[1].effective_from
    [project] = await archive.projects(None, "legal")
    assert [each.values["project_name"] for each in await archive.tenancy_versions(project.id)] == ["Contracts"]
    assert await archive.tenancy_versions(pack_ids(PACK).share_pack) == []


async def test_other_lines_tenants_and_projects_are_hidden(three: PostgresLedger, archive: Archive) -> None:
    assert [each.name for each in await archive.tenants(SALES_LINE)] == ["Sales Operations"]
    assert [each.name for each in await archive.projects(SALES_LINE)] == ["Sales Q1", "Sales Q2"]
    assert await archive.projects(SALES_LINE, "Legal") == []
    assert await archive.tenants(frozenset()) == []


async def test_the_keys_of_a_pack_are_all_it_ever_had(ledger: PostgresLedger, archive: Archive) -> None:
    held = await claimed(ledger)
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.settle(held, ANALYST_KEY, ANALYST, "as found")
    gone, renamed = share_key("gone", WORKSPACE), recipient_key("analyst_2", WORKSPACE)
    await ledger.settle(held, gone, Share("gone"), "as found")
    await ledger.settle(held, gone, None, "as found")
    await ledger.settle(held, renamed, Recipient("Analyst_2", TokenSharing()), "renamed", renamed_from="analyst")
    assert list(await archive.pack_keys(PACK)) == [ANALYST_KEY, renamed, gone, SALES_KEY]
    assert await archive.pack_keys(OTHER_PACK) == []


async def test_all_sixteen_tables_are_counted(archive: Archive, connection: asyncpg.Connection) -> None:
    assert await archive.tables() == 16
    await connection.execute("ALTER TABLE deltashare.users RENAME TO users_of_old")
    try:
        assert await archive.tables() == 15
    finally:
        await connection.execute("ALTER TABLE deltashare.users_of_old RENAME TO users")


async def told(archive: Archive, after: int, lines: frozenset[str] | None = None) -> list[tuple[PackId, str]]:
    return [(each.state.pack, each.state.provisioning_status) for each in await archive.happenings(after, lines)]


async def test_what_happens_to_a_pack_is_told_in_order_as_it_was_then(ledger: PostgresLedger, archive: Archive) -> None:
    start = await archive.newest_happening()
    held = await claimed(ledger)
    await progress(ledger, held, "Creating shares...")
    await ledger.finish(held, WorkStatus.DONE)
    assert await told(archive, start) == [
        (PACK, "Waiting for a worker"),
        (PACK, "Creating shares..."),
        (PACK, "All resources provisioned successfully"),
    ]
    happenings = await archive.happenings(start, None)
    assert [each.number for each in happenings] == sorted({each.number for each in happenings})
    assert [each.at for each in happenings] == [each.state.last_updated for each in happenings]
    assert {each.state.created_at for each in happenings} == {happenings[0].at}
    assert await archive.newest_happening() == happenings[-1].number
    assert await archive.happenings(happenings[0].number, None) == happenings[1:]
    assert [each.number for each in await archive.happenings(start, None, limit=2)] == [
        each.number for each in happenings[:2]
    ]


async def test_from_now_on_is_nothing_yet_and_then_all_that_comes(three: PostgresLedger, archive: Archive) -> None:
    assert await archive.happenings(0, None) == ()
    now = await archive.newest_happening()
    assert await archive.happenings(now, None) == []
    await three.finish(await claimed(three), WorkStatus.DONE)
    assert [pack for pack, _ in await told(archive, now)] == [PACK]


async def test_where_nothing_has_happened_yet_the_first_is_heard(ledger: PostgresLedger, archive: Archive) -> None:
    before = await archive.newest_happening()
    assert before > 0
    await ledger.submit(a_plan(), [an_order()])
    assert [pack for pack, _ in await told(archive, before)] == [PACK]


async def test_what_happens_in_other_lines_is_hidden(ledger: PostgresLedger, archive: Archive) -> None:
    before = await archive.newest_happening()
    await ledger.submit(a_plan(), [work_order(pack) for pack in (THIRD_PACK, PACK)])
    assert [pack for pack, _ in await told(archive, before, SALES_LINE)] == [PACK]
    assert await told(archive, before, frozenset()) == []


async def test_what_is_committed_late_is_heard_late_and_not_missed(
    ledger: PostgresLedger, archive: Archive, connection: asyncpg.Connection
) -> None:
    """A version is written, then another by somebody else, who commits first."""
    await ledger.submit(a_plan(), [work_order(PACK), work_order(OTHER_PACK)])
    start = await archive.newest_happening()
    late = connection.transaction()
    await late.start()
    await connection.execute(_SAY, pack_ids(PACK).share_pack, "late")
    await progress(ledger, await claimed(ledger, work_order(OTHER_PACK)), "first")
    heard: Sequence[Happening] = await archive.happenings(start, None)
    assert [each.state.provisioning_status for each in heard][-1] == "first"
    assert PACK not in {each.state.pack for each in heard}
    await late.commit()
    assert await told(archive, heard[-1].number) == [(PACK, "late")]


async def test_a_listener_among_many_writers_hears_everything_once(
    ledger: PostgresLedger, archive: Archive, connection: asyncpg.Connection
) -> None:
    packs = [PackId.of("Busy", f"Project {number}") for number in range(12)]
    start = await archive.newest_happening()
    heard: list[Happening] = []

    async def write(pack: PackId) -> None:
        upload = an_upload(pack=pack)
        await enter(ledger.portal(), upload)
        held = await claimed(ledger, work_order(pack))
        for number in range(3):
            await progress(ledger, held, f"step {number}")
        await ledger.finish(held, WorkStatus.DONE)

    async def listen() -> None:
        async with asyncio.timeout(STATEMENT_SECONDS):
            while sum(each.state.status is PackStatus.COMPLETED for each in heard) < len(packs):
                after = heard[-1].number if heard else start
                heard.extend(await archive.happenings(after, None, limit=5))

    await asyncio.gather(listen(), *map(write, packs))
    rows = await connection.fetchval("SELECT count(*) FROM deltashare.share_packs")
    assert len(heard) == len({each.number for each in heard}) == rows
    for pack in packs:
        moments = [each.at for each in heard if each.state.pack == pack]
        assert moments == sorted(moments)


async def test_a_transaction_that_comes_to_nothing_is_not_heard(
    ledger: PostgresLedger, archive: Archive, connection: asyncpg.Connection
) -> None:
    await ledger.submit(a_plan(), [an_order(PACK)])
    start = await archive.newest_happening()
    undone = connection.transaction()
    await undone.start()
    await connection.execute(_SAY, pack_ids(PACK).share_pack, "never")
    await undone.rollback()
    assert await archive.happenings(start, None) == []


#: A next version of a pack, by hand.
_SAY = """
    WITH closed AS (
        UPDATE deltashare.share_packs SET is_current = false, effective_to = statement_timestamp()
        WHERE share_pack_id = $1 AND is_current RETURNING *
    )
    INSERT INTO deltashare.share_packs (
        share_pack_id, share_pack_name, tenant_id, project_id, requested_by, strategy, file_path, file_format,
        workspace_url, region, config, config_digest, commit_id, share_pack_status, provisioning_status, version,
        effective_from, created_by
    )
    SELECT share_pack_id, share_pack_name, tenant_id, project_id, requested_by, strategy, file_path, file_format,
           workspace_url, region, config, config_digest, commit_id, share_pack_status, $2, version + 1,
           effective_to, 'test'
    FROM closed
"""
