"""Who plans and applies, as Databricks sees it, and whether that is enough for a step."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.calls import Rename as RenameCall
from reconciler.core.guard import Objection
from reconciler.core.key import Key, Kind
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import DatabricksSharing, Recipient
from reconciler.core.verdict import Adopt, Create, Rename, Replace, Update, Verdict


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that calls the API of one workspace, and the metastore behind it."""

    #: User name, or application id of a service principal.
    name: str
    groups: frozenset[str] = frozenset()
    is_metastore_admin: bool = False
    #: Effective on the metastore: CREATE_SHARE, CREATE_RECIPIENT, USE_SHARE, SET_SHARE_PERMISSION, …
    privileges: frozenset[str] = frozenset()
    #: False when the metastore's `delta_sharing_scope` lets no D2O recipient in.
    shares_externally: bool = True
    #: `<cloud>:<region>:<uuid>`, lower case; empty when it is not told.
    metastore_id: str = ""
    #: It only plans, and another one applies: what that one may do is not known here.
    only_plans: bool = False

    def is_one_of(self, owner: str) -> bool:
        """Whether it acts as `owner`: by name or as a member."""
        return owner == self.name or owner in self.groups

    def has(self, privilege: str) -> bool:
        return self.is_metastore_admin or privilege in self.privileges


def rights_objections(
    key: Key, verdict: Verdict, caller: Caller | None, owner: str, recipient_owners: Mapping[str, str]
) -> tuple[Objection, ...]:
    """What Databricks would refuse in the middle of an apply, call by call. `owner` is that of the resource as it is.

    `caller` is None when it could not be asked: then only what could lock this program out is held.
    `recipient_owners` holds those that are known.
    """
    if caller is None:
        return tuple(_blind(verdict))
    if caller.only_plans:
        return tuple(_metastore_objections(verdict, caller))
    wants: list[str] = []
    for operation in lower(key, verdict):
        wants += _missing(operation.call, caller, owner, recipient_owners)
        owner = _owner_after(operation.call, caller, owner)
    found = [_objection(words, caller) for words in dict.fromkeys(wants)]
    found += _metastore_objections(verdict, caller)
    if isinstance(verdict, Create | Update | Adopt | Rename | Replace) and not caller.is_one_of(owner) and not wants:
        found += _locked_out(verdict, caller, owner)
    return tuple(found)


def _missing(call: Call, caller: Caller, owner: str, recipient_owners: Mapping[str, str]) -> list[str]:
    """The rights that the call needs and the caller lacks, in words (contract 2.6, 4.5, 4.6)."""
    is_owner = caller.is_one_of(owner)
    owned = [] if is_owner else [f"ownership of {call.key}, which is {owner or 'somebody'}'s"]
    match call:
        case CreateRecipient():
            missing = _unless(caller.has("CREATE_RECIPIENT"), "CREATE RECIPIENT on the metastore")
        case CreateShare():
            missing = _unless(caller.has("CREATE_SHARE"), "CREATE SHARE on the metastore")
        case UpdateRecipient() | ChangeOwner():
            missing = [] if caller.is_metastore_admin else owned
        case RenameCall(key) if key.kind is Kind.SHARE:
            missing = [*owned, *_unless(caller.has("CREATE_SHARE"), "CREATE SHARE on the metastore")]
        case RenameCall():
            missing = [*owned, *_unless(caller.is_metastore_admin, "the role of a metastore admin")]
        case ChangeGrants(grant=grant):
            may_change = caller.has("USE_SHARE") and caller.has("SET_SHARE_PERMISSION")
            missing = [*([] if may_change else owned), *_foreign(grant, caller, recipient_owners)]
        case RotateToken() | CreatePolicy() | DeletePolicy() | DeleteRecipient() | UpdateShare() | DeleteShare():
            missing = owned
        case _:
            assert_never(call)
    return missing


def _unless(has: bool, words: str) -> list[str]:  # noqa: FBT001 - a condition and its words
    return [] if has else [words]


def _foreign(grant: Iterable[str], caller: Caller, recipient_owners: Mapping[str, str]) -> list[str]:
    """Only the owner of a recipient may grant to it; revoking needs no right on it."""
    owners = {name: recipient_owners[name] for name in grant if name in recipient_owners}
    return [
        f"ownership of recipient/{name}, which is {owner}'s"
        for name, owner in owners.items()
        if not caller.is_one_of(owner)
    ]


def _owner_after(call: Call, caller: Caller, owner: str) -> str:
    match call:
        case CreateRecipient() | CreateShare():
            return caller.name
        case ChangeOwner():
            return call.owner
        case _:
            return owner


def _objection(words: str, caller: Caller) -> Objection:
    return Objection(
        "rights-missing",
        f"{caller.name} lacks {words}",
        f"give it to {caller.name}, or make a group it is in the owner; then plan again",
    )


def _metastore_objections(verdict: Verdict, caller: Caller) -> list[Objection]:
    if not isinstance(verdict, Create | Replace) or not isinstance(verdict.after, Recipient):
        return []
    authentication = verdict.after.authentication
    if isinstance(authentication, DatabricksSharing):
        if caller.metastore_id and authentication.metastore_id == caller.metastore_id:
            return [
                Objection(
                    "own-metastore",
                    "its metastore_id is that of this workspace's own metastore",
                    "grant privileges on the tables instead; within a metastore nothing has to be shared",
                )
            ]
        return []
    if caller.shares_externally:
        return []
    return [
        Objection(
            "external-sharing-off",
            "the metastore lets no D2O recipient in: external Delta Sharing is not enabled on it",
            "have an account admin set its delta_sharing_scope to INTERNAL_AND_EXTERNAL",
        )
    ]


def _locked_out(verdict: Verdict, caller: Caller, owner: str) -> list[Objection]:
    """Only when the plan itself gives the resource away: what others own already is somebody's decision."""
    if not _changes_owner(verdict):
        return []
    return [
        Objection(
            "owner-locks-out",
            f"{caller.name} would lose its rights to {owner}, and could not keep it in order any more",
            f"make {caller.name} a member of the owning group, or choose a group it is in",
        )
    ]


def _blind(verdict: Verdict) -> Iterator[Objection]:
    if _changes_owner(verdict):
        yield Objection(
            "owner-unverified",
            "its owner would change, and whether this program keeps its rights could not be found out",
            "let the identity that plans read itself (SCIM Me) and the metastore, then plan again",
        )


def _changes_owner(verdict: Verdict) -> bool:
    match verdict:
        case Create(after) | Replace(_, after):
            return after.owner is not UNMANAGED
        case Update(changes=changes) | Adopt(changes=changes) | Rename(changes=changes):
            return any(change.field == "owner" for change in changes)
        case _:
            return False
