"""Intent before the call, outcome after it, and what is true now in the same transaction."""

import json
from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import ChangeGrants, CreateRecipient, CreateShare, DeleteShare, Operation, UpdateShare
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.ports.ledger import Claim, Done, NotDone, OutcomeUnknown, Refused, WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST,
    ANALYST_KEY,
    COMMIT,
    NEXT_COMMIT,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    a_plan,
    an_order,
    begin,
    claim,
    claimed,
    conclude,
    wanted,
)

CREATE = Operation(CreateRecipient(ANALYST_KEY, TokenSharing(), ("10.0.0.0/8",)), ANALYST)


@pytest.fixture
async def held(ledger: PostgresLedger) -> Claim:
    return await claimed(ledger, an_order(PACK, wanted(ANALYST_KEY, ANALYST), wanted(SALES_KEY, SALES)))


async def resource(ledger: PostgresLedger, key: Key) -> Resource | None:
    row = (await ledger.recorded([key], [])).resources.get(key)
    return None if row is None else row.resource


async def test_an_intent_is_open_until_its_outcome_is_known(ledger: PostgresLedger, held: Claim) -> None:
    operation_id = await begin(ledger, held, CREATE)
    assert (await ledger.recorded([ANALYST_KEY], [])).open_intents == {ANALYST_KEY: PACK}
    assert (await ledger.recorded([], [PACK])).open_intents == {ANALYST_KEY: PACK}
    assert (await ledger.recorded([SALES_KEY], [OTHER_PACK])).open_intents == {}
    await conclude(ledger, held, operation_id, Done("req-1"))
    assert (await ledger.recorded([ANALYST_KEY], [PACK])).open_intents == {}


