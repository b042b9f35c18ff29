"""What a change from one state to another is lowered to, performed on the model workspace, which takes every call."""

from typing import Any

from reconciler.core.calls import (
    Call,
)
from reconciler.core.changes import Cause, field_changes
from reconciler.core.key import share_key
from reconciler.core.lowering import lower
from reconciler.core.recipient import (
    Recipient,
    TokenSharing,
)
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import Share, SharedObject
from reconciler.core.verdict import Update
from tests.core.worlds import WORKSPACE, as_actual, read_back, without_contents, workspace_of

KEY = share_key("s", WORKSPACE)
READERS = tuple(Recipient(name, TokenSharing()) for name in ("acme", "bolt"))


def changed(before: Resource, after: Resource, recorded: Resource | None = None) -> Update:
    there = as_actual(before)
    return Update(there, after, field_changes(after, recorded or before, there), Cause.FILE)


def calls(before: Resource, after: Resource) -> list[Call]:
    """What is asked for; the model takes every call, and afterwards everything managed is as it should be."""
    operations = lower(key_of(after, WORKSPACE), changed(before, after))
    workspace = workspace_of(before, *(each for each in READERS if each.name != after.name))
    for operation in operations:
        workspace.perform(operation.call)
    told = read_back(after, workspace.told(key_of(after, WORKSPACE)))
    assert told == without_contents(after)
    if operations:
        assert operations[-1].after == after
    return [operation.call for operation in operations]


def share(*objects: SharedObject, to: str = "", **more: Any) -> Share:
    return Share("s", objects=frozenset(objects), recipients=frozenset(to.split()), **more)
