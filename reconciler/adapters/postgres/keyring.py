"""API keys as rows. Whether a key opens anything is decided by who asks for it."""

import json
from collections.abc import Sequence

import asyncpg

from reconciler.adapters.postgres.portal_pool import PortalPool
from reconciler.adapters.postgres.versions import bounded
from reconciler.core.permits import Right
from reconciler.ports.keyring import ApiKey
from reconciler.ports.ledger import LedgerError


class PostgresKeyring:
    """Implements `ports.keyring.Keyring`."""

    def __init__(self, connections: PortalPool) -> None:
        self._connections = connections

    async def add(self, key: ApiKey, digest: bytes) -> None:
        try:
            await self._connections.run(_add, key, digest)
        except asyncpg.UniqueViolationError:
            raise LedgerError(f"there is a key {key.id} already; make one with another id") from None

    async def find(self, key_id: str) -> tuple[ApiKey, bytes] | None:
        return await self._connections.run(_find, key_id)

    async def used(self, key_id: str) -> None:
        await self._connections.run(_used, key_id)

    async def keys(self) -> Sequence[ApiKey]:
        return await self._connections.run(_keys)

    async def revoke(self, key_id: str, by: str) -> bool:
        return await self._connections.run(_revoke, key_id, by)


async def _add(connection: asyncpg.Connection, key: ApiKey, digest: bytes) -> None:
    entity_id = await connection.fetchval(
        """
        INSERT INTO reconciler.api_keys (key_id, name, digest, access_right, business_lines, created_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING entity_id
        """,
        key.id,
        key.name,
        digest,
        key.right.value,
        None if key.lines is None else list(key.lines),
        key.created_by,
        key.expires_at,
    )
    told = {
        "key_id": key.id,
        "name": key.name,
        "access_right": key.right.value,
        "business_lines": key.lines,
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
    }
    await connection.execute(
        """
        INSERT INTO deltashare.audit_trail (
            entity_type, entity_id, entity_version, operation, new_values, actor, change_reason
        ) VALUES ('api_key', $1, 1, 'CREATE', $2, $3, 'API key made')
        """,
        entity_id,
        json.dumps(told),
        bounded(key.created_by, 255),
    )


async def _find(connection: asyncpg.Connection, key_id: str) -> tuple[ApiKey, bytes] | None:
    if "\x00" in key_id:
        return None
    row = await connection.fetchrow("SELECT * FROM reconciler.api_keys WHERE key_id = $1", key_id)
    return None if row is None else (_key(row), row["digest"])


async def _used(connection: asyncpg.Connection, key_id: str) -> None:
    await connection.execute(
        """
        UPDATE reconciler.api_keys SET used_at = date_trunc('minute', statement_timestamp())
        WHERE key_id = $1 AND used_at IS DISTINCT FROM date_trunc('minute', statement_timestamp())
        """,
        key_id,
    )


async def _keys(connection: asyncpg.Connection) -> Sequence[ApiKey]:
    return [_key(row) for row in await connection.fetch("SELECT * FROM reconciler.api_keys ORDER BY number DESC")]


async def _revoke(connection: asyncpg.Connection, key_id: str, by: str) -> bool:
    entity_id = await connection.fetchval(
        """
        UPDATE reconciler.api_keys SET revoked_at = statement_timestamp(), revoked_by = $2
        WHERE key_id = $1 AND revoked_at IS NULL RETURNING entity_id
        """,
        key_id,
        by,
    )
    if entity_id is None:
        return False
    await connection.execute(
        """
        INSERT INTO deltashare.audit_trail (
            entity_type, entity_id, entity_version, operation, old_values, actor, change_reason
        ) VALUES ('api_key', $1, 2, 'DELETE', jsonb_build_object('key_id', $2::text), $3, 'API key revoked')
        """,
        entity_id,
        key_id,
        bounded(by, 255),
    )
    return True


def _key(row: asyncpg.Record) -> ApiKey:
    lines = row["business_lines"]
    return ApiKey(
        id=row["key_id"],
        name=row["name"],
        right=Right(row["access_right"]),
        lines=None if lines is None else tuple(lines),
        created_by=row["created_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        used_at=row["used_at"],
    )
