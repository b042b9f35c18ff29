"""What `--calls` shows is what is sent: every kind of call, performed by the adapter, against the sandbox's log."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest

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
from reconciler.core.key import recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, FederationPolicy, OidcSharing, SubjectClaim, TokenSharing
from reconciler.core.share import Condition, NotebookContent, ObjectType, SharedObject
from reconciler.render.wire import content_stands_for, request_of
from reconciler.sandbox import ControlClient, Sandbox, Seed

#: Well before the sandbox's tokens end: 2026-11-22 09:30:00 UTC.
NOW = 1_795_339_800_000
DAY = 86_400
PARTNER = recipient_key("partner", "")
LAKE = recipient_key("lake", "")
VISITOR = recipient_key("visitor", "")
SALES = share_key("sales", "")
RENAMED = share_key("sales_emea", "")
TABLE = SharedObject("prod_catalog.sales.transactions", ObjectType.TABLE)
VIEW = SharedObject("prod_catalog.sales.revenue_by_country", ObjectType.VIEW)
PARTS = SharedObject(
    "prod_catalog.sales.orders_by_region",
    ObjectType.TABLE,
    shared_as="sales.orders",
    comment="EMEA only",
    partitions=frozenset(
        {
            frozenset({Condition("region", value="EMEA"), Condition("sold_on", is_like=True, value="2026%")}),
            frozenset({Condition("region", recipient_property="home")}),
            frozenset({Condition("region")}),
        }
    ),
    history=True,
    cdf=True,
)
CHANGED_PARTS = SharedObject(
    PARTS.name,
    ObjectType.TABLE,
    shared_as="sales.orders",
    comment="",
    partitions=frozenset({frozenset({Condition("region", value="APAC")})}),
    start_version=0,
)
SCHEMA = SharedObject("prod_catalog.logistics", ObjectType.SCHEMA, shared_as="logistics", comment="all of it")
VOLUME = SharedObject("prod_catalog.sales.invoices", ObjectType.VOLUME, shared_as="sales.bills")
SOURCE = b"# Databricks notebook source\nprint('a notebook that nobody may see in a plan')\n"
CONTENT = NotebookContent(hashlib.sha256(SOURCE).hexdigest(), SOURCE)
NOTEBOOK = SharedObject("Guide", ObjectType.NOTEBOOK_FILE, shared_as="Guide.py", content=CONTENT)
POLICY = FederationPolicy(
    "finance", "https://login.example/tenant/v2.0", SubjectClaim.AZP, "app-1", frozenset({"b", "a"}), "their app"
)
BARE_POLICY = FederationPolicy("people", "https://login.example/tenant/v2.0", SubjectClaim.GROUPS, "group-1")

CALLS: list[Call] = [
    CreateRecipient(PARTNER, TokenSharing(), ("10.0.0.0/8", "192.0.2.1"), "hello", (("home", "EMEA"),)),
    CreateRecipient(LAKE, DatabricksSharing("aws:us-west-2:19a84bee-54bc-43a2-87de-023d0ec16016")),
    CreateRecipient(VISITOR, OidcSharing()),
    CreatePolicy(VISITOR, POLICY),
    CreatePolicy(VISITOR, BARE_POLICY),
    DeletePolicy(VISITOR, "finance"),
    UpdateRecipient(PARTNER, (), "", ()),
    UpdateRecipient(PARTNER, ("192.0.2.1",), properties=(("home", "APAC"), ("tier", "2"))),
    UpdateRecipient(PARTNER, expires_at=NOW + 30 * DAY * 1000),
    UpdateRecipient(PARTNER, expires_in=10 * DAY),
    RotateToken(PARTNER, "the newest", 3_600),
    Rename(VISITOR, "visitor"),
    CreateShare(SALES, "words"),
    UpdateShare(SALES, storage_root="abfss://share@example.dfs.core.windows.net/"),
    UpdateShare(SALES, "other words", add=(TABLE, PARTS, SCHEMA, VOLUME, NOTEBOOK)),
    UpdateShare(SALES, remove=(TABLE, VOLUME), add=(VIEW,), change=(CHANGED_PARTS,)),
    UpdateShare(SALES, ""),
    ChangeGrants(SALES, grant=("partner", "lake")),
    ChangeGrants(SALES, grant=("partner",), revoke=("lake",)),
    Rename(RENAMED, "sales"),
    ChangeOwner(LAKE, "owner@sandbox.example"),
    DeleteShare(RENAMED),
    DeleteRecipient(PARTNER),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as url:
        yield url


def test_every_kind_of_call_is_tried() -> None:
    assert {type(call) for call in CALLS} == set(get_args(Call))


def test_the_requests_shown_are_the_requests_sent(address: str) -> None:
    from databricks.sdk.config import Config  # noqa: PLC0415 - takes a while

    from reconciler.adapters.databricks.client import Client  # noqa: PLC0415
    from reconciler.adapters.databricks.performing import send  # noqa: PLC0415

    client = Client.of(Config(host=address, token="dapi-sandbox-admin"))
    for call in CALLS:
        send(client, call, NOW)
    sent = [
        (each["method"], each["path"], each["body"] or None) for each in ControlClient(address).log(writes_only=True)
    ]
    shown = [request_of(call) for call in CALLS]
    assert [each[:2] for each in sent] == [(each.method, each.path) for each in shown]
    assert [_as_shown(body) for _, _, body in sent] == [each.body for each in shown]


def test_a_notebook_is_shown_as_its_size_and_digest() -> None:
    assert content_stands_for(CONTENT) == f"<base64 of {len(SOURCE)} bytes, sha256 {CONTENT.digest[:12]}>"


def _as_shown(body: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What the plan shows in place of what it cannot know or must not show."""
    if body is None:
        return None
    shown = dict(body)
    if shown.get("expiration_time") == NOW + 10 * DAY * 1000:
        shown["expiration_time"] = "<10 days from the call>"
    if "updates" in shown:
        shown["updates"] = [{**each, "data_object": _without_content(each["data_object"])} for each in shown["updates"]]
    return shown


def _without_content(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**item, "content": content_stands_for(CONTENT)} if "content" in item else item
