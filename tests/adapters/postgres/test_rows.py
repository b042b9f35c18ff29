"""Resources as columns, orders as JSON: what goes in comes out."""

import json
from hashlib import sha256
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.postgres.calls import call_to_json
from reconciler.adapters.postgres.orders import order_from_json, order_to_json
from reconciler.adapters.postgres.rows import from_columns, table_of, to_columns
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
    Rename,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.changes import TokenRotated, TokenShortened
from reconciler.core.key import Kind
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from reconciler.ports.ledger import Wanted
from tests.adapters.postgres.samples import ANALYST_KEY, NOTEBOOK, PACK, SALES, SALES_KEY, SOURCE, an_order, wanted

TEXT = st.text(max_size=8)


def managed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(UNMANAGED), values)


NUMBERS = st.integers(0, 2**63 - 1)
NAMES = st.frozensets(TEXT, max_size=3)
CONDITIONS = st.builds(Condition, TEXT, st.booleans(), st.none() | TEXT, st.none() | TEXT)
OBJECTS = st.builds(
    SharedObject,
    name=TEXT,
    type=managed(st.sampled_from(ObjectType)),
    shared_as=managed(TEXT),
    comment=managed(TEXT),
    partitions=managed(st.frozensets(st.frozensets(CONDITIONS, max_size=2), max_size=2)),
    history=managed(st.booleans()),
    cdf=managed(st.booleans()),
    start_version=managed(NUMBERS),
    content=managed(st.binary(max_size=8).map(lambda source: NotebookContent(sha256(source).hexdigest(), source))),
)
POLICIES = st.builds(FederationPolicy, TEXT, TEXT, st.sampled_from(SubjectClaim), TEXT, NAMES, TEXT)
RECIPIENTS = st.builds(
    Recipient,
    name=TEXT,
    authentication=st.one_of(
        st.just(TokenSharing()),
        st.just(OidcSharing()),
        st.builds(DatabricksSharing, TEXT),
        st.just(OtherSharing("OAUTH_CLIENT_CREDENTIALS")),
    ),
    email=managed(TEXT),
    allowed_ips=managed(NAMES),
    comment=managed(TEXT),
    owner=managed(TEXT),
    properties=managed(st.dictionaries(TEXT, TEXT, max_size=3).map(lambda pairs: frozenset(pairs.items()))),
    expires_at=managed(NUMBERS),
    # One policy of each name: the encoding is sorted by name alone.
    policies=managed(st.lists(POLICIES, max_size=2, unique_by=lambda policy: policy.name).map(frozenset)),
    token_lifetime=managed(NUMBERS),
    rotate_every=managed(NUMBERS),
    rotation_overlap=managed(NUMBERS),
    protect=st.booleans(),
)
SHARES = st.builds(
    Share,
    name=TEXT,
    comment=managed(TEXT),
    objects=managed(st.frozensets(OBJECTS, max_size=2)),
    recipients=managed(NAMES),
    owner=managed(TEXT),
    storage_root=managed(TEXT),
    protect=st.booleans(),
)
TOKENS = st.one_of(
    st.none(),
    st.builds(TokenRotated, TEXT, NUMBERS, NUMBERS),
    st.builds(TokenShortened, TEXT, st.none() | NUMBERS, NUMBERS),
)
WANTED = st.builds(
    Wanted,
    key=st.just(SALES_KEY),
    resource=st.one_of(RECIPIENTS, SHARES, st.none()),
    adopt=st.booleans(),
    renamed_from=TEXT,
    token=TOKENS,
    released=st.booleans(),
)


@given(st.one_of(RECIPIENTS, SHARES))
def test_a_resource_comes_back_from_its_columns(resource: Resource) -> None:
    kind = Kind.RECIPIENT if isinstance(resource, Recipient) else Kind.SHARE
    assert from_columns(kind, json.loads(json.dumps(to_columns(resource)))) == resource


@given(st.one_of(RECIPIENTS, SHARES))
def test_the_columns_of_a_resource_are_those_of_its_table(resource: Resource) -> None:
    kind = Kind.RECIPIENT if isinstance(resource, Recipient) else Kind.SHARE
    assert {*to_columns(resource), "workspace_url", "share_pack_id"} == set(table_of(kind).columns)


@given(WANTED, st.booleans())
def test_an_order_comes_back_from_its_json(item: Wanted, narrows: bool) -> None:
    order = an_order(PACK, item, narrows=narrows, held=("why",))
    assert order_from_json(json.loads(json.dumps(order_to_json(order)))) == order


