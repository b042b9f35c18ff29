"""A rename in place: the versions of the old name go on under the new one, and nobody else's are touched."""

from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import DeleteShare, Operation, Rename
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.recipient import Recipient
from reconciler.core.share import Share
from reconciler.ports.ledger import Claim, Done, NameTakenError, NotDone, OutcomeUnknown, Refused
from tests.adapters.postgres.samples import (
    ANALYST,
    ANALYST_KEY,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    WORKSPACE,
    an_order,
    begin,
    claimed,
    conclude,
    wanted,
)

REVENUE_KEY = share_key("revenue", WORKSPACE)
REVENUE = replace(SALES, name="revenue")
RENAME = Operation(Rename(REVENUE_KEY, "Sales"), REVENUE)


@pytest.fixture
async def held(ledger: PostgresLedger) -> Claim:
    """`sales` is on record."""
    held = await claimed(ledger, an_order(PACK, wanted(REVENUE_KEY, REVENUE)))
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    return held


async def shares(ledger: PostgresLedger) -> dict[Key, int]:
    """The versions of what is on record."""
    state = await ledger.recorded([SALES_KEY, REVENUE_KEY], [PACK])
    return {key: row.version for key, row in state.resources.items()}


async def entities(connection: asyncpg.Connection) -> list[tuple[str, int, bool]]:
    """Every version, one entity after the other, in the order they came to be."""
    rows = await connection.fetch(
        """
        SELECT each.share_name, each.version, each.is_deleted
        FROM deltashare.shares AS each JOIN deltashare.shares AS first USING (share_id)
        WHERE first.version = 1 ORDER BY first.effective_from, each.version
        """
    )
    return [(row["share_name"], row["version"], row["is_deleted"]) for row in rows]


