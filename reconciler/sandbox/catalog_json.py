"""How catalog objects look on the wire."""

import json
import re
from typing import Any

from reconciler.sandbox.names import parents
from reconciler.sandbox.records import Catalog, Column, Function, Model, Schema, Stamp, Table, Volume
from reconciler.sandbox.state import State

#: type names that differ from the first word of the SQL type
_TYPE_NAMES = {"BIGINT": "LONG", "INTEGER": "INT", "SMALLINT": "SHORT", "TINYINT": "BYTE"}


def catalog_json(state: State, catalog: Catalog) -> dict[str, Any]:
    return {
        "name": catalog.name,
        "full_name": catalog.name,
        "catalog_type": catalog.catalog_type,
        "isolation_mode": "OPEN",
        "securable_type": "CATALOG",
        **_owned(state, catalog.owner, catalog.comment, catalog.stamp),
    }


def schema_json(state: State, schema: Schema) -> dict[str, Any]:
    (catalog,) = parents(schema.full_name)
    return {
        "name": schema.full_name.rpartition(".")[2],
        "catalog_name": catalog,
        "full_name": schema.full_name,
        "schema_id": schema.id,
        "catalog_type": state.catalogs[catalog].catalog_type,
        **_owned(state, schema.owner, schema.comment, schema.stamp),
    }


def table_json(state: State, table: Table, *, with_columns: bool = True) -> dict[str, Any]:
    answer = {
        **_placed(table.full_name),
        "table_type": table.table_type,
        "table_id": table.id,
        **_owned(state, table.owner, table.comment, table.stamp),
    }
    if table.table_type != "VIEW":
        answer["data_source_format"] = "DELTA"
        answer["storage_location"] = f"abfss://sandbox@{state.metastore.name}.example/tables/{table.id}"
    if table.properties:
        answer["properties"] = dict(table.properties)
    if table.view_definition is not None:
        answer["view_definition"] = table.view_definition
    if table.has_row_filter:
        answer["row_filter"] = {"function_name": f"{parents(table.full_name)[0]}.row_filter", "input_column_names": []}
    if with_columns:
        answer["columns"] = [_column_json(each, place) for place, each in enumerate(table.columns)]
    return answer


def summary_json(table: Table) -> dict[str, Any]:
    return {"full_name": table.full_name, "table_type": table.table_type}


def volume_json(state: State, volume: Volume) -> dict[str, Any]:
    return {
        **_placed(volume.full_name),
        "volume_id": volume.id,
        "volume_type": volume.volume_type,
        "storage_location": f"abfss://sandbox@{state.metastore.name}.example/volumes/{volume.id}",
        **_owned(state, volume.owner, volume.comment, volume.stamp),
    }


def function_json(state: State, function: Function) -> dict[str, Any]:
    return {
        **_placed(function.full_name),
        "function_id": function.id,
        "data_type": "STRING",
        **_owned(state, function.owner, function.comment, function.stamp),
    }


def model_json(state: State, model: Model) -> dict[str, Any]:
    return {**_placed(model.full_name), **_owned(state, model.owner, model.comment, model.stamp)}


def _placed(full_name: str) -> dict[str, Any]:
    catalog, schema, name = full_name.split(".")
    return {"name": name, "catalog_name": catalog, "schema_name": schema, "full_name": full_name}


def _owned(state: State, owner: str, comment: str | None, stamp: Stamp) -> dict[str, Any]:
    return {
        "owner": owner,
        "metastore_id": state.metastore.id,
        **({} if comment is None else {"comment": comment}),
        "created_at": stamp.created_at,
        "created_by": stamp.created_by,
        "updated_at": stamp.updated_at,
        "updated_by": stamp.updated_by,
    }


def _column_json(column: Column, place: int) -> dict[str, Any]:
    first_word = re.split(r"\W", column.type_text, maxsplit=1)[0].upper()
    answer = {
        "name": column.name,
        "type_text": column.type_text,
        "type_name": _TYPE_NAMES.get(first_word, first_word),
        "type_json": json.dumps(column.type_text),
        "position": place,
        "nullable": True,
    }
    if column.partition_index is not None:
        answer["partition_index"] = column.partition_index
    return answer
