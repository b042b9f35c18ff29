"""Databases to measure on: one with all tables, and copies of it."""

from urllib.parse import urlsplit

import asyncpg

from reconciler.adapters.postgres.migrate import migrate


def named(admin_dsn: str, database: str) -> str:
    return urlsplit(admin_dsn)._replace(path=f"/{database}").geturl()


async def make_template(admin_dsn: str, name: str) -> str:
    """Answers the version of the server, such as 18.6."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        version = str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()
    await migrate(named(admin_dsn, name))
    return version


async def copy_database(admin_dsn: str, template: str, name: str) -> None:
    """Throws away what was there under that name."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    finally:
        await connection.close()
