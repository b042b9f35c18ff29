"""API calls as intents and outcomes. The row is there before the call; after it, outcome, version, audit row are one
transaction, together with the intents of the calls that come next. Open is a call whose outcome nobody has seen:
reading the resource closes it."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.calls import call_to_json
from reconciler.adapters.postgres.lease import HELD, hold, lost
from reconciler.adapters.postgres.packs import Progress, write_progress
from reconciler.adapters.postgres.resources import Found, require_free_name, write_resource, write_resources
from reconciler.adapters.postgres.versions import Cause, Change
from reconciler.core.calls import Operation, Rename
from reconciler.core.key import Key, Kind, normal_name
from reconciler.core.recorded import PackStatus
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

#: The fence, the outcomes of calls that have ended, the intents of the next ones, and what forbids these, in one
#: statement: there is one before every call. What is concluded, or begun, already is left as it is, so that a worker
#: may say it again when the answer got lost.
_ADVANCE: Final = f"""
    WITH held AS MATERIALIZED ({HELD}), concluded AS (
        UPDATE reconciler.operations AS operation SET
            outcome = told.outcome, reason = told.reason, code = told.code, api_request_id = told.request_id,
            concluded_at = statement_timestamp()
        FROM held CROSS JOIN unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[])
            AS told (operation_id, outcome, reason, code, request_id)
        WHERE operation.operation_id = told.operation_id AND operation.work_id = $1
          AND operation.outcome IN ('begun', 'unknown')
        RETURNING operation.operation_id, workspace_url, kind, name, renamed_from, call ->> 'call' AS call, after,
                  operation.outcome, number
    ), begun AS (
        INSERT INTO reconciler.operations (
            operation_id, work_id, share_pack_id, fence, workspace_url, kind, name, renamed_from, call, after
        )
        SELECT (item ->> 'id')::uuid, $1, share_pack_id, $2, item ->> 'workspace', item ->> 'kind', item ->> 'name',
               item ->> 'renamed_from', item -> 'call', nullif(item -> 'after', 'null')
        FROM held CROSS JOIN jsonb_array_elements($9::jsonb) WITH ORDINALITY AS list (item, place) ORDER BY place
        ON CONFLICT (operation_id) DO NOTHING
    )
    SELECT share_pack_id, EXISTS (
        SELECT FROM reconciler.work AS newer
        WHERE newer.share_pack_id = held.share_pack_id
          AND newer.number > (SELECT number FROM reconciler.work WHERE work_id = $1)
    ) AS is_superseded, (
        SELECT to_jsonb(ARRAY[workspace_url, extract(epoch FROM until - clock_timestamp())::text])
        FROM reconciler.pauses WHERE workspace_url = ANY ($10::text[]) AND until > clock_timestamp()
        ORDER BY until DESC LIMIT 1
    ) AS pause, (
        SELECT jsonb_agg(to_jsonb(concluded) ORDER BY number) FROM concluded WHERE outcome = 'done'
    ) AS done
    FROM held
"""  # noqa: S608 - constants of this program


async def advance(
    connection: asyncpg.Connection,
    claim: Claim,
    outcomes: Mapping[UUID, Outcome],
    intents: Mapping[UUID, Operation],
    words: str,
) -> None:
    """Raising takes everything back: the transaction is over."""
    share_pack_id = await conclude(connection, claim, outcomes, intents)
    for operation in intents.values():
        if isinstance(operation.call, Rename):
            # Found out after the call, it would be too late.
            await require_free_name(connection, operation.key, normal_name(operation.call.old_name))
    if words:
        state = Progress(PackStatus.IN_PROGRESS, words)
        await write_progress(connection, {share_pack_id: state}, _change(claim, words))


async def conclude(
    connection: asyncpg.Connection,
    claim: Claim,
    outcomes: Mapping[UUID, Outcome],
    intents: Mapping[UUID, Operation] | None = None,
) -> UUID:
    """The id of the claim's pack, whose lease stays locked until the transaction ends. Raises FenceLostError and, of
    intents, SupersededError and PausedError."""
    begun = [_intent(operation_id, operation) for operation_id, operation in (intents or {}).items()]
    told = [(operation_id, *_columns(outcome)) for operation_id, outcome in outcomes.items()]
    row = await connection.fetchrow(
        _ADVANCE,
        claim.work_id,
        claim.fence,
        claim.worker,
        *([each[column] for each in told] for column in range(5)),
        json.dumps(begun),
        sorted({operation.key.workspace for operation in (intents or {}).values()}),
    )
    if row is None:
        raise lost(claim)
    share_pack_id: UUID = row["share_pack_id"]
    if begun and row["is_superseded"]:
        raise SupersededError(f"a newer plan wants something else of {claim.order.pack}")
    if row["pause"] is not None:
        workspace, seconds = json.loads(row["pause"])
        raise PausedError(workspace, max(float(seconds), 0.0))
    if row["done"] is not None:
        found = [_found(done) for done in json.loads(row["done"])]
        await write_resources(connection, found, share_pack_id, _change(claim, "an API call went through"))
    return share_pack_id


def _found(done: Mapping[str, Any]) -> Found:
    renamed_from = done["renamed_from"]
    return Found(
        Key(Kind(done["kind"]), done["name"], done["workspace_url"]),
        None if done["after"] is None else decode_resource(done["after"]),
        renamed_from,
        Cause(f"renamed from {renamed_from}" if renamed_from else _REASONS[done["call"]], UUID(done["operation_id"])),
    )


def _intent(operation_id: UUID, operation: Operation) -> Mapping[str, object]:
    call, key = operation.call, operation.key
    return {
        "id": str(operation_id),
        "workspace": key.workspace,
        "kind": key.kind.value,
        "name": key.name,
        "renamed_from": normal_name(call.old_name) if isinstance(call, Rename) else "",
        "call": call_to_json(call),
        "after": None if operation.after is None else encode_resource(operation.after),
    }


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


def _change(claim: Claim, reason: str) -> Change:
    return Change(claim.actor, reason, claim.plan_id, claim.commit, review=claim.order.review)
