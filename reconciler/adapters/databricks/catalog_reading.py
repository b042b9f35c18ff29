"""Reads of the catalog and of who is who, as plain values: entries, grants, groups, the caller. One question, one
request (or its pages)."""

import re
from collections.abc import Mapping
from typing import Any, Final, assert_never

from databricks.sdk.service.catalog import (
    DeltaSharingScopeEnum,
    EffectivePrivilegeAssignment,
    TableInfo,
    TableType,
)

from reconciler.adapters.databricks.catalog import EVERYONE, Entry, Held, Metastore, Place
from reconciler.adapters.databricks.client import Client
from reconciler.adapters.databricks.strange import StrangeAnswerError
from reconciler.core.rights import Caller
from reconciler.core.share import ObjectType

#: `table_type` of the catalog → what it is in a share (contract 4.3). METRIC_VIEW has no known counterpart.
SHAREABLE: Final = {
    TableType.MANAGED: ObjectType.TABLE,
    TableType.EXTERNAL: ObjectType.TABLE,
    TableType.MANAGED_SHALLOW_CLONE: ObjectType.TABLE,
    TableType.EXTERNAL_SHALLOW_CLONE: ObjectType.TABLE,
    TableType.VIEW: ObjectType.VIEW,
    TableType.MATERIALIZED_VIEW: ObjectType.MATERIALIZED_VIEW,
    TableType.STREAMING_TABLE: ObjectType.STREAMING_TABLE,
    TableType.FOREIGN: ObjectType.FOREIGN_TABLE,
}
_SCIM: Final = "/api/2.0/preview/scim/v2"
_APPLICATION_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read_entry(client: Client, place: Place, name: str, path: str) -> Entry:
    """`path` is the name as a segment of a URL."""
    match place:
        case Place.CATALOG:
            return Entry(None, client.catalogs.get(path).owner or "")
        case Place.SCHEMA:
            return Entry(ObjectType.SCHEMA, client.schemas.get(path).owner or "")
        case Place.TABLE:
            return _table(name, client.tables.get(path))
        case Place.VOLUME:
            return Entry(ObjectType.VOLUME, client.volumes.read(path).owner or "")
        case Place.FUNCTION:
            return Entry(ObjectType.FUNCTION, client.functions.get(path).owner or "")
        case Place.MODEL:
            return Entry(ObjectType.MODEL, client.registered_models.get(path).owner or "")
        case _:
            assert_never(place)


def read_held(client: Client, securable: str, path: str) -> Held:
    """All pages: the SDK reads one, and one may be empty and still name a next one (contract 1.9)."""
    held: dict[str, frozenset[str]] = {}
    token: str | None = None
    while True:
        page = client.grants.get_effective(securable, path, max_results=0, page_token=token)
        for each in page.privilege_assignments or ():
            held[each.principal or ""] = held.get(each.principal or "", frozenset()) | _privileges(each)
        token = page.next_page_token
        if not token:
            return held


def read_groups(client: Client, principal: str) -> frozenset[str] | None:
    """The groups a user, service principal or group is in; None when that cannot be told."""
    kind, attribute = _looked_for_as(principal)
    if '"' in principal or "\\" in principal:
        return None
    query = {"filter": f'{attribute} eq "{principal}"', "attributes": f"{attribute},groups"}
    answer = client.api_client.do("GET", f"{_SCIM}/{kind}", query=query)
    found = answer.get("Resources") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) != 1:
        return None
    return _displays(found[0])


def read_me(client: Client) -> Caller:
    """As far as it is told without the metastore."""
    me = client.current_user.me()
    if not me.user_name:
        raise StrangeAnswerError("Databricks does not tell who is calling")
    return Caller(me.user_name, frozenset(each.display for each in me.groups or () if each.display) | {EVERYONE})


def read_metastore(client: Client) -> Metastore:
    summary = client.metastores.summary()
    if not summary.metastore_id:
        raise StrangeAnswerError("Databricks does not tell which metastore the workspace has")
    return Metastore(
        id=(summary.global_metastore_id or "").lower(),
        owner=summary.owner or "",
        shares_externally=summary.delta_sharing_scope is not DeltaSharingScopeEnum.INTERNAL,
        held=read_held(client, "METASTORE", summary.metastore_id),
    )


def _table(name: str, info: TableInfo) -> Entry:
    kind = None if info.table_type is None else SHAREABLE.get(info.table_type)
    if kind is None:
        raise StrangeAnswerError(
            f"{name} is a {info.table_type.value if info.table_type else 'table'} of no known shareable type"
        )
    partitioned_by = (each.name for each in info.columns or () if each.partition_index is not None and each.name)
    return Entry(
        type=kind,
        owner=info.owner or "",
        partition_columns=frozenset(name.lower() for name in partitioned_by),
        needs_history=kind is ObjectType.TABLE and _needs_history(info.properties or {}),
    )


def _needs_history(properties: Mapping[str, str]) -> bool:
    """Such tables can only be shared with their history (sdk-go 858, terraform-provider 4981)."""
    has_vectors = properties.get("delta.enableDeletionVectors", "").lower() == "true"
    return has_vectors or properties.get("delta.columnMapping.mode", "none").lower() not in {"", "none"}


def _privileges(assignment: EffectivePrivilegeAssignment) -> frozenset[str]:
    return frozenset(each.privilege.value for each in assignment.privileges or () if each.privilege)


def _looked_for_as(principal: str) -> tuple[str, str]:
    if "@" in principal:
        return "Users", "userName"
    if _APPLICATION_ID.fullmatch(principal):
        return "ServicePrincipals", "applicationId"
    return "Groups", "displayName"


def _displays(resource: Any) -> frozenset[str] | None:
    groups = resource.get("groups", []) if isinstance(resource, dict) else None
    if not isinstance(groups, list):
        return None
    return frozenset(str(each["display"]) for each in groups if isinstance(each, dict) and each.get("display"))
