"""The checks of the data objects of one share: names, what a type takes, aliases, and how many of each there may be."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from reconciler.core.capacity import COUNTED, LIMITS
from reconciler.core.share import TABLE_LIKE, ObjectType
from reconciler.packs.document import MAX_NAME, MAX_TEXT, OBJECT_TYPES, DataObjectEntry
from reconciler.packs.finding import Finding, meant, shown
from reconciler.packs.names import are_usual_tables, object_name
from reconciler.packs.partitions import NotAPartition, partition
from reconciler.packs.texts import check_line, check_text
from reconciler.packs.tree import Loc

#: Which types have a field that not all of them have. The alias is missing here: only a schema has none.
_TAKES: Final = {
    "partitions": frozenset({ObjectType.TABLE}),
    "history": frozenset({ObjectType.TABLE, ObjectType.SCHEMA}),
    "cdf": frozenset({ObjectType.TABLE}),
    "start_version": frozenset({ObjectType.TABLE}),
    "content": frozenset({ObjectType.NOTEBOOK_FILE}),
}
_ALIAS: Final = re.compile(r"[A-Za-z0-9_]{1,255}\.[A-Za-z0-9_]{1,255}")
_FILE_NAME: Final = re.compile(r"[^/\\]+")

#: A plain text is an object without options.
Listed: TypeAlias = str | DataObjectEntry


class Known(NamedTuple):
    """What the pack tells of an object, in normal form."""

    #: The full name of the source; a notebook has a name of its own. None when it is not a name.
    name: str | None
    #: By its word, or by a name of two parts.
    kind: ObjectType | None
    #: "" when the pack gives none.
    alias: str = ""

    @property
    def group(self) -> str:
        """Table-like objects share one name space, and what the pack does not tell is probably one of them."""
        return "table" if self.kind is None or self.kind in TABLE_LIKE else self.kind.value


def known(item: Listed) -> Known:
    if isinstance(item, str):
        return _looked_at(item)
    alias = (item.shared_as or "").strip()
    if item.type is None:
        return _looked_at(item.name)._replace(alias=alias.lower())
    stated = item.type.strip().upper()
    kind = ObjectType(stated) if stated in OBJECT_TYPES else None
    if kind is ObjectType.NOTEBOOK_FILE:
        return Known(item.name.strip() or None, kind, alias)
    return Known(object_name(item.name), kind, alias.lower())


def _looked_at(text: str) -> Known:
    name = object_name(text)
    return Known(name, ObjectType.SCHEMA if name is not None and name.count(".") == 1 else None)


def name_of(item: Listed) -> str:
    return item if isinstance(item, str) else item.name


def check_objects(items: Sequence[Listed], loc: Loc) -> Iterator[Finding]:
    if are_usual_tables(items) and len(set(items)) == len(items):
        return  # as most lists are: nothing of what follows would find anything
    all_known = [known(item) for item in items]
    for number, (item, told) in enumerate(zip(items, all_known, strict=True)):
        if not isinstance(item, str):
            yield from _entry(item, told, (*loc, number))
        elif told.name is None:
            yield from _source(item, None, told, (*loc, number))
    yield from _same_objects(items, all_known, loc)
    yield from _same_aliases(items, all_known, loc)
    yield from _too_many(items, all_known, loc)


def _entry(entry: DataObjectEntry, told: Known, loc: Loc) -> Iterator[Finding]:
    kind = told.kind
    if entry.type is not None and entry.type.strip().upper() not in OBJECT_TYPES:
        message = f"{shown(entry.type)} is not a type of data object"
        hint = meant(entry.type, OBJECT_TYPES, f"known are {', '.join(OBJECT_TYPES)}")
        yield Finding((*loc, "type"), "object-type-unknown", message, hint)
    elif kind is ObjectType.NOTEBOOK_FILE:
        yield from check_line(entry.name, (*loc, "name"), "write a name")
    else:
        yield from _source(entry.name, None if entry.type is None else kind, told, (*loc, "name"))
    yield from check_text(entry.comment, (*loc, "comment"))
    yield from _options(entry, kind, loc)
    yield from _alias(entry, kind, loc)
    yield from _partitions(entry.partitions or (), (*loc, "partitions"))


def _source(text: str, stated: ObjectType | None, told: Known, loc: Loc) -> Iterator[Finding]:
    name = told.name
    if name is None:
        message = f"{shown(text)} is not catalog.schema.table or catalog.schema"
        yield Finding(loc, "data-object-invalid", message, _object_hint(text))
    elif stated is ObjectType.SCHEMA and name.count(".") != 1:
        message = f"{shown(text)} has three parts, and a schema has two"
        yield Finding(loc, "data-object-invalid", message, f"write {name.rpartition('.')[0]}, or another type")
    elif stated not in {None, ObjectType.SCHEMA} and name.count(".") != 2:
        message = f"{shown(text)} has two parts, and a {stated.words if stated else ''} has three"
        yield Finding(loc, "data-object-invalid", message, "write catalog.schema.name; SCHEMA shares all of a schema")


def _object_hint(text: str) -> str:
    parts = [part.strip() for part in text.split(".")]
    if len(parts) == 1:
        return "name the catalog and the schema as well"
    if not all(parts):
        return "a part between two dots is empty"
    if len(parts) > 3:
        return "a name has at most three parts, and a dot inside a part is not allowed"
    return f"at most {MAX_NAME} characters a part; no slash; a part with a space needs back-quotes: `my table`"


def _options(entry: DataObjectEntry, kind: ObjectType | None, loc: Loc) -> Iterator[Finding]:
    for field, takers in _TAKES.items():
        if kind is not None and kind not in takers and getattr(entry, field) is not None:
            message = f"a {kind.words} has no {field}"
            having = " or ".join(sorted(taker.value for taker in takers))
            yield Finding(
                (*loc, field), "object-field-not-for-type", message, f"remove it: only {having} has it", at_key=True
            )
    if kind is None and entry.type is None and entry.content is not None:
        message = "only a notebook has content, and its type has to be said"
        yield Finding((*loc, "content"), "object-field-not-for-type", message, "add type: NOTEBOOK_FILE", at_key=True)
    if kind is ObjectType.NOTEBOOK_FILE and not (entry.content or "").strip():
        message = f"the notebook {shown(entry.name)} needs content"
        yield Finding((*loc, "content"), "notebook-content-missing", message, "write the path of its file")
    if entry.history and entry.cdf:
        message = "history and cdf exclude each other"
        yield Finding(
            (*loc, "cdf"), "history-cdf-clash", message, "keep history: it holds the change data feed as well"
        )
    if entry.start_version is not None and entry.start_version < 0:
        message = f"the start_version {entry.start_version} is below 0"
        yield Finding((*loc, "start_version"), "start-version-invalid", message, "0 is the first version")


def _alias(entry: DataObjectEntry, kind: ObjectType | None, loc: Loc) -> Iterator[Finding]:
    if entry.shared_as is None:
        return
    at = (*loc, "shared_as")
    alias = entry.shared_as.strip()
    if kind is ObjectType.SCHEMA:
        message = "a schema has no shared_as: Databricks names it"
        yield Finding(at, "object-field-not-for-type", message, "remove it", at_key=True)
    elif not alias or kind is ObjectType.NOTEBOOK_FILE:
        yield from check_line(entry.shared_as, at, "write a name; left out, Databricks chooses")
        if alias and not _FILE_NAME.fullmatch(alias):
            message = f"{shown(entry.shared_as)} is not the name of a file"
            yield Finding(at, "alias-invalid", message, "leave out the folders")
    elif not _ALIAS.fullmatch(alias):
        message = f"{shown(entry.shared_as)} is not schema.name in letters, digits and underscores"
        yield Finding(at, "alias-invalid", message, f"write for example {_alias_like(entry)}")


def _alias_like(entry: DataObjectEntry) -> str:
    source = (object_name(entry.name) or "schema.name").split(".")
    parts = [part for part in (entry.shared_as or "").strip().split(".") if part]
    wanted = parts if len(parts) == 2 else [source[-2] if len(source) > 1 else "schema", parts[-1] if parts else "name"]
    return ".".join(re.sub(r"[^A-Za-z0-9_]", "_", part)[:MAX_NAME] for part in wanted)


def _partitions(texts: Sequence[str], loc: Loc) -> Iterator[Finding]:
    first: dict[object, int] = {}
    for number, text in enumerate(texts):
        wrong = list(check_text(text, (*loc, number)))
        yield from wrong
        found = None if wrong or len(text) > MAX_TEXT else partition(text)
        if isinstance(found, NotAPartition):
            yield Finding((*loc, number), "partition-invalid", found.message, found.hint)
        elif found is not None and first.setdefault(found, number) != number:
            message = f"{shown(text)} stands in this list already, as {shown(texts[first[found]])}"
            yield Finding((*loc, number), "list-duplicate", message, "remove one of the two", also=(*loc, first[found]))


def _same_objects(items: Sequence[Listed], all_known: Sequence[Known], loc: Loc) -> Iterator[Finding]:
    """One object may be shared twice, under two aliases."""
    names = [told.name for told in all_known if told.name is not None]
    if len(set(names)) == len(names):
        return
    seen: dict[tuple[str, str], dict[str, int]] = {}
    for number, told in enumerate(all_known):
        if told.name is None:
            continue
        aliases, alias = seen.setdefault((told.name, told.group), {}), told.alias.lower()
        earlier = aliases.get(alias, aliases.get("") if alias else next(iter(aliases.values()), None))
        if earlier is None:
            aliases[alias] = number
            continue
        text, before = name_of(items[number]), name_of(items[earlier])
        also = "" if before == text else f", as {shown(before)}"
        message = f"{shown(text)} stands in this list already{also}"
        hint = "remove one of the two" + (", or give each a shared_as of its own" if alias or any(aliases) else "")
        at, first = _name_loc(items[number], loc, number), _name_loc(items[earlier], loc, earlier)
        yield Finding(at, "list-duplicate", message, hint, also=first)


def _name_loc(item: Listed, loc: Loc, number: int) -> Loc:
    return (*loc, number) if isinstance(item, str) else (*loc, number, "name")


def _same_aliases(items: Sequence[Listed], all_known: Sequence[Known], loc: Loc) -> Iterator[Finding]:
    first: dict[tuple[str, str], int] = {}
    for number, told in enumerate(all_known):
        if not told.alias:
            continue
        earlier = first.setdefault((told.group, told.alias.lower()), number)
        # The same object twice under one alias has been said to be there twice.
        if earlier != number and told.name != all_known[earlier].name:
            message = (
                f"the alias {shown(_alias_text(items[number]))} is that of {shown(name_of(items[earlier]))} already"
            )
            hint = "an alias is unique in its share, whatever the letter case"
            also = (*loc, earlier, "shared_as")
            yield Finding((*loc, number, "shared_as"), "alias-duplicate", message, hint, also=also)


def _alias_text(item: Listed) -> str:
    return "" if isinstance(item, str) else item.shared_as or ""


def _too_many(items: Sequence[Listed], all_known: Sequence[Known], loc: Loc) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for number, told in enumerate(all_known):
        counted = None if told.kind is None else COUNTED.get(told.kind)
        if counted is None:
            continue
        counts[counted] += 1
        if counts[counted] == LIMITS[counted] + 1:
            message = f"Databricks takes at most {LIMITS[counted]:,} {counted} in one share, and this is one more"
            hint = "share whole schemas, or split the share"
            yield Finding(_name_loc(items[number], loc, number), "objects-too-many", message, hint)
