"""The calls that make and change one share: its own fields, its objects in chunks, its grants."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.calls import OBJECT_UPDATES_PER_CALL, ChangeGrants, CreateShare, Operation, UpdateShare
from reconciler.core.changes import ElementAdded, ElementRemoved, FieldChange, ObjectChanged, must_come_again
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.objects import overlaid
from reconciler.core.share import Share, SharedObject

_OWN_FIELDS: Final = ("comment", "storage_root")


@dataclass(frozen=True, slots=True)
class _Edit:
    """One entry of a PATCH: what is sent, and what it makes of which object on record."""

    sent: SharedObject
    #: None: it was not there.
    was: SharedObject | None
    #: None: it is gone.
    becomes: SharedObject | None


def create_share(key: Key, after: Share, changes: Collection[FieldChange]) -> Iterator[Operation]:
    """`after` without an owner; `changes` are those from an empty share."""
    empty = replace(
        after,
        objects=UNMANAGED if after.objects is UNMANAGED else frozenset(),
        recipients=UNMANAGED if after.recipients is UNMANAGED else frozenset(),
    )
    yield Operation(CreateShare(key, after.comment, after.storage_root), empty)
    yield from update_share(key, empty, after, [change for change in changes if change.field not in _OWN_FIELDS])


def update_share(key: Key, now: Share, after: Share, changes: Collection[FieldChange]) -> Iterator[Operation]:
    """`now` is the share as it is, with the managed fields of `after`."""
    now = untouched_as_desired(now, after, changes)
    grant = tuple(_names(changes, ElementAdded))
    revoke = tuple(_names(changes, ElementRemoved))
    fields = {change.field for change in changes}
    comment = after.comment if "comment" in fields else UNMANAGED
    storage_root = after.storage_root if "storage_root" in fields else UNMANAGED
    rounds = list(_rounds(changes))
    # Whoever is to read less must not see, in between, what others are to see more of.
    adds = any(edit.was is None or edit.becomes is not None for edits in rounds for edit in edits)
    revoke_first = bool(revoke and (adds or (rounds and grant)))
    if revoke_first:
        now = replace(now, recipients=_without(now.recipients, revoke))
        yield Operation(ChangeGrants(key, revoke=revoke), now)
    for edits in rounds:
        now = _with_own(replace(now, objects=_edited(now.objects, edits)), comment, storage_root)
        yield Operation(replace(_patch(key, edits), comment=comment, storage_root=storage_root), now)
        comment = storage_root = UNMANAGED
    if comment is not UNMANAGED or storage_root is not UNMANAGED:
        now = _with_own(now, comment, storage_root)
        yield Operation(UpdateShare(key, comment, storage_root), now)
    if grant or (revoke and not revoke_first):
        yield Operation(ChangeGrants(key, grant, () if revoke_first else revoke), replace(after, owner=now.owner))


def untouched_as_desired(now: Share, after: Share, changes: Collection[FieldChange]) -> Share:
    """What no change names is as desired, also where Databricks would not show it (a notebook's content)."""
    if now.objects is UNMANAGED or after.objects is UNMANAGED:
        return now
    coming = {each.element for each in changes if isinstance(each, ElementAdded)}
    going = {each.element for each in changes if isinstance(each, ElementRemoved) and each.field == "objects"}
    changing = {each.after: each.before for each in changes if isinstance(each, ObjectChanged)}
    kept = [item for item in after.objects if item not in coming and item not in changing]
    left = [item for item in going if isinstance(item, SharedObject)]
    return replace(now, objects=frozenset([*kept, *changing.values(), *map(_on_record, left)]))


def _on_record(item: SharedObject) -> SharedObject:
    return SharedObject(item.name, item.type, item.shared_as)


def _rounds(changes: Collection[FieldChange]) -> Iterator[Sequence[_Edit]]:
    """Removals before changes before additions, at most 100 a call."""
    for edits in _apart(*_edits(changes)):
        for start in range(0, len(edits), OBJECT_UPDATES_PER_CALL):
            yield edits[start : start + OBJECT_UPDATES_PER_CALL]


def _apart(removals: Sequence[_Edit], others: Sequence[_Edit]) -> Sequence[Sequence[_Edit]]:
    """No source and no alias twice in one call: that is refused as a duplicate (contract 4.4). What is removed and
    comes back, what needs a second update, and a source under two aliases are spread over calls, the removals first."""
    calls: list[list[_Edit]] = []
    next_for: dict[str, int] = {}
    first = 0
    for edits in (removals, others):
        for edit in edits:
            names = _names_in_call(edit.sent)
            at = max(first, *(next_for.get(name, 0) for name in names))
            next_for |= dict.fromkeys(names, at + 1)
            calls += [[] for _ in range(at + 1 - len(calls))]
            calls[at].append(edit)
        first = max(0, len(calls) - 1)
    return calls


def _names_in_call(item: SharedObject) -> tuple[str, str]:
    """Its source, and what its readers call it: `schema.table` of the source when nothing else is said."""
    return f"source {item.name}", f"alias {_known(item.shared_as, item.name.partition('.')[2])}"


def _edits(changes: Collection[FieldChange]) -> tuple[list[_Edit], list[_Edit]]:
    """The removals, and everything else in its order."""
    removals: list[_Edit] = []
    updates: list[_Edit] = []
    additions: list[_Edit] = []
    second: list[_Edit] = []
    for change in changes:
        match change:
            case ElementRemoved(element=SharedObject() as item):
                removals.append(_Edit(item, _on_record(item), None))
            case ElementAdded(element=SharedObject() as item):
                additions.append(_Edit(item, None, item))
            case ObjectChanged(before, after):
                if must_come_again(change):
                    removals.append(_Edit(_on_record(change.found), before, None))
                    second.append(_Edit(overlaid(after, change.found), None, after))
                else:
                    steps = _updates(change)
                    updates.append(steps[0])
                    second += steps[1:]
            case _:
                pass
    return removals, [*updates, *additions, *second]


def _updates(change: ObjectChanged) -> list[_Edit]:
    """History and change feed never in one request (contract 4.3): the history goes first."""
    fields = {each.field for each in change.sets}
    after = change.after
    # Without its change feed there is no history (core.changes).
    turns_history_off = "cdf" in fields and (
        after.cdf is False and after.history is UNMANAGED and change.found.history is True
    )
    history = False if turns_history_off else after.history if "history" in fields else UNMANAGED
    sent = SharedObject(
        name=after.name,
        type=after.type,
        shared_as=_known(change.alias, after.shared_as),
        comment=after.comment if "comment" in fields else UNMANAGED,
        partitions=after.partitions if "partitions" in fields else UNMANAGED,
        history=history,
        cdf=after.cdf if "cdf" in fields and history is UNMANAGED else UNMANAGED,
        start_version=after.start_version if "start_version" in fields else UNMANAGED,
        content=after.content if "content" in fields else UNMANAGED,
    )
    if "cdf" not in fields or history is UNMANAGED:
        return [_Edit(sent, change.before, after)]
    between = replace(after, cdf=change.before.cdf)
    later = SharedObject(after.name, after.type, sent.shared_as, cdf=after.cdf)
    return [_Edit(sent, change.before, between), _Edit(later, between, after)]


def _with_own(now: Share, comment: Managed[str], storage_root: Managed[str]) -> Share:
    return replace(
        now,
        comment=now.comment if comment is UNMANAGED else comment,
        storage_root=now.storage_root if storage_root is UNMANAGED else storage_root,
    )


def _patch(key: Key, edits: Sequence[_Edit]) -> UpdateShare:
    return UpdateShare(
        key,
        remove=tuple(edit.sent for edit in edits if edit.becomes is None),
        add=tuple(edit.sent for edit in edits if edit.was is None),
        change=tuple(edit.sent for edit in edits if edit.was is not None and edit.becomes is not None),
    )


def _edited(objects: Managed[frozenset[SharedObject]], edits: Sequence[_Edit]) -> Managed[frozenset[SharedObject]]:
    if objects is UNMANAGED:
        return UNMANAGED
    gone = {edit.was for edit in edits}
    come = {edit.becomes for edit in edits}
    return frozenset([*(objects - gone), *(item for item in come if item is not None)])


def _names(changes: Collection[FieldChange], wanted: type[ElementAdded] | type[ElementRemoved]) -> Iterator[str]:
    for change in changes:
        if isinstance(change, wanted) and change.field == "recipients":
            yield str(change.element)


def _without(names: Managed[frozenset[str]], gone: Collection[str]) -> Managed[frozenset[str]]:
    return UNMANAGED if names is UNMANAGED else names - frozenset(gone)


def _known(first: Managed[str], second: Managed[str]) -> Managed[str]:
    return second if first is UNMANAGED else first
