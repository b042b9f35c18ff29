"""API calls as intents and outcomes. The row is there before the call; after it, outcome, version, audit row are one
transaction, together with the intents of the calls that come next. Open is a call whose outcome nobody has seen:
reading the resource closes it."""

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.calls import call_to_json
from reconciler.adapters.postgres.conditions import SUPERSEDED
from reconciler.adapters.postgres.lease import ALL_HELD, hold, lost
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

#: Of several claims: the fence, the outcomes of calls that have ended, the intents of the next ones, and what forbids
#: these, in one statement: there is one before every call. What is concluded, or begun, already is left as it is, so
#: that a worker may say it again when the answer got lost.
_ADVANCE: Final = f"""
    WITH held AS MATERIALIZED ({ALL_HELD}), concluded AS (
        UPDATE reconciler.operations AS operation SET
            outcome = told.outcome, reason = told.reason, code = told.code, api_request_id = told.request_id,
            concluded_at = statement_timestamp()
        FROM held JOIN unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS told (work_id, operation_id, outcome, reason, code, request_id) USING (work_id)
        WHERE operation.operation_id = told.operation_id AND operation.work_id = held.work_id
          AND operation.outcome IN ('begun', 'unknown')
        RETURNING operation.operation_id, operation.work_id, workspace_url, kind, name, renamed_from,
                  call ->> 'call' AS call, after, operation.outcome, number
    ), begun AS (
        INSERT INTO reconciler.operations (
            operation_id, work_id, share_pack_id, fence, workspace_url, kind, name, renamed_from, call, after
        )
        SELECT (item ->> 'id')::uuid, held.work_id, share_pack_id, held.fence, item ->> 'workspace', item ->> 'kind',
               item ->> 'name', item ->> 'renamed_from', item -> 'call', nullif(item -> 'after', 'null')
        FROM jsonb_array_elements($8::jsonb) WITH ORDINALITY AS list (item, place)
        JOIN held ON held.work_id = (item ->> 'work_id')::uuid ORDER BY place
        ON CONFLICT (operation_id) DO NOTHING
    )
    SELECT held.work_id, held.share_pack_id, (
        SELECT {SUPERSEDED} FROM reconciler.work WHERE work.work_id = held.work_id
    ) AS is_superseded, (
        SELECT to_jsonb(ARRAY[workspace_url, extract(epoch FROM until - clock_timestamp())::text])
        FROM reconciler.pauses WHERE workspace_url = ANY ($9::text[]) AND until > clock_timestamp()
        ORDER BY until DESC LIMIT 1
    ) AS pause, (
        SELECT jsonb_agg(to_jsonb(concluded) ORDER BY number) FROM concluded
        WHERE concluded.work_id = held.work_id AND outcome = 'done'
    ) AS done
    FROM held
"""  # noqa: S608 - constants of this program


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a claim got."""

    claim: Claim
    outcomes: Mapping[UUID, Outcome]
    intents: Mapping[UUID, Operation] = field(default_factory=dict)
    words: str = ""


async def advance(connection: asyncpg.Connection, advances: Sequence[Advance]) -> Sequence[None]:
    """Claims of which `origin` is the same. Raising takes everything back: the transaction is over."""
    packs = await conclude(connection, advances)
    for operation in (operation for each in advances for operation in each.intents.values()):
        if isinstance(operation.call, Rename):
            # Found out after the call, it would be too late.
            await require_free_name(connection, operation.key, normal_name(operation.call.old_name))
    words = {packs[each.claim.work_id]: each.words for each in advances if each.words}
    if words:
        progress = {pack: Progress(PackStatus.IN_PROGRESS, each) for pack, each in words.items()}
        causes = {pack: Cause(each) for pack, each in words.items()}
        await write_progress(connection, progress, change_of(advances[0].claim, "", causes))
    return [None] * len(advances)


async def conclude(connection: asyncpg.Connection, advances: Sequence[Advance]) -> Mapping[UUID, UUID]:
    """By work, the ids of the claims' packs, whose leases stay locked until the transaction ends. Raises FenceLostError
    and, of intents, SupersededError and PausedError."""
    rows = {row["work_id"]: row for row in await connection.fetch(_ADVANCE, *_arguments(advances))}
    found = {}
    for each in advances:
        row = rows.get(each.claim.work_id)
        if row is None:
            raise lost(each.claim)
        if each.intents and row["is_superseded"]:
            raise SupersededError(f"a newer plan wants something else of {each.claim.order.pack}")
        if each.intents and row["pause"] is not None:
            workspace, seconds = json.loads(row["pause"])
            raise PausedError(workspace, max(float(seconds), 0.0))
        if row["done"] is not None:
            found[row["share_pack_id"]] = [_found(done) for done in json.loads(row["done"])]
    if found:
        await write_resources(connection, found, change_of(advances[0].claim, "an API call went through"))
    return {work_id: row["share_pack_id"] for work_id, row in rows.items()}


def _arguments(advances: Sequence[Advance]) -> Iterator[object]:
    claims = [each.claim for each in advances]
    yield json.dumps([{"work_id": str(each.work_id), "fence": each.fence, "holder": each.worker} for each in claims])
    told = [
        (each.claim.work_id, operation_id, *_columns(outcome))
        for each in advances
        for operation_id, outcome in each.outcomes.items()
    ]
    yield from ([each[column] for each in told] for column in range(6))
    yield json.dumps([_intent(each.claim, *intent) for each in advances for intent in each.intents.items()])
    yield sorted({operation.key.workspace for each in advances for operation in each.intents.values()})


def _found(done: Mapping[str, Any]) -> Found:
    renamed_from = done["renamed_from"]
    return Found(
        Key(Kind(done["kind"]), done["name"], done["workspace_url"]),
        None if done["after"] is None else decode_resource(done["after"]),
        renamed_from,
        Cause(f"renamed from {renamed_from}" if renamed_from else _REASONS[done["call"]], UUID(done["operation_id"])),
    )


def _intent(claim: Claim, operation_id: UUID, operation: Operation) -> Mapping[str, object]:
    call, key = operation.call, operation.key
    return {
        "id": str(operation_id),
        "work_id": str(claim.work_id),
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
    change = change_of(claim, "an unfinished call was resolved by reading")
    old_name = renamed_from or max((row["renamed_from"] for row in closed), default="")
    await write_resource(connection, key, found, share_pack_id, change, old_name)


async def settle(
    connection: asyncpg.Connection, claim: Claim, key: Key, resource: Resource | None, reason: str, renamed_from: str
) -> None:
    share_pack_id = await hold(connection, claim)
    await write_resource(connection, key, resource, share_pack_id, change_of(claim, reason), renamed_from)


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


def origin(claim: Claim) -> Hashable:
    """What is written for several claims at once is of one plan and has the same people behind it."""
    return claim.plan_id, claim.commit, claim.actor, claim.order.review


def change_of(claim: Claim, reason: str, causes: Mapping[UUID, Cause] = MappingProxyType({})) -> Change:
    return Change(claim.actor, reason, claim.plan_id, claim.commit, review=claim.order.review, causes=causes)
