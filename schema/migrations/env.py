"""Alembic's environment. It only ever writes SQL: `reconciler.adapters.postgres.migrate` runs it through asyncpg, the
one driver this project has. `alembic upgrade head` against a database is refused by `require_sql_output`."""

from alembic import context

VERSION_TABLE_SCHEMA = "reconciler"


def require_sql_output() -> None:
    if not context.is_offline_mode():
        raise SystemExit(
            "Migrations are applied when the program starts. To read the SQL, use `alembic upgrade --sql`."
        )


def write_sql() -> None:
    context.configure(
        dialect_name="postgresql",
        # Other styles double every percent sign in the SQL.
        dialect_opts={"paramstyle": "named"},
        version_table_schema=VERSION_TABLE_SCHEMA,
    )
    context.run_migrations()


require_sql_output()
write_sql()
