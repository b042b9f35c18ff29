"""`sharepack keys`: made once, shown once, kept as a hash, listed, revoked."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.cli import cli
from reconciler.cli.exits import Exit
from reconciler.core.api_key import KeyText, read_key
from reconciler.core.permits import Right
from reconciler.daemon.scrubbing import Scrubber
from reconciler.ports.keyring import ApiKey
from reconciler.render.keys_text import keys_json, keys_lines, state
from reconciler.render.lines import render
from tests.cli.conftest import Bench

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def database_url(migrated_database_url: str) -> str:
    """Making one for each test would cost more than most of them."""
    return migrated_database_url


def made(bench: Bench, *arguments: str) -> KeyText:
    done = bench.run("keys", "create", *arguments)
    assert done.exit_code == Exit.DONE, done.output
    key = read_key(done.stdout.removesuffix("\n"))
    assert key is not None, done.stdout
    return key


def kept(database_url: str, key: KeyText) -> tuple[ApiKey, bytes]:
    async def find() -> tuple[ApiKey, bytes] | None:
        ledger = await PostgresLedger.open(database_url)
        try:
            return await ledger.portal().keyring.find(key.id)
        finally:
            await ledger.close()

    found = asyncio.run(find())
    assert found is not None
    return found


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_key_is_printed_alone_so_that_it_can_be_piped(bench: Bench) -> None:
    done = bench.run("keys", "create", "portal", "--write", "--line", "Sales Operations", "--expires", "90d")
    assert re.fullmatch(r"spk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", done.stdout)
    told = flat(done.stderr)
    assert "(portal) may see and hand in packs of Sales Operations; it ends at " in told
    assert "It is shown this once" in told
    key = read_key(done.stdout.strip())
    assert key is not None
    assert key.secret not in done.stderr


def test_its_hash_is_kept_and_nothing_else_of_it(bench: Bench, database_url: str) -> None:
    key = made(bench, "portal", "--line", "Sales Operations", "--line", "Legal", "--line", "Legal")
    found, digest = kept(database_url, key)
    assert digest == key.digest
    assert (found.name, found.right, found.lines) == ("portal", Right.READ, ("Sales Operations", "Legal"))
    assert found.expires_at is None

    async def everything() -> str:
        connection = await asyncpg.connect(database_url)
        try:
            tables = await connection.fetch(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname IN ('deltashare', 'reconciler')"
            )
            return "".join([str(await connection.fetch(f"SELECT t::text FROM {table[0]} AS t")) for table in tables])
        finally:
            await connection.close()

    rows = asyncio.run(everything())
    assert key.id in rows
    assert key.secret not in rows


def test_no_two_keys_are_alike(bench: Bench) -> None:
    first, second = (made(bench, "portal", "--all-lines") for _ in range(2))
    assert first.id != second.id
    assert first.secret != second.secret


def test_a_key_may_be_for_all_lines_and_for_a_while(bench: Bench, database_url: str) -> None:
    key = made(bench, "auditor", "--read", "--all-lines", "--expires", "2w")
    found, _ = kept(database_url, key)
    assert found.lines is None
    assert found.expires_at is not None
    assert abs(found.expires_at - datetime.now(UTC) - timedelta(days=14)) < timedelta(minutes=5)


def test_a_line_that_nothing_is_on_record_of_is_pointed_out(bench: Bench) -> None:
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    done = bench.run("keys", "create", "portal", "--line", "sales operations", "--line", "Salse Operations")
    assert done.exit_code == Exit.DONE
    assert done.stderr.count("Nothing is on record of") == 1
    assert "Nothing is on record of Salse Operations yet" in flat(done.stderr)


def test_keys_are_listed_newest_first_and_stay_when_revoked(bench: Bench) -> None:
    assert "There is no API key." in bench.run("keys", "list").stdout
    first, second = made(bench, "portal", "--all-lines"), made(bench, "script", "--write", "--line", "Legal")
    done = bench.run("keys", "revoke", first.id)
    assert done.stdout == f"Key {first.id} (portal) is revoked: the next request that shows it is refused.\n"
    assert bench.run("keys", "revoke", first.text).stdout == f"Key {first.id} (portal) was revoked before.\n"
    listed = bench.run("keys", "list").stdout.splitlines()
    assert [row.split()[0] for row in listed] == ["ID", second.id, first.id]
    assert "revoked" in listed[2]
    document = json.loads(bench.run("keys", "list", "--format", "json").stdout)
    assert [each["state"] for each in document["keys"]] == ["valid", "revoked"]
    assert document["keys"][0]["business_lines"] == ["Legal"]
    for key in (first, second):
        assert key.secret not in json.dumps(document)
        assert key.digest.hex() not in json.dumps(document)


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["portal"], "say what it is for: --line LINE, as often as needed, or else --all-lines"),
        (["portal", "--line", "Legal", "--all-lines"], "say what it is for"),
        (["portal", "--all-lines", "--read", "--write"], "--read or --write"),
        (["  ", "--all-lines"], "NAME: write 1 to 100 characters"),
        (["x" * 101, "--all-lines"], "NAME: write 1 to 100 characters"),
        (["a\x1b[2Jb", "--all-lines"], "NAME: write 1 to 100 characters"),
        (["portal", "--line", " "], "--line: write 1 to 100 characters"),
        (["portal", "--all-lines", "--expires", "soon"], "--expires: 'soon' is no time: write 2h or 3d"),
        (["portal", "--all-lines", "--expires", "2020-01-01"], "--expires: 2020-01-01 has passed"),
        (["portal", "--all-lines", "--expires", "800d"], "at most 730 days"),
    ],
)
def test_wrong_usage_makes_no_key(bench: Bench, arguments: list[str], words: str) -> None:
    done = bench.run("keys", "create", *arguments)
    assert done.exit_code != Exit.DONE
    assert words in flat(done.stderr)
    assert "spk_" not in done.stdout


def test_a_key_is_no_name(bench: Bench) -> None:
    key = made(bench, "portal", "--all-lines")
    done = bench.run("keys", "create", key.text, "--all-lines")
    assert done.exit_code != Exit.DONE
    assert key.secret not in done.stderr


def test_revoking_what_is_no_key_repeats_nothing_of_it(bench: Bench) -> None:
    key = made(bench, "portal", "--all-lines")
    for typed in (key.secret, f"{key.text}x"):
        done = bench.run("keys", "revoke", typed)
        assert done.exit_code == Exit.ERROR
        assert key.secret not in done.output
    done = bench.run("keys", "revoke", "zzzzzzzz")
    assert done.exit_code == Exit.ERROR
    assert "there is no key zzzzzzzz" in done.stderr


def test_the_group_says_what_it_has() -> None:
    said = CliRunner().invoke(cli, ["keys", "--help"], prog_name="sharepack").stdout
    assert all(name in said for name in ("create", "list", "revoke"))


# What a list says


def key(**changed: Any) -> ApiKey:
    return replace(ApiKey("a1b2c3d4", "portal", Right.READ, None, "ann"), **changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "valid"),
        ({"expires_at": NOW + timedelta(days=1)}, "until 2026-11-23"),
        ({"expires_at": NOW}, "ended 2026-11-22"),
        ({"revoked_at": NOW, "expires_at": NOW - timedelta(days=1)}, "revoked 2026-11-22"),
        ({"used_at": NOW}, "2026-11-22"),
        ({"lines": ("Legal", "Sales")}, "Legal, Sales"),
    ],
)
def test_a_row_says_whether_a_key_still_opens_anything(changed: dict[str, object], words: str) -> None:
    assert words in render(tuple(keys_lines([key(**changed)], NOW))).splitlines()[1]


def test_state_and_json_agree() -> None:
    ended = key(expires_at=NOW - timedelta(seconds=1), created_at=NOW)
    document = json.loads(keys_json([ended], NOW))
    assert (document["format_version"], document["keys"][0]["state"]) == ("1.0", state(ended, NOW))
    assert document["keys"][0]["created_at"] == "2026-11-22T09:30:00Z"


def test_no_log_shows_a_key() -> None:
    scrub = Scrubber()
    text = f"GET /x?key=spk_a1b2c3d4_{'x-_Y' * 10}abc 401, X-API-Key: spk_a1b2c3d4_{'z' * 43}"
    assert scrub(text) == "GET /x?key=spk_a1b2c3d4_[removed] 401, X-API-Key: spk_a1b2c3d4_[removed]"
