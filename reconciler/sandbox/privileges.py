"""Who may do what: owners, metastore admins, and privileges inherited from schema, catalog and metastore.

A metastore admin holds every privilege on the metastore, but none on data: reading a table takes a grant or ownership.
"""

from dataclasses import replace

from reconciler.sandbox.errors import ApiError, lacks, unknown_principal
from reconciler.sandbox.names import parents
from reconciler.sandbox.records import Principal
from reconciler.sandbox.state import State

_EVERYONE = "account users"
_NOBODY: frozenset[str] = frozenset()
_TABLE_TYPES = frozenset({"TABLE", "VIEW", "MATERIALIZED_VIEW", "STREAMING_TABLE", "FOREIGN_TABLE"})


def identities(state: State, name: str) -> frozenset[str]:
    """Answers the names under which a user, service principal or group holds privileges."""
    principal = state.principals.get(name)
    return frozenset({name, _EVERYONE}) | (principal.groups if principal else _NOBODY)


def as_of_now(state: State, principal: Principal) -> Principal:
    """A metastore admin is whoever owns the metastore, which may have changed hands."""
    owner = state.metastore.owner
    return replace(principal, is_metastore_admin=owner == principal.name or owner in principal.groups)


def check_principal(state: State, name: str) -> None:
    if name in state.principals or name == _EVERYONE or any(name in each.groups for each in state.principals.values()):
        return
    raise unknown_principal(name)


def owns(state: State, caller: Principal, owner: str) -> bool:
    return owner == caller.name or owner in identities(state, caller.name)


def on_metastore(state: State, caller: Principal, privilege: str) -> bool:
    return caller.is_metastore_admin or privilege in _granted(state, "METASTORE", state.metastore.id, caller.name)


def check_on_metastore(state: State, caller: Principal, privilege: str) -> None:
    if not on_metastore(state, caller, privilege):
        raise lacks(privilege, "Metastore", state.metastore.name)


def lacks_for_sharing(state: State, owner: str, data_object_type: str, full_name: str) -> str | None:
    """Answers the privilege the owner of a share lacks to share this object, or None when nothing is lacking."""
    wanted = _privilege_to_share(data_object_type)
    if wanted is None:
        return None
    above = parents(full_name)
    if not holds(state, owner, "USE_CATALOG", "CATALOG", above[-1]):
        return "USE_CATALOG"
    schema = full_name if data_object_type == "SCHEMA" else above[0]
    if not holds(state, owner, "USE_SCHEMA", "SCHEMA", schema):
        return "USE_SCHEMA"
    return None if holds(state, owner, wanted, securable_of(data_object_type), full_name) else wanted


def holds(state: State, name: str, privilege: str, securable: str, full_name: str) -> bool:
    """Answers whether `name` has `privilege` on the object by owning it, by a grant on it or by one further up."""
    if owner_of(state, securable, full_name) in identities(state, name):
        return True
    if _covers(_granted(state, securable, full_name, name), privilege):
        return True
    for above in parents(full_name):
        kind = "SCHEMA" if "." in above else "CATALOG"
        if _covers(_granted(state, kind, above, name), privilege):
            return True
        # Owning a schema or catalog gives its USE privilege, never the data below it.
        if privilege in {"USE_SCHEMA", "USE_CATALOG"} and owner_of(state, kind, above) in identities(state, name):
            return True
    return False


def owner_of(state: State, securable: str, full_name: str) -> str | None:
    match securable:
        case "METASTORE":
            return state.metastore.owner
        case "CATALOG":
            catalog = state.catalogs.get(full_name)
            return catalog.owner if catalog else None
        case "SCHEMA":
            schema = state.schemas.get(full_name)
            return schema.owner if schema else None
        case "TABLE":
            table = state.tables.get(full_name)
            return table.owner if table else None
        case "VOLUME":
            volume = state.volumes.get(full_name)
            return volume.owner if volume else None
        case _:
            routine = state.functions.get(full_name) or state.models.get(full_name)
            return routine.owner if routine else None


def may_browse(state: State, caller: Principal, securable: str, full_name: str) -> bool:
    """Answers whether the caller may see a catalog object at all, in lists and by name."""
    if caller.is_metastore_admin:
        return True
    catalog = full_name.partition(".")[0]
    if securable != "CATALOG" and owner_of(state, "CATALOG", catalog) in identities(state, caller.name):
        return True
    if not holds(state, caller.name, "USE_CATALOG", "CATALOG", catalog):
        return False
    return securable == "CATALOG" or _may_browse_inside(state, caller, securable, full_name)


def check_browse(state: State, caller: Principal, securable: str, full_name: str) -> None:
    if not may_browse(state, caller, securable, full_name):
        word = securable.capitalize()
        raise ApiError(403, "PERMISSION_DENIED", f"User does not have permission to read {word} '{full_name}'.")


def securable_of(data_object_type: str) -> str:
    if data_object_type in _TABLE_TYPES:
        return "TABLE"
    return "FUNCTION" if data_object_type in {"MODEL", "FEATURE_SPEC"} else data_object_type


def _may_browse_inside(state: State, caller: Principal, securable: str, full_name: str) -> bool:
    """Decides about a schema, or something in one, for a caller that may use its catalog."""
    schema = full_name if securable == "SCHEMA" else parents(full_name)[0]
    if owner_of(state, "SCHEMA", schema) in identities(state, caller.name):
        return True
    if not holds(state, caller.name, "USE_SCHEMA", "SCHEMA", schema):
        return False
    wanted = {"TABLE": "SELECT", "VOLUME": "READ_VOLUME"}.get(securable, "EXECUTE")
    return securable == "SCHEMA" or holds(state, caller.name, wanted, securable, full_name)


def _privilege_to_share(data_object_type: str) -> str | None:
    if data_object_type in _TABLE_TYPES or data_object_type == "SCHEMA":
        return "SELECT"
    if data_object_type == "VOLUME":
        return "READ_VOLUME"
    return None if data_object_type == "NOTEBOOK_FILE" else "EXECUTE"


def _granted(state: State, securable: str, full_name: str, name: str) -> frozenset[str]:
    held = state.grants.get((securable, full_name))
    if not held:
        return _NOBODY
    return frozenset().union(*(held.get(each, _NOBODY) for each in identities(state, name)))


def _covers(held: frozenset[str], privilege: str) -> bool:
    return privilege in held or "ALL_PRIVILEGES" in held
