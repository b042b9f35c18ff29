"""Every field a pack has, from the file to the core's values; and that the example really has every field."""

import hashlib
from datetime import UTC, date, datetime

import pytest

from reconciler.core.desired import Desired
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import Allowance, Declared, DriftPolicy, SharePack
from reconciler.core.problem import Where
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from reconciler.packs.document import (
    AllowanceEntry,
    DataObjectEntry,
    FederationPolicyEntry,
    Metadata,
    PackDocument,
    RecipientEntry,
    Shape,
    ShareEntry,
)
from reconciler.packs.parsing import parse_file
from tests.packs.examples import EXAMPLES, files_below, read

W = "https://w"
FOLDER = EXAMPLES / "valid" / "everything"
PATH = "sales/pack.yaml"
NOTEBOOK = b'{"cells": []}\n'
DAY = 86_400


@pytest.fixture(scope="module")
def desired() -> Desired:
    found = read(files_below(FOLDER), W)
    assert found.problems == ()
    return found


@pytest.fixture(scope="module")
def pack(desired: Desired) -> SharePack:
    return desired.packs[PackId.of("Sales Operations", "Everything")]


def resource(pack: SharePack, name: str) -> Resource:
    return next(declared.resource for key, declared in pack.resources.items() if str(key) == name)


def test_the_pack(pack: SharePack) -> None:
    assert (pack.description, pack.region, pack.drift) == ("Shows every field.", "", DriftPolicy.REPORT)
    assert pack.allowances == (
        Allowance("delete:share/old_orders", date(2027, 1, 31), "The project has ended.", Where(PATH, 75, 5)),
        Allowance(
            "whole-schema:share/everything/token", date(2027, 11, 1), "Agreed with the partner.", Where(PATH, 76, 5)
        ),
    )
    assert pack.released == {share_key("left_alone", W), recipient_key("left-alone", W)}
    assert pack.borrowed == {recipient_key("everyone", W)}


def test_a_recipient_with_a_token(pack: SharePack) -> None:
    declared = pack.resources[recipient_key("token", W)]
    assert declared == Declared(
        Recipient(
            name="token",
            authentication=TokenSharing(),
            email="data@partner.example",
            allowed_ips=frozenset({"203.0.113.0/24"}),
            comment="Reads with a token.",
            owner="data-sharing-admins",
            properties=frozenset({("country", "DE"), ("Site", ""), ("cost centre", "4711")}),
            token_lifetime=364 * DAY,
            rotate_every=90 * DAY,
            rotation_overlap=36 * 3600,
            protect=True,
        ),
        Where(PATH, 12, 5),
        adopt=True,
        renamed_from="old-token",
    )


def test_a_day_ends_a_token_at_its_beginning(pack: SharePack) -> None:
    at_midnight = int(datetime(2027, 6, 30, tzinfo=UTC).timestamp()) * 1000
    in_the_evening = at_midnight + (18 * 60 + 30) * 60_000
    ends, ends_at = (resource(pack, f"recipient/{name}") for name in ("ends", "ends-at"))
    assert ends == Recipient("ends", TokenSharing(), "data@partner.example", expires_at=at_midnight)
    assert ends_at == Recipient(
        "ends-at", TokenSharing(), "data@partner.example", expires_at=in_the_evening, properties=frozenset()
    )


def test_recipients_that_sign_in_elsewhere(pack: SharePack) -> None:
    issuer = "https://login.example/tenant/v2.0"
    job = FederationPolicy(
        "nightly-job", issuer, SubjectClaim.SUB, "job-7", frozenset({"api", "other"}), "The nightly job."
    )
    people = FederationPolicy("people", issuer, SubjectClaim.GROUPS, "7ff1d04b")
    assert resource(pack, "recipient/signs-in") == Recipient(
        "signs-in", OidcSharing(), allowed_ips=frozenset(), policies=frozenset({job, people})
    )
    assert resource(pack, "recipient/nobody-signs-in") == Recipient(
        "nobody-signs-in", OidcSharing(), policies=frozenset()
    )
    databricks = resource(pack, "recipient/databricks")
    assert databricks == Recipient("databricks", DatabricksSharing("aws:us-west-2:19a84bee"))


