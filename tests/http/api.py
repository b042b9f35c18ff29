"""A running server for a test: real uvicorn, database, repository and sandbox, and keys to knock with."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import uuid4

import aiohttp

from reconciler.adapters.git.storing import GitPackStore
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.portal import Portal
from reconciler.core.api_key import key_of
from reconciler.core.key import PackId
from reconciler.core.permits import Right
from reconciler.core.plan import Plan
from reconciler.http.app import create_app
from reconciler.http.health import look
from reconciler.http.parts import Parts
from reconciler.http.serving import serve
from reconciler.ports.keyring import ApiKey
from reconciler.render.plan_json import plan_document
from reconciler.settings import Settings
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.read import read_commit
from reconciler.stages.receive import Receiving
from reconciler.stages.reconcile import Reconciler
from tests.journeys.journey import NO_LIMITS, Journey

UPLOAD = "/workflow/sharepack/upload"
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Api:
    url: str
    parts: Parts
    journey: Journey
    portal: Portal
    session: aiohttp.ClientSession
    #: Set it to have the server stop.
    stop: asyncio.Event
    #: Sent with every request.
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, path: str, method: str = "GET", *, headers: Any = None, **more: Any) -> Answer:
        """`headers` instead of those that are sent with every request."""
        sent = self.headers if headers is None else headers
        async with self.session.request(method, f"{self.url}{path}", headers=sent, **more) as answer:
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, await answer.read())

    async def upload(
        self,
        content: str | bytes,
        *,
        name: str = "sharepack.yaml",
        workspace: str | None = None,
        path: str = UPLOAD,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", content if isinstance(content, bytes) else content.encode(), filename=name)
        sent = {"X-Workspace-URL": workspace or self.journey.url, **(self.headers if headers is None else headers)}
        return await self.ask(path, "POST", headers=sent, data=form)

    async def key(
        self,
        *lines: str,
        right: Right = Right.WRITE,
        lasts: timedelta | None = None,
        revoked: bool = False,
    ) -> str:
        """A new key; without lines one for all of them."""
        made = key_of(uuid4().hex[:8], token_bytes(32))
        expires = None if lasts is None else datetime.now(UTC) + lasts
        known = ApiKey(made.id, "portal", right, lines or None, "pat", expires_at=expires)
        await self.portal.keyring.add(known, made.digest)
        if revoked:
            await self.portal.keyring.revoke(made.id, "pat")
        return made.text

    async def let_in(self, *lines: str, right: Right = Right.WRITE) -> None:
        self.headers = {"X-API-Key": await self.key(*lines, right=right)}

    async def ended(self, share_pack_id: str) -> Any:
        """Its status, once the work is done."""
        async with asyncio.timeout(20):
            while True:
                status = (await self.ask(f"/workflow/sharepack/{share_pack_id}")).json
                if status["Status"] != "IN_PROGRESS":
                    return status
                await asyncio.sleep(0.05)


def parts_of(journey: Journey, **settings: Any) -> Parts:
    assert isinstance(journey.ledger, PostgresLedger)
    portal = journey.ledger.portal()
    wishes = Wishes(limits=NO_LIMITS, grace=0.0)
    folder = journey.repository / "sharepacks"
    reconciler = Reconciler(
        journey.source, journey.ledger, journey.platform, journey.doorbell, journey.clock, "the API", plan_document
    )
    chosen = Settings.load(packs_dir=folder, databricks_host=journey.url, **settings)
    receiving = Receiving(
        journey.source,
        GitPackStore(folder),
        portal.inbox,
        journey.ledger,
        reconciler,
        journey.url,
        wishes,
        chosen.api_max_upload_bytes,
    )

    async def live_plan(pack: PackId) -> Plan:
        desired = await read_commit(journey.source, journey.url)
        return await plan_packs(
            desired, [pack], journey.source, journey.ledger, journey.platform, journey.clock, wishes
        )

    return Parts(
        settings=chosen,
        receiving=receiving,
        archive=portal.archive,
        inbox=portal.inbox,
        keyring=portal.keyring,
        ledger=journey.ledger,
        plans=portal.plans,
        clock=journey.clock,
        health=lambda: look(portal.archive, journey.doorbell),
        live_plan=live_plan,
        events_every=0.05,
        heartbeat_every=0.2,
    )


@asynccontextmanager
async def served(
    journey: Journey, *, change: Callable[[Parts], Parts] = lambda parts: parts, works: bool = False, **settings: Any
) -> AsyncIterator[Api]:
    """`works`: with workers beside it."""
    assert isinstance(journey.ledger, PostgresLedger)
    parts = change(parts_of(journey, **settings))
    stop = asyncio.Event()
    async with serve(create_app(parts), "127.0.0.1", 0, stop) as url, aiohttp.ClientSession() as session:
        working = asyncio.create_task(journey.workforce().work_until(stop)) if works else None
        yield Api(url, parts, journey, journey.ledger.portal(), session, stop)
        stop.set()
        if working is not None:
            await working


def counted(parts: Parts, asked: list[str]) -> Parts:
    """With the questions that archive, inbox and keyring are asked written down."""
    return replace(
        parts,
        archive=_Told(parts.archive, asked),
        inbox=_Told(parts.inbox, asked),
        keyring=_Told(parts.keyring, asked),
    )


class _Told:
    def __init__(self, port: object, asked: list[str]) -> None:
        self._port, self._asked = port, asked

    def __getattr__(self, name: str) -> Any:
        self._asked.append(name)
        return getattr(self._port, name)
