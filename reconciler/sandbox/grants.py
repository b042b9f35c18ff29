"""Grants on catalogs, schemas, tables and the metastore: reading and changing them, and what is inherited."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.sandbox import share_grants
from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import does_not_exist, invalid, missing_field, not_owner
from reconciler.sandbox.names import key, parents
from reconciler.sandbox.paging import listing, page
from reconciler.sandbox.privileges import check_browse, check_principal, identities, owner_of
from reconciler.sandbox.records import Principal
from reconciler.sandbox.state import State

_WORDS = {
    "METASTORE": "Metastore",
    "CATALOG": "Catalog",
    "SCHEMA": "Schema",
    "TABLE": "Table",
    "VOLUME": "Volume",
    "FUNCTION": "Function",
}
#: shortest page the service grants for lists of privileges
_SMALLEST_PAGE = 150


def get(state: State, caller: Principal, names: tuple[str, ...], query: Mapping[str, str]) -> dict[str, Any]:
    securable, name = names
    if securable.upper() == "SHARE":
        return share_grants.get(state, caller, name, query)
    kind, full_name = _securable(state, caller, securable, name)
    held = state.grants.get((kind, full_name), {})
    shown = _shown(state, caller, kind, full_name, query)
    rows = (
        (who, {"principal": who, "privileges": sorted(privileges)})
        for who, privileges in held.items()
        if shown is None or who in shown
    )
    found, token = page(rows, query, state.knobs, smallest=_SMALLEST_PAGE)
    return listing("privilege_assignments", found, token, state.knobs)


def get_effective(state: State, caller: Principal, names: tuple[str, ...], query: Mapping[str, str]) -> dict[str, Any]:
    kind, full_name = _securable(state, caller, *names)
    shown = _shown(state, caller, kind, full_name, query)
    rows: dict[str, list[dict[str, str]]] = {}
    for level, level_name in _levels(state, kind, full_name):
        inherited = {} if level == kind else {"inherited_from_type": level, "inherited_from_name": level_name}
        for who, privileges in state.grants.get((level, level_name), {}).items():
            if shown is None or who in shown:
                rows.setdefault(who, []).extend({"privilege": each, **inherited} for each in sorted(privileges))
    items = ((who, {"principal": who, "privileges": privileges}) for who, privileges in rows.items())
    found, token = page(items, query, state.knobs, smallest=_SMALLEST_PAGE)
    return listing("privilege_assignments", found, token, state.knobs)


def update(state: State, caller: Principal, names: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    securable, name = names
    if securable.upper() == "SHARE":
        return share_grants.update(state, caller, name, values)
    kind, full_name = _securable(state, caller, securable, name)
    if not _may_grant(state, caller, kind, full_name):
        raise not_owner(_WORDS[kind], full_name)
    body = Body("UpdatePermissions", values)
    changes = body.parts("changes")
    if changes is None:
        raise missing_field(body.operation, "changes")
    held = _change(state, kind, full_name, changes)
    if body.flag("omit_permissions_in_response"):
        return {}
    rows = [{"principal": who, "privileges": sorted(privileges)} for who, privileges in held.items()]
    return listing("privilege_assignments", rows, None, state.knobs)


def change_by_hand(state: State, securable: str, name: str, change: Body) -> None:
    """What an administrator does in SQL; the control surface offers it. The metastore may go without its id."""
    kind = securable.upper()
    if kind == "METASTORE":
        name = state.metastore.id
    elif kind not in _WORDS:
        raise invalid(f"{securable} is not a valid securable type")
    elif owner_of(state, kind, key(name)) is None:
        raise does_not_exist(_WORDS[kind], name)
    _change(state, kind, key(name), (change,))


def _change(state: State, kind: str, full_name: str, changes: tuple[Body, ...]) -> dict[str, frozenset[str]]:
    held = dict(state.grants.get((kind, full_name), {}))
    for change in changes:
        _apply(state, held, change)
    state.grants[kind, full_name] = held
    state.written()
    return held


def _securable(state: State, caller: Principal, securable: str, name: str) -> tuple[str, str]:
    kind = securable.upper()
    if kind not in _WORDS:
        raise invalid(f"{securable} is not a valid securable type")
    if kind == "METASTORE":
        if name != state.metastore.id:
            raise does_not_exist("Metastore", name)
        return kind, name
    full_name = key(name)
    if owner_of(state, kind, full_name) is None:
        raise does_not_exist(_WORDS[kind], name)
    check_browse(state, caller, kind, full_name)
    return kind, full_name


def _shown(
    state: State, caller: Principal, kind: str, full_name: str, query: Mapping[str, str]
) -> frozenset[str] | None:
    """Answers whose grants may be shown: the one asked for, and to who is no owner only one's own. None means all."""
    asked = query.get("principal")
    if _may_grant(state, caller, kind, full_name):
        return frozenset({asked}) if asked else None
    mine = identities(state, caller.name)
    return mine & {asked} if asked else mine


def _may_grant(state: State, caller: Principal, kind: str, full_name: str) -> bool:
    if caller.is_metastore_admin:
        return True
    owners = {owner_of(state, level, level_name) for level, level_name in _levels(state, kind, full_name)}
    return bool(owners & identities(state, caller.name))


def _levels(state: State, kind: str, full_name: str) -> Iterator[tuple[str, str]]:
    yield kind, full_name
    if kind == "METASTORE":
        return
    for above in parents(full_name):
        yield ("SCHEMA" if "." in above else "CATALOG"), above
    yield "METASTORE", state.metastore.id


def _apply(state: State, held: dict[str, frozenset[str]], change: Body) -> None:
    principal = change.text("principal")
    if not principal:
        return
    added, removed = _privileges(change, "add"), _privileges(change, "remove")
    if added & removed:
        raise invalid(f"Duplicate privileges to add and delete for principal {principal}.")
    if added:
        check_principal(state, principal)
    before = held.pop(principal, frozenset())
    left = (frozenset() if "ALL_PRIVILEGES" in removed else before - removed) | added
    if left:
        held[principal] = left


def _privileges(change: Body, name: str) -> frozenset[str]:
    return frozenset(each.upper().replace(" ", "_") for each in change.texts(name) or ())
