"""What Databricks says, as core values; and everything that is not proof of absence is unreadable."""

from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.reading import canonical_range
from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.calls import ChangeGrants, CreateRecipient, CreateShare, UpdateShare
from reconciler.core.key import Key, Kind, recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.packs.addresses import canonical_address
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC

METASTORE = "aws:us-east-1:AAAAAAAA-2222-3333-4444-555555555555"
CUSTOMERS = SharedObject("prod_catalog.sales.customers", ObjectType.TABLE)
SCHEMA = SharedObject("prod_catalog.marketing", ObjectType.SCHEMA)


async def seen(platform: DatabricksPlatform, key: Key) -> Observed:
    return (await platform.observe([key]))[key]


async def reason(platform: DatabricksPlatform, key: Key) -> str:
    observed = await seen(platform, key)
    assert isinstance(observed, Unreadable), observed
    return observed.reason


async def test_what_is_not_there_is_absent(platform: DatabricksPlatform, share: Key, recipient: Key) -> None:
    assert await platform.observe([share, recipient]) == {share: Absent(), recipient: Absent()}


async def test_nothing_asked_is_nothing_called(platform: DatabricksPlatform) -> None:
    assert await platform.observe([]) == {}
    assert platform.calls_made == {}


async def test_a_token_recipient(platform: DatabricksPlatform, recipient: Key) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing(), ("10.0.0.0/8", "1.2.3.4"), "Partner"))
    found = await seen(platform, recipient)
    assert isinstance(found, Found)
    assert found.resource == Recipient(
        "acme", TokenSharing(), allowed_ips=frozenset({"10.0.0.0/8", "1.2.3.4"}), comment="Partner"
    )
    assert (found.owner, found.updated_by) == ("sharepack@sandbox.example", "sharepack@sandbox.example")
    assert found.updated_at is not None
    assert found.updated_at > 1_600_000_000_000


async def test_what_is_not_set_is_empty_never_unmanaged(
    platform: DatabricksPlatform, share: Key, recipient: Key
) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    await platform.perform(CreateShare(share))
    observed = await platform.observe([recipient, share])
    found_recipient, found_share = observed[recipient], observed[share]
    assert isinstance(found_recipient, Found)
    assert isinstance(found_share, Found)
    assert found_recipient.resource == Recipient("acme", TokenSharing(), allowed_ips=frozenset(), comment="")
    assert found_share.resource == Share("q1_share", "", frozenset(), frozenset())


async def test_a_databricks_recipient_with_its_metastore_in_lower_case(
    platform: DatabricksPlatform, recipient: Key
) -> None:
    await platform.perform(CreateRecipient(recipient, DatabricksSharing(METASTORE)))
    found = await seen(platform, recipient)
    assert isinstance(found, Found)
    assert found.resource == Recipient(
        "acme", DatabricksSharing(METASTORE.lower()), allowed_ips=frozenset(), comment=""
    )


async def test_a_way_to_sign_in_that_packs_do_not_know(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    answer(control, "recipients/acme", {"name": "acme", "authentication_type": "OIDC_FEDERATION"})
    found = await seen(platform, recipient)
    assert isinstance(found, Found)
    assert found.resource == Recipient("acme", OtherSharing("OIDC_FEDERATION"), allowed_ips=frozenset(), comment="")


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"page_size": 1},
        {"page_size": 1, "empty_middle_pages": True},
        {"shuffle_lists": True, "empty_lists_omitted": False},
        {"lowercase_names": False},
    ],
    ids=str,
)
async def test_a_share_with_objects_and_all_its_readers(
    platform: DatabricksPlatform, control: ControlClient, url: str, knobs: dict[str, Any]
) -> None:
    control.knobs(**knobs)
    share = share_key("Q1_Share", url)
    readers = [f"reader-{number}" for number in range(5)]
    for reader in readers:
        await platform.perform(CreateRecipient(recipient_key(reader, url), TokenSharing()))
    await platform.perform(CreateShare(share, "Numbers"))
    await platform.perform(UpdateShare(share, add=(CUSTOMERS, SCHEMA)))
    await platform.perform(ChangeGrants(share, grant=tuple(readers)))
    found = await seen(platform, share)
    assert isinstance(found, Found)
    assert found.resource == Share("q1_share", "Numbers", frozenset({CUSTOMERS, SCHEMA}), frozenset(readers))


