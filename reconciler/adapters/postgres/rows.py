"""Resources as columns and back: the encoding of `core.resource_encoding`, a column for each of its fields. NULL is a
field the pack does not manage; empty text and empty lists are cleared."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from reconciler.adapters.postgres.tables import RECIPIENTS, SHARES, Table
from reconciler.core.key import Kind
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import decode_resource, encode_resource

NAME_COLUMN: Final = {Kind.RECIPIENT: "recipient_name", Kind.SHARE: "share_name"}


def table_of(kind: Kind) -> Table:
    match kind:
        case Kind.RECIPIENT:
            return RECIPIENTS
        case Kind.SHARE:
            return SHARES
        case _:
            assert_never(kind)


def to_columns(resource: Resource) -> Mapping[str, object]:
    """What the resource is; where it is and whose belongs to the writer. A notebook is its digest."""
    encoded = encode_resource(resource)
    kind = Kind(encoded["kind"])
    columns = {column: encoded.get(column) for column in table_of(kind).columns}
    del columns["workspace_url"], columns["share_pack_id"]
    return {**columns, NAME_COLUMN[kind]: resource.name, "protect": resource.protect}


def from_columns(kind: Kind, row: Mapping[str, Any]) -> Resource:
    managed = {column: value for column, value in row.items() if value is not None}
    return decode_resource({**managed, "kind": kind.value, "name": row[NAME_COLUMN[kind]]})
