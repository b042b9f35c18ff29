"""Federation policies: from which identity provider the people of an OIDC recipient may come."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.sandbox.body import Body
from reconciler.sandbox.clock import iso
from reconciler.sandbox.errors import ApiError, invalid, missing_field, not_owner, resource_does_not_exist
from reconciler.sandbox.paging import listing, page
from reconciler.sandbox.privileges import owns
from reconciler.sandbox.recipients import check_may_read
from reconciler.sandbox.records import FederationPolicy, Principal, Recipient
from reconciler.sandbox.state import State

_NAME = re.compile(r"[a-z0-9-]+")
_SUBJECT_CLAIMS = frozenset({"oid", "azp", "groups", "sub"})


def create(state: State, caller: Principal, recipient_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    body = Body("CreateFederationPolicy", values)
    recipient = _owned(state, caller, recipient_name)
    if recipient.authentication_type != "OIDC_FEDERATION":
        raise invalid(f"Recipient {recipient.name} does not have the authentication type OIDC_FEDERATION")
    name = body.required("name")
    if not _NAME.fullmatch(name):
        raise invalid(f"{name} is not a valid policy name: lower-case letters, digits and hyphens only")
    if any(each.name == name for each in recipient.policies):
        raise ApiError(409, "ALREADY_EXISTS", f"Federation policy '{name}' already exists")
    policy = body.part("oidc_policy")
    if policy is None:
        raise missing_field(body.operation, "oidc_policy")
    policy.required("issuer")
    policy.required("subject")
    policy.required("subject_claim")
    policy.choice("subject_claim", _SUBJECT_CLAIMS)
    policy.texts("audiences")
    now = state.clock.now()
    made = FederationPolicy(str(uuid.uuid4()), name, body.text("comment"), dict(policy.values), now, now)
    _store(state, recipient, (*recipient.policies, made))
    return _policy_json(made)


def list_all(state: State, caller: Principal, recipient_name: str, query: Mapping[str, str]) -> dict[str, Any]:
    recipient = _readable(state, caller, recipient_name)
    items = ((each.name, _policy_json(each)) for each in recipient.policies)
    found, token = page(items, query, state.knobs, always=True)
    return listing("policies", found, token, state.knobs)


def get(state: State, caller: Principal, recipient_name: str, name: str) -> dict[str, Any]:
    return _policy_json(_policy(_readable(state, caller, recipient_name), name))


def delete(state: State, caller: Principal, recipient_name: str, name: str) -> dict[str, Any]:
    recipient = _owned(state, caller, recipient_name)
    policy = _policy(recipient, name)
    _store(state, recipient, tuple(each for each in recipient.policies if each != policy))
    return {}


def _owned(state: State, caller: Principal, name: str) -> Recipient:
    recipient = state.recipient_to_change(name)
    if not owns(state, caller, recipient.owner):
        raise not_owner("Recipient", recipient.name)
    return recipient


def _readable(state: State, caller: Principal, name: str) -> Recipient:
    """Who may read the recipient may read its policies."""
    state.newborn.read("Recipient", name)
    recipient = state.recipient(name)
    check_may_read(state, caller, recipient)
    return recipient


def _policy(recipient: Recipient, name: str) -> FederationPolicy:
    found = next((each for each in recipient.policies if each.name == name), None)
    if found is None:
        raise resource_does_not_exist(f"Federation policy '{name}' does not exist")
    return found


def _store(state: State, recipient: Recipient, policies: tuple[FederationPolicy, ...]) -> None:
    state.put_recipient(replace(recipient, policies=policies), instead_of=recipient.name)


def _policy_json(policy: FederationPolicy) -> dict[str, Any]:
    answer = {
        "id": policy.id,
        "name": policy.name,
        "oidc_policy": dict(policy.oidc_policy),
        "create_time": iso(policy.created_at),
        "update_time": iso(policy.updated_at),
    }
    return answer if policy.comment is None else {**answer, "comment": policy.comment}
