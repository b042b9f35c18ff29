"""API calls on record, read for people; `operations` writes them."""

import json
from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from reconciler.core.key import Key, Kind, PackId
from reconciler.ports.ledger import OperationRecord


async def operations(connection: asyncpg.Connection, work_ids: Collection[UUID]) -> Sequence[OperationRecord]:
    rows = await connection.fetch(
        """
        SELECT operations.*, business_line, project_name
        FROM reconciler.operations JOIN reconciler.pack_names USING (share_pack_id)
        WHERE work_id = ANY ($1::uuid[]) ORDER BY begun_at, number
        """,
        list(work_ids),
    )
    return [_record(row) for row in rows]


def _record(row: asyncpg.Record) -> OperationRecord:
    call = json.loads(row["call"])
    return OperationRecord(
        work_id=row["work_id"],
        pack=PackId.of(row["business_line"], row["project_name"]),
        key=Key(Kind(row["kind"]), row["name"], row["workspace_url"]),
        call=call["call"],
        details={name: value for name, value in call.items() if name != "call"},
        outcome=row["outcome"],
        begun_at=row["begun_at"],
        concluded_at=row["concluded_at"],
        reason=row["reason"],
        code=row["code"],
        request_id=row["api_request_id"],
    )
