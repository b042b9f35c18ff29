"""What the catalog says of the objects that shares name, each distinct request made once. Decides where an object is
looked for, and what is certain enough to be called a lacking right; reading itself is `catalog_reading`'s.

It does not import the SDK, so that asking can begin before the SDK is there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from reconciler.core.managed import UNMANAGED
from reconciler.core.resolve import Catalog, CatalogObject, Sought
from reconciler.core.rights import Caller
from reconciler.core.share import TABLE_LIKE, ObjectType
from reconciler.ports.platform import RefusedError, UnavailableError

if TYPE_CHECKING:
    from reconciler.adapters.databricks.workspace import Workspace

T = TypeVar("T")

#: The group that everybody is in.
EVERYONE: Final = "account users"


class Place(Enum):
    """Where the catalog keeps objects, by what grants call them (contract 5.1, 5.4)."""

    CATALOG = "CATALOG"
    SCHEMA = "SCHEMA"
    TABLE = "TABLE"
    VOLUME = "VOLUME"
    FUNCTION = "FUNCTION"
    MODEL = "MODEL"

    @property
    def securable(self) -> str:
        return "FUNCTION" if self is Place.MODEL else self.value


class Missing(Enum):
    """404. With the catalog or schema gone there is nothing else of that name either."""

    IT = "it"
    ALL = "its catalog or schema"


@dataclass(frozen=True, slots=True)
class Entry:
    #: None for a catalog, which cannot be shared.
    type: ObjectType | None
    owner: str
    partition_columns: frozenset[str] = frozenset()
    needs_history: bool = False


@dataclass(frozen=True, slots=True)
class _Reader:
    """Under which names somebody holds privileges, and how much of that can be known."""

    names: frozenset[str]
    #: False: there may be groups that could not be found out.
    is_complete: bool
    #: Whether its grants are shown to the caller whatever they are on.
    is_caller: bool


#: Principal → what it holds, inherited or not.
Held: TypeAlias = Mapping[str, frozenset[str]]
Ask: TypeAlias = Callable[[Callable[["Workspace"], Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Metastore:
    """The one of a workspace."""

    id: str
    owner: str
    shares_externally: bool
    held: Held


_THREE_PARTS: Final = (Place.TABLE, Place.VOLUME, Place.FUNCTION, Place.MODEL)
_FIRST_PLACE: Final = {
    ObjectType.VOLUME: Place.VOLUME,
    ObjectType.FUNCTION: Place.FUNCTION,
    ObjectType.FEATURE_SPEC: Place.FUNCTION,
    ObjectType.MODEL: Place.MODEL,
}
#: What it takes to share an object that is kept there, besides using its schema and its catalog.
_TO_SHARE: Final = {
    Place.SCHEMA: "SELECT",
    Place.TABLE: "SELECT",
    Place.VOLUME: "READ_VOLUME",
    Place.FUNCTION: "EXECUTE",
    Place.MODEL: "EXECUTE",
}
_NONE: Final[frozenset[str]] = frozenset()


def caller_of(me: Caller, metastore: Metastore) -> Caller:
    names = {me.name, *me.groups}
    return replace(
        me,
        is_metastore_admin=metastore.owner in names,
        privileges=_NONE.union(*(privileges for principal, privileges in metastore.held.items() if principal in names)),
        shares_externally=metastore.shares_externally,
        metastore_id=metastore.id,
    )


async def look_up(sought: Collection[Sought], ask: Ask, caller: Callable[[], Awaitable[Caller]]) -> Catalog:
    """`ask` runs something in the workspace and raises as the port does; what could not be asked is left out."""
    inquiry = _Inquiry(ask, caller)
    wanted = [each for each in set(sought) if each.type is not ObjectType.NOTEBOOK_FILE]
    answers = await asyncio.gather(*map(inquiry.answer, wanted))
    return {name: found for answer in answers for name, found in answer.items()}


class _Inquiry:
    def __init__(self, ask: Ask, caller: Callable[[], Awaitable[Caller]]) -> None:
        self._ask = ask
        self._caller = caller
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}

    async def answer(self, sought: Sought) -> Catalog:
        """An entry for `sought`; none when it could not be looked up."""
        try:
            return {sought: await self._object(sought)}
        except (UnavailableError, RefusedError):
            return {}

    async def _object(self, sought: Sought) -> CatalogObject | None:
        for place in _places(sought):
            try:
                entry = await self._entry(place, sought.name)
            except RefusedError:
                return await self._unseen(place, sought)
            if entry is Missing.IT:
                continue
            if entry is Missing.ALL or entry.type is None:
                return None
            is_spec = sought.type is ObjectType.FEATURE_SPEC and entry.type is ObjectType.FUNCTION
            return CatalogObject(
                type=ObjectType.FEATURE_SPEC if is_spec else entry.type,
                owner=entry.owner,
                partition_columns=entry.partition_columns,
                needs_history=entry.needs_history,
                lacking=await self._lacking(place, sought.name, sought.reader),
            )
        return None

    async def _unseen(self, place: Place, sought: Sought) -> CatalogObject:
        """Raises RefusedError when it is not certain that the reader's own rights do not reach as far."""
        is_named_in_full = sought.name.count(".") == (1 if place is Place.SCHEMA else 2)
        lacking = await self._lacking(place, sought.name, sought.reader) if is_named_in_full else ""
        if sought.type is UNMANAGED or not lacking:
            raise RefusedError(f"{sought.name} is not shown")
        return CatalogObject(sought.type, lacking=lacking)

    async def _lacking(self, place: Place, name: str, reader: str) -> str:
        """The first privilege that `reader` certainly lacks; empty when there is none, or nobody can say."""
        try:
            caller = await self._once("caller", self._caller)
            who = await self._reader(reader, caller)
            for privilege, level, level_name in _needed(place, name):
                if await self._lacks_or_is_refused(who, caller, privilege, level, level_name):
                    return f"{privilege} on {level.value} {level_name}"
        except (UnavailableError, RefusedError):
            return ""
        return ""

    async def _lacks_or_is_refused(self, who: _Reader, caller: Caller, privilege: str, place: Place, name: str) -> bool:
        try:
            return await self._lacks(who, caller, privilege, place, name)
        except RefusedError as refused:
            # Whoever held it, and all that is above, would be shown the object.
            if who.is_caller and refused.code == "PERMISSION_DENIED":
                return True
            raise

    async def _lacks(self, who: _Reader, caller: Caller, privilege: str, place: Place, name: str) -> bool:
        if await self._owner(place, name) in who.names:
            return False
        *above, schema = _above(place, name) or [(place, name)]
        # What is granted on the schema or further up comes down, and is the same for all the objects below.
        if _covers(await self._held(*schema), who, privilege) or _covers(await self._held(place, name), who, privilege):
            return False
        owners = [await self._owner(*level) for level in (*above, schema, (place, name))]
        # The grants of others are shown to owners and administrators only: to anybody else, none says nothing.
        is_shown = who.is_caller or caller.is_metastore_admin or any(map(caller.is_one_of, owners))
        return who.is_complete and is_shown

    async def _reader(self, reader: str, caller: Caller) -> _Reader:
        own = {caller.name, EVERYONE, *caller.groups}
        if reader in {"", caller.name}:
            return _Reader(frozenset(own), is_complete=True, is_caller=True)
        groups = await self._once(("groups", reader), lambda: self._ask(lambda where: where.groups_of(reader)))
        names = frozenset({reader, EVERYONE, *(groups or ())})
        return _Reader(names, is_complete=groups is not None, is_caller=reader in own)

    async def _owner(self, place: Place, name: str) -> str:
        entry = await self._entry(place, name)
        return entry.owner if isinstance(entry, Entry) else ""

    async def _entry(self, place: Place, name: str) -> Entry | Missing:
        return await self._once((place, name), lambda: self._ask(lambda where: where.catalog_entry(place, name)))

    async def _held(self, place: Place, name: str) -> Held:
        key = ("held", place.securable, name)
        return await self._once(key, lambda: self._ask(lambda where: where.held_on(place.securable, name)))

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(_awaited(ask))
        answer: T = await self._asked[key]
        return answer


