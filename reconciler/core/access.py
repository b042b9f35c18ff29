"""Who can read what: the union of a recipient's shares, before and after. Does not decide whether that is right."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.changes import Cause, ElementAdded, ElementRemoved
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import Share
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Forget,
    Ignore,
    Keep,
    Record,
    Unknown,
    Update,
    Verdict,
)

#: Names of data objects by name of recipient.
Access = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class AccessChange:
    recipient: str
    gains: tuple[str, ...]
    loses: tuple[str, ...]
    #: How many objects it can read afterwards.
    reads_after: int
    #: Nothing in the file asked for this: a grant made or taken by hand is being corrected.
    is_drift: bool = False


def access_changes(verdicts: Iterable[Verdict]) -> tuple[AccessChange, ...]:
    """Per recipient, what it gains and loses when these verdicts are carried out, sorted by name."""
    before: list[Share] = []
    after: list[Share] = []
    by_file: set[str] = set()
    for verdict in verdicts:
        was, becomes = _share_states(verdict)
        before += was
        after += becomes
        by_file |= _touched_by_file(verdict)
    readable, will_read = access(before), access(after)
    changes = []
    for recipient in sorted(readable.keys() | will_read.keys()):
        old, new = readable.get(recipient, frozenset()), will_read.get(recipient, frozenset())
        if old != new:
            gains, loses = tuple(sorted(new - old)), tuple(sorted(old - new))
            changes.append(AccessChange(recipient, gains, loses, len(new), recipient not in by_file))
    return tuple(changes)


def access(shares: Iterable[Share]) -> Access:
    readable: dict[str, frozenset[str]] = {}
    for share in shares:
        objects = frozenset() if share.objects is UNMANAGED else frozenset(item.name for item in share.objects)
        for recipient in () if share.recipients is UNMANAGED else share.recipients:
            readable[recipient] = readable.get(recipient, frozenset()) | objects
    return readable


def _share_states(verdict: Verdict) -> tuple[list[Share], list[Share]]:
    match verdict:
        case Create(Share() as after):
            return [], [after]
        case Update(Share() as before, Share() as after) | Adopt(Share() as before, Share() as after):
            return [before], [overlay(before, after)]
        case Keep(Share() as same):
            return [same], [same]
        case Record(_, Share() as same):
            return [same], [same]
        case Delete(Share() as before):
            return [before], []
        case (
            Create() | Update() | Adopt() | Keep() | Record() | Delete() | Forget() | Conflict() | Unknown() | Ignore()
        ):
            return [], []


def overlay(actual: Share, desired: Share) -> Share:
    """The share once the desired fields hold; what is not managed stays as it is."""
    return replace(
        desired,
        comment=actual.comment if desired.comment is UNMANAGED else desired.comment,
        objects=actual.objects if desired.objects is UNMANAGED else desired.objects,
        recipients=actual.recipients if desired.recipients is UNMANAGED else desired.recipients,
    )


def _touched_by_file(verdict: Verdict) -> set[str]:
    """The recipients whose access the pack's own words change, not only somebody's hand."""
    match verdict:
        case Create(Share(recipients=recipients), cause):
            return set() if recipients is UNMANAGED or cause is Cause.DRIFT else set(recipients)
        case Delete(Share(recipients=recipients)):
            return set() if recipients is UNMANAGED else set(recipients)
        case Update(Share() as before, Share() as after, changes) | Adopt(Share() as before, Share() as after, changes):
            names: set[str] = set()
            for change in changes:
                if not isinstance(change, ElementAdded | ElementRemoved) or change.cause is Cause.DRIFT:
                    continue
                if change.field == "recipients":
                    names.add(str(change.element))
                elif change.field == "objects":
                    names |= access([after if isinstance(change, ElementAdded) else before]).keys()
            return names
        case _:
            return set()
