"""Shares as Databricks tells them: objects with every attribute of their type, readers, and what is denied."""

from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.calls import ChangeGrants, ChangeOwner, CreateRecipient, CreateShare, UpdateRecipient, UpdateShare
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import TokenSharing
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import answer, found, reason

ME = "sharepack@sandbox.example"
OWNER = "owner@sandbox.example"
CUSTOMERS = SharedObject("prod_catalog.sales.customers", ObjectType.TABLE)
SCHEMA = SharedObject("prod_catalog.marketing", ObjectType.SCHEMA)
#: The same as they are read back.
CUSTOMERS_FOUND = SharedObject(
    CUSTOMERS.name,
    ObjectType.TABLE,
    shared_as="sales.customers",
    comment="",
    partitions=frozenset(),
    history=False,
    cdf=False,
    start_version=0,
)
SCHEMA_FOUND = SharedObject(SCHEMA.name, ObjectType.SCHEMA, shared_as="marketing", comment="", history=False)


async def read_back(platform: DatabricksPlatform, share: Key, *objects: SharedObject) -> frozenset[SharedObject]:
    await platform.perform(CreateShare(share))
    await platform.perform(UpdateShare(share, add=objects))
    seen = await found(platform, share)
    assert isinstance(seen.resource, Share)
    assert seen.resource.objects is not UNMANAGED
    return seen.resource.objects


async def told(platform: DatabricksPlatform, control: ControlClient, share: Key, item: Any) -> SharedObject:
    """The object that Databricks says is the only one."""
    answer(control, "shares/q1_share", {"name": "q1_share", "objects": [item]})
    answer(control, "shares/q1_share/permissions", {})
    seen = await found(platform, share)
    assert isinstance(seen.resource, Share)
    assert seen.resource.objects is not UNMANAGED
    (only,) = seen.resource.objects
    return only


async def test_what_is_not_set_is_empty_never_unmanaged(platform: DatabricksPlatform, share: Key) -> None:
    await platform.perform(CreateShare(share))
    seen = await found(platform, share)
    assert seen.resource == Share("q1_share", "", frozenset(), frozenset(), owner=ME, storage_root="")
    assert (seen.owner, seen.denied, seen.tokens) == (ME, frozenset(), ())


async def test_who_changed_it_last_and_when(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key
) -> None:
    """Not only our own changes: it is how drift gets a name."""
    await platform.perform(CreateShare(share))
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    for key in (share, recipient):
        await platform.perform(ChangeOwner(key, OWNER))
    by_hand = DatabricksPlatform({"token": SecretStr("dapi-sandbox-owner")})
    at = control.advance_clock(3600)
    await by_hand.perform(UpdateShare(share, "By hand"))
    await by_hand.perform(UpdateRecipient(recipient, UNMANAGED, "By hand"))
    await by_hand.close()
    for key in (share, recipient):
        seen = await found(platform, key)
        assert seen.updated_by == OWNER
        assert seen.updated_at == pytest.approx(at, abs=60_000)


