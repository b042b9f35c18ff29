"""What Databricks says, as core values; and everything that is not proof of absence is unreadable."""

from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.reading import canonical_range
from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.calls import CreateRecipient, CreateShare
from reconciler.core.key import Key, Kind, recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, TokenSharing
from reconciler.core.share import ObjectType, SharedObject
from reconciler.packs.addresses import canonical_address
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC, answer, reason

METASTORE = "aws:us-east-1:AAAAAAAA-2222-3333-4444-555555555555"
CUSTOMERS = SharedObject("prod_catalog.sales.customers", ObjectType.TABLE)
SCHEMA = SharedObject("prod_catalog.marketing", ObjectType.SCHEMA)


async def seen(platform: DatabricksPlatform, key: Key) -> Observed:
    return (await platform.observe([key]))[key]


async def test_what_is_not_there_is_absent(platform: DatabricksPlatform, share: Key, recipient: Key) -> None:
    assert await platform.observe([share, recipient]) == {share: Absent(), recipient: Absent()}


async def test_nothing_asked_is_nothing_called(platform: DatabricksPlatform) -> None:
    assert await platform.observe([]) == {}
    assert platform.calls_made == {}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("FEATURE_DISABLED", 404),
        ("ENDPOINT_NOT_FOUND", 404),
        ("METASTORE_DOES_NOT_EXIST", 404),
        ("RECIPIENT_DOES_NOT_EXIST", 404),
        ("CATALOG_DOES_NOT_EXIST", 404),
        ("SHARE_DOES_NOT_EXIST", 400),
        ("PERMISSION_DENIED", 403),
        ("UNAUTHENTICATED", 401),
        ("INVALID_STATE", 400),
        ("INTERNAL_ERROR", 500),
        ("BAD_GATEWAY", 502),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
async def test_any_other_refusal_is_unreadable_and_says_why(
    platform: DatabricksPlatform, control: ControlClient, share: Key, code: str, status: int
) -> None:
    control.fault(f"GET {UC}/shares/*", status=status, error_code=code, message="Not today", times=0)
    assert await reason(platform, share) == f"{code}: Not today"


@pytest.mark.parametrize("code", ["SHARE_DOES_NOT_EXIST", "RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"])
async def test_a_404_for_the_share_is_absence(
    platform: DatabricksPlatform, control: ControlClient, share: Key, code: str
) -> None:
    control.fault(f"GET {UC}/shares/*", status=404, error_code=code)
    assert await seen(platform, share) == Absent()


@pytest.mark.parametrize("body", ["", "<html><title>404 Not Found</title></html>", "NOT_FOUND: no such page"])
async def test_a_404_that_is_not_from_the_api_is_no_absence(
    platform: DatabricksPlatform, control: ControlClient, share: Key, body: str
) -> None:
    answer(control, "shares/q1_share", body, status=404)
    assert await reason(platform, share)


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        (Kind.SHARE, {}, "answered for None"),
        (Kind.SHARE, {"name": "another"}, "answered for 'another'"),
        (Kind.SHARE, {"name": "x", "objects": [{"name": "a.b.c", "data_object_type": "HOLOGRAM"}]}, "holds 'a.b.c'"),
        (Kind.SHARE, {"name": "x", "objects": [{"data_object_type": "TABLE"}]}, "holds None"),
        (Kind.RECIPIENT, {"name": "x", "authentication_type": "TELEPATHY"}, "does not know"),
        (Kind.RECIPIENT, {"name": "x", "authentication_type": "DATABRICKS"}, "names no metastore"),
        (Kind.RECIPIENT, {"recipients": []}, "answered for None"),
        (Kind.RECIPIENT, [], "no answer of the Databricks API"),
        (Kind.RECIPIENT, "<html>Sign in</html>", "no answer of the Databricks API"),
        (Kind.RECIPIENT, {"name": "x", "updated_at": "yesterday"}, "no answer of the Databricks API"),
        (Kind.RECIPIENT, {"name": "x", "tokens": [1]}, "no answer of the Databricks API"),
    ],
)
async def test_a_strange_answer_is_unreadable(
    platform: DatabricksPlatform, control: ControlClient, url: str, kind: Kind, body: Any, says: str
) -> None:
    answer(control, f"{kind}s/x*", body)
    assert says in await reason(platform, Key(kind, "x", url))


