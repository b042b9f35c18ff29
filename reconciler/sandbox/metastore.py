"""The metastore of the workspace: its summary, the assignment and its sharing settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox.body import Body
from reconciler.sandbox.errors import denied, does_not_exist, invalid
from reconciler.sandbox.paging import listing, page
from reconciler.sandbox.privileges import check_principal
from reconciler.sandbox.records import Principal
from reconciler.sandbox.state import State

_SCOPES = frozenset({"INTERNAL", "INTERNAL_AND_EXTERNAL"})
_LONGEST_LIFETIME = 31_536_000


def summary(state: State) -> dict[str, Any]:
    held = state.metastore
    answer: dict[str, Any] = {
        "metastore_id": held.id,
        "global_metastore_id": held.global_id,
        "name": held.name,
        "cloud": held.cloud,
        "region": held.region,
        "owner": held.owner,
        "delta_sharing_recipient_token_lifetime_in_seconds": held.token_lifetime_seconds,
        "privilege_model_version": "1.0",
        "external_access_enabled": False,
        "created_at": held.stamp.created_at,
        "created_by": held.stamp.created_by,
        "updated_at": held.stamp.updated_at,
        "updated_by": held.stamp.updated_by,
    }
    if held.sharing_scope != "DISABLED":
        answer["delta_sharing_scope"] = held.sharing_scope
    if held.organization_name is not None:
        answer["delta_sharing_organization_name"] = held.organization_name
    return answer


def assignment(state: State) -> dict[str, Any]:
    return {
        "metastore_id": state.metastore.id,
        "workspace_id": state.seed.workspace_id,
        "default_catalog_name": next(iter(state.catalogs), "main"),
    }


def list_all(state: State, caller: Principal, query: Mapping[str, str]) -> dict[str, Any]:
    _check_admin(state, caller)
    found, token = page([(state.metastore.name, summary(state))], query, state.knobs)
    return listing("metastores", found, token, state.knobs)


def get(state: State, caller: Principal, identity: str) -> dict[str, Any]:
    _check_id(state, identity)
    _check_admin(state, caller)
    return summary(state)


def update(state: State, caller: Principal, identity: str, values: Mapping[str, Any]) -> dict[str, Any]:
    _check_id(state, identity)
    _check_admin(state, caller)
    return change(state, caller.name, values)


def change(state: State, by: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The change itself, whoever may make it; the control surface makes it too."""
    body, held = Body("UpdateMetastore", values), state.metastore
    lifetime = body.integer("delta_sharing_recipient_token_lifetime_in_seconds")
    if lifetime is not None and not 0 < lifetime <= _LONGEST_LIFETIME:
        raise invalid(f"The recipient token lifetime must be between 1 and {_LONGEST_LIFETIME} seconds")
    owner = body.text("owner")
    if owner is not None:
        check_principal(state, owner)
    state.metastore = replace(
        held,
        name=body.text("new_name") or held.name,
        owner=owner or held.owner,
        sharing_scope=body.choice("delta_sharing_scope", _SCOPES) or held.sharing_scope,
        token_lifetime_seconds=lifetime or held.token_lifetime_seconds,
        organization_name=body.text("delta_sharing_organization_name") or held.organization_name,
        stamp=state.touched(held.stamp, by),
    )
    state.written()
    return summary(state)


def _check_id(state: State, identity: str) -> None:
    if identity != state.metastore.id:
        raise does_not_exist("Metastore", identity)


def _check_admin(state: State, caller: Principal) -> None:
    if not caller.is_metastore_admin:
        raise denied(f"Only administrators can read or change Metastore '{state.metastore.name}'")
