"""Catalogs, schemas, tables, volumes, functions and models: reading them, and the few changes sharing depends on."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from reconciler.sandbox.body import Body
from reconciler.sandbox.catalog_json import (
    catalog_json,
    function_json,
    model_json,
    schema_json,
    summary_json,
    table_json,
    volume_json,
)
from reconciler.sandbox.errors import does_not_exist, invalid, invalid_state, missing_field, not_owner
from reconciler.sandbox.names import key, parents
from reconciler.sandbox.paging import listing, page
from reconciler.sandbox.privileges import check_browse, check_principal, identities, may_browse
from reconciler.sandbox.records import Model, Principal, Table
from reconciler.sandbox.share_objects import TABLE_LIKE
from reconciler.sandbox.state import State


class _Named(Protocol):
    @property
    def full_name(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


def get_catalog(state: State, caller: Principal, name: str) -> dict[str, Any]:
    _check_parts(state, key(name))
    check_browse(state, caller, "CATALOG", key(name))
    return catalog_json(state, state.catalogs[key(name)])


def list_catalogs(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    seen = ((each.name, each) for each in state.catalogs.values() if may_browse(state, caller, "CATALOG", each.name))
    found, token = page(seen, query, state.knobs)
    return listing("catalogs", [catalog_json(state, each) for each in found], token, state.knobs)


def get_schema(state: State, caller: Principal, name: str) -> dict[str, Any]:
    _check_shape(name, 2, "schema")
    _check_parts(state, key(name))
    check_browse(state, caller, "SCHEMA", key(name))
    return schema_json(state, state.schemas[key(name)])


def list_schemas(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    catalog = key(_required(query, "catalog_name", "ListSchemas"))
    _check_parts(state, catalog)
    inside = (each for each in state.schemas.values() if parents(each.full_name)[0] == catalog)
    found, token = page(_seen(state, caller, "SCHEMA", inside), query, state.knobs)
    return listing("schemas", [schema_json(state, each) for each in found], token, state.knobs)


def get_table(state: State, caller: Principal, name: str) -> dict[str, Any]:
    table = _table(state, name)
    check_browse(state, caller, "TABLE", table.full_name)
    return table_json(state, table)


def table_exists(state: State, caller: Principal, name: str) -> dict[str, Any]:
    """A missing table is an answer, a missing schema or catalog an error."""
    _check_shape(name, 3, "table")
    schema = parents(key(name))[0]
    _check_parts(state, schema)
    check_browse(state, caller, "SCHEMA", schema)
    return {"table_exists": key(name) in state.tables}


def list_tables(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    schema = _schema_asked(state, query, "ListTables")
    inside = (state.tables[name] for name in state.below(schema))
    found, token = page(_seen(state, caller, "TABLE", inside), query, state.knobs)
    without_columns = query.get("omit_columns") == "true"
    rows = [table_json(state, each, with_columns=not without_columns) for each in found]
    return listing("tables", rows, token, state.knobs)


def table_summaries(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    catalog = key(_required(query, "catalog_name", "ListTableSummaries"))
    _check_parts(state, catalog)
    schema, table = _like(query.get("schema_name_pattern")), _like(query.get("table_name_pattern"))
    inside = (
        each
        for each in state.tables.values()
        if each.full_name.startswith(f"{catalog}.")
        and schema.fullmatch(each.full_name.split(".")[1])
        and table.fullmatch(each.full_name.split(".")[2])
    )
    found, token = page(_seen(state, caller, "TABLE", inside), query, state.knobs, always=True)
    return listing("tables", [summary_json(each) for each in found], token, state.knobs)


def update_table(state: State, caller: Principal, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("UpdateTable", values)
    table = _table(state, name)
    _check_may_change(state, caller, table)
    owner = body.required("owner")
    check_principal(state, owner)
    state.tables[table.full_name] = replace(table, owner=owner, stamp=state.touched(table.stamp, caller.name))
    state.written()
    return {}


def delete_table(state: State, caller: Principal, name: str) -> dict[str, Any]:
    table = _table(state, name)
    _check_may_change(state, caller, table)
    sharing = sorted(
        share.name
        for share in state.shares.values()
        if any(key(item.name) == table.full_name and item.data_object_type in TABLE_LIKE for item in share.objects)
    )
    if sharing:
        raise invalid_state(
            f"[DELTA_SHARING_SECURABLE_DELETE_BLOCKED] Table '{table.full_name}' cannot be deleted: "
            f"it is shared through {', '.join(sharing)}. SQLSTATE: 55006"
        )
    del state.tables[table.full_name]
    state.grants.pop(("TABLE", table.full_name), None)
    state.written()
    return {}


def rename_table(state: State, old: str, new: str) -> None:
    """What `ALTER TABLE … RENAME TO` does; there is no REST call for it, so the control surface offers it."""
    table = _table(state, old)
    _check_shape(new, 3, "table")
    _check_parts(state, parents(key(new))[0])
    if key(new) in state.tables:
        raise invalid_state(f"Table '{new}' already exists")
    del state.tables[table.full_name]
    state.tables[key(new)] = replace(table, full_name=key(new))
    held = state.grants.pop(("TABLE", table.full_name), None)
    if held:
        state.grants["TABLE", key(new)] = held
    if state.knobs.objects_follow_table_rename:
        for share in list(state.shares.values()):
            objects = tuple(
                replace(item, name=key(new)) if key(item.name) == table.full_name else item for item in share.objects
            )
            if objects != share.objects:
                state.put_share(replace(share, objects=objects), instead_of=share.name)
    state.written()


def get_volume(state: State, caller: Principal, name: str) -> dict[str, Any]:
    return volume_json(state, _leaf(state, caller, state.volumes, "Volume", name))


def list_volumes(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    schema = _schema_asked(state, query, "ListVolumes")
    found, token = page(
        _seen(state, caller, "VOLUME", _inside(state.volumes.values(), schema)), query, state.knobs, always=True
    )
    return listing("volumes", [volume_json(state, each) for each in found], token, state.knobs)


def get_function(state: State, caller: Principal, name: str) -> dict[str, Any]:
    return function_json(state, _leaf(state, caller, state.functions, "Function", name))


def list_functions(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    schema = _schema_asked(state, query, "ListFunctions")
    found, token = page(_seen(state, caller, "FUNCTION", _inside(state.functions.values(), schema)), query, state.knobs)
    return listing("functions", [function_json(state, each) for each in found], token, state.knobs)


def get_model(state: State, caller: Principal, name: str) -> dict[str, Any]:
    return model_json(state, _leaf(state, caller, state.models, "Model", name))


def list_models(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    inside: Iterable[Model] = state.models.values()
    if "catalog_name" in query:
        inside = _inside(inside, _schema_asked(state, query, "ListModels"))
    found, token = page(_seen(state, caller, "FUNCTION", inside), query, state.knobs, always=True)
    return listing("registered_models", [model_json(state, each) for each in found], token, state.knobs)


def _leaf(state: State, caller: Principal, held: Mapping[str, Named], kind: str, name: str) -> Named:
    _check_shape(name, 3, kind.lower())
    _check_parts(state, parents(key(name))[0])
    found = held.get(key(name))
    if found is None:
        raise does_not_exist(kind, name)
    check_browse(state, caller, "VOLUME" if kind == "Volume" else "FUNCTION", key(name))
    return found


def _table(state: State, name: str) -> Table:
    _check_shape(name, 3, "table")
    _check_parts(state, parents(key(name))[0])
    table = state.tables.get(key(name))
    if table is None:
        raise does_not_exist("Table", name)
    return table


def _check_shape(name: str, parts: int, kind: str) -> None:
    if name.count(".") != parts - 1 or not all(name.split(".")):
        raise invalid(f"invalid {kind} name {name}: it must have {parts} parts")


def _check_parts(state: State, name: str) -> None:
    """Checks that a catalog, or a schema and its catalog, is there; the outermost missing one is named."""
    catalog = name.partition(".")[0]
    if catalog not in state.catalogs:
        raise does_not_exist("Catalog", catalog)
    if "." in name and name not in state.schemas:
        raise does_not_exist("Schema", name)


def _check_may_change(state: State, caller: Principal, table: Table) -> None:
    above = parents(table.full_name)
    owners = {table.owner, state.schemas[above[0]].owner, state.catalogs[above[1]].owner}
    if not caller.is_metastore_admin and not owners & identities(state, caller.name):
        raise not_owner("Table", table.full_name)


def _seen(state: State, caller: Principal, securable: str, items: Iterable[Named]) -> Iterator[tuple[str, Named]]:
    return ((each.full_name, each) for each in items if may_browse(state, caller, securable, each.full_name))


def _inside(items: Iterable[Named], schema: str) -> Iterator[Named]:
    return (each for each in items if each.full_name.startswith(f"{schema}."))


def _schema_asked(state: State, query: Mapping[str, str], operation: str) -> str:
    catalog, schema = _required(query, "catalog_name", operation), _required(query, "schema_name", operation)
    name = key(f"{catalog}.{schema}")
    _check_parts(state, name)
    return name


def _required(query: Mapping[str, str], name: str, operation: str) -> str:
    value = query.get(name)
    if not value:
        raise missing_field(operation, name)
    return value


def _like(pattern: str | None) -> re.Pattern[str]:
    """An SQL LIKE pattern as a regular expression; no pattern means everything."""
    if not pattern:
        return re.compile(".*")
    pieces = {"%": ".*", "_": "."}
    return re.compile("".join(pieces.get(each, re.escape(each)) for each in pattern), re.IGNORECASE)
