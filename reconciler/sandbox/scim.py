"""Who is asking, and who is in which groups: the few SCIM reads that rights are judged by. Users have an address for a
name, groups are what somebody is in, everybody else is a service principal."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.sandbox.errors import invalid
from reconciler.sandbox.records import Principal
from reconciler.sandbox.state import State

_FILTER = re.compile(r'\s*(\w+)\s+eq\s+"([^"]*)"\s*', re.IGNORECASE)
_SCHEMAS = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
_LONGEST_PAGE = 100


def me(state: State, caller: Principal) -> dict[str, Any]:
    return _person(state, caller)


def users(state: State, query: Mapping[str, str]) -> dict[str, Any]:
    return _listed([_person(state, each) for each in state.principals.values() if "@" in each.name], query)


def service_principals(state: State, query: Mapping[str, str]) -> dict[str, Any]:
    found = [each for each in state.principals.values() if "@" not in each.name]
    return _listed([{**_person(state, each), "applicationId": each.name} for each in found], query)


def groups(state: State, query: Mapping[str, str]) -> dict[str, Any]:
    names = sorted({group for each in state.principals.values() for group in each.groups})
    return _listed([_group(state, each) for each in names], query)


def _person(state: State, principal: Principal) -> dict[str, Any]:
    return {
        "id": _id(state, principal.name),
        "userName": principal.name,
        "displayName": principal.name.partition("@")[0],
        "active": True,
        "emails": [{"value": principal.name, "type": "work", "primary": True}] if "@" in principal.name else [],
        "groups": [{"display": each, "type": "direct", "value": each} for each in sorted(principal.groups)],
    }


def _group(state: State, name: str) -> dict[str, Any]:
    """Groups hold people only: none is in another."""
    members = (each for each in state.principals.values() if name in each.groups)
    return {
        "id": _id(state, name),
        "displayName": name,
        "members": [{"display": each.name, "value": _id(state, each.name)} for each in members],
    }


def _listed(resources: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page, counted from 1 as SCIM does."""
    fits = _condition(query.get("filter"))
    found = [each for each in resources if fits(each)]
    start, count = _number(query, "startIndex", 1), min(_number(query, "count", _LONGEST_PAGE), _LONGEST_PAGE)
    shown = found[max(start, 1) - 1 :][:count]
    return {
        "schemas": _SCHEMAS,
        "Resources": shown,
        "itemsPerPage": len(shown),
        "startIndex": start,
        "totalResults": len(found),
    }


def _condition(text: str | None) -> Callable[[Mapping[str, Any]], bool]:
    if not text:
        return lambda _resource: True
    asked = _FILTER.fullmatch(text)
    if asked is None:
        raise invalid(f'The filter {text} is not supported; it must look like name eq "value"')
    attribute, value = asked[1].lower(), asked[2].lower()
    return lambda resource: any(
        name.lower() == attribute and str(held).lower() == value for name, held in resource.items()
    )


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name, str(default))
    if not given.isdigit():
        raise invalid(f"{name} must be a whole number")
    return int(given)


def _id(state: State, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{state.seed.account_id}/{name}").int % 10**16)
