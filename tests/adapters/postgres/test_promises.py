"""What the tables refuse, whatever program writes: asked with plain SQL, past all of our own code."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from reconciler.adapters.postgres.tables import SCD2_COLUMNS, VERSIONED, Table

LOGS = ("job_metrics", "project_costs", "sync_jobs", "notifications", "audit_trail")

INSERT = """
    INSERT INTO deltashare.users (user_id, email, version, effective_from, effective_to, is_current, created_by)
    VALUES ($1, $2, $3, $4::text::timestamptz, $5::text::timestamptz, $6, 'test')
"""
CLOSE = """
    UPDATE deltashare.users SET is_current = false, effective_to = $2::text::timestamptz
    WHERE user_id = $1 AND is_current
"""


async def opened(
    connection: asyncpg.Connection, version: int = 1, since: str = "2024-01-01", email: str = "a@b.c"
) -> UUID:
    user = uuid4()
    await connection.execute(INSERT, user, email, version, since, "infinity", True)
    return user


async def test_a_second_current_row_is_refused(connection: asyncpg.Connection) -> None:
    user = await opened(connection)
    with pytest.raises(asyncpg.UniqueViolationError, match="users_one_current"):
        await connection.execute(INSERT, user, "x@b.c", 2, "2024-02-01", "infinity", True)


async def test_a_version_number_used_twice_is_refused(connection: asyncpg.Connection) -> None:
    user = await opened(connection)
    await connection.execute(CLOSE, user, "2024-02-01")
    with pytest.raises(asyncpg.UniqueViolationError, match="users_one_of_each_version"):
        await connection.execute(INSERT, user, "x@b.c", 1, "2024-02-01", "infinity", True)


@pytest.mark.parametrize("since", ["2024-01-20", "2024-03-01"], ids=["overlap", "gap"])
async def test_a_version_must_begin_where_the_last_one_ended(connection: asyncpg.Connection, since: str) -> None:
    user = await opened(connection)
    await connection.execute(CLOSE, user, "2024-02-01")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="users_is_contiguous"):
        await connection.execute(INSERT, user, "x@b.c", 2, since, "infinity", True)
    await connection.execute(INSERT, user, "x@b.c", 2, "2024-02-01", "infinity", True)


@pytest.mark.parametrize("version", [2, 7])
async def test_a_first_version_other_than_one_is_refused(connection: asyncpg.Connection, version: int) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="users_is_contiguous"):
        await opened(connection, version)


async def test_a_left_out_version_is_refused(connection: asyncpg.Connection) -> None:
    user = await opened(connection)
    await connection.execute(CLOSE, user, "2024-02-01")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="users_is_contiguous"):
        await connection.execute(INSERT, user, "x@b.c", 3, "2024-02-01", "infinity", True)


@pytest.mark.parametrize(
    ("version", "since", "until", "is_current", "constraint"),
    [
        (0, "2024-01-01", "infinity", True, "users_version_counts_from_one"),
        (1, "2024-01-01", "2024-01-01", False, "users_span_is_positive"),
        (1, "2024-01-02", "2024-01-01", False, "users_span_is_positive"),
        (1, "-infinity", "infinity", True, "users_starts_at_a_time"),
        (1, "2024-01-01", "infinity", False, "users_current_is_open"),
        (1, "2024-01-01", "2024-02-01", True, "users_current_is_open"),
    ],
)
async def test_an_impossible_span_is_refused(
    connection: asyncpg.Connection, version: int, since: str, until: str, is_current: bool, constraint: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await connection.execute(INSERT, uuid4(), "a@b.c", version, since, until, is_current)


async def test_a_closed_version_cannot_be_changed(connection: asyncpg.Connection) -> None:
    user = await opened(connection)
    await connection.execute(CLOSE, user, "2024-02-01")
    with pytest.raises(asyncpg.RestrictViolationError, match="version 1 is closed"):
        await connection.execute("UPDATE deltashare.users SET effective_to = '2025-01-01' WHERE user_id = $1", user)
    with pytest.raises(asyncpg.RestrictViolationError, match="version 1 is closed"):
        await connection.execute(
            "UPDATE deltashare.users SET is_current = true, effective_to = 'infinity' WHERE user_id = $1", user
        )


@pytest.mark.parametrize(
    "change",
    [
        "email = 'other@b.c'",
        "email = 'other@b.c', is_current = false, effective_to = '2025-01-01'",
        "is_deleted = true",
        "effective_from = '2020-01-01'",
        "created_by = 'nobody', is_current = false, effective_to = '2025-01-01'",
        "version = 5, is_current = false, effective_to = '2025-01-01'",
    ],
)
async def test_a_current_version_can_only_be_closed(connection: asyncpg.Connection, change: str) -> None:
    user = await opened(connection)
    with pytest.raises(asyncpg.RestrictViolationError, match="can only be closed"):
        await connection.execute(f"UPDATE deltashare.users SET {change} WHERE user_id = $1", user)


@pytest.mark.parametrize("statement", ["DELETE FROM deltashare.users", "TRUNCATE deltashare.users CASCADE"])
async def test_history_cannot_be_deleted(connection: asyncpg.Connection, statement: str) -> None:
    await opened(connection)
    with pytest.raises(asyncpg.RestrictViolationError, match=r"deltashare\.users only grows"):
        await connection.execute(statement)


@pytest.mark.parametrize("table", [table.name for table in VERSIONED])
async def test_every_versioned_table_makes_the_same_promises(connection: asyncpg.Connection, table: str) -> None:
    constraints = await connection.fetch(
        "SELECT conname FROM pg_constraint WHERE conrelid = ('deltashare.' || $1::text)::regclass", table
    )
    triggers = await connection.fetch(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = ('deltashare.' || $1::text)::regclass AND tgenabled = 'O'", table
    )
    assert {row["conname"] for row in constraints} >= {
        f"{table}_{promise}"
        for promise in (
            "version_counts_from_one",
            "span_is_positive",
            "starts_at_a_time",
            "current_is_open",
            "one_of_each_version",
        )
    }
    assert {row["tgname"] for row in triggers} >= {
        "is_contiguous",
        "keep_history",
        "refuse_delete",
        "refuse_truncate",
    }
    [index] = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE indexname = $1", f"{table}_one_current")
    assert index["indexdef"].startswith("CREATE UNIQUE INDEX")
    assert index["indexdef"].endswith("WHERE is_current")


@pytest.mark.parametrize("table", VERSIONED, ids=lambda table: table.name)
async def test_a_description_names_every_column_of_its_table(connection: asyncpg.Connection, table: Table) -> None:
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'deltashare' AND table_name = $1",
        table.name,
    )
    assert {row["column_name"] for row in rows} == {table.id, *table.columns, *table.origin, *SCD2_COLUMNS}


@pytest.mark.parametrize("table", LOGS)
async def test_a_log_only_grows(connection: asyncpg.Connection, table: str) -> None:
    values = {
        "job_metrics": "(pipeline_id, run_id, run_status) VALUES (gen_random_uuid(), '1', 'ok')",
        "project_costs": "(project_id, period_start, period_end, amount, currency) "
        "VALUES (gen_random_uuid(), '2024-01-01', '2024-02-01', 1, 'EUR')",
        "sync_jobs": "(sync_type, sync_status) VALUES ('users', 'ok')",
        "notifications": "(notification_type, addressee, subject, delivery_status) VALUES ('mail', 'a', 'b', 'sent')",
        "audit_trail": "(entity_type, entity_id, entity_version, operation, actor) "
        "VALUES ('share', gen_random_uuid(), 1, 'CREATE', 'me')",
    }[table]
    await connection.execute(f"INSERT INTO deltashare.{table} {values}")
    for statement in (
        f"UPDATE deltashare.{table} SET recorded_at = now()",
        f"DELETE FROM deltashare.{table}",
        f"TRUNCATE deltashare.{table}",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match=rf"deltashare\.{table} only grows"):
            await connection.execute(statement)


async def test_two_current_rows_of_one_name_are_refused(connection: asyncpg.Connection) -> None:
    await opened(connection, email="Ann@b.c")
    with pytest.raises(asyncpg.UniqueViolationError, match="users_natural_key"):
        await opened(connection, email="ann@B.C")


async def test_a_pack_version_with_content_and_progress_is_refused(connection: asyncpg.Connection) -> None:
    insert = """
        INSERT INTO deltashare.share_packs (
            share_pack_id, share_pack_name, tenant_id, project_id, requested_by, strategy, file_path, file_format,
            workspace_url, region, config_digest, share_pack_status, version, effective_from, created_by
        ) VALUES ($1, 'name', $1, $1, 'me', 'NEW', $2, 'yaml', '', '', '', $3, $4, $5::text::timestamptz, 'me')
    """
    close = "UPDATE deltashare.share_packs SET is_current = false, effective_to = '2024-02-01' WHERE share_pack_id = $1"
    pack = uuid4()
    await connection.execute(insert, pack, "a.yaml", "IN_PROGRESS", 1, "2024-01-01")
    await connection.execute(close, pack)
    with pytest.raises(asyncpg.RestrictViolationError, match="changes content and progress at once"):
        await connection.execute(insert, pack, "b.yaml", "COMPLETED", 2, "2024-02-01")
    await connection.execute(insert, pack, "a.yaml", "COMPLETED", 2, "2024-02-01")


@pytest.mark.parametrize(
    ("column", "value"), [("share_pack_status", "DONE"), ("strategy", "REPLACE"), ("config_digest", None)]
)
async def test_a_pack_row_that_makes_no_sense_is_refused(
    connection: asyncpg.Connection, column: str, value: str | None
) -> None:
    columns = {
        "share_pack_id": uuid4(), "share_pack_name": "n", "tenant_id": uuid4(), "project_id": uuid4(),
        "requested_by": "me", "strategy": "NEW", "file_path": "", "file_format": "", "workspace_url": "",
        "region": "", "config_digest": "", "share_pack_status": "COMPLETED", "created_by": "me", column: value,
    }  # fmt: skip
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.NotNullViolationError)):
        await connection.execute(
            f"INSERT INTO deltashare.share_packs ({', '.join(columns)}) VALUES ({places})", *columns.values()
        )


RECIPIENT = """
    INSERT INTO deltashare.recipients (
        recipient_id, share_pack_id, workspace_url, recipient_name, type, metastore_id, properties,
        federation_policies, created_by
    ) VALUES ($1, gen_random_uuid(), 'w', 'r', $2, $3, $4, $5, 'me')
