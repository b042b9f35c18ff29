"""The ports of the HTTP API on PostgreSQL, over the connections that the ledger has opened."""

from dataclasses import dataclass

import asyncpg

from reconciler.adapters.postgres.archive import PostgresArchive
from reconciler.adapters.postgres.inbox import PostgresInbox
from reconciler.adapters.postgres.kept_plans import PostgresKeptPlans
from reconciler.adapters.postgres.keyring import PostgresKeyring
from reconciler.adapters.postgres.portal_pool import PortalPool
from reconciler.ports.archive import Archive
from reconciler.ports.inbox import Inbox
from reconciler.ports.kept_plans import KeptPlans
from reconciler.ports.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Portal:
    """Closed with the ledger it was opened over."""

    inbox: Inbox
    keyring: Keyring
    archive: Archive
    plans: KeptPlans


def open_portal(pool: asyncpg.Pool, where: str) -> Portal:
    connections = PortalPool(pool, where)
    return Portal(
        PostgresInbox(connections),
        PostgresKeyring(connections),
        PostgresArchive(connections),
        PostgresKeptPlans(connections),
    )
