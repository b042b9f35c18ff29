"""API calls as intents and outcomes. The row is there before the call; after it, outcome, version, audit row are one
transaction. Open is a call whose outcome nobody has seen: reading the resource closes it."""

import json
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.calls import call_to_json
from reconciler.adapters.postgres.lease import HELD, hold, lost
from reconciler.adapters.postgres.resources import require_free_name, write_resource
from reconciler.adapters.postgres.versions import Change
from reconciler.core.calls import Operation, Rename
from reconciler.core.key import Key, Kind, normal_name
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import decode_resource, encode_resource
from reconciler.ports.ledger import (
    Claim,
    Done,
    NotDone,
    Outcome,
    OutcomeUnknown,
    PausedError,
    Refused,
    SupersededError,
)

_REASONS = {
    "CreateRecipient": "recipient created",
    "UpdateRecipient": "recipient updated",
    "RotateToken": "token rotated",
    "CreatePolicy": "federation policy created",
    "DeletePolicy": "federation policy deleted",
    "DeleteRecipient": "recipient deleted",
    "CreateShare": "share created",
    "UpdateShare": "share updated",
    "ChangeGrants": "grants changed",
    "DeleteShare": "share deleted",
    "ChangeOwner": "owner changed",
    "Rename": "renamed",
}

#: The fence, the intent, and what forbids the call in one statement: there is one before every call.
_BEGIN: Final = f"""
    WITH held AS MATERIALIZED ({HELD}), intent AS (
        INSERT INTO reconciler.operations (
            work_id, share_pack_id, fence, workspace_url, kind, name, renamed_from, call, after
        )
        SELECT $1, share_pack_id, $2, $4, $5, $6, $7, $8::jsonb, $9::jsonb FROM held
        RETURNING operation_id, share_pack_id
    )
    SELECT operation_id, EXISTS (
        SELECT FROM reconciler.work AS newer
        WHERE newer.share_pack_id = intent.share_pack_id
          AND newer.number > (SELECT number FROM reconciler.work WHERE work_id = $1)
    ) AS is_superseded, (
        SELECT extract(epoch FROM until - clock_timestamp()) FROM reconciler.pauses
        WHERE workspace_url = $4 AND until > clock_timestamp()
    ) AS paused_for
    FROM intent
"""  # noqa: S608 - constants of this program


async def begin(connection: asyncpg.Connection, claim: Claim, operation: Operation) -> UUID:
    """Raising takes the intent back: the transaction is over."""
    renamed_from = normal_name(operation.call.old_name) if isinstance(operation.call, Rename) else ""
    begun = await connection.fetchrow(
        _BEGIN,
        claim.work_id,
        claim.fence,
        claim.worker,
        operation.key.workspace,
        operation.key.kind.value,
        operation.key.name,
        renamed_from,
        json.dumps(call_to_json(operation.call)),
        None if operation.after is None else json.dumps(encode_resource(operation.after)),
    )
    if begun is None:
        raise lost(claim)
    if begun["is_superseded"]:
        raise SupersededError(f"a newer plan wants something else of {claim.order.pack}")
    if begun["paused_for"] is not None:
        raise PausedError(operation.key.workspace, max(float(begun["paused_for"]), 0.0))
    if renamed_from:
        # Found out after the call, it would be too late.
        await require_free_name(connection, operation.key, renamed_from)
    operation_id: UUID = begun["operation_id"]
    return operation_id


async def conclude(connection: asyncpg.Connection, claim: Claim, operation_id: UUID, outcome: Outcome) -> None:
    """Concluding what is concluded changes nothing, so that a worker may repeat it when the answer got lost."""
    share_pack_id = await hold(connection, claim)
    operation = await connection.fetchrow(
        """
        UPDATE reconciler.operations SET
            outcome = $3, reason = $4, code = $5, api_request_id = $6, concluded_at = statement_timestamp()
        WHERE operation_id = $1 AND work_id = $2 AND outcome IN ('begun', 'unknown')
        RETURNING workspace_url, kind, name, renamed_from, call ->> 'call' AS call, after
        """,
        operation_id,
        claim.work_id,
        *_columns(outcome),
    )
    if operation is None or not isinstance(outcome, Done):
        return
    key = Key(Kind(operation["kind"]), operation["name"], operation["workspace_url"])
    after = None if operation["after"] is None else decode_resource(json.loads(operation["after"]))
    renamed_from = operation["renamed_from"]
    reason = f"renamed from {renamed_from}" if renamed_from else _REASONS[operation["call"]]
    change = _change(claim, reason, operation_id)
    await write_resource(connection, key, after, share_pack_id, change, renamed_from)


async def resolve(
    connection: asyncpg.Connection, claim: Claim, key: Key, found: Resource | None, renamed_from: str
) -> None:
    """Finding the new name of an unfinished rename shows that it was done."""
    share_pack_id = await hold(connection, claim)
    closed = await connection.fetch(
        """
        UPDATE reconciler.operations SET outcome = 'resolved', reason = $4, concluded_at = statement_timestamp()
        WHERE workspace_url = $1 AND kind = $2 AND name = $3 AND outcome IN ('begun', 'unknown')
        RETURNING renamed_from
        """,
        key.workspace,
        key.kind.value,
        key.name,
        "read: it is not there" if found is None else "read: it is there",
    )
    change = _change(claim, "an unfinished call was resolved by reading")
    old_name = renamed_from or max((row["renamed_from"] for row in closed), default="")
    await write_resource(connection, key, found, share_pack_id, change, old_name)


async def settle(
    connection: asyncpg.Connection, claim: Claim, key: Key, resource: Resource | None, reason: str, renamed_from: str
) -> None:
    share_pack_id = await hold(connection, claim)
    await write_resource(connection, key, resource, share_pack_id, _change(claim, reason), renamed_from)


def _columns(outcome: Outcome) -> tuple[str, str, str, str]:
    """outcome, reason, code, API request id."""
    match outcome:
        case Done(request_id):
            return "done", "", "", request_id
        case Refused(reason, code, request_id):
            return "refused", reason.replace("\x00", ""), code, request_id
        case NotDone(reason, request_id):
            return "not_done", reason.replace("\x00", ""), "", request_id
        case OutcomeUnknown(reason, request_id):
            return "unknown", reason.replace("\x00", ""), "", request_id


def _change(claim: Claim, reason: str, operation_id: UUID | None = None) -> Change:
    return Change(claim.actor, reason, claim.plan_id, claim.commit, operation_id, claim.order.review)
