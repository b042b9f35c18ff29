"""A workspace as it is found: 50 shares and the recipients they are granted to, made through the SDK by people who knew
of no pack."""

import base64
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from databricks.sdk.service.sharing import (
    AuthenticationType,
    FederationPolicy,
    IpAccessList,
    OidcFederationPolicy,
    Partition,
    PartitionValue,
    PartitionValueOp,
    PermissionsChange,
    SecurablePropertiesKvPairs,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectHistoryDataSharingStatus,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

Type = SharedDataObjectDataObjectType
SHARES: Final = 50
YEAR: Final = 365 * 24 * 3600 * 1000

#: Names that YAML, file systems or command lines may take for something else.
ODD_NAMES: Final = (
    "null",
    "true",
    "0123",
    "1e5",
    "2026-01-01",
    "-dash",
    "~",
    "#hash",
    "it's",
    'quo"te',
    "a:b",
    "a@b",
    "a&b",
    "*star",
    "{brace}",
    "100%",
    "übung-é",
    "日本",
    "con",
)
#: Remarks that are easily lost or changed on their way through a file.
ODD_COMMENTS: Final = (
    "a: b # c",
    "two\nlines",
    "- item",
    "'quoted' \"twice\"",
    "tab\there",
    "yes",
    "{}",
    "é 日本 🙂",
    "\\n not a new line",
)


def furnish(sdk: Any, now: int) -> None:
    """`now` in epoch milliseconds, as the sandbox tells it."""
    recipients = [*_recipients(sdk, now)]
    # Granting takes ownership, so the last that is done is giving some away.
    for number in range(SHARES):
        name = ODD_NAMES[number] if number < len(ODD_NAMES) else f"share_{number:02}"
        comment = ODD_COMMENTS[number % len(ODD_COMMENTS)] if number % 4 else None
        sdk.shares.create(name, comment=comment)
        objects = list(_objects(number))
        if objects:
            add = SharedDataObjectUpdateAction.ADD
            sdk.shares.update(_at(name), updates=[SharedDataObjectUpdate(add, item) for item in objects])
        readers = recipients[number % 7 : number % 7 + number % 4] + recipients[-(number % 2) :][: number % 2]
        if readers:
            changes = [PermissionsChange(principal=reader, add=["SELECT"]) for reader in sorted(set(readers))]
            sdk.shares.update_permissions(_at(name), changes=changes)
    sdk.recipients.update(_at(recipients[3]), owner="owner@sandbox.example")
    sdk.shares.update(_at(ODD_NAMES[1]), owner="owner@sandbox.example")


def _at(name: str) -> str:
    """The SDK puts names into paths as they are."""
    return quote(name, safe="")


def _recipients(sdk: Any, now: int) -> Iterator[str]:
    """Their names. Those nobody can declare stand in the middle, so that few shares are granted to them."""
    token, oidc = AuthenticationType.TOKEN, AuthenticationType.OIDC_FEDERATION
    for number, name in enumerate(ODD_NAMES[:8]):
        sdk.recipients.create(
            f"{name}-partner",
            token,
            comment=ODD_COMMENTS[number],
            ip_access_list=IpAccessList(["203.0.113.7", "198.51.100.0/24"]) if number % 2 else None,
            expiration_time=now + 90 * 24 * 3600 * 1000 if number == 2 else None,
            properties_kvpairs=SecurablePropertiesKvPairs({"country": "DE", "it's": "a: b"}) if number == 4 else None,
        )
        yield f"{name}-partner"
    for number in range(2):
        metastore = f"aws:us-west-2:0000000{number}-1111-2222-3333-444444444444"
        sdk.recipients.create(
            f"metastore-{number}", AuthenticationType.DATABRICKS, data_recipient_global_metastore_id=metastore
        )
        yield f"metastore-{number}"
    sdk.recipients.create("oauth", AuthenticationType.OAUTH_CLIENT_CREDENTIALS)
    yield "oauth"
    for name, claims in (("signs-in", ("oid", "groups")), ("signs-in-later", ())):
        sdk.recipients.create(name, oidc, ip_access_list=IpAccessList(["203.0.113.0/24"]))
        for claim in claims:
            policy = OidcFederationPolicy("https://login.example.com/v2.0", claim, f"{claim}: it's", ["a", "b"])
            sdk.recipient_federation_policies.create(
                name, FederationPolicy(name=f"by-{claim}", comment="who's in", oidc_policy=policy)
            )
        yield name


def _table(name: str, **options: Any) -> SharedDataObject:
    return SharedDataObject(name, data_object_type=Type.TABLE, **options)


def _objects(number: int) -> Iterator[SharedDataObject]:
    """Each kind of object and each option in some share; none at all in some."""
    sales = "prod_catalog.sales"
    match number % 8:
        case 0:
            return
        case 1:
            yield _table(f"{sales}.transactions")
            yield _table(f"{sales}.customers", shared_as="crm.people", comment=ODD_COMMENTS[number % 9])
        case 2:
            yield SharedDataObject("prod_catalog.marketing", data_object_type=Type.SCHEMA)
            yield _table(f"{sales}.transactions", cdf_enabled=True)
        case 3:
            yield _table(f"{sales}.orders_by_region", partitions=[*_partitions()])
        case 4:
            enabled = SharedDataObjectHistoryDataSharingStatus.ENABLED
            yield _table(f"{sales}.order_events", history_data_sharing_status=enabled)
            yield _table("prod_catalog.features.embeddings", history_data_sharing_status=enabled)
            yield SharedDataObject(
                "prod_catalog.marketing", data_object_type=Type.SCHEMA, history_data_sharing_status=enabled
            )
        case 5:
            yield SharedDataObject(f"{sales}.revenue_by_country", data_object_type=Type.VIEW, shared_as="v.revenue")
            yield SharedDataObject(f"{sales}.daily_revenue", data_object_type=Type.MATERIALIZED_VIEW)
            yield SharedDataObject(f"{sales}.live_orders", data_object_type=Type.STREAMING_TABLE)
            yield SharedDataObject("erp_catalog.finance.ledger", data_object_type=Type.FOREIGN_TABLE)
        case 6:
            yield SharedDataObject(f"{sales}.invoices", data_object_type=Type.VOLUME, string_shared_as="files.invoices")
            yield SharedDataObject(f"{sales}.mask_email", data_object_type=Type.FUNCTION)
            yield SharedDataObject(f"{sales}.churn_model", data_object_type=Type.MODEL)
            yield SharedDataObject("prod_catalog.features.customer_features", data_object_type=Type.FEATURE_SPEC)
        case 7 if number == 7:
            source = base64.b64encode(b"# Databricks notebook source\nprint(1)").decode()
            yield SharedDataObject(
                "welcome", data_object_type=Type.NOTEBOOK_FILE, string_shared_as="welcome.py", content=source
            )
            yield _table(f"{sales}.customers")
        case _:
            yield _table(f"{sales}.transactions")
            yield _table(f"{sales}.transactions", shared_as="again.transactions")


def _partitions() -> Iterator[Partition]:
    yield Partition([PartitionValue("region", PartitionValueOp.EQUAL, value="it's EMEA")])
    yield Partition(
        [
            PartitionValue("region", PartitionValueOp.LIKE, value="A%"),
            PartitionValue("sold_on", PartitionValueOp.EQUAL, recipient_property_key="since"),
        ]
    )
    yield Partition([PartitionValue("region", PartitionValueOp.EQUAL)])
