"""Histories as long as years make them, by one statement for each table: shares with some versions each, and audit rows
for them where asked for."""

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids
from reconciler.core.key import PackId

#: One of so many shares holds the schema instead of its table.
WHOLE_SCHEMA_EVERY = 50
RECIPIENTS = 200

#: Share n has the table prod.s{n % 50}.t{n} in all of its versions, and prod.busy.t{version} in that one. Its reader
#: r{n % 200} stays, another one changes each time. Versions are a day long; the last of them is open. Nothing checks
#: these rows: they are as the program writes them.
_FILL = """
    SET session_replication_role = replica;
    INSERT INTO deltashare.shares (
        share_id, share_pack_id, workspace_url, share_name, data_objects, recipients, commit_id, version,
        effective_from, effective_to, is_current, created_by
    )
    SELECT
        md5('share' || n)::uuid, (ARRAY[{packs}]::uuid[])[1 + n % {pack_count}], 'https://adb-1.azuredatabricks.net',
        'share_' || n,
        jsonb_build_array(
            CASE n % {schema_every}
                WHEN 0 THEN jsonb_build_object('name', 'prod.s' || n % 50, 'type', 'SCHEMA')
                ELSE jsonb_build_object('name', 'prod.s' || n % 50 || '.t' || n, 'type', 'TABLE')
            END,
            jsonb_build_object('name', 'prod.busy.t' || v, 'type', 'TABLE')
        ),
        jsonb_build_array('r' || n % {recipients}, 'r' || (n + v) % {recipients}),
        'c' || v, v,
        timestamptz '2024-01-01 00:00+00' + v * interval '1 day' + n * interval '1 ms',
        CASE v WHEN {versions} THEN 'infinity'
               ELSE timestamptz '2024-01-01 00:00+00' + (v + 1) * interval '1 day' + n * interval '1 ms' END,
        v = {versions}, 'john.doe@jll.com'
    FROM generate_series(1, {shares}) AS n CROSS JOIN generate_series(1, {versions}) AS v;
    SET session_replication_role = origin;
"""

_AUDIT = """
    INSERT INTO deltashare.audit_trail (
        entity_type, entity_id, entity_version, operation, actor, pull_requests, approved_by, recorded_at
    )
    SELECT 'share', share_id, version, 'UPDATE', created_by, 'jllt/packs#' || version, 'rev' || version, effective_from
    FROM deltashare.shares
"""


async def fill(
    connection: asyncpg.Connection, packs: list[PackId], *, shares: int, versions: int, audited: bool = False
) -> None:
    """`packs` take the shares in turn; they need not be on record yet."""
    ids = ", ".join(f"'{pack_ids(pack).share_pack}'" for pack in packs)
    statement = _FILL.format(
        packs=ids,
        pack_count=len(packs),
        schema_every=WHOLE_SCHEMA_EVERY,
        recipients=RECIPIENTS,
        shares=shares,
        versions=versions,
    )
    await connection.execute(statement, timeout=3600)
    if audited:
        await connection.execute(_AUDIT, timeout=3600)
