"""An approved plan becomes history and work, in one transaction: the rows that say what each pack is, and a work row
for every pack with something to do. What must be done first is resolved here, from packs to work rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from reconciler.adapters.postgres.ids import PackIds, pack_ids, tenant_region_id, work_id
from reconciler.adapters.postgres.migrate import require_known
from reconciler.adapters.postgres.needs import resolve_needs, unfinished_work
from reconciler.adapters.postgres.orders import order_to_json
from reconciler.adapters.postgres.packs import PROVISIONED, Progress, clock, delete_packs, name_packs, pack_name
from reconciler.adapters.postgres.release import end_superseded
from reconciler.adapters.postgres.tables import REQUESTS, SHARE_PACKS, TENANT_REGIONS
from reconciler.adapters.postgres.versions import Change, Row, read_current, review_columns, revised, write_versions
from reconciler.core.encoding import digest
from reconciler.core.key import PackId
from reconciler.core.recorded import PackStatus
from reconciler.core.review import Review
from reconciler.ports.ledger import PackOrder, PlanRecord, WorkStatus

#: What is submitted and what is skipped is decided by one transaction at a time. "sharewrk" in ASCII.
ORDER_LOCK: Final = 0x736861726577726B

_REQUEST_STATUS: Final = {
    PackStatus.IN_PROGRESS: "SUBMITTED",
    PackStatus.COMPLETED: "COMPLETED",
    PackStatus.FAILED: "FAILED",
    PackStatus.VALIDATION_FAILED: "FAILED",
}
_WORK_STATUS: Final = {PackStatus.COMPLETED: WorkStatus.DONE, PackStatus.FAILED: WorkStatus.HELD}


@dataclass(frozen=True, slots=True)
class Submitted:
    """One order on its way into the tables."""

    order: PackOrder
    ids: PackIds
    work_id: UUID
    progress: Progress


async def lock_orders(connection: asyncpg.Connection) -> str:
    """The revision of the schema."""
    row = await connection.fetchrow(
        "SELECT pg_advisory_xact_lock($1), (SELECT version_num FROM reconciler.alembic_version) AS revision", ORDER_LOCK
    )
    revision: str = row["revision"]
    return revision


async def save_plan(connection: asyncpg.Connection, plan: PlanRecord) -> None:
    await connection.execute(
        """
        INSERT INTO reconciler.plans (plan_id, commit_id, actor, document) VALUES ($1, $2, $3, $4)
        ON CONFLICT (plan_id) DO NOTHING
        """,
        plan.plan_id,
        plan.commit or None,
        plan.actor,
        json.dumps(plan.document),
    )


async def submit(
    connection: asyncpg.Connection, plan: PlanRecord, orders: Sequence[PackOrder]
) -> Mapping[PackId, UUID | None]:
    """Submitting the same plan again finds its work. Raises ValueError when packs need each other in a circle, and
    TooNewError."""
    require_known(await lock_orders(connection))
    await save_plan(connection, plan)
    submitted = [_submitted(plan, order) for order in orders]
    known = await read_current(connection, REQUESTS, [item.work_id for item in submitted])
    unknown = [item for item in submitted if item.work_id not in known]
    outdated = await _outdated(connection, unknown)
    new = [item for item in unknown if item.work_id not in outdated]
    if new:
        await _write_rows(connection, plan, new)
        await _write_work(connection, plan, new)
    return {
        item.order.pack: item.work_id if item.order.wanted else None
        for item in submitted
        if item.work_id not in outdated
    }


async def _outdated(connection: asyncpg.Connection, new: Sequence[Submitted]) -> frozenset[UUID]:
    """Work for packs that somebody has submitted other work for since they were planned."""
    planned = [item for item in new if item.order.generation is not None]
    if not planned:
        return frozenset()
    rows = await connection.fetch(
        """
        SELECT work_id FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS planned (work_id, share_pack_id, generation)
        WHERE generation <> coalesce(
            (SELECT max(number) FROM reconciler.work WHERE work.share_pack_id = planned.share_pack_id), 0
        )
        """,
        [item.work_id for item in planned],
        [item.ids.share_pack for item in planned],
        [item.order.generation for item in planned],
    )
    return frozenset(row["work_id"] for row in rows)


def _submitted(plan: PlanRecord, order: PackOrder) -> Submitted:
    return Submitted(order, pack_ids(order.pack), work_id(plan.plan_id, order.pack), _first_progress(plan, order))


def _first_progress(plan: PlanRecord, order: PackOrder) -> Progress:
    if order.wanted:
        return Progress(PackStatus.IN_PROGRESS, "Waiting for a worker")
    if order.held:
        return Progress(PackStatus.FAILED, "Held", "; ".join(order.held))
    return Progress(PackStatus.COMPLETED, PROVISIONED, applied_commit=plan.commit)


async def _write_rows(connection: asyncpg.Connection, plan: PlanRecord, new: Sequence[Submitted]) -> None:
    change = Change(plan.actor, "submitted", plan.plan_id, plan.commit, reviews=_reviews(new))
    await name_packs(connection, {item.order.pack: item.order.tenant for item in new}, change)
    await _write_regions(connection, new, change)
    await _write_packs(connection, new, change)
    await write_versions(connection, REQUESTS, [_request(item, plan) for item in new], change)


def _reviews(new: Sequence[Submitted]) -> Mapping[UUID, Review]:
    """Packs share a business line: whoever stands behind one of them stands behind what is written of it."""
    reviews: dict[UUID, Review] = {}
    for item in new:
        region = tenant_region_id(item.order.pack, item.order.region)
        for entity_id in (item.ids.tenant, item.ids.project, item.ids.share_pack, region):
            reviews[entity_id] = reviews.get(entity_id, Review()).joined(item.order.review)
    return reviews


async def _write_regions(connection: asyncpg.Connection, new: Sequence[Submitted], change: Change) -> None:
    regions = {
        tenant_region_id(item.order.pack, item.order.region): {
            "tenant_id": item.ids.tenant,
            "region": item.order.region,
            "workspace_url": item.order.workspace,
        }
        for item in new
        if item.order.workspace
    }
    current = await read_current(connection, TENANT_REGIONS, regions)
    revisions = [
        revised(TENANT_REGIONS, entity_id, current.get(entity_id), columns) for entity_id, columns in regions.items()
    ]
    await write_versions(connection, TENANT_REGIONS, revisions, change)


async def _write_packs(connection: asyncpg.Connection, new: Sequence[Submitted], change: Change) -> None:
    """Content first, then progress: for a pack that is on record these are two versions."""
    current = await read_current(connection, SHARE_PACKS, [item.ids.share_pack for item in new])
    now = await clock(connection)
    contents = {
        item.ids.share_pack: revised(
            SHARE_PACKS,
            item.ids.share_pack,
            current.get(item.ids.share_pack),
            _content(item, current.get(item.ids.share_pack), change, now),
        )
        for item in new
    }
    versions = await write_versions(connection, SHARE_PACKS, list(contents.values()), change)
    progressed = [
        {
            **contents[item.ids.share_pack],
            **item.progress.columns,
            "version": versions.get(item.ids.share_pack, contents[item.ids.share_pack]["version"]),
        }
        for item in new
    ]
    await write_versions(connection, SHARE_PACKS, progressed, change)
    gone = [
        item.ids.share_pack
        for item in new
        if item.order.config is None and item.progress.status is PackStatus.COMPLETED
    ]
    await delete_packs(connection, gone, replace(change, reason="removed from Git"))


def _content(item: Submitted, row: Row | None, change: Change, now: datetime) -> Row:
    order = item.order
    if row is not None and (order.config is None or (order.held and row["config"] is not None)):
        # Git removed the file: what it said last stays on record until everything is gone. Or something is held: then
        # the commit on record must not move, for what may be removed is judged from it. Of a pack that was only handed
        # in, there is none.
        return {}
    requestor = order.requestor or change.actor
    content = {
        "requested_by": requestor,
        "strategy": order.strategy.value,
        "file_path": order.path,
        "file_format": order.file_format,
        "workspace_url": order.workspace,
        "region": order.region,
        "config": order.config,
        "config_digest": digest(order.config),
        "commit_id": change.commit or None,
    }
    if row is not None:
        return content
    first = {
        "share_pack_name": pack_name(requestor, now),
        "tenant_id": item.ids.tenant,
        "project_id": item.ids.project,
        "applied_commit_id": None,
    }
    return {**first, **content, **item.progress.columns}


def _request(item: Submitted, plan: PlanRecord) -> Row:
    values = {
        "tenant_id": item.ids.tenant,
        "project_id": item.ids.project,
        "share_pack_id": item.ids.share_pack,
        "requested_by": item.order.requestor or plan.actor,
        "request_status": _REQUEST_STATUS[item.progress.status],
        "error_message": item.progress.error,
        **review_columns(item.order.review),
    }
    return revised(REQUESTS, item.work_id, None, values)


async def _write_work(connection: asyncpg.Connection, plan: PlanRecord, new: Sequence[Submitted]) -> None:
    """An order that wants nothing gets a work row that has ended: it too supersedes what was wanted before."""
    waiting = {item.order.pack: item for item in new if item.order.wanted}
    needs = resolve_needs(
        {item.work_id: item.ids.share_pack for item in waiting.values()},
        {item.work_id: frozenset(pack_ids(pack).share_pack for pack in item.order.needs) for item in waiting.values()},
        await unfinished_work(connection),
    )
    await connection.execute(
        """
        INSERT INTO reconciler.work (
            work_id, plan_id, share_pack_id, pack_order, business_line_key, workspace_url, fingerprint, basis, narrows,
            needs, status, reason, finished_at
        )
        SELECT (item ->> 'work_id')::uuid, $2, (item ->> 'share_pack_id')::uuid, item -> 'order',
               item ->> 'business_line_key', item #>> '{order,workspace}', item #>> '{order,fingerprint}',
               item #>> '{order,basis}', (item #>> '{order,narrows}')::boolean,
               ARRAY(SELECT jsonb_array_elements_text(item -> 'needs')::uuid),
               item ->> 'status', item ->> 'reason',
               CASE WHEN item ->> 'status' <> 'waiting' THEN statement_timestamp() END
        FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS list (item, place) ORDER BY place
        """,
        json.dumps([_work_row(item, needs.get(item.work_id, ())) for item in new]),
        plan.plan_id,
    )
    await connection.execute(
        """
        INSERT INTO reconciler.leases (share_pack_id, fence, holder, work_id, expires_at)
        SELECT share_pack_id, 0, '', work_id, '-infinity' FROM reconciler.work WHERE work_id = ANY ($1::uuid[])
        ON CONFLICT (share_pack_id) DO NOTHING
        """,
        [item.work_id for item in new],
    )
    change = Change(plan.actor, "superseded by a newer plan", plan.plan_id, plan.commit)
    await end_superseded(connection, [item.ids.share_pack for item in new], change)


def _work_row(item: Submitted, needs: Iterable[UUID]) -> Mapping[str, object]:
    order = item.order
    return {
        "work_id": str(item.work_id),
        "share_pack_id": str(item.ids.share_pack),
        "order": order_to_json(order),
        "business_line_key": order.pack.business_line_key,
        "needs": [str(need) for need in needs],
        "status": _WORK_STATUS.get(item.progress.status, WorkStatus.WAITING).value,
        "reason": item.progress.error,
    }