async def test_comment_owner_and_storage_root(platform: DatabricksPlatform, share: Key) -> None:
    await platform.perform(CreateShare(share, "Numbers", "abfss://x@y.example/z"))
    await platform.perform(ChangeOwner(share, "data-owners"))
    seen = await found(platform, share)
    wanted = Share(
        "q1_share", "Numbers", frozenset(), frozenset(), owner="data-owners", storage_root="abfss://x@y.example/z"
    )
    assert (seen.resource, seen.owner) == (wanted, "data-owners")


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
async def test_objects_and_all_readers(
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
    seen = await found(platform, share)
    objects = frozenset({CUSTOMERS_FOUND, SCHEMA_FOUND})
    assert seen.resource == Share("q1_share", "Numbers", objects, frozenset(readers), owner=ME, storage_root="")


@pytest.mark.parametrize(
    ("name", "kind", "alias"),
    [
        ("prod_catalog.sales.revenue_by_country", ObjectType.VIEW, "sales.revenue_by_country"),
        ("prod_catalog.sales.daily_revenue", ObjectType.MATERIALIZED_VIEW, "sales.daily_revenue"),
        ("prod_catalog.sales.live_orders", ObjectType.STREAMING_TABLE, "sales.live_orders"),
        ("erp_catalog.finance.ledger", ObjectType.FOREIGN_TABLE, "finance.ledger"),
        ("prod_catalog.sales.invoices", ObjectType.VOLUME, "sales.invoices"),
        ("prod_catalog.sales.churn_model", ObjectType.MODEL, "sales.churn_model"),
        ("prod_catalog.sales.mask_email", ObjectType.FUNCTION, "sales.mask_email"),
        ("prod_catalog.features.customer_features", ObjectType.FEATURE_SPEC, "features.customer_features"),
    ],
)
async def test_types_without_options(
    platform: DatabricksPlatform, share: Key, name: str, kind: ObjectType, alias: str
) -> None:
    objects = await read_back(platform, share, SharedObject(name, kind))
    assert objects == {SharedObject(name, kind, shared_as=alias, comment="")}


async def test_a_table_with_every_option(platform: DatabricksPlatform, share: Key) -> None:
    table = SharedObject(
        "prod_catalog.sales.orders_by_region",
        ObjectType.TABLE,
        shared_as="orders.by_region",
        comment="Europe",
        partitions=frozenset(
            {
                frozenset({Condition("region", value="O'Hare"), Condition("sold_on", is_like=True, value="2026-%")}),
                frozenset({Condition("region", recipient_property="region")}),
                frozenset({Condition("region"), Condition("sold_on", value="")}),
            }
        ),
        history=False,
        cdf=True,
        start_version=7,
    )
    assert await read_back(platform, share, table) == {table}


@pytest.mark.parametrize("reports_cdf", [True, False])
async def test_history_is_not_mistaken_for_a_change_feed(
    platform: DatabricksPlatform, control: ControlClient, share: Key, *, reports_cdf: bool
) -> None:
    control.knobs(history_reports_cdf=reports_cdf)
    (table,) = await read_back(platform, share, SharedObject(CUSTOMERS.name, ObjectType.TABLE, history=True))
    assert (table.history, table.cdf) == (True, False)


async def test_a_schema_with_its_history(platform: DatabricksPlatform, share: Key) -> None:
    (schema,) = await read_back(platform, share, SharedObject(SCHEMA.name, ObjectType.SCHEMA, history=True))
    assert (schema.history, schema.cdf) == (True, UNMANAGED)


async def test_one_table_under_two_aliases(platform: DatabricksPlatform, control: ControlClient, share: Key) -> None:
    control.knobs(same_source_two_aliases="accept")
    twice = [SharedObject(CUSTOMERS.name, ObjectType.TABLE, shared_as=alias) for alias in ("a.one", "a.two")]
    objects = await read_back(platform, share, *twice)
    assert {item.shared_as for item in objects} == {"a.one", "a.two"}


@pytest.mark.parametrize("field", ["shared_as", "string_shared_as"])
async def test_the_alias_stands_in_either_field(
    platform: DatabricksPlatform, control: ControlClient, share: Key, field: str
) -> None:
    item = await told(platform, control, share, {"name": "A.B.C", "data_object_type": "VIEW", field: "X.Y"})
    assert item == SharedObject("a.b.c", ObjectType.VIEW, shared_as="x.y", comment="")


async def test_a_notebook_keeps_its_letters_and_hides_its_content(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    notebook = {"name": "Intro.py", "data_object_type": "NOTEBOOK_FILE", "string_shared_as": "Welcome.py"}
    item = await told(platform, control, share, {**notebook, "content": "cHJpbnQ=", "comment": "Start here"})
    assert item == SharedObject("Intro.py", ObjectType.NOTEBOOK_FILE, shared_as="Welcome.py", comment="Start here")


async def test_what_the_service_leaves_out_is_not_made_up(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    item = await told(platform, control, share, {"name": "a.b.c", "data_object_type": "TABLE"})
    assert (item.shared_as, item.start_version) == (UNMANAGED, UNMANAGED)
    assert (item.partitions, item.history, item.cdf, item.comment) == (frozenset(), False, False, "")


@pytest.mark.parametrize("status", ["ACTIVE", "PERMISSION_DENIED", "ON_HOLIDAY", None])
async def test_only_a_known_status_denies_an_object(
    platform: DatabricksPlatform, control: ControlClient, share: Key, status: str | None
) -> None:
    body = {"name": "a.b.c", "data_object_type": "VIEW", "shared_as": "b.c"}
    item = await told(platform, control, share, {**body, "status": status, "history_data_sharing_status": "PARTLY"})
    denied = (await found(platform, share)).denied
    assert denied == ({item} if status == "PERMISSION_DENIED" else frozenset())


async def test_what_its_owner_may_not_read_any_more_is_denied(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    await read_back(platform, share, CUSTOMERS, SharedObject("catalog.schema", ObjectType.SCHEMA))
    await platform.perform(ChangeOwner(share, "data-owners"))
    assert {item.name for item in (await found(platform, share)).denied} == {"catalog.schema"}
    control.grant("CATALOG", "catalog", "data-owners", "ALL_PRIVILEGES")
    assert (await found(platform, share)).denied == frozenset()


@pytest.mark.parametrize(
    "value", [{"name": "region", "op": "SOUNDS_LIKE", "value": "x"}, {"op": "EQUAL", "value": "x"}, {"name": "region"}]
)
async def test_a_partition_that_cannot_be_told_makes_the_share_unreadable(
    platform: DatabricksPlatform, control: ControlClient, share: Key, value: Any
) -> None:
    item = {"name": "a.b.c", "data_object_type": "TABLE", "partitions": [{"values": [value]}]}
    answer(control, "shares/q1_share", {"name": "q1_share", "objects": [item]})
    answer(control, "shares/q1_share/permissions", {})
    assert "does not know" in await reason(platform, share)


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
    seen = await found(platform, share)
    assert seen.resource == Share("q1_share", "", frozenset(), frozenset({"acme"}), owner="", storage_root="")
