"""Who will read what that could not be read before, a line of text per recipient and object: what a reviewer approves
besides the actions. Two changes can be harmless alone and let somebody in together: no action is new, a gain is."""

from collections.abc import Collection, Iterator

from reconciler.core.access import overlay
from reconciler.core.changes import ElementAdded, FieldChange, ObjectChanged, must_come_again
from reconciler.core.encoding import canonical
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.resource_encoding import encode_object
from reconciler.core.severity import Effect, change_effect
from reconciler.core.share import Share, SharedObject
from reconciler.core.verdict import Adopt, Create, Rename, Update, Verdict

#: What does not say how much can be read.
_BESIDE: tuple[str, ...] = ("comment", "shared_as", "content_digest")


def gains(key: Key, verdict: Verdict) -> frozenset[str]:
    """Such as `acme reads main.sales.t (TABLE) by share/s in https://adb-1.example`. Through this share alone: what the
    recipient reads by another one as well counts too."""
    return frozenset(
        f"{recipient} reads {_extent(item)} by {key} in {key.workspace}" for recipient, item in _new(verdict)
    )


def _new(verdict: Verdict) -> Iterator[tuple[str, SharedObject]]:
    match verdict:
        case Create(Share() as after):
            yield from _pairs(after)
        case (
            Update(Share() as before, Share() as after, changes)
            | Adopt(Share() as before, Share() as after, changes)
            | Rename(Share() as before, Share() as after, changes)
        ):
            readers, names = _let_in(changes), _widened(changes)
            for recipient, item in _pairs(overlay(before, after)):
                if recipient in readers or item.name in names:
                    yield recipient, item
        case _:
            pass


def _pairs(share: Share) -> Iterator[tuple[str, SharedObject]]:
    for recipient in () if share.recipients is UNMANAGED else share.recipients:
        for item in () if share.objects is UNMANAGED else share.objects:
            yield recipient, item


def _let_in(changes: Collection[FieldChange]) -> frozenset[str]:
    return frozenset(
        str(each.element) for each in changes if isinstance(each, ElementAdded) and each.field == "recipients"
    )


def _widened(changes: Collection[FieldChange]) -> frozenset[str]:
    """Objects that are new in the share, or of which more or something else is shared. The effect of a change that
    narrows and widens at once is the worse one, so all but renaming and comments count."""
    added = (str(each.element) for each in changes if isinstance(each, ElementAdded) and each.field == "objects")
    changed = (each.after.name for each in changes if isinstance(each, ObjectChanged) and _counts(each))
    return frozenset([*added, *changed])


def _counts(change: ObjectChanged) -> bool:
    """What goes and comes stands alone after a crash in between, and is an addition then."""
    return change_effect(change) > Effect.METADATA or must_come_again(change)


def _extent(item: SharedObject) -> str:
    options = encode_object(item)
    for name in _BESIDE:
        options.pop(name, None)
    said = f"{options.pop('name')} ({options.pop('type', UNMANAGED)})"
    return f"{said} {canonical(options)}" if options else said
