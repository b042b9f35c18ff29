"""Resources as columns, orders as JSON: what goes in comes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.postgres.orders import call_to_json, order_from_json, order_to_json
from reconciler.adapters.postgres.rows import from_columns, to_columns
from reconciler.core.calls import Call, ChangeGrants, CreateRecipient, DeleteShare, UpdateRecipient, UpdateShare
from reconciler.core.key import Kind
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject
from tests.adapters.postgres.samples import ANALYST_KEY, PACK, SALES_KEY, an_order, wanted

TEXT = st.text(max_size=8)
MANAGED_TEXT = st.one_of(st.just(UNMANAGED), TEXT)
NAMES = st.one_of(st.just(UNMANAGED), st.frozensets(TEXT, max_size=3))
OBJECTS = st.frozensets(
    st.builds(SharedObject, TEXT, st.one_of(st.just(UNMANAGED), st.sampled_from(ObjectType))), max_size=3
)
RECIPIENTS = st.builds(
    Recipient,
    TEXT,
    st.one_of(
        st.just(TokenSharing()), st.builds(DatabricksSharing, TEXT), st.just(OtherSharing("OAUTH_CLIENT_CREDENTIALS"))
    ),
    MANAGED_TEXT,
    NAMES,
    MANAGED_TEXT,
)
SHARES = st.builds(Share, TEXT, MANAGED_TEXT, st.one_of(st.just(UNMANAGED), OBJECTS), NAMES)


@given(st.one_of(RECIPIENTS, SHARES))
def test_a_resource_comes_back_from_its_columns(resource: Resource) -> None:
    kind = Kind.RECIPIENT if isinstance(resource, Recipient) else Kind.SHARE
    assert from_columns(kind, json.loads(json.dumps(to_columns(resource)))) == resource


@given(st.one_of(RECIPIENTS, SHARES, st.none()), st.booleans())
def test_an_order_comes_back_from_its_json(resource: Resource | None, narrows: bool) -> None:
    order = an_order(PACK, wanted(SALES_KEY, resource), narrows=narrows, held=("why",))
    assert order_from_json(json.loads(json.dumps(order_to_json(order)))) == order


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (DeleteShare(SALES_KEY), {"call": "DeleteShare"}),
        (
            CreateRecipient(ANALYST_KEY, TokenSharing(), (), "c"),
            {"call": "CreateRecipient", "authentication": "D2O", "allowed_ips": [], "comment": "c"},
        ),
        (UpdateRecipient(ANALYST_KEY, comment=""), {"call": "UpdateRecipient", "comment": ""}),
        (ChangeGrants(SALES_KEY, ("a",), ("b",)), {"call": "ChangeGrants", "grant": ["a"], "revoke": ["b"]}),
        (
            UpdateShare(SALES_KEY, add=(SharedObject("a.b.c", ObjectType.VIEW), SharedObject("a.b"))),
            {"call": "UpdateShare", "remove": [], "add": ["a.b.c (VIEW)", "a.b"]},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_call_is_written_as_it_is_sent(call: Call, expected: dict[str, object]) -> None:
    assert call_to_json(call) == expected
