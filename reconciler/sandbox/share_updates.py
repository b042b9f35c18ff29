"""The list of updates in one PATCH of a share: ADD, REMOVE and UPDATE, in order, at most 100, each object once."""

from collections import Counter
from dataclasses import dataclass

from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import ApiError, invalid, missing_field, not_shared, quota_exceeded, shared_already
from reconciler.sandbox.names import key
from reconciler.sandbox.records import Share, SharedObject
from reconciler.sandbox.share_objects import OBJECT_TYPES, TABLE_LIKE, changed_object, new_object, own_alias
from reconciler.sandbox.state import State

_MOST_UPDATES = 100
_ACTIONS = frozenset({"ADD", "REMOVE", "UPDATE"})
_MOST_TABLES = 1000
_MOST_OF_A_TYPE = {"VOLUME": 1000, "MODEL": 1000, "FUNCTION": 1000, "SCHEMA": 500, "NOTEBOOK_FILE": 100}


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    #: what the share holds now; with a failure, what it held when that came
    objects: tuple[SharedObject, ...]
    failure: ApiError | None


def apply_updates(state: State, share: Share, caller: str, updates: tuple[Body, ...]) -> UpdateOutcome:
    """Answers what the share would hold; nothing is stored. `share` already has the owner the PATCH gives it.

    A list that is wrong in itself, too long or naming an object twice, is raised at once.
    """
    contents = _Contents(share.objects)
    _check_list(state, contents, updates)
    try:
        for update in updates:
            _apply(state, share, caller, contents, update)
    except ApiError as failure:
        return UpdateOutcome(contents.objects(), failure)
    return UpdateOutcome(contents.objects(), None)


class _Contents:
    """The objects of a share while a PATCH is worked through, found by alias and by source."""

    def __init__(self, objects: tuple[SharedObject, ...]) -> None:
        self._by_alias = {_alias_key(each.data_object_type, each.alias): each for each in objects}
        self._of_type = Counter(each.data_object_type for each in self._by_alias.values())
        self._by_source: dict[str, list[SharedObject]] = {}
        for each in objects:
            self._by_source.setdefault(key(each.name), []).append(each)

    def objects(self) -> tuple[SharedObject, ...]:
        return tuple(self._by_alias.values())

    def find(self, asked: Body) -> SharedObject | None:
        """Finds by source name, and by alias where the name is missing or shared under several."""
        kind, name = asked.text("data_object_type"), asked.text("name")
        alias = asked.text("shared_as") or asked.text("string_shared_as")
        if not name:
            return self.of_alias(kind or "TABLE", alias) if alias else None
        found = [each for each in self._by_source.get(key(name), []) if kind in {None, each.data_object_type}]
        return next((each for each in found if alias and key(each.alias) == key(alias)), found[0] if found else None)

    def of_alias(self, kind: str, alias: str) -> SharedObject | None:
        return self._by_alias.get(_alias_key(kind, alias))

    def is_shared(self, item: SharedObject) -> bool:
        return any(each.data_object_type == item.data_object_type for each in self._by_source.get(key(item.name), []))

    def count_like(self, kind: str) -> int:
        like = TABLE_LIKE if kind in TABLE_LIKE else {kind}
        return sum(self._of_type[each] for each in like)

    def add(self, item: SharedObject) -> None:
        self._by_alias[_alias_key(item.data_object_type, item.alias)] = item
        self._of_type[item.data_object_type] += 1
        self._by_source.setdefault(key(item.name), []).append(item)

    def remove(self, item: SharedObject) -> None:
        del self._by_alias[_alias_key(item.data_object_type, item.alias)]
        self._of_type[item.data_object_type] -= 1
        self._by_source[key(item.name)].remove(item)

    def exchange(self, item: SharedObject, changed: SharedObject) -> None:
        """Keeps the place in the order."""
        self._by_alias = {
            _alias_key(each.data_object_type, each.alias): each
            for each in (changed if held is item else held for held in self._by_alias.values())
        }
        same_source = self._by_source[key(item.name)]
        same_source[same_source.index(item)] = changed


def _check_list(state: State, contents: _Contents, updates: tuple[Body, ...]) -> None:
    if len(updates) > _MOST_UPDATES:
        raise invalid(f"UpdateShare number of data objects to update exceeds limit {_MOST_UPDATES}")
    seen: set[tuple[str, str]] = set()
    for update in updates:
        if update.choice("action", _ACTIONS) is None:
            raise missing_field("UpdateShare", "action")
        asked = _data_object(update)
        asked.choice("data_object_type", OBJECT_TYPES)
        current = contents.find(asked)
        kind = current.data_object_type if current else asked.text("data_object_type") or "TABLE"
        shown = _shown(current, asked, kind, is_new=update.text("action") == "ADD" and _takes_aliases(state))
        name = current.name if current else asked.text("name") or shown
        identity = (kind, key(shown if _takes_aliases(state) else name))
        if identity in seen:
            raise invalid(
                "UpdateShare duplicate updates on the same data object with "
                f"data object type: {kind}, names: [{shown}]."
            )
        seen.add(identity)


def _shown(current: SharedObject | None, asked: Body, kind: str, *, is_new: bool) -> str:
    """The name an update is about, as readers see it."""
    if current is not None and not is_new:
        return current.alias
    alias = asked.text("shared_as") or asked.text("string_shared_as")
    return alias or own_alias(kind, asked.text("name") or "")


def _takes_aliases(state: State) -> bool:
    """Whether one source under two aliases is two objects."""
    return state.knobs.same_source_two_aliases == "accept"


def _apply(state: State, share: Share, caller: str, contents: _Contents, update: Body) -> None:
    asked = _data_object(update)
    if update.text("action") == "ADD":
        _add(state, contents, new_object(state, share.owner, caller, asked))
        return
    current = contents.find(asked)
    if current is None:
        name = asked.text("name") or asked.text("shared_as") or asked.text("string_shared_as")
        if not name:
            raise missing_field("UpdateShare", "name")
        raise not_shared(asked.text("data_object_type") or "TABLE", name)
    if update.text("action") == "REMOVE":
        contents.remove(current)
        return
    changed = changed_object(state, current, asked)
    taken = contents.of_alias(changed.data_object_type, changed.alias)
    if taken is not None and taken is not current:
        raise shared_already(changed.data_object_type, changed.alias)
    contents.exchange(current, changed)


def _add(state: State, contents: _Contents, item: SharedObject) -> None:
    if contents.of_alias(item.data_object_type, item.alias) is not None:
        raise shared_already(item.data_object_type, item.name)
    if contents.is_shared(item) and not _takes_aliases(state):
        raise shared_already(item.data_object_type, item.name)
    most = _MOST_OF_A_TYPE.get(item.data_object_type, _MOST_TABLES)
    if contents.count_like(item.data_object_type) >= most:
        raise quota_exceeded(f"objects of type {item.data_object_type} in a share", most, state.knobs.quota_status)
    contents.add(item)


def _data_object(update: Body) -> Body:
    asked = update.part("data_object")
    if asked is None:
        raise missing_field("UpdateShare", "data_object")
    return asked


def _alias_key(kind: str, alias: str) -> tuple[str, str]:
    # An alias is unique among everything table-like, and within each other type.
    return ("TABLE" if kind in TABLE_LIKE else kind, key(alias))