async def test_readers_are_lower_cased_deleted_ones_and_other_privileges_left_out(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    answer(control, "shares/q1_share", {"name": "Q1_SHARE", "objects": []})
    answer(
        control,
        "shares/q1_share/permissions",
        {
            "privilege_assignments": [
                {"principal": "ACME", "privileges": ["SELECT"]},
                {"principal": "", "privileges": ["SELECT"]},
                {"privileges": ["SELECT"]},
                {"principal": "other", "privileges": ["MODIFY", "FROM_THE_FUTURE"]},
                {"principal": "nobody"},
            ]
        },
    )
    found = await seen(platform, share)
    assert isinstance(found, Found)
    assert found.resource == Share("q1_share", "", frozenset(), frozenset({"acme"}))


def answer(control: ControlClient, path: str, body: Any, status: int = 200) -> None:
    control.fault(f"GET {UC}/{path}", status=status, body=body, times=0)


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


async def test_types_are_looked_up_in_the_catalog(platform: DatabricksPlatform, url: str) -> None:
    sales = {
        "customers": ObjectType.TABLE,
        "revenue_by_country": ObjectType.VIEW,
        "daily_revenue": ObjectType.MATERIALIZED_VIEW,
        "live_orders": ObjectType.STREAMING_TABLE,
        "invoices": ObjectType.VOLUME,
        "mask_email": ObjectType.FUNCTION,
        "churn_model": ObjectType.MODEL,
        "nothing": None,
    }
    expected = {f"prod_catalog.sales.{name}": kind for name, kind in sales.items()}
    expected |= {"prod_catalog.nowhere.x": None, "nowhere.sales.x": None}
    assert await platform.object_types(url, list(expected)) == expected


@pytest.mark.parametrize(
    ("table_type", "kind"),
    [
        ("MANAGED", ObjectType.TABLE),
        ("EXTERNAL", ObjectType.TABLE),
        ("MANAGED_SHALLOW_CLONE", ObjectType.TABLE),
        ("EXTERNAL_SHALLOW_CLONE", ObjectType.TABLE),
        ("FOREIGN", ObjectType.FOREIGN_TABLE),
    ],
)
async def test_every_kind_of_table(
    platform: DatabricksPlatform, control: ControlClient, url: str, table_type: str, kind: ObjectType
) -> None:
    answer(control, "tables/a.b.c", {"name": "c", "table_type": table_type})
    assert await platform.object_types(url, ["a.b.c"]) == {"a.b.c": kind}


@pytest.mark.parametrize("table_type", ["METRIC_VIEW", "FROM_THE_FUTURE", None])
async def test_a_table_of_no_known_shareable_type_is_left_out(
    platform: DatabricksPlatform, control: ControlClient, url: str, table_type: str | None
) -> None:
    answer(control, "tables/a.b.c", {"name": "c", "table_type": table_type})
    assert await platform.object_types(url, ["a.b.c", "prod_catalog.sales.customers"]) == {
        "prod_catalog.sales.customers": ObjectType.TABLE
    }


@pytest.mark.parametrize(
    ("status", "code"), [(403, "PERMISSION_DENIED"), (500, "INTERNAL_ERROR"), (404, "FEATURE_DISABLED")]
)
@pytest.mark.parametrize("place", ["tables", "volumes", "functions", "models"])
async def test_a_name_that_could_not_be_looked_up_is_left_out(
    platform: DatabricksPlatform, control: ControlClient, url: str, place: str, status: int, code: str
) -> None:
    control.fault(f"GET {UC}/{place}/*", status=status, error_code=code, times=0)
    assert await platform.object_types(url, ["prod_catalog.sales.nothing"]) == {}


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
