"""Objects in a share: whether one may be shared as asked, and how it looks to a client.

It judges one object at a time against the catalog; what a list of updates does to a share is decided by share_updates.
"""

from dataclasses import replace
from typing import Any

from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import TYPE_WORDS, denied, does_not_exist, invalid
from reconciler.sandbox.names import is_two_part_alias, key, parents, stored
from reconciler.sandbox.privileges import lacks_for_sharing
from reconciler.sandbox.records import Share, SharedObject, Table
from reconciler.sandbox.state import State

TABLE_LIKE = frozenset({"TABLE", "VIEW", "MATERIALIZED_VIEW", "STREAMING_TABLE", "FOREIGN_TABLE"})
OBJECT_TYPES = frozenset(TYPE_WORDS)
_TYPE_OF_SOURCE = {
    "MANAGED": "TABLE",
    "EXTERNAL": "TABLE",
    "MANAGED_SHALLOW_CLONE": "TABLE",
    "EXTERNAL_SHALLOW_CLONE": "TABLE",
    "VIEW": "VIEW",
    "MATERIALIZED_VIEW": "MATERIALIZED_VIEW",
    "STREAMING_TABLE": "STREAMING_TABLE",
    "FOREIGN": "FOREIGN_TABLE",
}
_TWO_PART_ALIAS = TABLE_LIKE | {"VOLUME", "FUNCTION", "MODEL", "FEATURE_SPEC"}
_HISTORY = frozenset({"ENABLED", "DISABLED"})
_OPERATORS = frozenset({"EQUAL", "LIKE"})


def new_object(state: State, owner: str, caller: str, asked: Body) -> SharedObject:
    """Answers the object as shared by `owner`, or raises why it cannot be."""
    kind = asked.choice("data_object_type", OBJECT_TYPES)
    if kind is None:
        raise invalid(f"{asked.operation} Missing required field: data_object_type")
    name = asked.required("name")
    table = _source(state, kind, name)
    if kind != "NOTEBOOK_FILE":
        name = stored(name, state.knobs)
    elif not asked.has("content"):
        raise invalid("The content must be set when adding a NOTEBOOK_FILE")
    _check_may_share(state, owner, kind, name)
    blank = SharedObject(
        name=name,
        data_object_type=kind,
        alias=_alias(state, asked, kind) or own_alias(kind, name),
        comment=None,
        partitions=(),
        is_cdf_enabled=None,
        is_history_shared=False,
        start_version=None,
        content=None,
        added_at=state.clock.now(),
        added_by=caller,
    )
    made = with_options(blank, asked, table)
    _check_features(made, table)
    return made


def changed_object(state: State, current: SharedObject, asked: Body) -> SharedObject:
    """Answers `current` with the given fields replaced; what is not given stays."""
    alias = _alias(state, asked, current.data_object_type)
    if alias is not None and alias != current.alias and state.knobs.update_changed_alias == "reject":
        raise invalid(f"The alias of '{current.name}' cannot be changed by an update")
    table = state.tables.get(key(current.name))
    changed = with_options(replace(current, alias=alias or current.alias), asked, table)
    if table is not None and asked.has("history_data_sharing_status"):
        _check_history(changed, table)
    return changed


def with_options(current: SharedObject, asked: Body, table: Table | None) -> SharedObject:
    _check_options(asked, current.data_object_type)
    comment, content, is_cdf = asked.text("comment"), asked.text("content"), asked.flag("cdf_enabled")
    history = asked.choice("history_data_sharing_status", _HISTORY)
    version = asked.integer("start_version")
    if version is not None and table is not None and not 0 <= version <= table.version:
        raise invalid(f"start_version {version} is not between 0 and the current version {table.version}")
    partitions = asked.parts("partitions")
    return replace(
        current,
        comment=current.comment if comment is None else comment,
        content=current.content if content is None else content,
        is_cdf_enabled=current.is_cdf_enabled if is_cdf is None else is_cdf,
        is_history_shared=current.is_history_shared if history is None else history == "ENABLED",
        start_version=current.start_version if version is None else version,
        partitions=current.partitions if partitions is None else _partitions(partitions, table),
    )


def object_json(state: State, share: Share, item: SharedObject) -> dict[str, Any]:
    is_table_like = item.data_object_type in TABLE_LIKE
    lacking = lacks_for_sharing(state, share.owner, item.data_object_type, key(item.name))
    answer: dict[str, Any] = {
        "name": item.name,
        "data_object_type": item.data_object_type,
        "shared_as" if is_table_like else "string_shared_as": item.alias,
        "added_at": item.added_at,
        "added_by": item.added_by,
        "status": "PERMISSION_DENIED" if lacking else "ACTIVE",
    }
    if item.comment is not None:
        answer["comment"] = item.comment
    if item.partitions:
        answer["partitions"] = [dict(each) for each in item.partitions]
    if item.data_object_type == "TABLE":
        answer |= _filled_in(state, item)
    elif item.is_history_shared:
        answer["history_data_sharing_status"] = "ENABLED"
    return answer


def _filled_in(state: State, item: SharedObject) -> dict[str, Any]:
    """What the service answers for every table, also when nobody asked for it."""
    reports_cdf = item.is_history_shared and state.knobs.history_reports_cdf
    return {
        "cdf_enabled": reports_cdf if item.is_cdf_enabled is None else item.is_cdf_enabled or reports_cdf,
        "history_data_sharing_status": "ENABLED" if item.is_history_shared else "DISABLED",
        "start_version": item.start_version or 0,
    }