async def test_a_rename_that_went_through_continues_the_versions(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    operation_id = await begin(ledger, held, RENAME)
    assert await shares(ledger) == {SALES_KEY: 1}
    await conclude(ledger, held, operation_id, Done("req-1"))
    assert await shares(ledger) == {REVENUE_KEY: 2}
    assert await entities(connection) == [("sales", 1, False), ("revenue", 2, False)]
    for key in (SALES_KEY, REVENUE_KEY):
        told = [(version.key, version.resource, version.change_reason) for version in await ledger.history(key)]
        assert told == [(SALES_KEY, SALES, "as found"), (REVENUE_KEY, REVENUE, "renamed from sales")]


async def test_the_audit_trail_tells_the_two_names(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    operation_id = await begin(ledger, held, RENAME)
    await conclude(ledger, held, operation_id, Done())
    [row] = await connection.fetch(
        "SELECT * FROM deltashare.audit_trail WHERE entity_type = 'share' AND entity_version = 2"
    )
    assert (row["operation"], row["operation_id"]) == ("UPDATE", operation_id)
    assert (row["old_values"], row["new_values"]) == ('{"share_name": "sales"}', '{"share_name": "revenue"}')


async def test_a_recipient_is_renamed_like_a_share(ledger: PostgresLedger, held: Claim) -> None:
    key = recipient_key("partner", WORKSPACE)
    renamed = Recipient("partner", ANALYST.authentication, email=ANALYST.email, allowed_ips=ANALYST.allowed_ips)
    await ledger.settle(held, ANALYST_KEY, ANALYST, "as found")
    await conclude(ledger, held, await begin(ledger, held, Operation(Rename(key, "analyst"), renamed)), Done())
    assert [(version.key, version.version) for version in await ledger.history(key)] == [(ANALYST_KEY, 1), (key, 2)]


async def test_an_unfinished_rename_stands_under_the_new_name(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await conclude(ledger, held, await begin(ledger, held, RENAME), OutcomeUnknown("timeout"))
    assert (await ledger.recorded([SALES_KEY, REVENUE_KEY], [])).open_intents == {REVENUE_KEY: PACK}
    assert await connection.fetchval("SELECT renamed_from FROM reconciler.operations") == "sales"


async def test_an_unfinished_rename_that_is_found_done_continues_the_versions(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await begin(ledger, held, RENAME)
    await ledger.resolve(held, REVENUE_KEY, REVENUE)
    assert await entities(connection) == [("sales", 1, False), ("revenue", 2, False)]
    assert (await ledger.recorded([], [PACK])).open_intents == {}


async def test_an_unfinished_rename_that_is_found_not_done_leaves_the_old_name(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await begin(ledger, held, RENAME)
    await ledger.resolve(held, REVENUE_KEY, None)
    assert await entities(connection) == [("sales", 1, False)]
    assert (await ledger.recorded([], [PACK])).open_intents == {}


@pytest.mark.parametrize("outcome", [Refused("no privilege"), NotDone("429")])
async def test_a_rename_without_effect_writes_no_version(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim, outcome: Refused | NotDone
) -> None:
    await conclude(ledger, held, await begin(ledger, held, RENAME), outcome)
    assert await entities(connection) == [("sales", 1, False)]


async def test_resolving_another_call_renames_nothing(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await begin(ledger, held, Operation(DeleteShare(REVENUE_KEY), None))
    await ledger.resolve(held, REVENUE_KEY, REVENUE)
    assert await entities(connection) == [("sales", 1, False), ("revenue", 1, False)]


@pytest.mark.parametrize("is_resolved", [True, False])
async def test_a_rename_done_by_hand_continues_the_versions_when_the_old_name_is_given(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim, is_resolved: bool
) -> None:
    for _ in range(2):
        if is_resolved:
            await ledger.resolve(held, REVENUE_KEY, REVENUE, renamed_from="SALES")
        else:
            await ledger.settle(held, REVENUE_KEY, REVENUE, "found renamed", renamed_from="SALES")
    assert await entities(connection) == [("sales", 1, False), ("revenue", 2, False)]


async def test_what_changed_besides_the_name_is_in_the_same_version(ledger: PostgresLedger, held: Claim) -> None:
    changed = replace(REVENUE, comment="all of it")
    await ledger.settle(held, REVENUE_KEY, changed, "found renamed", renamed_from="sales")
    row = (await ledger.recorded([REVENUE_KEY], [])).resources[REVENUE_KEY]
    assert (row.resource, row.version) == (changed, 2)


async def test_a_rename_and_a_move_to_another_pack_are_one_history(ledger: PostgresLedger, held: Claim) -> None:
    other = await claimed(ledger, an_order(OTHER_PACK, wanted(REVENUE_KEY, REVENUE)))
    await conclude(ledger, other, await begin(ledger, other, RENAME), Done())
    assert [version.pack for version in await ledger.history(REVENUE_KEY)] == [PACK, OTHER_PACK]


async def test_a_new_name_that_was_deleted_earlier_keeps_its_own_history(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, REVENUE_KEY, REVENUE, "as found")
    await ledger.settle(held, REVENUE_KEY, None, "gone")
    await conclude(ledger, held, await begin(ledger, held, RENAME), Done())
    assert await entities(connection) == [
        ("sales", 1, False),
        ("revenue", 2, False),
        ("revenue", 1, False),
        ("revenue", 2, True),
    ]
    assert await shares(ledger) == {REVENUE_KEY: 2}
    await ledger.settle(held, REVENUE_KEY, None, "gone")
    await ledger.settle(held, REVENUE_KEY, REVENUE, "back")
    assert (await entities(connection))[:4] == [
        ("sales", 1, False),
        ("revenue", 2, False),
        ("revenue", 3, True),
        ("revenue", 4, False),
    ]


async def test_an_old_name_that_is_deleted_is_not_continued(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, SALES_KEY, None, "gone")
    await ledger.settle(held, REVENUE_KEY, REVENUE, "as found", renamed_from="sales")
    assert await entities(connection) == [("sales", 1, False), ("sales", 2, True), ("revenue", 1, False)]


async def test_a_name_that_was_given_up_can_be_borne_by_others(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    """Ids follow from names, so the next one of a name must not be taken for the one that was renamed."""
    third = replace(SALES, comment="third")
    await ledger.settle(held, REVENUE_KEY, REVENUE, "renamed", renamed_from="sales")
    await ledger.settle(held, SALES_KEY, SALES, "another")
    other = share_key("other", WORKSPACE)
    await ledger.settle(held, other, replace(SALES, name="other"), "renamed", renamed_from="sales")
    await ledger.settle(held, SALES_KEY, third, "a third")
    assert await entities(connection) == [
        ("sales", 1, False),
        ("revenue", 2, False),
        ("sales", 1, False),
        ("other", 2, False),
        ("sales", 1, False),
    ]
    assert await connection.fetchval("SELECT count(DISTINCT share_id) FROM deltashare.shares") == 3
    assert [version.resource for version in await ledger.history(SALES_KEY)][-1] == third


async def test_a_rename_and_back_is_one_history(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, REVENUE_KEY, REVENUE, "renamed", renamed_from="sales")
    await ledger.settle(held, SALES_KEY, SALES, "renamed", renamed_from="revenue")
    assert await entities(connection) == [("sales", 1, False), ("revenue", 2, False), ("sales", 3, False)]


async def test_a_resource_renamed_to_its_own_name_is_as_it_was(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, SALES_KEY, SALES, "as found", renamed_from="sales")
    assert await entities(connection) == [("sales", 1, False)]


async def test_a_name_of_another_workspace_is_not_continued(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    elsewhere = share_key("revenue", "https://adb-2.azuredatabricks.net")
    await ledger.settle(held, elsewhere, REVENUE, "as found", renamed_from="sales")
    assert await entities(connection) == [("sales", 1, False), ("revenue", 1, False)]


async def test_two_resources_on_record_never_become_one(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, REVENUE_KEY, Share("revenue"), "as found")
    before = await connection.fetch("SELECT * FROM deltashare.audit_trail ORDER BY recorded_at")
    words = r"share/sales cannot become share/revenue: both are on record as different shares; .*release share/revenue"
    with pytest.raises(NameTakenError, match=words):
        await begin(ledger, held, RENAME)
    with pytest.raises(NameTakenError, match=words):
        await ledger.settle(held, REVENUE_KEY, REVENUE, "found renamed", renamed_from="sales")
    with pytest.raises(NameTakenError, match=words):
        await ledger.resolve(held, REVENUE_KEY, REVENUE, renamed_from="sales")
    assert await connection.fetch("SELECT * FROM deltashare.audit_trail ORDER BY recorded_at") == before
    assert await connection.fetchval("SELECT count(*) FROM reconciler.operations") == 0
    assert await shares(ledger) == {SALES_KEY: 1, REVENUE_KEY: 1}
