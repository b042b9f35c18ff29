"""Who the names in a plan are, as far as the plan itself can tell: its recipients' types and e-mail addresses."""

from collections.abc import Iterator, Mapping
from typing import assert_never

from reconciler.core.key import Key, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan
from reconciler.core.recipient import DatabricksSharing, OidcSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Unknown,
    Update,
    Verdict,
)

#: A description per recipient the plan knows.
People = Mapping[Key, str]


def people(plan: Plan) -> People:
    known: dict[Key, str] = {}
    for pack in plan.packs:
        if pack.declared is not None:
            known |= dict.fromkeys(pack.declared.borrowed, "declared in another pack")
    for step in plan.steps:
        for resource in _resources(step.verdict):
            if isinstance(resource, Recipient):
                known[recipient_key(resource.name, step.key.workspace)] = describe(resource)
    for pack in plan.packs:
        for key, declared in () if pack.declared is None else pack.declared.resources.items():
            if isinstance(declared.resource, Recipient):
                known[key] = describe(declared.resource)
    return known


def who(name: str, workspace: str, known: People) -> str:
    return known.get(recipient_key(name, workspace), "in no pack of this plan")


def describe(recipient: Recipient) -> str:
    match recipient.authentication:
        case TokenSharing():
            return f"D2O, outside{_email(recipient)}"
        case OidcSharing():
            return f"D2O with OIDC, outside{_email(recipient)}"
        case DatabricksSharing(metastore_id):
            return f"D2D, another metastore in {' '.join(metastore_id.split(':')[:2])}"
        case OtherSharing(authentication_type):
            return authentication_type
        case _:
            assert_never(recipient.authentication)


def _email(recipient: Recipient) -> str:
    return "" if recipient.email is UNMANAGED or not recipient.email else f", {recipient.email}"


def _resources(verdict: Verdict) -> Iterator[Resource | None]:
    """The ones it tells of, the newest last; a renamed one under both names."""
    match verdict:
        case Create(resource) | Keep(resource) | Drifted(resource):
            yield resource
        case Delete(resource) | Forget(resource) | Release(resource):
            yield resource
        case Rename(before, after):
            yield before
            yield after
        case Update(_, after) | Adopt(_, after) | Replace(_, after) | Record(_, after):
            yield after
        case Conflict() | Unknown() | Ignore():
            return
        case _:
            assert_never(verdict)