def test_a_worker_gets_the_bytes_of_a_notebook() -> None:
    order = an_order(PACK, wanted(SALES_KEY, Share("sales", objects=frozenset({NOTEBOOK}))))
    [item] = order_from_json(json.loads(json.dumps(order_to_json(order)))).wanted
    assert isinstance(item.resource, Share)
    assert item.resource.objects is not UNMANAGED
    [notebook] = item.resource.objects
    assert notebook.content is not UNMANAGED
    assert notebook.content.source == SOURCE


def test_an_order_of_an_older_version_is_understood() -> None:
    document = json.loads(json.dumps(order_to_json(an_order(PACK, wanted(SALES_KEY, SALES)))))
    for name in ("renamed_from", "token", "released"):
        del document["wanted"][0][name]
    assert order_from_json(document).wanted == (wanted(SALES_KEY, SALES),)


CALLS: list[tuple[Call, dict[str, object]]] = [
    (DeleteShare(SALES_KEY), {"call": "DeleteShare"}),
    (DeleteRecipient(ANALYST_KEY), {"call": "DeleteRecipient"}),
    (
        CreateRecipient(
            ANALYST_KEY, TokenSharing(), (), "c", properties=(("region", "EMEA"), ("tier", "")), expires_in=3600
        ),
        {
            "call": "CreateRecipient",
            "authentication": "D2O",
            "allowed_ips": [],
            "comment": "c",
            "properties": {"region": "EMEA", "tier": ""},
            "expires_in": 3600,
        },
    ),
    (
        UpdateRecipient(ANALYST_KEY, comment="", expires_at=1_800_000_000_001),
        {"call": "UpdateRecipient", "comment": "", "expires_at": 1_800_000_000_001},
    ),
    (RotateToken(ANALYST_KEY, "t-1", 0), {"call": "RotateToken", "token_id": "t-1", "overlap": 0}),
    (
        CreatePolicy(
            ANALYST_KEY, FederationPolicy("p", "https://idp", SubjectClaim.OID, "s", frozenset({"b", "a"}), "why")
        ),
        {
            "call": "CreatePolicy",
            "policy": {
                "name": "p",
                "issuer": "https://idp",
                "subject_claim": "oid",
                "subject": "s",
                "audiences": ["a", "b"],
                "comment": "why",
            },
        },
    ),
    (DeletePolicy(ANALYST_KEY, "p"), {"call": "DeletePolicy", "name": "p"}),
    (
        CreateShare(SALES_KEY, "c", "s3://bucket"),
        {"call": "CreateShare", "comment": "c", "storage_root": "s3://bucket"},
    ),
    (ChangeGrants(SALES_KEY, ("a",), ("b",)), {"call": "ChangeGrants", "grant": ["a"], "revoke": ["b"]}),
    (
        UpdateShare(
            SALES_KEY,
            remove=(SharedObject("a.b.c", ObjectType.VIEW),),
            add=(NOTEBOOK, SharedObject("a.b")),
            change=(SharedObject("a.b.d", ObjectType.TABLE, "b.e", history=False, start_version=3),),
        ),
        {
            "call": "UpdateShare",
            "remove": [{"name": "a.b.c", "type": "VIEW"}],
            "add": [
                {
                    "name": "how to",
                    "type": "NOTEBOOK_FILE",
                    "content_digest": sha256(SOURCE).hexdigest(),
                    "content_bytes": len(SOURCE),
                },
                {"name": "a.b"},
            ],
            "change": [
                {"name": "a.b.d", "type": "TABLE", "shared_as": "b.e", "history": False, "start_version": 3},
            ],
        },
    ),
    (ChangeOwner(SALES_KEY, "admins"), {"call": "ChangeOwner", "owner": "admins"}),
    (Rename(SALES_KEY, "revenue"), {"call": "Rename", "old_name": "revenue"}),
]


@pytest.mark.parametrize(("call", "expected"), CALLS, ids=[type(call).__name__ for call, _ in CALLS])
def test_a_call_is_written_as_it_is_sent(call: Call, expected: dict[str, object]) -> None:
    written = call_to_json(call)
    assert written == expected
    assert json.loads(json.dumps(written)) == expected


def test_every_call_can_be_written() -> None:
    assert {type(call) for call, _ in CALLS} == set(get_args(Call))
