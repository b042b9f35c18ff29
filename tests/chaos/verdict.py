"""What must hold once all is quiet: asked of Git, the sandbox and the database with code of this test."""

from collections.abc import AsyncIterator

from tests.chaos.deeds import Deeds, Given
from tests.chaos.expected import differences
from tests.chaos.records import broken_rules, contested, packs_not_completed, recorded_keys
from tests.chaos.repository import Repository
from tests.chaos.workspace import FOREIGN, Workspace


async def wrong(
    repository: Repository,
    workspace: Workspace,
    dsn: str,
    deeds: Deeds,
    given: Given,
) -> AsyncIterator[str]:
    """One line for each thing that is not as it must be."""
    declared, there = repository.declared(), workspace.now()
    ours = {key: there[key] for key in there if not key.partition("/")[2].startswith(FOREIGN)}
    for line in differences(declared, ours, await contested(dsn)):
        yield line
    strangers = workspace.strangers()
    for key in sorted(workspace.foreign.keys() | strangers.keys()):
        if strangers.get(key) != workspace.foreign.get(key):
            yield f"{key} is foreign: made as {workspace.foreign.get(key)}, found {strangers.get(key)}"
    recorded = await recorded_keys(dsn)
    for key in sorted(declared.keys() ^ recorded):
        yield f"{key} is {'recorded and not declared' if key in recorded else 'declared and not recorded'}"
    async for line in broken_rules(dsn):
        yield line
    for line in await packs_not_completed(dsn):
        yield line
    deeds.look(workspace)
    for line in deeds.wrong(repository.removed, given):
        yield line
