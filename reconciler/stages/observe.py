"""The recorded and the actual state of the packs in scope, and the types of what their shares are to gain. Reads what
the packs name, nothing else."""

import asyncio
from collections.abc import Collection

from reconciler.core.actual import Absent, Actual
from reconciler.core.desired import Desired
from reconciler.core.key import Key, PackId
from reconciler.core.planning import keys_in_scope
from reconciler.core.recorded import RecordedState
from reconciler.core.resolve import Catalog, names_to_look_up
from reconciler.core.share import Share
from reconciler.ports.ledger import Ledger
from reconciler.ports.platform import Platform


async def recorded_state(desired: Desired, scope: Collection[PackId], ledger: Ledger) -> RecordedState:
    packs = [desired.packs[pack] for pack in scope if pack in desired.packs]
    keys = {key for pack in packs for key in (*pack.resources, *pack.borrowed)}
    return await ledger.recorded(keys, scope)


async def actual_state(
    desired: Desired, scope: Collection[PackId], recorded: RecordedState, platform: Platform
) -> Actual:
    return await platform.observe(keys_in_scope(desired, scope, recorded))


async def catalogs(
    desired: Desired, scope: Collection[PackId], actual: Actual, platform: Platform
) -> dict[str, Catalog]:
    """Per workspace, the types of objects that a share is to hold and does not hold yet."""
    names: dict[str, set[str]] = {}
    for key, share in _declared_shares(desired, scope):
        names.setdefault(key.workspace, set()).update(names_to_look_up(share, actual.get(key, Absent())))
    workspaces = [workspace for workspace in sorted(names) if names[workspace]]
    found = await asyncio.gather(*(platform.object_types(workspace, names[workspace]) for workspace in workspaces))
    return dict(zip(workspaces, found, strict=True))


def _declared_shares(desired: Desired, scope: Collection[PackId]) -> list[tuple[Key, Share]]:
    packs = (desired.packs[pack] for pack in scope if pack in desired.packs)
    return [
        (key, declared.resource)
        for pack in packs
        for key, declared in pack.resources.items()
        if isinstance(declared.resource, Share)
    ]
