"""Small worlds for the core's tests: a model of Databricks that refuses what the real one refuses, and strategies for
any three states over a handful of names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, product

from hypothesis import strategies as st

from reconciler.core.actual import Absent, Actual, Found
from reconciler.core.calls import (
    OBJECT_UPDATES_PER_CALL,
    Call,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.desired import Desired, Revision
from reconciler.core.key import Key, Kind, PackId, recipient_key, share_key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import Declared, SharePack
from reconciler.core.problem import Where
from reconciler.core.recipient import Authentication, DatabricksSharing, Recipient, TokenSharing
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import ObjectType, Share, SharedObject

WORKSPACE = "https://adb-1.example"
COMMIT = "c" * 40
SALES_Q1 = PackId.of("Sales", "Q1")
SALES_Q2 = PackId.of("Sales", "Q2")
LEGAL = PackId.of("Legal", "Holds")
TABLES = tuple(SharedObject(f"main.sales.t{n}", ObjectType.TABLE) for n in range(4))


class RefusedByModelError(AssertionError):
    """The model of Databricks would not do this; the product must never ask for it."""


@dataclass
class ModelWorkspace:
    """What one workspace holds. As strict as the contract: empty updates, unknown principals, doubles are refused."""

    resources: dict[Key, Resource] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def observe(self, keys: Iterable[Key]) -> Actual:
        return {key: Found(self.resources[key]) if key in self.resources else Absent() for key in keys}

    def perform(self, call: Call) -> None:  # noqa: C901 - one case per call
        self.calls.append(call)
        match call:
            case CreateRecipient(key, authentication, ips, comment):
                self._new(key)
                chosen = frozenset() if ips is UNMANAGED else frozenset(ips)
                note = "" if comment is UNMANAGED else comment
                self.resources[key] = Recipient(key.name, authentication, UNMANAGED, chosen, note)
            case UpdateRecipient(key, ips, comment):
                self._some(ips is not UNMANAGED or comment is not UNMANAGED)
                recipient = self._recipient(key)
                if ips is not UNMANAGED:
                    recipient = replace(recipient, allowed_ips=frozenset(ips))
                self.resources[key] = recipient if comment is UNMANAGED else replace(recipient, comment=comment)
            case DeleteRecipient(key):
                self._recipient(key)
                del self.resources[key]
                for other, share in self.resources.items():
                    if isinstance(share, Share) and share.recipients is not UNMANAGED:
                        self.resources[other] = replace(share, recipients=share.recipients - {key.name})
            case CreateShare(key, comment):
                self._new(key)
                note = "" if comment is UNMANAGED else comment
                self.resources[key] = Share(key.name, note, frozenset(), frozenset())
            case UpdateShare(key, comment, remove, add):
                self._update_share(key, comment, remove, add)
            case ChangeGrants(key, grant, revoke):
                self._change_grants(key, grant, revoke)
            case DeleteShare(key):
                self._share(key)
                del self.resources[key]

    def _update_share(
        self, key: Key, comment: Managed[str], remove: tuple[SharedObject, ...], add: tuple[SharedObject, ...]
    ) -> None:
        share = self._share(key)
        self._some(bool(remove or add) or comment is not UNMANAGED)
        names = [item.name for item in (*remove, *add)]
        assert share.objects is not UNMANAGED
        if len(names) > OBJECT_UPDATES_PER_CALL or len(set(names)) != len(names):
            raise RefusedByModelError(f"{key}: too many or duplicate updates")
        if not set(remove) <= share.objects or {item.name for item in add} & {item.name for item in share.objects}:
            raise RefusedByModelError(f"{key}: removes what is not there, or adds what is")
        share = replace(share, objects=share.objects - set(remove) | set(add))
        self.resources[key] = share if comment is UNMANAGED else replace(share, comment=comment)

    def _change_grants(self, key: Key, grant: tuple[str, ...], revoke: tuple[str, ...]) -> None:
        share = self._share(key)
        self._some(bool(grant or revoke))
        assert share.recipients is not UNMANAGED
        unknown = [name for name in grant if recipient_key(name, key.workspace) not in self.resources]
        if unknown or set(grant) & set(revoke):
            raise RefusedByModelError(f"{key}: unknown principals {unknown} or the same one twice")
        self.resources[key] = replace(share, recipients=share.recipients - set(revoke) | set(grant))

    def _new(self, key: Key) -> None:
        if key in self.resources:
            raise RefusedByModelError(f"{key} already exists")

    def _some(self, anything: bool) -> None:
        if not anything:
            raise RefusedByModelError("an update of nothing")

    def _recipient(self, key: Key) -> Recipient:
        found = self.resources.get(key)
        if not isinstance(found, Recipient):
            raise RefusedByModelError(f"{key} does not exist")
        return found

    def _share(self, key: Key) -> Share:
        found = self.resources.get(key)
        if not isinstance(found, Share):
            raise RefusedByModelError(f"{key} does not exist")
        return found


def a_pack(pack: PackId, *resources: Resource, adopt: bool = False, path: str = "") -> SharePack:
    path = path or f"sharepacks/{pack.business_line_key}/{pack.project_key}.yaml"
    declared = {key_of(item, WORKSPACE): Declared(item, Where(path, 1, 1), adopt) for item in resources}
    return SharePack(pack, path, "someone@example.com", WORKSPACE, declared)


def desired_of(*packs: SharePack, commit: str = COMMIT, is_committed: bool = True) -> Desired:
    return Desired(Revision(commit, is_committed), {pack.id: pack for pack in packs})


def recorded_of(
    rows: Mapping[Key, tuple[Resource, PackId]], intents: Iterable[Key] = (), commit: str = COMMIT
) -> RecordedState:
    packs = {pack for _, pack in rows.values()}
    return RecordedState(
        {key: Recorded(resource, pack, 1, commit) for key, (resource, pack) in rows.items()},
        dict.fromkeys(intents, SALES_Q1),
        {pack: RecordedPack(pack, "id", "", WORKSPACE, PackStatus.COMPLETED, commit) for pack in packs},
    )


NAMES = ("acme", "bolt", "core")
COMMENTS: tuple[Managed[str], ...] = (UNMANAGED, "", "a", "b")
IPS: tuple[Managed[frozenset[str]], ...] = (
    UNMANAGED,
    frozenset(),
    frozenset({"203.0.113.0/24"}),
    frozenset({"203.0.113.0/24", "198.51.100.50"}),
)
OBJECTS: tuple[Managed[frozenset[SharedObject]], ...] = (
    UNMANAGED,
    frozenset(),
    frozenset(TABLES[:1]),
    frozenset(TABLES[:3]),
    frozenset(TABLES[2:]),
)
AUTHENTICATIONS: tuple[Authentication, ...] = (TokenSharing(), DatabricksSharing("aws:us-west-2:abc-123"))
EMAILS: tuple[Managed[str], ...] = (UNMANAGED, "x@partner.example", "y@partner.example")

# Drawing one of many ready values is an order of magnitude cheaper than drawing each field.
RECIPIENTS = {
    name: [Recipient(name, *fields) for fields in product((*AUTHENTICATIONS, TokenSharing()), EMAILS, IPS, COMMENTS)]
    for name in NAMES
}
SUBSETS = [frozenset(chosen) for count in range(len(NAMES) + 1) for chosen in combinations(NAMES, count)]


def declared_recipients(name: str) -> st.SearchStrategy[Recipient]:
    return st.sampled_from(RECIPIENTS[name])


def declared_shares(name: str, recipients: frozenset[str]) -> st.SearchStrategy[Share]:
    return st.sampled_from(_shares(name, recipients))


@cache
def _shares(name: str, recipients: frozenset[str]) -> list[Share]:
    granted: list[Managed[frozenset[str]]] = [UNMANAGED, *(chosen for chosen in SUBSETS if chosen <= recipients)]
    return [Share(name, *fields) for fields in product(COMMENTS, OBJECTS, granted)]


def as_actual(resource: Resource) -> Resource:
    """As Databricks would tell it: every field has a value."""
    if isinstance(resource, Recipient):
        chosen = frozenset() if resource.allowed_ips is UNMANAGED else resource.allowed_ips
        return Recipient(resource.name, resource.authentication, UNMANAGED, chosen, resource.comment or "")
    return Share(
        resource.name,
        "" if resource.comment is UNMANAGED else resource.comment,
        frozenset() if resource.objects is UNMANAGED else resource.objects,
        frozenset() if resource.recipients is UNMANAGED else resource.recipients,
    )


@dataclass(frozen=True)
class Scene:
    """Three states over the same few names, two packs of one business line."""

    desired: Desired
    recorded: RecordedState
    workspace: ModelWorkspace


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any three states: each name is declared, recorded and present independently of the others, and differs freely."""
    subsets = st.sampled_from(SUBSETS)
    recipient_names, share_names, split = draw(subsets), draw(subsets), draw(subsets)
    declared: list[Recipient | Share] = [draw(declared_recipients(name)) for name in sorted(recipient_names)]
    shares: list[Recipient | Share] = [draw(declared_shares(name, recipient_names)) for name in sorted(share_names)]
    adopt = draw(st.booleans())
    first = a_pack(SALES_Q1, *[item for item in (*declared, *shares) if item.name in split], adopt=adopt)
    second = a_pack(SALES_Q2, *[item for item in (*declared, *shares) if item.name not in split], adopt=adopt)
    rows: dict[Key, tuple[Resource, PackId]] = {}
    present: dict[Key, Resource] = {}
    intents: set[Key] = set()
    wanted = {key: item.resource for pack in (first, second) for key, item in pack.resources.items()}
    for name in NAMES:
        key = recipient_key(name, WORKSPACE)
        _draw_states(draw, key, draw(declared_recipients(name)), wanted, (rows, present, intents))
    known = frozenset(key.name for key in present if key.kind is Kind.RECIPIENT)
    for name in NAMES:
        key = share_key(name, WORKSPACE)
        _draw_states(draw, key, draw(declared_shares(name, known)), wanted, (rows, present, intents))
    workspace = ModelWorkspace(_with_known_grants(present, known))
    return Scene(desired_of(first, second), recorded_of(rows, intents), workspace)


def _draw_states(
    draw: st.DrawFn,
    key: Key,
    other: Resource,
    wanted: Mapping[Key, Resource],
    states: tuple[dict[Key, tuple[Resource, PackId]], dict[Key, Resource], set[Key]],
) -> None:
    rows, present, intents = states
    candidates = [None, other, *([wanted[key]] if key in wanted else [])]
    recorded = draw(st.sampled_from(candidates))
    if recorded is not None:
        rows[key] = (recorded, draw(st.sampled_from([SALES_Q1, SALES_Q2])))
    actual = draw(st.sampled_from([*candidates, recorded]))
    if actual is not None:
        present[key] = as_actual(actual)
    if draw(st.integers(0, 5)) == 0:
        intents.add(key)


def _with_known_grants(present: Mapping[Key, Resource], known: frozenset[str]) -> dict[Key, Resource]:
    """Databricks drops the grants of a recipient that is gone (contract 2.8)."""
    return {
        key: replace(item, recipients=item.recipients & known)
        if isinstance(item, Share) and item.recipients is not UNMANAGED
        else item
        for key, item in present.items()
    }