async def _awaited(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _places(sought: Sought) -> tuple[Place, ...]:
    """The likely place first; a wrong type in a pack is told by what is really there."""
    if sought.type is ObjectType.SCHEMA:
        return (Place.SCHEMA,)
    is_table = sought.type is UNMANAGED or sought.type in TABLE_LIKE
    first = Place.TABLE if sought.type is UNMANAGED or is_table else _FIRST_PLACE[sought.type]
    return (first, *(place for place in _THREE_PARTS if place is not first))


def _needed(place: Place, name: str) -> list[tuple[str, Place, str]]:
    """What it takes to share an object: privileges and where they are needed, outermost first (contract 4.5)."""
    catalog, schema = name.split(".")[:2]
    return [
        ("USE_CATALOG", Place.CATALOG, catalog),
        ("USE_SCHEMA", Place.SCHEMA, f"{catalog}.{schema}"),
        (_TO_SHARE[place], place, name),
    ]


def _above(place: Place, name: str) -> list[tuple[Place, str]]:
    """Catalog and schema that an object, or a schema, is in; outermost first."""
    parts = name.split(".")
    levels = [(Place.CATALOG, parts[0]), (Place.SCHEMA, ".".join(parts[:2]))]
    return [level for level in levels if level[0] is not place][: len(parts) - 1]


def _covers(held: Held, who: _Reader, privilege: str) -> bool:
    return any(not held.get(name, _NONE).isdisjoint({privilege, "ALL_PRIVILEGES"}) for name in who.names)