"""


@pytest.mark.parametrize(
    "change",
    [
        "owner = 'x'",
        "properties = '{}'",
        "expires_at = 1",
        "federation_policies = '[]'",
        "token_lifetime = 1",
        "rotate_every = 1",
        "rotation_overlap = 1",
        "protect = true",
    ],
)
async def test_no_field_of_a_recipient_changes_without_a_version(connection: asyncpg.Connection, change: str) -> None:
    await connection.execute(RECIPIENT, uuid4(), "OIDC", None, None, None)
    for closing in ("", ", is_current = false, effective_to = '2999-01-01'"):
        with pytest.raises(asyncpg.RestrictViolationError, match="can only be closed"):
            await connection.execute(f"UPDATE deltashare.recipients SET {change}{closing}")


@pytest.mark.parametrize(
    ("properties", "policies"), [("[]", None), ('"text"', None), (None, "{}")], ids=["list", "text", "object"]
)
async def test_properties_are_an_object_and_policies_a_list(
    connection: asyncpg.Connection, properties: str | None, policies: str | None
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(RECIPIENT, uuid4(), "OIDC", None, properties, policies)


async def test_drift_of_a_tenant_is_corrected_or_reported(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            """
            INSERT INTO deltashare.tenants (tenant_id, business_line, business_line_key, drift, created_by)
            VALUES (gen_random_uuid(), 'l', 'l', 'ignore', 'me')
            """
        )


async def test_only_a_databricks_recipient_has_a_metastore(connection: asyncpg.Connection) -> None:
    for sharing_type, metastore in (("D2O", "aws:us:1"), ("OIDC", "aws:us:1"), ("OTHER", "aws:us:1"), ("D2D", None)):
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(RECIPIENT, uuid4(), sharing_type, metastore, None, None)
