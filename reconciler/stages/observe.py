"""The recorded and the actual state of the packs in scope, what the catalog says of what their shares are to gain, and
who calls. Reads what the packs name, nothing else."""

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import replace

from reconciler.core.actual import Absent, Actual, Observed
from reconciler.core.desired import Desired
from reconciler.core.key import Key, PackId
from reconciler.core.pack import Declared, SharePack
from reconciler.core.planning import keys_in_scope
from reconciler.core.recorded import RecordedState
from reconciler.core.resolve import Catalog, Sought, to_look_up
from reconciler.core.rights import Caller
from reconciler.core.share import Share
from reconciler.ports.clock import Clock
from reconciler.ports.ledger import Ledger
from reconciler.ports.platform import Platform, RefusedError, UnavailableError
from reconciler.stages.look import GRACE, settled


async def recorded_state(desired: Desired, scope: Collection[PackId], ledger: Ledger) -> RecordedState:
    packs = [desired.packs[pack] for pack in scope if pack in desired.packs]
    keys = {key for pack in packs for key in (*pack.resources, *pack.borrowed, *_former(pack))}
    return await ledger.recorded(keys, scope)


def _former(pack: SharePack) -> Iterator[Key]:
    """The names that resources had before they were renamed."""
    items = pack.resources.items()
    return (replace(key, name=declared.renamed_from) for key, declared in items if declared.renamed_from)


async def actual_state(
    desired: Desired,
    scope: Collection[PackId],
    recorded: RecordedState,
    platform: Platform,
    clock: Clock,
    grace: float = GRACE,
) -> Actual:
    """Right after a write, within `grace` seconds, a read that does not show it yet is not believed at once."""
    return await settled(keys_in_scope(desired, scope, recorded), recorded, platform, clock, grace)


async def catalogs(
    desired: Desired, scope: Collection[PackId], actual: Actual, platform: Platform
) -> dict[str, Catalog]:
    """Per workspace, what the catalog says of objects that a share does not hold yet, or holds in vain."""
    sought: dict[str, set[Sought]] = {}
    for key, declared in _declared(desired, scope):
        if isinstance(declared.resource, Share):
            observed = _observed(key, declared, actual)
            sought.setdefault(key.workspace, set()).update(to_look_up(declared.resource, observed))
    workspaces = [workspace for workspace in sorted(sought) if sought[workspace]]
    found = await asyncio.gather(*(platform.look_up(workspace, sought[workspace]) for workspace in workspaces))
    return dict(zip(workspaces, found, strict=True))


def _declared(desired: Desired, scope: Collection[PackId]) -> Iterator[tuple[Key, Declared]]:
    packs = (desired.packs[pack] for pack in scope if pack in desired.packs)
    return (item for pack in packs for item in pack.resources.items())


def _observed(key: Key, declared: Declared, actual: Actual) -> Observed:
    """Under its old name while it has that."""
    observed = actual.get(key, Absent())
    if declared.renamed_from and isinstance(observed, Absent):
        return actual.get(replace(key, name=declared.renamed_from), observed)
    return observed


async def callers(workspaces: Collection[str], platform: Platform) -> dict[str, Caller]:
    """Who calls, in each workspace that says so. One that does not is planned without: Databricks will say then."""

    async def ask(workspace: str) -> Caller | None:
        try:
            return await platform.caller(workspace)
        except (RefusedError, UnavailableError):
            return None

    asked = sorted(workspaces)
    answers = await asyncio.gather(*map(ask, asked))
    return {workspace: caller for workspace, caller in zip(asked, answers, strict=True) if caller is not None}


async def metastore_recipients(
    metastores: Collection[tuple[str, str]], platform: Platform
) -> dict[tuple[str, str], str]:
    """By workspace and metastore id, the recipient that stands for it already. Where it is not told, Databricks will
    say when the recipient is made."""

    async def ask(workspace: str, metastore_id: str) -> str | None:
        try:
            return await platform.recipient_of(workspace, metastore_id)
        except (RefusedError, UnavailableError):
            return None

    asked = sorted(metastores)
    names = await asyncio.gather(*(ask(*each) for each in asked))
    return {each: name for each, name in zip(asked, names, strict=True) if name is not None}
