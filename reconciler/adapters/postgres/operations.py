"""API calls as intents and outcomes. The row is there before the call; after it, outcome, version, audit row are one
transaction. Open is a call whose outcome nobody has seen: reading the resource closes it."""

import json
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.lease import hold
from reconciler.adapters.postgres.orders import call_to_json, resource_from_json, resource_to_json
from reconciler.adapters.postgres.resources import write_resource
from reconciler.adapters.postgres.versions import Change
from reconciler.core.calls import Operation
from reconciler.core.key import Key, Kind
from reconciler.core.resource import Resource
from reconciler.ports.ledger import Claim, Done, NotDone, Outcome, OutcomeUnknown, Refused

_REASONS = {
    "CreateRecipient": "recipient created",
    "UpdateRecipient": "recipient updated",
    "DeleteRecipient": "recipient deleted",
    "CreateShare": "share created",
    "UpdateShare": "share updated",
    "ChangeGrants": "grants changed",
    "DeleteShare": "share deleted",
}


async def begin(connection: asyncpg.Connection, claim: Claim, operation: Operation) -> UUID:
    share_pack_id = await hold(connection, claim)
    after = resource_to_json(operation.after)
    operation_id: UUID = await connection.fetchval(
        """
        INSERT INTO reconciler.operations (work_id, share_pack_id, fence, workspace_url, kind, name, call, after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING operation_id
        """,
        claim.work_id,
        share_pack_id,
        claim.fence,
        operation.key.workspace,
        operation.key.kind.value,
        operation.key.name,
        json.dumps(call_to_json(operation.call)),
        None if after is None else json.dumps(after),
    )
    return operation_id


async def conclude(connection: asyncpg.Connection, claim: Claim, operation_id: UUID, outcome: Outcome) -> None:
    """Concluding what is concluded changes nothing, so that a worker may repeat it when the answer got lost."""
    share_pack_id = await hold(connection, claim)
    operation = await connection.fetchrow(
        """
        UPDATE reconciler.operations SET
            outcome = $3, reason = $4, code = $5, api_request_id = $6, concluded_at = statement_timestamp()
        WHERE operation_id = $1 AND work_id = $2 AND outcome IN ('begun', 'unknown')
        RETURNING workspace_url, kind, name, call ->> 'call' AS call, after
        """,
        operation_id,
        claim.work_id,
        *_columns(outcome),
    )
    if operation is None or not isinstance(outcome, Done):
        return
    key = Key(Kind(operation["kind"]), operation["name"], operation["workspace_url"])
    after = None if operation["after"] is None else resource_from_json(json.loads(operation["after"]))
    change = _change(claim, _REASONS[operation["call"]], operation_id)
    await write_resource(connection, key, after, share_pack_id, change)


async def resolve(connection: asyncpg.Connection, claim: Claim, key: Key, found: Resource | None) -> None:
    share_pack_id = await hold(connection, claim)
    await connection.execute(
        """
        UPDATE reconciler.operations SET outcome = 'resolved', reason = $4, concluded_at = statement_timestamp()
        WHERE workspace_url = $1 AND kind = $2 AND name = $3 AND outcome IN ('begun', 'unknown')
        """,
        key.workspace,
        key.kind.value,
        key.name,
        "read: it is not there" if found is None else "read: it is there",
    )
    change = _change(claim, "an unfinished call was resolved by reading")
    await write_resource(connection, key, found, share_pack_id, change)


async def settle(
    connection: asyncpg.Connection, claim: Claim, key: Key, resource: Resource | None, reason: str
) -> None:
    share_pack_id = await hold(connection, claim)
    await write_resource(connection, key, resource, share_pack_id, _change(claim, reason))


def _columns(outcome: Outcome) -> tuple[str, str, str, str]:
    """outcome, reason, code, API request id."""
    match outcome:
        case Done(request_id):
            return "done", "", "", request_id
        case Refused(reason, code, request_id):
            return "refused", reason.replace("\x00", ""), code, request_id
        case NotDone(reason):
            return "not_done", reason.replace("\x00", ""), "", ""
        case OutcomeUnknown(reason):
            return "unknown", reason.replace("\x00", ""), "", ""


def _change(claim: Claim, reason: str, operation_id: UUID | None = None) -> Change:
    return Change(claim.actor, reason, claim.plan_id, claim.commit, operation_id)
