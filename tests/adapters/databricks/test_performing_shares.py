"""Calls about shares and their objects on the wire (contract 4.1, 4.3, 4.4, 4.6)."""

import contextlib
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.calls import ChangeGrants, CreateRecipient, CreateShare, UpdateShare
from reconciler.core.key import Key, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import TokenSharing
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import found, requests_of, wire_of

CUSTOMERS = SharedObject("prod_catalog.sales.customers", ObjectType.TABLE)
ORDERS = SharedObject("prod_catalog.sales.orders_by_region", ObjectType.TABLE)
REVENUE = SharedObject("prod_catalog.sales.revenue_by_country", ObjectType.VIEW)
SCHEMA = SharedObject("prod_catalog.marketing", ObjectType.SCHEMA)
SOURCE = "print('größe')\n".encode()
NOTEBOOK = SharedObject(
    "Intro.py", ObjectType.NOTEBOOK_FILE, content=NotebookContent(hashlib.sha256(SOURCE).hexdigest(), SOURCE)
)


async def sent_for(platform: DatabricksPlatform, control: ControlClient, call: UpdateShare) -> list[dict[str, Any]]:
    """The `updates` of the request, on a new share; whether it is accepted does not matter."""
    await platform.perform(CreateShare(call.key))
    control.clear_log()
    with contextlib.suppress(RefusedError):
        await platform.perform(call)
    ((_, _, body),) = requests_of(control)
    return list(body["updates"])


async def test_a_share_update_is_one_request(platform: DatabricksPlatform, control: ControlClient, share: Key) -> None:
    before = (CreateShare(share), UpdateShare(share, add=(CUSTOMERS,)))
    sent = await wire_of(
        platform, control, UpdateShare(share, "New", remove=(CUSTOMERS,), add=(REVENUE, SCHEMA)), *before
    )
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


async def test_a_storage_root(platform: DatabricksPlatform, control: ControlClient, share: Key) -> None:
    made = await wire_of(platform, control, CreateShare(share, storage_root="abfss://a@b.example/c"))
    assert made[2] == {"name": "q1_share", "storage_root": "abfss://a@b.example/c"}
    sent = await wire_of(platform, control, UpdateShare(share, storage_root="abfss://a@b.example/d"))
    assert sent == ("PATCH", "/shares/q1_share", {"storage_root": "abfss://a@b.example/d"})


ALIASES = [
    (ObjectType.TABLE, "shared_as"),
    (ObjectType.VIEW, "shared_as"),
    (ObjectType.MATERIALIZED_VIEW, "shared_as"),
    (ObjectType.STREAMING_TABLE, "shared_as"),
    (ObjectType.FOREIGN_TABLE, "shared_as"),
    (ObjectType.VOLUME, "string_shared_as"),
    (ObjectType.MODEL, "string_shared_as"),
    (ObjectType.FUNCTION, "string_shared_as"),
    (ObjectType.FEATURE_SPEC, "string_shared_as"),
    (ObjectType.NOTEBOOK_FILE, "string_shared_as"),
    (ObjectType.SCHEMA, None),
]


@pytest.mark.parametrize("how", ["add", "change", "remove"])
@pytest.mark.parametrize(("kind", "field"), ALIASES)
async def test_an_alias_stands_in_the_field_of_its_type(
    platform: DatabricksPlatform, control: ControlClient, share: Key, how: str, kind: ObjectType, field: str | None
) -> None:
    item = SharedObject("a.b.c", kind, shared_as="x.y")
    calls = {
        "add": UpdateShare(share, add=(item,)),
        "change": UpdateShare(share, change=(item,)),
        "remove": UpdateShare(share, remove=(item,)),
    }
    (update,) = await sent_for(platform, control, calls[how])
    named = {"name": "a.b.c", "data_object_type": kind.value}
    assert update["data_object"] == named | ({field: "x.y"} if field else {})
    assert update["action"] == {"add": "ADD", "change": "UPDATE", "remove": "REMOVE"}[how]


async def test_a_new_object_with_everything(platform: DatabricksPlatform, control: ControlClient, share: Key) -> None:
    europe = frozenset({Condition("region", value="EMEA"), Condition("sold_on", is_like=True, value="2026-%")})
    own = frozenset({Condition("region", recipient_property="region")})
    unknown = frozenset({Condition("region")})
    item = replace(
        ORDERS, comment="", partitions=frozenset({own, europe, unknown}), history=True, cdf=False, start_version=0
    )
    (update,) = await sent_for(platform, control, UpdateShare(share, add=(item,)))
    assert update["data_object"] == {
        "name": ORDERS.name,
        "data_object_type": "TABLE",
        "comment": "",
        "partitions": [
            {
                "values": [
                    {"name": "region", "op": "EQUAL", "value": "EMEA"},
                    {"name": "sold_on", "op": "LIKE", "value": "2026-%"},
                ]
            },
            {"values": [{"name": "region", "op": "EQUAL", "recipient_property_key": "region"}]},
            {"values": [{"name": "region", "op": "EQUAL"}]},
        ],
        "history_data_sharing_status": "ENABLED",
        "start_version": 0,
    }
    objects = await _objects(platform, share)
    assert objects == {replace(item, shared_as="sales.orders_by_region")}


