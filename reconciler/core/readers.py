"""What a recipient's rename or replacement does to the shares that are granted to it: grants follow a rename, and go
with a recipient that is replaced."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.actual import Found, Observed
from reconciler.core.key import Key, Kind, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.resource import Resource
from reconciler.core.share import Share
from reconciler.core.verdict import Rename, Replace, Verdict

#: By workspace and the name it has now: the name it will have; None when its grants go.
Moves: TypeAlias = Mapping[tuple[str, str], str | None]


def moves(verdicts: Iterable[tuple[Key, Verdict]]) -> Moves:
    """What the verdicts that will be carried out do to grants."""
    moved: dict[tuple[str, str], str | None] = {}
    for key, verdict in verdicts:
        if key.kind is Kind.RECIPIENT and isinstance(verdict, Rename):
            moved[key.workspace, verdict.before.name] = verdict.after.name
        elif isinstance(verdict, Replace):
            moved[key.workspace, key.name] = None
    return moved


def moved_readers(workspace: str, observed: Iterable[Observed], moved: Moves) -> frozenset[Key]:
    """Who of those that hold a share now will bear another name or be made anew, by the key it will have."""
    shares = (each.resource for each in observed if isinstance(each, Found) and isinstance(each.resource, Share))
    names = {name for share in shares if share.recipients is not UNMANAGED for name in share.recipients}
    return frozenset(
        recipient_key(moved[workspace, name] or name, workspace) for name in names if (workspace, name) in moved
    )


def observed_after(observed: Observed, workspace: str, moved: Moves) -> Observed:
    """A share as it will be found once the recipients are in order."""
    if not isinstance(observed, Found) or not moved:
        return observed
    return replace(observed, resource=resource_after(observed.resource, workspace, moved))


def resource_after(resource: Resource, workspace: str, moved: Moves) -> Resource:
    if not isinstance(resource, Share) or resource.recipients is UNMANAGED or not moved:
        return resource
    names = (moved.get((workspace, name), name) for name in resource.recipients)
    return replace(resource, recipients=frozenset(name for name in names if name is not None))
