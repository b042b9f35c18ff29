"""Field changes as JSON values: what is, what is wanted and, where somebody's hand was in it, what our record says."""

from typing import Any, assert_never

from reconciler.core.changes import (
    Cause,
    Element,
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenChange,
    TokenRotated,
    TokenShortened,
    ValueSet,
    moment_text,
)
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import FederationPolicy
from reconciler.core.resource_encoding import encode_object, encode_policies
from reconciler.core.share import SharedObject

Json = dict[str, Any]


def change_value(change: FieldChange) -> Json:
    match change:
        case ValueSet(field, before, after, cause, recorded):
            value: Json = {"field": field, "action": "set", "before": before, "after": after}
            value |= _states(cause, recorded, before, after)
        case ElementAdded(field, element, cause):
            value = {"field": field, "action": "add", **_element(element)}
            value |= _states(cause, recorded=True, actual=False, desired=True)
        case ElementRemoved(field, element, cause):
            value = {"field": field, "action": "remove", **_element(element)}
            value |= _states(cause, recorded=False, actual=True, desired=False)
        case ObjectChanged(_, after, sets):
            value = {"field": change.field, "action": "change", **_element(after), "sets": [*map(change_value, sets)]}
        case TokenRotated() | TokenShortened():
            value = {"field": change.field, **_token(change)}
        case _:
            assert_never(change)
    return value | {"cause": str(change.cause)}


def _states(cause: Cause, recorded: object, actual: object, desired: object) -> Json:
    """Of what drifted: the value in each of the three states, or whether the element is in it."""
    return {} if cause is Cause.FILE else {"recorded": recorded, "actual": actual, "desired": desired}


def _element(element: Element) -> Json:
    match element:
        case str():
            return {"element": element}
        case SharedObject():
            kind = {} if element.type is UNMANAGED else {"type": element.type.value}
            return {"element": element.name, **kind, "object": encode_object(element)}
        case FederationPolicy():
            policies = encode_policies(frozenset({element}))
            return {"element": element.name, "policy": None if policies is UNMANAGED else policies[0]}
        case _:
            assert_never(element)


def _token(change: TokenChange) -> Json:
    match change:
        case TokenRotated(token_id, made_at, overlap, ends_at):
            return {
                "action": "rotate",
                "token_id": token_id,
                "issued_at": moment_text(made_at),
                "overlap_seconds": overlap,
                "ends_at": None if ends_at is None else moment_text(ends_at),
            }
        case TokenShortened(token_id, before, after):
            return {
                "action": "shorten",
                "token_id": token_id,
                "before": None if before is None else moment_text(before),
                "after": moment_text(after),
            }
        case _:
            assert_never(change)