def _source(state: State, kind: str, name: str) -> Table | None:
    """Answers the table behind a table-like object, None for the rest; raises when the source is not there."""
    if kind == "NOTEBOOK_FILE":
        return None
    full_name = key(name)
    if full_name.count(".") != (1 if kind == "SCHEMA" else 2) or not all(full_name.split(".")):
        shape = "catalog.schema" if kind == "SCHEMA" else "catalog.schema.name"
        raise invalid(f"UpdateShare {name} is not a valid name for a {kind}; it must look like {shape}")
    *schema, catalog = parents(full_name)
    if catalog not in state.catalogs:
        raise does_not_exist("Catalog", catalog)
    wanted_schema = schema[0] if schema else full_name
    if wanted_schema not in state.schemas:
        raise does_not_exist("Schema", wanted_schema)
    match kind:
        case "SCHEMA":
            return None
        case "VOLUME":
            _check_found(full_name in state.volumes, "Volume", name)
        case "MODEL":
            _check_found(full_name in state.models, "Model", name)
        case "FUNCTION" | "FEATURE_SPEC":
            _check_found(full_name in state.functions, "Function", name)
        case _:
            table = state.tables.get(full_name)
            if table is None:
                raise does_not_exist("Table", name)
            _check_type(kind, table)
            return table
    return None


def _check_found(is_found: bool, kind: str, name: str) -> None:  # noqa: FBT001 (a condition and its words)
    if not is_found:
        raise does_not_exist(kind, name)


def _check_type(kind: str, table: Table) -> None:
    real = _TYPE_OF_SOURCE.get(table.table_type)
    if real == kind:
        return
    name = table.full_name
    if real is None:
        raise invalid(f"Only managed or external table on Unity Catalog can be added to a share: '{name}'")
    if real == "TABLE":
        raise invalid(f"'{name}' is a table and not a {kind}")
    raise invalid(f"'{name}' is a {real} and not a {TYPE_WORDS[kind]}")


def _check_may_share(state: State, owner: str, kind: str, name: str) -> None:
    lacking = lacks_for_sharing(state, owner, kind, key(name))
    if lacking is not None:
        raise denied(f"User does not have {lacking} on {TYPE_WORDS[kind]} '{name}'")


def _check_features(item: SharedObject, table: Table | None) -> None:
    if table is None:
        return
    if table.has_row_filter:
        raise invalid(f"Table '{item.name}' has a row filter or column mask and cannot be shared")
    _check_history(item, table)


def _check_history(item: SharedObject, table: Table) -> None:
    has_mapping = table.properties.get("delta.columnMapping.mode", "none").lower() != "none"
    needs_history = table.properties.get("delta.enableDeletionVectors", "").lower() == "true" or has_mapping
    if item.data_object_type == "TABLE" and needs_history and not item.is_history_shared:
        raise invalid(
            f"Table '{item.name}' uses deletion vectors or column mapping; "
            "share it with history_data_sharing_status ENABLED"
        )


def _alias(state: State, asked: Body, kind: str) -> str | None:
    mine, other = ("shared_as", "string_shared_as") if kind in TABLE_LIKE else ("string_shared_as", "shared_as")
    if asked.has(other):
        raise invalid(f"{other} cannot be set for an object of type {kind}; use {mine}")
    alias = asked.text(mine)
    if alias == "":
        raise invalid(f"{mine} must not be empty")
    if alias is not None and kind in _TWO_PART_ALIAS and not is_two_part_alias(alias):
        raise invalid(f"{mine} '{alias}' must be schema.name, of letters, digits and underscores")
    return stored(alias, state.knobs) if alias and kind in TABLE_LIKE else alias


def own_alias(kind: str, name: str) -> str:
    if kind == "NOTEBOOK_FILE":
        return name
    return name.partition(".")[2]


def _check_options(asked: Body, kind: str) -> None:
    if asked.has("cdf_enabled") and asked.has("history_data_sharing_status"):
        raise invalid("Only one of cdf_enabled and history_data_sharing_status can be set")
    if asked.has("history_data_sharing_status") and kind not in {"TABLE", "SCHEMA"}:
        raise invalid(f"history_data_sharing_status cannot be set for an object of type {kind}")
    for name in ("cdf_enabled", "partitions", "start_version"):
        if asked.values.get(name) and kind != "TABLE":
            raise invalid(f"{name} cannot be set for an object of type {kind}")


def _partitions(asked: tuple[Body, ...], table: Table | None) -> tuple[dict[str, Any], ...]:
    known = {key(each.name) for each in table.columns if each.partition_index is not None} if table else None
    return tuple({"values": [_partition_value(value, known) for value in part.parts("values") or ()]} for part in asked)


def _partition_value(asked: Body, known: set[str] | None) -> dict[str, Any]:
    name = asked.required("name")
    if known is not None and key(name) not in known:
        raise invalid(f"'{name}' is not a partition column of the table")
    if asked.has("value") and asked.has("recipient_property_key"):
        raise invalid("Only one of value and recipient_property_key can be set in a partition")
    given = {
        "name": name,
        "op": asked.choice("op", _OPERATORS) or "EQUAL",
        "value": asked.text("value"),
        "recipient_property_key": asked.text("recipient_property_key"),
    }
    return {field: value for field, value in given.items() if value is not None}
