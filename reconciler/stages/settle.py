"""What goes on record beside calls: rows that only have to be brought up to date, and what somebody changed by hand
before it is corrected. Makes no call."""

from typing import assert_never

from reconciler.core.actual import Found
from reconciler.core.changes import Cause
from reconciler.core.holds import EXISTENCE, changed_by_hand, declared_digest
from reconciler.core.key import Key
from reconciler.core.lowering import managed_like
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Unknown,
    Update,
    Verdict,
)
from reconciler.stages.call import Calling
from reconciler.stages.look import Look


async def settle(calling: Calling, key: Key, verdict: Verdict) -> None:
    claim, ledger = calling.claim, calling.ledger
    match verdict:
        case Record(before, after):
            was = before.name if before is not None and before.name != after.name else ""
            await ledger.settle(claim, key, after, "recorded as it is in the workspace", renamed_from=was)
        case Adopt(_, after):
            await ledger.settle(claim, key, after, "recorded as it is in the workspace")
        case Forget():
            await ledger.settle(claim, key, None, "gone from the workspace")
        case Release():
            await ledger.settle(claim, key, None, "let go: it stays as it is in the workspace")
        case (
            Create()
            | Update()
            | Rename()
            | Replace()
            | Delete()
            | Keep()
            | Drifted()
            | Ignore()
            | Conflict()
            | Unknown()
        ):
            pass
        case _:
            assert_never(verdict)


async def tell_drift(calling: Calling, key: Key, verdict: Verdict) -> None:
    """What somebody changed by hand gets a version of its own before it is corrected: it is part of who could read
    what, and must not look like our doing."""
    match verdict:
        case Update(before, after, _, Cause.DRIFT | Cause.BOTH):
            found = managed_like(after, before)
            await calling.ledger.settle(calling.claim, key, found, "found changed by hand")
        case Create(_, Cause.DRIFT):
            await calling.ledger.settle(calling.claim, key, None, "found deleted by hand")
        case _:
            pass


async def count_corrections(calling: Calling, key: Key, verdict: Verdict, seen: Look) -> None:
    """So that a field which somebody keeps changing back is left alone one day."""
    match verdict:
        case Update(changes=changes):
            fields = changed_by_hand(changes)
        case Create(cause=Cause.DRIFT):
            fields = frozenset({EXISTENCE})
        case _:
            fields = frozenset()
    wanted = next(item.resource for item in calling.claim.order.wanted if item.key == key)
    if fields and wanted is not None:
        found = seen.actual.get(key)
        by = found.updated_by if isinstance(found, Found) else ""
        actors = dict.fromkeys(sorted(fields), by)
        await calling.ledger.corrected(calling.claim, key, actors, declared_digest(wanted))
