"""What `--calls` shows is what is sent: every kind of call, performed by the adapter, against the sandbox's log."""

from collections.abc import Iterator

import pytest

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, TokenSharing
from reconciler.core.share import ObjectType, SharedObject
from reconciler.render.wire import request_of
from reconciler.sandbox import ControlClient, Sandbox, Seed

PARTNER = recipient_key("partner", "")
LAKE = recipient_key("lake", "")
SALES = share_key("sales", "")
TABLE = SharedObject("prod_catalog.sales.transactions", ObjectType.TABLE)
VIEW = SharedObject("prod_catalog.sales.revenue_by_country", ObjectType.VIEW)

CALLS: list[Call] = [
    CreateRecipient(PARTNER, TokenSharing(), ("10.0.0.0/8", "192.0.2.1"), "hello"),
    CreateRecipient(LAKE, DatabricksSharing("aws:us-west-2:19a84bee-54bc-43a2-87de-023d0ec16016")),
    UpdateRecipient(PARTNER, (), ""),
    UpdateRecipient(PARTNER, ("192.0.2.1",)),
    CreateShare(SALES, "words"),
    UpdateShare(SALES, "other words", add=(TABLE,)),
    UpdateShare(SALES, remove=(TABLE,), add=(VIEW,)),
    UpdateShare(SALES, ""),
    ChangeGrants(SALES, grant=("partner", "lake")),
    ChangeGrants(SALES, grant=("partner",), revoke=("lake",)),
    DeleteShare(SALES),
    DeleteRecipient(PARTNER),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as url:
        yield url


def test_the_requests_shown_are_the_requests_sent(address: str) -> None:
    from databricks.sdk import WorkspaceClient  # noqa: PLC0415 - two seconds

    from reconciler.adapters.databricks.performing import send  # noqa: PLC0415

    client = WorkspaceClient(host=address, token="dapi-sandbox-admin")
    for call in CALLS:
        send(client, call)
    sent = [
        (each["method"], each["path"], each["body"] or None) for each in ControlClient(address).log(writes_only=True)
    ]
    shown = [request_of(call) for call in CALLS]
    assert sent == [(each.method, each.path, each.body) for each in shown]
