"""Strategies for any three states over a handful of names: ready values, because drawing each field takes ten times as
long."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations
from typing import TypeVar

from hypothesis import strategies as st

from reconciler.core.actual import Absent, Token
from reconciler.core.allowance import ACTIONS, lift_of
from reconciler.core.approval import Approvals
from reconciler.core.desired import Desired
from reconciler.core.holds import Holds
from reconciler.core.key import Key, Kind, PackId, recipient_key, share_key
from reconciler.core.limits import Limits
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import DriftPolicy, SharePack
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.recorded import RecordedState
from reconciler.core.resolve import CatalogObject, resolve
from reconciler.core.resource import Resource
from reconciler.core.rights import Caller
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from tests.core.model import DAY, NOW, ROBOT, ModelWorkspace
from tests.core.model_objects import place
from tests.core.worlds import (
    NO_LIMITS,
    SALES_Q1,
    SALES_Q2,
    WORKSPACE,
    KnownCatalog,
    a_pack,
    as_actual,
    contents_of,
    desired_of,
    recorded_of,
    renamed,
)

T = TypeVar("T")

NAMES = ("acme", "bolt", "core")
SUBSETS = [frozenset(chosen) for count in range(len(NAMES) + 1) for chosen in combinations(NAMES, count)]
EMEA, OWN_ORG, NO_REGION = (
    frozenset({Condition("region", value="EMEA")}),
    frozenset({Condition("org", recipient_property="org"), Condition("region", is_like=True, value="E%")}),
    frozenset({Condition("region")}),
)
ONE, OTHER = NotebookContent("1" * 64, b"one"), NotebookContent("2" * 64, b"two")
#: What may be shared, each in several ways; of each name at most one way is drawn, or two under two aliases.
WAYS: tuple[tuple[SharedObject, ...], ...] = (
    tuple(
        SharedObject("main.sales.orders", ObjectType.TABLE, alias, comment, partitions, history, cdf, start)
        for alias in (UNMANAGED, "pub.orders", "pub.sales")
        for comment in (UNMANAGED, "", "why")
        for partitions in (UNMANAGED, frozenset(), frozenset({EMEA}), frozenset({OWN_ORG, NO_REGION}))
        for history in (UNMANAGED, True, False)
        for cdf in ((UNMANAGED,) if history is True else (UNMANAGED, True, False))
        for start in (UNMANAGED, 3)
    ),
    tuple(
        SharedObject("main.sales.leads", kind, alias)
        for kind in (UNMANAGED, ObjectType.TABLE, ObjectType.VIEW)
        for alias in (UNMANAGED, "pub.orders", "pub.leads")
    ),
    tuple(
        SharedObject("main.sales.leads", ObjectType.VOLUME, alias, comment)
        for alias in (UNMANAGED, "pub.leads")
        for comment in (UNMANAGED, "files")
    ),
    tuple(
        SharedObject("main.sales", ObjectType.SCHEMA, UNMANAGED, comment, history=history)
        for comment in (UNMANAGED, "all")
        for history in (UNMANAGED, True, False)
    ),
    tuple(
        SharedObject("Read me", ObjectType.NOTEBOOK_FILE, alias, content=content)
        for alias in (UNMANAGED, "Read me.py")
        for content in (ONE, OTHER)
    ),
)
POLICIES = tuple(
    FederationPolicy(name, "https://idp.example", SubjectClaim.SUB, subject, frozenset({"one"}))
    for name in ("main", "spare")
    for subject in ("alice", "bob")
)
ADDRESSES: tuple[Managed[frozenset[str]], ...] = (
    UNMANAGED,
    frozenset(),
    frozenset({"203.0.113.0/24"}),
    frozenset({"203.0.113.0/24", "198.51.100.50"}),
    frozenset({"0.0.0.0/0"}),
)
OWNERS: tuple[Managed[str], ...] = (UNMANAGED, ROBOT, "data-team", "strangers")


def _some_of(dice: random.Random, *choices: T) -> T:
    return dice.choice(choices)


def _recipient(dice: random.Random, name: str) -> Recipient:
    kinds = (TokenSharing(), TokenSharing(), OidcSharing(), DatabricksSharing(f"aws:us-west-2:{name}"))
    authentication: Authentication = dice.choice(kinds)
    is_token, is_oidc = isinstance(authentication, TokenSharing), isinstance(authentication, OidcSharing)
    plain = Recipient(
        name,
        authentication,
        email=_some_of(dice, UNMANAGED, "x@partner.example", "y@partner.example"),
        comment=_some_of(dice, UNMANAGED, "", "a", "b"),
        owner=dice.choice(OWNERS),
        properties=_some_of(
            dice, UNMANAGED, frozenset(), frozenset({("org", "1")}), frozenset({("org", "2"), ("tier", "gold")})
        ),
        protect=dice.random() < 0.1,
    )
    if is_token or is_oidc:
        plain = replace(plain, allowed_ips=dice.choice(ADDRESSES))
    if is_oidc:
        chosen: dict[str, FederationPolicy] = {each.name: each for each in dice.sample(POLICIES, dice.randint(0, 2))}
        return replace(plain, policies=_some_of(dice, UNMANAGED, frozenset(chosen.values())))
    if not is_token:
        return plain
    if dice.random() < 0.4:
        return replace(plain, expires_at=_some_of(dice, NOW + 30 * DAY, NOW + 60 * DAY, NOW + 100 * DAY, NOW - DAY))
    rotates = dice.random() < 0.5
    return replace(
        plain,
        token_lifetime=_some_of(dice, UNMANAGED, 40 * DAY // 1000, 100 * DAY // 1000),
        rotate_every=30 * DAY // 1000 if rotates else UNMANAGED,
        rotation_overlap=_some_of(dice, UNMANAGED, 0, 20 * DAY // 1000) if rotates else UNMANAGED,
    )


def _object_set(dice: random.Random) -> frozenset[SharedObject]:
    chosen = [dice.choice(ways) for ways in WAYS for _ in range(_some_of(dice, 0, 1, 1, 2))]
    taken: set[tuple[str, str]] = set()
    kept: dict[SharedObject, SharedObject] = {}
    for item in chosen:
        typed = replace(item, type=ObjectType.TABLE) if item.type is UNMANAGED else item
        same = [other for other in kept.values() if other.name == item.name and place(other)[0] == place(typed)[0]]
        # One source twice is of one type, and has an alias each time.
        is_odd = any(UNMANAGED in {item.shared_as, other.shared_as} or other.type != typed.type for other in same)
        if place(typed) not in taken and not is_odd:
            taken.add(place(typed))
            kept[item] = typed
    return frozenset(kept)


_DICE = random.Random(20300317)
RECIPIENTS = {name: [_recipient(_DICE, name) for _ in range(150)] for name in (*NAMES, *(f"old-{n}" for n in NAMES))}
OBJECT_SETS = [frozenset[SharedObject](), *(_object_set(_DICE) for _ in range(120))]


@cache
def shares(name: str, recipients: frozenset[str]) -> tuple[Share, ...]:
    dice = random.Random(f"{name}{sorted(recipients)}")
    granted = [chosen for chosen in SUBSETS if chosen <= recipients]
    return tuple(
        Share(
            name,
            _some_of(dice, UNMANAGED, "", "a", "b"),
            _some_of(dice, UNMANAGED, *[dice.choice(OBJECT_SETS) for _ in range(6)]),
            _some_of(dice, UNMANAGED, *granted),
            dice.choice(OWNERS),
            _some_of(dice, UNMANAGED, UNMANAGED, "s3://one", "s3://two"),
            dice.random() < 0.1,
        )
        for _ in range(80)
    )


def one_of(values: Sequence[T]) -> st.SearchStrategy[T]:
    """Like `sampled_from`, which would tell all of them in its repr."""
    return _below(len(values)).map(values.__getitem__)


def drawn(draw: st.DrawFn, values: Sequence[T]) -> T:
    """One of them. Making a strategy takes longer than drawing from it, so each is made once."""
    return values[draw(_below(len(values)))]


@cache
def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def declared_recipients(name: str) -> st.SearchStrategy[Recipient]:
    return one_of(RECIPIENTS[name])


def declared_shares(name: str, recipients: frozenset[str]) -> st.SearchStrategy[Share]:
    return one_of(shares(name, recipients))


CATALOGS = [
    KnownCatalog(
        {
            "main.sales": (CatalogObject(ObjectType.SCHEMA),),
            "main.sales.orders": (CatalogObject(ObjectType.TABLE, "", frozenset({"region", "org"})),),
            "main.sales.leads": (CatalogObject(kind), CatalogObject(ObjectType.VOLUME)),
        }
    )
    for kind in (ObjectType.TABLE, ObjectType.VIEW)
]
CALLERS = [
    None,
    Caller(ROBOT, frozenset({"data-team"}), is_metastore_admin=True),
    Caller(ROBOT, frozenset({"data-team"}), privileges=frozenset({"CREATE_SHARE", "CREATE_RECIPIENT"})),
    Caller(ROBOT, privileges=frozenset({"USE_SHARE", "SET_SHARE_PERMISSION", "CREATE_SHARE"})),
]
#: The names under which a resource is to be found: as it is now, and as it was.
EVERYTHING = frozenset(
    lift_of(action, key, detail)
    for action in ACTIONS
    for name in (*NAMES, *(f"old-{name}" for name in NAMES))
    for key in (recipient_key(name, WORKSPACE), share_key(name, WORKSPACE))
    for detail in (NAMES if action == "whole-schema" else ("",))
)


@dataclass(frozen=True)
class Scene:
    """Three states over the same few names, two packs of one business line, and who asks for what."""

    desired: Desired
    recorded: RecordedState
    workspace: ModelWorkspace
    catalog: KnownCatalog = field(default_factory=lambda: CATALOGS[0])
    limits: Limits = NO_LIMITS
    allowed: frozenset[str] = frozenset()
    rotations: Mapping[Key, int] = field(default_factory=dict)
    holds: Holds = field(default_factory=Holds)
    approvals: Approvals | None = None

    def copy(self) -> "Scene":
        kept = self.workspace
        tokens = {key: list(each) for key, each in kept.tokens.items()}
        again = ModelWorkspace(dict(kept.resources), tokens, dict(kept.contents), kept.caller, kept.now)
        return replace(self, workspace=again)


@st.composite
def scenes(draw: st.DrawFn, *, free: bool = False) -> Scene:
    """Any three states: each name is declared, recorded and present independently of the others, and differs freely.

    `free`: everything is allowed, nothing is limited, newly protected or only reported, so that all that can be done
    is done.
    """
    recipient_names, share_names, split = drawn(draw, SUBSETS), drawn(draw, SUBSETS), drawn(draw, SUBSETS)
    declared: list[Resource] = [drawn(draw, RECIPIENTS[name]) for name in sorted(recipient_names)]
    declared += [drawn(draw, shares(name, recipient_names)) for name in sorted(share_names)]
    declared = [replace(item, protect=item.protect and not free) for item in declared]
    adopt, catalog = drawn(draw, (False, True)), drawn(draw, CATALOGS)
    first = a_pack(SALES_Q1, *[item for item in declared if item.name in split], adopt=adopt)
    second = a_pack(SALES_Q2, *[item for item in declared if item.name not in split], adopt=adopt)
    packs = [_with_renames(draw, pack) for pack in (first, second)]
    if not free and drawn(draw, range(5)) == 0:
        packs[0] = replace(packs[0], drift=DriftPolicy.REPORT)
    states = _States(draw, {key: item.resource for pack in packs for key, item in pack.resources.items()}, catalog)
    names = [*NAMES, *(f"old-{name}" for name in sorted(drawn(draw, SUBSETS)))]
    for name in names:
        states.add(recipient_key(name, WORKSPACE), drawn(draw, RECIPIENTS[name]))
    known = frozenset(key.name for key in states.present if key.kind is Kind.RECIPIENT)
    for name in names:
        readable = known & frozenset(NAMES)
        states.add(share_key(name, WORKSPACE), drawn(draw, shares(name, readable)))
    return Scene(
        desired_of(*packs),
        recorded_of(states.rows, states.intents),
        _workspace(draw, states, known),
        catalog,
        NO_LIMITS if free else drawn(draw, [NO_LIMITS, Limits(), Limits(2, 3, 40, 40)]),
        EVERYTHING if free or drawn(draw, (False, True)) else frozenset(),
        {key: DAY // 1000 for key in states.present if key.kind is Kind.RECIPIENT and drawn(draw, range(9)) == 0},
    )


def _with_renames(draw: st.DrawFn, pack: SharePack) -> SharePack:
    for key in sorted(pack.resources):
        if drawn(draw, range(3)) == 0:
            pack = renamed(pack, key, f"old-{key.name}")
    return pack


@dataclass
class _States:
    draw: st.DrawFn
    wanted: Mapping[Key, Resource]
    catalog: KnownCatalog
    rows: dict[Key, tuple[Resource, PackId]] = field(default_factory=dict)
    present: dict[Key, Resource] = field(default_factory=dict)
    intents: set[Key] = field(default_factory=set)

    def add(self, key: Key, other: Resource) -> None:
        candidates = [None, *self._like(key, other)]
        recorded = self._typed(drawn(self.draw, candidates))
        if recorded is not None:
            self.rows[key] = (recorded, drawn(self.draw, [SALES_Q1, SALES_Q2]))
        actual = self._typed(drawn(self.draw, [*candidates, recorded]))
        if actual is not None:
            self.present[key] = actual
        if drawn(self.draw, range(6)) == 0:
            self.intents.add(key)

    def _like(self, key: Key, other: Resource) -> Iterator[Resource]:
        """What the pack wants by this name, and by the name that it is to have."""
        yield other
        for wanted in (self.wanted.get(key), self.wanted.get(replace(key, name=key.name.removeprefix("old-")))):
            if wanted is not None:
                yield replace(wanted, name=key.name)

    def _typed(self, resource: Resource | None) -> Resource | None:
        return resolve(resource, Absent(), self.catalog).share if isinstance(resource, Share) else resource


def _workspace(draw: st.DrawFn, states: _States, known: frozenset[str]) -> ModelWorkspace:
    """Databricks drops the grants of a recipient that is gone (contract 2.8); a recipient of old may hold some."""
    workspace = ModelWorkspace(caller=drawn(draw, CALLERS))
    old = drawn(draw, (False, True))
    for key, item in states.present.items():
        actual = as_actual(item)
        if isinstance(actual, Share) and isinstance(actual.recipients, frozenset):
            former = {f"old-{name}" for name in actual.recipients} if old else set()
            actual = replace(actual, recipients=(actual.recipients | former) & known)
        if isinstance(item, Share) and item.objects is not UNMANAGED:
            workspace.contents |= contents_of(key, item.objects)
        workspace.resources[key] = actual
        if isinstance(actual, Recipient) and isinstance(actual.authentication, TokenSharing):
            workspace.tokens[key] = _tokens(draw, actual)
    return workspace


def _tokens(draw: st.DrawFn, recipient: Recipient) -> list[Token]:
    """The newest ends when the recipient says, and may be old or young; there may be another one, ended or not."""
    age = drawn(draw, [DAY, 29 * DAY, 31 * DAY, 200 * DAY])
    ends = None if recipient.expires_at is UNMANAGED else recipient.expires_at
    newest = Token(f"{recipient.name}-0", NOW - age, ends)
    other = drawn(draw, [None, None, NOW - DAY, NOW + DAY])
    return [newest] if other is None else [newest, Token(f"{recipient.name}-before", newest.created_at - DAY, other)]
