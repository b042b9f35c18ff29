"""Pull requests wired to the record: what was approved is found in them, and what became of it is told there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.cli.wording import wording
from reconciler.settings import Settings
from reconciler.stages.review import Reviewing
from reconciler.stages.tell import Teller
from reconciler.wiring import Ports, pack_source, pull_requests


@asynccontextmanager
async def reviewed(
    ports: Ports, settings: Settings, repository: str, run_id: int | None = None
) -> AsyncIterator[Teller]:
    pulls = pull_requests(settings, repository)
    try:
        source = pack_source(settings.packs_dir)
        yield Teller(pulls, Reviewing(pulls, ports.ledger, source, run_id), wording())
    finally:
        await pulls.close()
