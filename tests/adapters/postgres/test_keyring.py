"""API keys: kept as digests, never deleted, and told apart by whether they still open anything."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.permits import Right
from reconciler.ports.keyring import ApiKey, Keyring
from reconciler.ports.ledger import LedgerError

SECRET = "c4n4ry-secret-of-a-key"
DIGEST = sha256(SECRET.encode()).digest()
LATER = datetime(2126, 1, 1, tzinfo=UTC)


@pytest.fixture
def keyring(ledger: PostgresLedger) -> Keyring:
    return ledger.portal().keyring


def a_key(key_id: str = "a1b2c3d4", *, lines: tuple[str, ...] | None = ("Sales Operations", "Legal")) -> ApiKey:
    return ApiKey(key_id, "portal", Right.WRITE, lines, "ann@example.com", expires_at=LATER)


async def the_key(keyring: Keyring, key_id: str = "a1b2c3d4") -> ApiKey:
    found = await keyring.find(key_id)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("lines", [None, (), ("Sales Operations", "Legal")])
async def test_a_key_is_found_as_it_was_made(keyring: Keyring, lines: tuple[str, ...] | None) -> None:
    await keyring.add(a_key(lines=lines), DIGEST)
    found = await keyring.find("a1b2c3d4")
    assert found is not None
    key, digest = found
    assert digest == DIGEST
    assert (key.name, key.right, key.lines, key.created_by) == ("portal", Right.WRITE, lines, "ann@example.com")
    assert (key.expires_at, key.revoked_at, key.used_at) == (LATER, None, None)
    assert key.created_at is not None


@pytest.mark.parametrize("key_id", ["ffffffff", "", "A1B2C3D4", "a1b2\x00c3d", "' OR true --"])
async def test_what_is_no_key_is_not_found(keyring: Keyring, key_id: str) -> None:
    await keyring.add(a_key(), DIGEST)
    assert await keyring.find(key_id) is None


async def test_keys_come_newest_first_ended_ones_too(keyring: Keyring) -> None:
    for key_id in ("11111111", "22222222", "33333333"):
        await keyring.add(a_key(key_id), DIGEST)
    await keyring.revoke("22222222", "bob")
    assert [(key.id, key.revoked_at is not None) for key in await keyring.keys()] == [
        ("33333333", False),
        ("22222222", True),
        ("11111111", False),
    ]


async def test_an_id_is_given_once(keyring: Keyring) -> None:
    await keyring.add(a_key(), DIGEST)
    with pytest.raises(LedgerError, match="a1b2c3d4 already"):
        await keyring.add(a_key(lines=None), DIGEST)
    assert (await the_key(keyring)).lines == ("Sales Operations", "Legal")


async def test_a_key_is_revoked_once_and_stays_on_record(keyring: Keyring) -> None:
    await keyring.add(a_key(), DIGEST)
    answers = await asyncio.gather(*(keyring.revoke("a1b2c3d4", f"person {number}") for number in range(5)))
    assert sorted(answers) == [False] * 4 + [True]
    assert (await the_key(keyring)).revoked_at is not None
    assert not await keyring.revoke("ffffffff", "bob")


async def test_use_is_noted_once_a_minute(keyring: Keyring, connection: asyncpg.Connection) -> None:
    await keyring.add(a_key(), DIGEST)
    await keyring.used("a1b2c3d4")
    first = (await the_key(keyring)).used_at
    assert first is not None
    assert (first.second, first.microsecond) == (0, 0)
    await connection.execute("UPDATE reconciler.api_keys SET used_at = used_at - interval '1 hour'")
    await keyring.used("a1b2c3d4")
    assert (await the_key(keyring)).used_at in {first, first + timedelta(minutes=1)}
    row = "SELECT xmin::text, used_at FROM reconciler.api_keys"
    before = await connection.fetchrow(row)
    await keyring.used("a1b2c3d4")
    after = await connection.fetchrow(row)
    # Written again only when a minute began in between.
    assert (before == after) == (before["used_at"] == after["used_at"])


async def test_who_made_and_who_revoked_a_key_is_audited_without_its_digest(
    keyring: Keyring, connection: asyncpg.Connection
) -> None:
    await keyring.add(a_key(), DIGEST)
    await keyring.revoke("a1b2c3d4", "bob@example.com")
    rows = await connection.fetch(
        "SELECT * FROM deltashare.audit_trail WHERE entity_type = 'api_key' ORDER BY entity_version"
    )
    assert [(row["operation"], row["actor"]) for row in rows] == [
        ("CREATE", "ann@example.com"),
        ("DELETE", "bob@example.com"),
    ]
    assert json.loads(rows[0]["new_values"]) == {
        "key_id": "a1b2c3d4",
        "name": "portal",
        "access_right": "write",
        "business_lines": ["Sales Operations", "Legal"],
        "expires_at": LATER.isoformat(),
    }
    assert json.loads(rows[1]["old_values"]) == {"key_id": "a1b2c3d4"}
    assert DIGEST.hex() not in str([dict(row) for row in rows])


async def test_what_is_no_digest_is_not_kept(keyring: Keyring) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await keyring.add(a_key(), SECRET.encode())
    assert await keyring.keys() == []