async def test_done_writes_outcome_version_and_audit_row(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    operation_id = await begin(ledger, held, CREATE)
    assert await resource(ledger, ANALYST_KEY) is None
    await conclude(ledger, held, operation_id, Done("req-1"))
    state = await ledger.recorded([ANALYST_KEY], [])
    row = state.resources[ANALYST_KEY]
    assert (row.resource, row.pack, row.version, row.commit) == (ANALYST, PACK, 1, COMMIT)
    [operation] = await connection.fetch("SELECT outcome, api_request_id, call FROM reconciler.operations")
    assert (operation["outcome"], operation["api_request_id"]) == ("done", "req-1")
    assert json.loads(operation["call"]) == {
        "call": "CreateRecipient",
        "authentication": "D2O",
        "allowed_ips": ["10.0.0.0/8"],
    }
    [audit] = await connection.fetch("SELECT * FROM deltashare.audit_trail WHERE entity_type = 'recipient'")
    assert (audit["operation"], audit["operation_id"], audit["plan_id"]) == ("CREATE", operation_id, held.plan_id)


@pytest.mark.parametrize("outcome", [Refused("no privilege", "PERMISSION_DENIED", "req-2"), NotDone("429")])
async def test_a_call_without_effect_closes_the_intent_and_writes_no_version(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim, outcome: Refused | NotDone
) -> None:
    await conclude(ledger, held, await begin(ledger, held, CREATE), outcome)
    state = await ledger.recorded([ANALYST_KEY], [PACK])
    assert (state.resources, state.open_intents) == ({}, {})
    assert await connection.fetchval("SELECT reason FROM reconciler.operations") == outcome.reason


async def test_an_unknown_outcome_stays_open(ledger: PostgresLedger, held: Claim) -> None:
    await conclude(ledger, held, await begin(ledger, held, CREATE), OutcomeUnknown("timeout"))
    state = await ledger.recorded([ANALYST_KEY], [PACK])
    assert (dict(state.resources), state.open_intents) == ({}, {ANALYST_KEY: PACK})


async def test_concluding_twice_is_concluding_once(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    operation_id = await begin(ledger, held, CREATE)
    await conclude(ledger, held, operation_id, Done("req-1"))
    await conclude(ledger, held, operation_id, Refused("already exists"))
    await conclude(ledger, held, operation_id, Done("req-2"))
    rows = await connection.fetch("SELECT outcome, api_request_id FROM reconciler.operations")
    assert [tuple(row) for row in rows] == [("done", "req-1")]
    assert await connection.fetchval("SELECT count(*) FROM deltashare.recipients") == 1


async def test_an_unknown_outcome_can_still_become_known(ledger: PostgresLedger, held: Claim) -> None:
    operation_id = await begin(ledger, held, CREATE)
    await conclude(ledger, held, operation_id, OutcomeUnknown("timeout"))
    await conclude(ledger, held, operation_id, Done("req-1"))
    assert await resource(ledger, ANALYST_KEY) == ANALYST


async def test_after_a_crash_the_next_worker_sees_the_open_intent_and_resolves_it(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await begin(ledger, held, CREATE)
    await connection.execute("UPDATE reconciler.leases SET expires_at = clock_timestamp()")
    next_claim = await claim(ledger, held.work_id, worker="worker-2")
    assert (await ledger.recorded([ANALYST_KEY], [])).open_intents == {ANALYST_KEY: PACK}
    await ledger.resolve(next_claim, ANALYST_KEY, ANALYST)
    state = await ledger.recorded([ANALYST_KEY], [])
    assert (state.open_intents, state.resources[ANALYST_KEY].resource) == ({}, ANALYST)


async def test_resolving_what_never_came_to_be_only_closes_the_intent(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await begin(ledger, held, CREATE)
    await ledger.resolve(held, ANALYST_KEY, None)
    state = await ledger.recorded([ANALYST_KEY], [PACK])
    assert (state.resources, state.open_intents) == ({}, {})
    assert await connection.fetchval("SELECT count(*) FROM deltashare.recipients") == 0


async def test_resolving_a_deletion_that_went_through_closes_the_rows(ledger: PostgresLedger, held: Claim) -> None:
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await begin(ledger, held, Operation(DeleteShare(SALES_KEY), None))
    await ledger.resolve(held, SALES_KEY, None)
    assert await resource(ledger, SALES_KEY) is None


async def test_each_call_of_several_is_a_version_of_its_own(ledger: PostgresLedger, held: Claim) -> None:
    empty = replace(SALES, objects=frozenset(), recipients=frozenset())
    filled = replace(SALES, recipients=frozenset())
    added = UpdateShare(SALES_KEY, add=(SharedObject("prod.sales.orders", ObjectType.TABLE),))
    for operation in (
        Operation(CreateShare(SALES_KEY, "Q1"), empty),
        Operation(added, filled),
        Operation(ChangeGrants(SALES_KEY, grant=("analyst",)), SALES),
    ):
        await conclude(ledger, held, await begin(ledger, held, operation), Done())
    history = await ledger.history(SALES_KEY)
    assert [version.resource for version in history] == [empty, filled, SALES]
    assert [version.change_reason for version in history] == ["share created", "share updated", "grants changed"]


async def test_settling_what_is_recorded_writes_nothing(ledger: PostgresLedger, held: Claim) -> None:
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    assert len(await ledger.history(SALES_KEY)) == 1


async def test_a_recipient_deleted_and_made_again_continues_its_versions(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, ANALYST_KEY, ANALYST, "as found")
    await ledger.settle(held, ANALYST_KEY, None, "as found")
    assert await resource(ledger, ANALYST_KEY) is None
    await ledger.settle(held, ANALYST_KEY, replace(ANALYST, comment="again"), "as found")
    history = await ledger.history(ANALYST_KEY)
    assert [(version.version, version.resource is None) for version in history] == [(1, False), (2, True), (3, False)]
    assert await connection.fetchval("SELECT count(DISTINCT recipient_id) FROM deltashare.recipients") == 1


async def test_forgetting_what_was_never_recorded_writes_nothing(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, ANALYST_KEY, None, "as found")
    assert await connection.fetchval("SELECT count(*) FROM deltashare.recipients") == 0


async def test_a_resource_handed_over_is_a_version_for_the_other_pack(ledger: PostgresLedger, held: Claim) -> None:
    await ledger.settle(held, ANALYST_KEY, ANALYST, "as found")
    await ledger.finish(held, WorkStatus.DONE)
    other = await claimed(ledger, an_order(OTHER_PACK, wanted(ANALYST_KEY, ANALYST)))
    await ledger.settle(other, ANALYST_KEY, ANALYST, "as found")
    state = await ledger.recorded([ANALYST_KEY], [])
    assert (state.resources[ANALYST_KEY].pack, state.resources[ANALYST_KEY].version) == (OTHER_PACK, 2)
    assert [version.pack for version in await ledger.history(ANALYST_KEY)] == [PACK, OTHER_PACK]


async def test_a_commit_is_recorded_where_there_was_none(ledger: PostgresLedger) -> None:
    order = an_order(PACK, wanted(SALES_KEY, SALES))
    for commit, expected in (("", ""), (COMMIT, COMMIT), (NEXT_COMMIT, COMMIT)):
        held = await claimed(ledger, order, plan=a_plan(commit))
        await ledger.settle(held, SALES_KEY, SALES, "as found")
        await ledger.finish(held, WorkStatus.DONE)
        assert (await ledger.recorded([SALES_KEY], [])).resources[SALES_KEY].commit == expected


@pytest.mark.parametrize(
    "share",
    [
        Share("sales"),
        Share("sales", comment="", objects=frozenset(), recipients=frozenset()),
        Share("sales", objects=frozenset({SharedObject("a.b", UNMANAGED), SharedObject("a.b", ObjectType.SCHEMA)})),
    ],
    ids=["unmanaged", "cleared", "types"],
)
async def test_unmanaged_and_cleared_fields_come_back_as_they_were(
    ledger: PostgresLedger, held: Claim, share: Share
) -> None:
    await conclude(ledger, held, await begin(ledger, held, Operation(CreateShare(SALES_KEY), share)), Done())
    assert await resource(ledger, SALES_KEY) == share


async def test_nothing_of_a_resource_is_lost_for_any_kind_of_recipient(ledger: PostgresLedger, held: Claim) -> None:
    bare = Recipient("analyst", TokenSharing())
    await ledger.settle(held, ANALYST_KEY, bare, "as found")
    assert await resource(ledger, ANALYST_KEY) == bare


async def test_a_resource_under_another_name_is_a_mistake(ledger: PostgresLedger, held: Claim) -> None:
    with pytest.raises(ValueError, match="share/sales: the resource is called other"):
        await ledger.settle(held, SALES_KEY, Share("other"), "as found")