def test_a_share_and_its_objects(pack: SharePack) -> None:
    declared = pack.resources[share_key("everything", W)]
    assert (declared.adopt, declared.renamed_from) == (True, "all")
    share = declared.resource
    assert isinstance(share, Share)
    assert (share.comment, share.owner, share.protect) == ("", "data-sharing-admins", True)
    assert share.storage_root == "abfss://shares@account.dfs.core.windows.net/notebooks"
    assert share.recipients == frozenset({"token", "everyone"})
    emea = frozenset(
        {
            Condition("region", value="EMEA"),
            Condition("year", is_like=True, value="20%"),
            Condition("org", recipient_property="Org"),
            Condition("closed on"),
        }
    )
    expected = {
        SharedObject("prod.sales.plain"),
        SharedObject("prod.archive"),
        SharedObject(
            "prod.sales.orders",
            ObjectType.TABLE,
            "sales.orders_eu",
            "The orders.",
            frozenset({emea, frozenset({Condition("name", value="O'Neil")})}),
            cdf=True,
            start_version=7,
        ),
        SharedObject("prod.sales.orders", shared_as="sales.orders_all", partitions=frozenset(), history=False),
        SharedObject("prod.sales.v", ObjectType.VIEW),
        SharedObject("prod.sales.m", ObjectType.MATERIALIZED_VIEW),
        SharedObject("prod.sales.s", ObjectType.STREAMING_TABLE),
        SharedObject("prod.sales.f", ObjectType.FOREIGN_TABLE),
        SharedObject("prod.raw", ObjectType.SCHEMA, comment="", history=True),
        SharedObject("prod.sales.files", ObjectType.VOLUME, "sales.files"),
        SharedObject("prod.sales.model", ObjectType.MODEL),
        SharedObject("prod.sales.function", ObjectType.FUNCTION),
        SharedObject("prod.sales.features", ObjectType.FEATURE_SPEC),
        SharedObject(
            "Getting started",
            ObjectType.NOTEBOOK_FILE,
            "Getting Started.ipynb",
            content=NotebookContent(hashlib.sha256(NOTEBOOK).hexdigest(), NOTEBOOK),
        ),
    }
    assert share.objects == frozenset(expected)


def test_the_bytes_of_a_notebook_are_there_to_be_sent(pack: SharePack) -> None:
    share = resource(pack, "share/everything")
    assert isinstance(share, Share)
    assert share.objects is not UNMANAGED
    assert [item.content.source for item in share.objects if item.content is not UNMANAGED] == [NOTEBOOK]


def test_what_tenants_lend_and_want_done_about_drift(desired: Desired) -> None:
    tenants = desired.tenants.by_line
    assert tenants["platform"].lends_to == {"sales operations", "sales operations emea"}
    assert tenants["everywhere"].lends_to == {"*"}
    assert tenants["sales operations"].lends_to == frozenset()
    assert [tenants[line].drift for line in ("everywhere", "platform")] == [DriftPolicy.REPORT, None]


def test_the_example_has_every_field() -> None:
    document = parse_file(PATH, (FOLDER / PATH).read_bytes()).document
    assert document is not None
    objects = [item for share in document.share for item in share.data_objects or () if not isinstance(item, str)]
    policies = [policy for entry in document.recipient for policy in entry.federation_policies or ()]
    expected: list[tuple[type[Shape], list[Shape]]] = [
        (PackDocument, [document]),
        (Metadata, [document.metadata]),
        (RecipientEntry, [*document.recipient]),
        (ShareEntry, [*document.share]),
        (DataObjectEntry, [*objects]),
        (FederationPolicyEntry, [*policies]),
        (AllowanceEntry, [*document.allow]),
    ]
    for model, entries in expected:
        assert set().union(*(entry.model_fields_set for entry in entries)) == set(model.model_fields)
    types = {item.type.upper() for item in objects if item.type is not None}
    assert types == set(ObjectType)
