"""Brings a database to where applying all packs of a commit would leave it, in bulk and through the ledger's own
writers: packs as orders that want nothing, resources as versions. No API call, no work, no operation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

import asyncpg

from reconciler.adapters.postgres.ids import pack_ids, resource_id
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.rows import table_of, to_columns
from reconciler.adapters.postgres.versions import Change, Row, revised, write_versions
from reconciler.core.desired import Desired
from reconciler.core.key import Key, Kind
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import SharePack, Strategy
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share
from reconciler.ports.ledger import PackOrder, PlanRecord

T = TypeVar("T")

ACTOR = "bench"
#: Packs in one transaction.
_TOGETHER = 500


async def record(dsn: str, desired: Desired) -> None:
    ledger = await PostgresLedger.open(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        for packs in batches(list(desired.packs.values()), _TOGETHER):
            plan = PlanRecord(uuid4(), desired.revision.commit, ACTOR)
            await ledger.submit(plan, [_order(pack, desired) for pack in packs])
            change = Change(ACTOR, "applied", plan.plan_id, plan.commit)
            for kind in Kind:
                await write_versions(connection, table_of(kind), list(_rows(packs, kind)), change)
        await connection.execute("VACUUM ANALYZE", timeout=600)
    finally:
        await connection.close()
        await ledger.close()


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[first : first + size] for first in range(0, len(items), size))


def _order(pack: SharePack, desired: Desired) -> PackOrder:
    return PackOrder(
        pack=pack.id,
        path=pack.path,
        workspace=pack.workspace,
        requestor=pack.requestor,
        strategy=Strategy.NEW,
        file_format=pack.file_format,
        config=encode_pack(pack),
        tenant=desired.tenants.by_line.get(pack.id.business_line_key),
    )


def _rows(packs: Sequence[SharePack], kind: Kind) -> Iterator[Row]:
    for pack in packs:
        for key, declared in pack.resources.items():
            if key.kind is kind:
                yield row(pack, key, as_tables(declared.resource))


def row(pack: SharePack, key: Key, resource: Resource) -> Row:
    """The first version of a resource, as the ledger's writer takes it."""
    columns = {
        **to_columns(resource),
        "workspace_url": key.workspace,
        "share_pack_id": str(pack_ids(pack.id).share_pack),
    }
    return revised(table_of(key.kind), resource_id(key), None, columns)


def as_tables(resource: Resource) -> Resource:
    """What a pack need not say, and the catalog does: the type of each object."""
    if not isinstance(resource, Share) or resource.objects is UNMANAGED:
        return resource
    return replace(resource, objects=frozenset(replace(item, type=ObjectType.TABLE) for item in resource.objects))
