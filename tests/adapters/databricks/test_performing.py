"""Each call is exactly one request, with exactly the fields it names (contract 1.5, 2.3, 4.4, 4.6)."""

from typing import Any

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.actual import Found
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
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.share import ObjectType, SharedObject
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import requests_of

METASTORE = "aws:us-east-1:11111111-2222-3333-4444-555555555555"
CUSTOMERS = SharedObject("prod_catalog.sales.customers", ObjectType.TABLE)
REVENUE = SharedObject("prod_catalog.sales.revenue_by_country", ObjectType.VIEW)
SCHEMA = SharedObject("prod_catalog.marketing", ObjectType.SCHEMA)


async def wire_of(
    platform: DatabricksPlatform, control: ControlClient, call: Call, *before: Call
) -> tuple[str, str, Any]:
    for each in before:
        await platform.perform(each)
    control.clear_log()
    receipt = await platform.perform(call)
    (entry,) = control.log(writes_only=True)
    assert receipt.request_id == entry["request_id"]
    (request,) = requests_of(control, writes_only=False)
    return request


async def test_a_token_recipient_with_everything(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    call = CreateRecipient(recipient, TokenSharing(), ("10.0.0.0/8", "1.2.3.4"), "Partner")
    assert await wire_of(platform, control, call) == (
        "POST",
        "/recipients",
        {
            "name": "acme",
            "authentication_type": "TOKEN",
            "comment": "Partner",
            "ip_access_list": {"allowed_ip_addresses": ["10.0.0.0/8", "1.2.3.4"]},
        },
    )


async def test_unmanaged_fields_are_not_sent(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, share: Key
) -> None:
    sent = await wire_of(platform, control, CreateRecipient(recipient, TokenSharing()))
    assert sent == ("POST", "/recipients", {"name": "acme", "authentication_type": "TOKEN"})
    assert await wire_of(platform, control, CreateShare(share)) == ("POST", "/shares", {"name": "q1_share"})


async def test_a_databricks_recipient_names_its_metastore(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    call = CreateRecipient(recipient, DatabricksSharing(METASTORE), comment="")
    assert await wire_of(platform, control, call) == (
        "POST",
        "/recipients",
        {
            "name": "acme",
            "authentication_type": "DATABRICKS",
            "data_recipient_global_metastore_id": METASTORE,
            "comment": "",
        },
    )


async def test_a_recipient_that_no_pack_can_declare_is_not_made(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    with pytest.raises(RefusedError, match="OIDC_FEDERATION are not made"):
        await platform.perform(CreateRecipient(recipient, OtherSharing("OIDC_FEDERATION")))
    assert requests_of(control) == []


async def test_an_empty_address_list_and_an_empty_comment_clear(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    create = CreateRecipient(recipient, TokenSharing(), ("1.2.3.4",), "Partner")
    sent = await wire_of(platform, control, UpdateRecipient(recipient, (), ""), create)
    assert sent == ("PATCH", "/recipients/acme", {"ip_access_list": {}, "comment": ""})
    found = (await platform.observe([recipient]))[recipient]
    assert isinstance(found, Found)
    assert found.resource == Recipient("acme", TokenSharing(), allowed_ips=frozenset(), comment="")


async def test_a_recipient_update_sends_the_whole_list_and_nothing_else(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    create = CreateRecipient(recipient, TokenSharing(), ("1.2.3.4",), "Partner")
    sent = await wire_of(platform, control, UpdateRecipient(recipient, ("1.2.3.4", "5.6.7.8")), create)
    assert sent == (
        "PATCH",
        "/recipients/acme",
        {"ip_access_list": {"allowed_ip_addresses": ["1.2.3.4", "5.6.7.8"]}},
    )


async def test_a_share_update_is_one_request(platform: DatabricksPlatform, control: ControlClient, share: Key) -> None:
    before = (CreateShare(share), UpdateShare(share, add=(CUSTOMERS,)))
    sent = await wire_of(platform, control, UpdateShare(share, "New", (CUSTOMERS,), (REVENUE, SCHEMA)), *before)
    assert sent == (
        "PATCH",
        "/shares/q1_share",
        {
            "comment": "New",
            "updates": [
                {"action": "REMOVE", "data_object": {"name": CUSTOMERS.name, "data_object_type": "TABLE"}},
                {"action": "ADD", "data_object": {"name": REVENUE.name, "data_object_type": "VIEW"}},
                {"action": "ADD", "data_object": {"name": SCHEMA.name, "data_object_type": "SCHEMA"}},
            ],
        },
    )


async def test_a_share_update_of_the_comment_alone_sends_no_updates(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    sent = await wire_of(platform, control, UpdateShare(share, ""), CreateShare(share, "Old"))
    assert sent == ("PATCH", "/shares/q1_share", {"comment": ""})


async def test_grants_are_one_request_that_asks_for_no_list(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key, url: str
) -> None:
    before = (
        CreateShare(share),
        CreateRecipient(recipient, TokenSharing()),
        CreateRecipient(recipient_key("other", url), TokenSharing()),
        ChangeGrants(share, grant=("acme",)),
    )
    sent = await wire_of(platform, control, ChangeGrants(share, grant=("other",), revoke=("acme",)), *before)
    assert sent == (
        "PATCH",
        "/shares/q1_share/permissions",
        {
            "changes": [{"principal": "acme", "remove": ["SELECT"]}, {"principal": "other", "add": ["SELECT"]}],
            "omit_permissions_list": True,
        },
    )


async def test_deletions(platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key) -> None:
    assert (await wire_of(platform, control, DeleteShare(share), CreateShare(share)))[:2] == (
        "DELETE",
        "/shares/q1_share",
    )
    create = CreateRecipient(recipient, TokenSharing())
    assert (await wire_of(platform, control, DeleteRecipient(recipient), create))[:2] == ("DELETE", "/recipients/acme")


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_would_change_the_path_is_refused(
    platform: DatabricksPlatform, control: ControlClient, url: str, name: str
) -> None:
    with pytest.raises(RefusedError, match="is not a name"):
        await platform.perform(DeleteShare(share_key(name, url)))
    assert requests_of(control) == []


async def test_a_slash_in_a_name_stays_in_the_name(
    platform: DatabricksPlatform, control: ControlClient, share: Key, url: str
) -> None:
    await platform.perform(CreateShare(share))
    with pytest.raises(RefusedError) as caught:
        await platform.perform(DeleteShare(share_key("x/../q1_share", url)))
    assert caught.value.code == "SHARE_DOES_NOT_EXIST"
    assert isinstance((await platform.observe([share]))[share], Found)
