"""Packs, orders and resources to write into a ledger."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg

from reconciler.core.calls import Operation
from reconciler.core.key import Key, PackId, recipient_key, share_key
from reconciler.core.pack import Strategy
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import NotebookContent, ObjectType, Share, SharedObject
from reconciler.ports.ledger import Claim, Ledger, Outcome, PackOrder, PlanRecord, Wanted

WORKSPACE = "https://adb-1.azuredatabricks.net"
COMMIT = "c0ffee" + "0" * 34
NEXT_COMMIT = "decade" + "0" * 34

PACK = PackId.of("Sales Operations", "Sales Q1")
OTHER_PACK = PackId.of("Sales Operations", "Sales Q2")
THIRD_PACK = PackId.of("Legal", "Contracts")

ANALYST = Recipient("analyst", TokenSharing(), email="a@partner.com", allowed_ips=frozenset({"10.0.0.0/8"}))
ANALYST_KEY = recipient_key("analyst", WORKSPACE)
SALES = Share(
    "sales",
    comment="Q1",
    objects=frozenset({SharedObject("prod.sales.orders", ObjectType.TABLE)}),
    recipients=frozenset({"analyst"}),
)
SALES_KEY = share_key("sales", WORKSPACE)

SOURCE = b"# a notebook with c4n4ry bytes"
NOTEBOOK = SharedObject("how to", ObjectType.NOTEBOOK_FILE, content=NotebookContent(sha256(SOURCE).hexdigest(), SOURCE))


def a_plan(commit: str = COMMIT, actor: str = "john.doe@jll.com") -> PlanRecord:
    return PlanRecord(uuid4(), commit, actor, {"summary": "1 to create"})


def an_order(
    pack: PackId = PACK,
    *wanted: Wanted,
    needs: frozenset[PackId] = frozenset(),
    config: dict[str, object] | None = None,
    removed: bool = False,
    held: tuple[str, ...] = (),
    narrows: bool = False,
    workspace: str = WORKSPACE,
) -> PackOrder:
    return PackOrder(
        pack=pack,
        path=f"sharepacks/{pack.project_key}.yaml",
        workspace=workspace,
        requestor="" if removed else "john.doe@jll.com",
        strategy=Strategy.NEW,
        file_format="" if removed else "yaml",
        config=None if removed else config or {"metadata": {"project_name": pack.project_name}},
        region="AM",
        wanted=wanted,
        actions=frozenset({"share/sales create"}),
        needs=needs,
        held=held,
        narrows=narrows,
    )


def work_order(
    pack: PackId = PACK,
    needs: frozenset[PackId] = frozenset(),
    *,
    narrows: bool = False,
    workspace: str = WORKSPACE,
) -> PackOrder:
    """An order with something to do, told apart from others by its pack."""
    key = share_key(f"share_of_{pack.project_key}", workspace)
    return an_order(pack, Wanted(key, Share(key.name)), needs=needs, narrows=narrows, workspace=workspace)


def wanted(key: Key, resource: Recipient | Share | None) -> Wanted:
    return Wanted(key, resource)


async def submitted(ledger: Ledger, plan: PlanRecord, orders: Sequence[PackOrder]) -> Mapping[PackId, UUID]:
    """The work, of packs that have any."""
    work = await ledger.submit(plan, orders)
    return {pack: work_id for pack, work_id in work.items() if work_id is not None}


async def claimed(
    ledger: Ledger, *orders: PackOrder, worker: str = "worker-1", lease: float = 60.0, plan: PlanRecord | None = None
) -> Claim:
    """Submits the orders and claims the first of them."""
    orders = orders or (work_order(),)
    work = await submitted(ledger, plan or a_plan(), orders)
    return await claim(ledger, work[orders[0].pack], worker=worker, lease=lease)


async def claim(ledger: Ledger, work_id: UUID, worker: str = "worker-1", lease: float = 60.0) -> Claim:
    taken = await ledger.claim(worker, work_id, lease)
    assert isinstance(taken, Claim), taken
    return taken


async def begin(ledger: Ledger, held: Claim, operation: Operation) -> UUID:
    """One call, about to be made."""
    operation_id = uuid4()
    await ledger.advance(held, {}, {operation_id: operation})
    return operation_id


async def conclude(ledger: Ledger, held: Claim, operation_id: UUID, outcome: Outcome) -> None:
    await ledger.advance(held, {operation_id: outcome}, {})


async def progress(ledger: Ledger, held: Claim, words: str) -> None:
    await ledger.advance(held, {}, {}, words)


async def expire(connection: asyncpg.Connection) -> None:
    """All leases run out, as if their workers had stalled."""
    await connection.execute("UPDATE reconciler.leases SET expires_at = clock_timestamp() - interval '1 ms'")


async def everything(connection: asyncpg.Connection) -> list[object]:
    """All rows that a worker may write, to see that none was."""
    tables = ("deltashare.share_packs", "deltashare.shares", "deltashare.audit_trail", "deltashare.requests")
    own = ("reconciler.work", "reconciler.leases", "reconciler.operations")
    return [await connection.fetch(f"SELECT * FROM {table} AS row ORDER BY row::text") for table in tables + own]