@pytest.mark.parametrize(
    ("history", "cdf", "sent"),
    [
        (True, True, {"history_data_sharing_status": "ENABLED"}),
        (True, False, {"history_data_sharing_status": "ENABLED"}),
        (False, True, {"cdf_enabled": True}),
        (False, False, {"history_data_sharing_status": "DISABLED"}),
        (True, UNMANAGED, {"history_data_sharing_status": "ENABLED"}),
        (False, UNMANAGED, {"history_data_sharing_status": "DISABLED"}),
        (UNMANAGED, True, {"cdf_enabled": True}),
        (UNMANAGED, False, {"cdf_enabled": False}),
        (UNMANAGED, UNMANAGED, {}),
    ],
)
async def test_history_and_change_feed_never_go_together(
    platform: DatabricksPlatform, control: ControlClient, share: Key, history: Any, cdf: Any, sent: dict[str, Any]
) -> None:
    """Contract 4.3; what is left out is off in a new object."""
    (update,) = await sent_for(
        platform, control, UpdateShare(share, add=(replace(CUSTOMERS, history=history, cdf=cdf),))
    )
    assert update["data_object"] == {"name": CUSTOMERS.name, "data_object_type": "TABLE", **sent}
    (shared,) = await _objects(platform, share)
    assert (shared.history, shared.cdf) == (history is True, cdf is True and history is not True)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({"comment": "New"}, {"comment": "New"}),
        ({"comment": ""}, {"comment": ""}),
        ({"history": True}, {"history_data_sharing_status": "ENABLED"}),
        ({"history": False}, {"history_data_sharing_status": "DISABLED"}),
        ({"cdf": True}, {"cdf_enabled": True}),
        ({"start_version": 3}, {"start_version": 3}),
        (
            {"partitions": frozenset({frozenset({Condition("region", value="x")})})},
            {"partitions": [{"values": [{"name": "region", "op": "EQUAL", "value": "x"}]}]},
        ),
    ],
    ids=str,
)
async def test_a_change_sends_what_changes_and_the_alias_it_has(
    platform: DatabricksPlatform, control: ControlClient, share: Key, change: dict[str, Any], body: dict[str, Any]
) -> None:
    before = replace(ORDERS, shared_as="orders.all", comment="Old")
    await platform.perform(CreateShare(share))
    await platform.perform(UpdateShare(share, add=(before,)))
    call = UpdateShare(share, change=(replace(ORDERS, shared_as="orders.all", **change),))
    sent = await wire_of(platform, control, call)
    named = {"name": ORDERS.name, "data_object_type": "TABLE", "shared_as": "orders.all"}
    assert sent[2] == {"updates": [{"action": "UPDATE", "data_object": named | body}]}
    (shared,) = await _objects(platform, share)
    for name, value in change.items():
        assert getattr(shared, name) == value
    assert shared.shared_as == "orders.all"


async def test_partitions_that_an_update_cannot_clear_are_not_said_to_be_cleared(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    """Contract 1.5: the SDK leaves an empty list out, which keeps what is there."""
    await platform.perform(CreateShare(share))
    control.clear_log()
    with pytest.raises(RefusedError, match="must go and come again"):
        await platform.perform(UpdateShare(share, change=(replace(ORDERS, partitions=frozenset()),)))
    assert requests_of(control) == []


async def test_a_removal_sends_what_it_takes_to_find_the_object(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    item = replace(ORDERS, shared_as="orders.all", comment="x", history=True, start_version=1)
    (update,) = await sent_for(platform, control, UpdateShare(share, remove=(item,)))
    named = {"name": ORDERS.name, "data_object_type": "TABLE", "shared_as": "orders.all"}
    assert update == {"action": "REMOVE", "data_object": named}


async def test_removals_changes_and_additions_in_this_order(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    before = (CreateShare(share), UpdateShare(share, add=(CUSTOMERS, ORDERS)))
    call = UpdateShare(share, remove=(CUSTOMERS,), add=(REVENUE,), change=(replace(ORDERS, comment="x"),))
    sent = await wire_of(platform, control, call, *before)
    assert [each["action"] for each in sent[2]["updates"]] == ["REMOVE", "UPDATE", "ADD"]


async def test_a_notebook_goes_with_its_content(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    (update,) = await sent_for(platform, control, UpdateShare(share, add=(NOTEBOOK,)))
    assert update["data_object"] == {
        "name": "Intro.py",
        "data_object_type": "NOTEBOOK_FILE",
        "content": "cHJpbnQoJ2dyw7bDn2UnKQo=",
    }
    assert {item.name for item in await _objects(platform, share)} == {"Intro.py"}


async def test_a_notebook_of_which_only_the_digest_is_known_is_not_sent(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    recorded = replace(NOTEBOOK, content=NotebookContent(hashlib.sha256(SOURCE).hexdigest()))
    await platform.perform(CreateShare(share))
    control.clear_log()
    with pytest.raises(RefusedError, match="not at hand"):
        await platform.perform(UpdateShare(share, add=(recorded,)))
    assert requests_of(control) == []


async def test_a_type_that_a_pack_left_out_is_left_out(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    (update,) = await sent_for(platform, control, UpdateShare(share, remove=(SharedObject("a.b.c", shared_as="x.y"),)))
    assert update["data_object"] == {"name": "a.b.c", "shared_as": "x.y"}


async def _objects(platform: DatabricksPlatform, share: Key) -> frozenset[SharedObject]:
    resource = (await found(platform, share)).resource
    assert isinstance(resource, Share)
    assert resource.objects is not UNMANAGED
    return resource.objects
