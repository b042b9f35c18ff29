"""Reads what a plan is computed from and lets the core make it. Changes nothing anywhere."""

from collections.abc import Collection

from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.core.planning import World, make_plan
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import PackSource
from reconciler.ports.platform import Platform
from reconciler.stages.attest import attest
from reconciler.stages.observe import actual_state, catalogs, recorded_state


async def plan_packs(
    desired: Desired, scope: Collection[PackId], source: PackSource, ledger: Ledger, platform: Platform
) -> Plan:
    recorded = await recorded_state(desired, scope, ledger)
    attestations = await attest(source, desired, scope, recorded)
    actual = await actual_state(desired, scope, recorded, platform)
    types = await catalogs(desired, scope, actual, platform)
    return make_plan(desired, scope, World(recorded, actual, types, attestations))
