"""Who the names in a plan are, as far as the plan itself can tell: its recipients' types and e-mail addresses."""

from collections.abc import Iterator, Mapping
from typing import assert_never

from reconciler.core.key import Key, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan, Step
from reconciler.core.recipient import DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.verdict import Adopt, Create, Delete, Forget, Keep, Record, Update

#: A description per recipient the plan knows.
People = Mapping[Key, str]


def people(plan: Plan) -> People:
    known: dict[Key, str] = {}
    for pack in plan.packs:
        if pack.declared is not None:
            known |= dict.fromkeys(pack.declared.borrowed, "declared in another pack")
    for step in plan.steps:
        for recipient in _recipients(step):
            known[step.key] = describe(recipient)
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
            email = "" if recipient.email is UNMANAGED or not recipient.email else f", {recipient.email}"
            return f"D2O, outside{email}"
        case DatabricksSharing(metastore_id):
            return f"D2D, another metastore in {' '.join(metastore_id.split(':')[:2])}"
        case OtherSharing(authentication_type):
            return authentication_type
        case _:
            assert_never(recipient.authentication)


def _recipients(step: Step) -> Iterator[Recipient]:
    match step.verdict:
        case (
            Create(Recipient() as recipient, _)
            | Keep(Recipient() as recipient)
            | Delete(Recipient() as recipient)
            | Forget(Recipient() as recipient)
        ):
            yield recipient
        case (
            Update(_, Recipient() as recipient, _, _)
            | Adopt(_, Recipient() as recipient, _)
            | Record(_, Recipient() as recipient)
        ):
            yield recipient
        case _:
            return