async def test_a_share_whose_grants_vanish_between_two_reads_is_unreadable(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    await platform.perform(CreateShare(share))
    control.fault(f"GET {UC}/shares/*/permissions", status=404, error_code="SHARE_DOES_NOT_EXIST")
    assert "read it again" in await reason(platform, share)


async def test_grants_that_may_not_be_read_make_the_share_unreadable(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    await platform.perform(CreateShare(share))
    control.fault(f"GET {UC}/shares/*/permissions", status=403, error_code="PERMISSION_DENIED", message="No")
    assert await reason(platform, share) == "PERMISSION_DENIED: No"


async def test_one_that_fails_does_not_spoil_the_others(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key
) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    control.fault(f"GET {UC}/shares/*", status=500, times=0)
    observed = await platform.observe([share, recipient, recipient_key("nobody", share.workspace)])
    assert [type(each) for each in observed.values()] == [Unreadable, Found, Absent]


async def test_somebody_without_rights_sees_nothing_and_concludes_nothing(
    share: Key, platform: DatabricksPlatform
) -> None:
    await platform.perform(CreateShare(share))
    guest = DatabricksPlatform({"token": SecretStr("dapi-sandbox-guest")})
    try:
        assert "PERMISSION_DENIED" in await reason(guest, share)
    finally:
        await guest.close()


@pytest.mark.parametrize("name", ["..", "", "a/b", "x?include_shared_data=false", "größe", "with space"])
async def test_odd_names_ask_for_nothing_else(platform: DatabricksPlatform, share: Key, url: str, name: str) -> None:
    await platform.perform(CreateShare(share))
    assert not isinstance(await seen(platform, share_key(name, url)), Found)


async def test_the_activation_link_is_that_of_the_newest_token(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    tokens = [
        {"id": "1", "created_at": 10, "activation_url": "https://old"},
        {"id": "2", "created_at": 30, "activation_url": "https://new"},
        {"id": "3", "created_at": 20, "activation_url": "https://middle"},
    ]
    answer(control, "recipients/acme", {"name": "acme", "tokens": tokens, "activation_url": "https://old"})
    assert await platform.activation_link(recipient) == "https://new"


async def test_a_link_that_was_used_is_gone(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    tokens = [{"id": "1", "created_at": 10, "activation_url": "https://old"}, {"id": "2", "created_at": 30}]
    answer(control, "recipients/acme", {"name": "acme", "tokens": tokens})
    assert await platform.activation_link(recipient) is None


async def test_who_has_no_activation_link(platform: DatabricksPlatform, share: Key, recipient: Key) -> None:
    with pytest.raises(RefusedError, match="only recipients have one"):
        await platform.activation_link(share)
    with pytest.raises(RefusedError, match="does not exist"):
        await platform.activation_link(recipient)
    await platform.perform(CreateRecipient(recipient, DatabricksSharing(METASTORE)))
    assert await platform.activation_link(recipient) is None


@pytest.mark.parametrize(
    "address", ["198.51.100.50", "198.51.100.50/32", "203.0.113.0/24", "0.0.0.0/0", "10.0.0.0/255.0.0.0"]
)
def test_addresses_have_the_form_that_packs_have(address: str) -> None:
    declared = canonical_address(address)
    assert canonical_range(address) == declared or not isinstance(declared, str)


def test_an_address_that_is_none_is_told_as_it_is() -> None:
    assert canonical_range(" Everywhere ") == "everywhere"
    assert canonical_range("203.0.113.7/24") == "203.0.113.0/24"
    assert canonical_range("2001:DB8::/32") == "2001:db8::/32"
