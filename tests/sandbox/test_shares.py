"""Shares and the objects in them, held to the contract. "UNCONFIRMED" marks what no source says."""

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.sharing import (
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectHistoryDataSharingStatus,
    SharedDataObjectStatus,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.sandbox import ControlClient
from tests.sandbox.plain import GUEST, OWNER, SALES, USER, Plain, an_add, an_update

TRANSACTIONS, CUSTOMERS, REFUNDS = (f"{SALES}.{each}" for each in ("transactions", "customers", "refunds"))
INVALID = (400, "INVALID_PARAMETER_VALUE")


def an_sdk_add(name: str) -> SharedDataObjectUpdate:
    shared = SharedDataObject(name=name, data_object_type=SharedDataObjectDataObjectType.TABLE)
    return SharedDataObjectUpdate(action=SharedDataObjectUpdateAction.ADD, data_object=shared)


def test_sdk_creates_fills_reads_and_deletes(workspace: WorkspaceClient) -> None:
    """Contract 4.1, 4.3: a new share is empty; the server fills in alias, history, cdf, start version and status."""
    made = workspace.shares.create("Sales", comment="q1")
    assert (made.name, made.objects or []) == ("sales", [])
    updated = workspace.shares.update("sales", updates=[an_sdk_add(TRANSACTIONS)])
    (shared,) = updated.objects or []
    assert shared.name == TRANSACTIONS
    assert shared.shared_as == "sales.transactions"
    assert shared.history_data_sharing_status is SharedDataObjectHistoryDataSharingStatus.DISABLED
    assert shared.cdf_enabled is False
    assert shared.start_version == 0
    assert shared.status is SharedDataObjectStatus.ACTIVE
    assert shared.added_by == "sharepack@sandbox.example"
    assert workspace.shares.get("sales", include_shared_data=True) == updated
    assert not workspace.shares.get("sales").objects
    assert [each.objects for each in workspace.shares.list_shares()] in ([None], [[]])
    workspace.shares.delete("sales")
    with pytest.raises(NotFound):
        workspace.shares.get("sales")


def test_a_new_share_is_empty_and_belongs_to_its_maker(plain: Plain) -> None:
    """Contract 4.1: owner and objects cannot be given at create. UNCONFIRMED: they are ignored."""
    body = {"name": "x", "owner": "owner@sandbox.example", "objects": [{"name": TRANSACTIONS}]}
    made = plain.post("shares", body).body
    assert made["owner"] == "sharepack@sandbox.example"
    assert plain.objects("x") == []


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("", "CreateShare Missing required field: name"),
        ("a b", "a b is not a valid name"),
        ("a/b", "is not a valid name"),
    ],
)
def test_create_refuses_bad_names(plain: Plain, name: str, fragment: str) -> None:
    """Contract 4.7."""
    answer = plain.post("shares", {"name": name})
    assert answer.error == INVALID
    assert fragment in answer.body["message"]


def test_duplicates_unknown_ones_and_quota(plain: Plain, control: ControlClient) -> None:
    """Contract 4.7, 4.8. The statuses of duplicates and quota are UNCONFIRMED."""
    plain.a_share("Sales")
    answer = plain.post("shares", {"name": "SALES"})
    assert answer.error == (400, "SHARE_ALREADY_EXISTS")
    assert answer.body["message"] == "Share sales already exists"
    for method in ("GET", "PATCH", "DELETE"):
        answer = plain.call(method, "shares/nothing", {"comment": "x"})
        assert answer.error == (404, "SHARE_DOES_NOT_EXIST")
        assert answer.body["message"] == "Share 'nothing' does not exist"
    control.knobs(max_shares=1)
    assert plain.post("shares", {"name": "two"}).error == (400, "QUOTA_EXCEEDED")
    control.knobs(quota_status=429)
    assert plain.post("shares", {"name": "two"}).error == (429, "QUOTA_EXCEEDED")


def test_an_empty_update_is_an_error_unless_the_knob_accepts_it(plain: Plain, control: ControlClient) -> None:
    """Contract 4.1: sources disagree on an empty PATCH; refused by default, accepted by the knob. UNCONFIRMED."""
    plain.a_share()
    empty: list[dict[str, Any]] = [{}, {"updates": []}, {"comment": None}]
    for body in empty:
        answer = plain.patch("shares/sales", body)
        assert answer.error == INVALID
        assert answer.body["message"] == "UpdateShare no fields to update"
    control.knobs(empty_share_update="accept")
    assert plain.patch("shares/sales", {}).status == 200


def test_a_cleared_comment_stays_an_empty_comment(plain: Plain) -> None:
    """Contract 4.2."""
    plain.post("shares", {"name": "x", "comment": "text"})
    assert plain.patch("shares/x", {"comment": ""}).body["comment"] == ""
    assert plain.get("shares/x").body["comment"] == ""


def test_who_may_do_what(plain: Plain) -> None:
    """Contract 4.5, 4.6: CREATE_SHARE to create, USE_SHARE or ownership to read, ownership to change and delete."""
    owner, user, guest = (plain.as_(each) for each in (OWNER, USER, GUEST))
    answer = user.post("shares", {"name": "x"})
    assert answer.error == (403, "PERMISSION_DENIED")
    assert "User does not have CREATE SHARE on Metastore" in answer.body["message"]
    owner.a_share()
    assert user.get("shares/sales").status == 200
    assert len(user.get("shares").body["shares"]) == 1
    assert guest.get("shares/sales").error == (403, "PERMISSION_DENIED")
    assert guest.get("shares").body == {}
    for answer in (plain.delete("shares/sales"), plain.patch("shares/sales", {"comment": "x"})):
        assert answer.error == (403, "PERMISSION_DENIED")
        assert "User is not an owner of Share 'sales'" in answer.body["message"]


def test_an_admin_may_change_only_the_owner(plain: Plain) -> None:
    """Contract 4.5: any further field, even the name, is refused to an admin who is not the owner."""
    plain.as_(OWNER).a_share()
    mine = {"owner": "sharepack@sandbox.example"}
    for more in ({"comment": "x"}, {"name": "sales"}, {"updates": [an_add(TRANSACTIONS)]}):
        assert plain.patch("shares/sales", mine | more).error == (403, "PERMISSION_DENIED")
    assert plain.patch("shares/sales", mine).body["owner"] == "sharepack@sandbox.example"
    assert plain.as_(OWNER).patch("shares/sales", {"comment": "x"}).status == 403


def test_a_group_may_own_a_share(plain: Plain) -> None:
    """Contract 4.5: the owner may be a group; its members act as owner."""
    plain.a_share()
    assert plain.patch("shares/sales", {"owner": "data-owners"}).status == 200
    assert plain.as_(OWNER).patch("shares/sales", {"comment": "ours"}).status == 200
    assert plain.patch("shares/sales", {"owner": "no such group"}).error == (404, "PRINCIPAL_DOES_NOT_EXIST")


def test_rename_keeps_objects_and_grants(plain: Plain, control: ControlClient) -> None:
    """Contract 4.5, 1.7: `new_name`, or the old `name`, renames; grants survive (UNCONFIRMED)."""
    plain.a_recipient()
    plain.a_share("sales", TRANSACTIONS)
    plain.a_grant()
    assert plain.patch("shares/sales", {"new_name": "Sales-2"}).body["name"] == "sales-2"
    assert plain.get("shares/sales").status == 404
    assert plain.get("shares/sales-2/permissions").body["privilege_assignments"][0]["principal"] == "partner"
    assert plain.patch("shares/sales-2", {"name": "sales"}).body["name"] == "sales"
    control.knobs(name_in_patch_renames=False)
    assert plain.patch("shares/sales", {"name": "other", "comment": "x"}).body["name"] == "sales"
    plain.a_share("taken")
    assert plain.patch("shares/sales", {"new_name": "taken"}).error == (400, "SHARE_ALREADY_EXISTS")


def test_delete_takes_objects_and_grants_along(plain: Plain, control: ControlClient) -> None:
    """Contract 4.5: nothing blocks the delete. UNCONFIRMED on the wire, hence a knob."""
    plain.a_recipient()
    plain.a_share("sales", TRANSACTIONS)
    plain.a_grant()
    control.knobs(delete_with_grants="refused")
    assert plain.delete("shares/sales").error == (400, "INVALID_STATE")
    control.knobs(delete_with_grants="allowed")
    assert plain.delete("shares/sales").body == {}
    assert plain.get("recipients/partner/share-permissions").body == {}


@pytest.mark.parametrize(
    ("update", "error", "fragment"),
    [
        (an_add(f"{SALES}.nope"), (404, "TABLE_DOES_NOT_EXIST"), f"Table '{SALES}.nope' does not exist"),
        (an_add("prod_catalog.nope.t"), (404, "SCHEMA_DOES_NOT_EXIST"), "Schema 'prod_catalog.nope' does not exist"),
        (an_add("nope.sales.t"), (404, "CATALOG_DOES_NOT_EXIST"), "Catalog 'nope' does not exist."),
        (an_add("sales.transactions"), INVALID, "is not a valid name for a TABLE"),
        (an_add(f"{SALES}.nope", "VOLUME"), (404, "VOLUME_DOES_NOT_EXIST"), "does not exist"),
        (an_add(f"{SALES}.nope", "MODEL"), (404, "RESOURCE_DOES_NOT_EXIST"), "does not exist"),
        (an_add("hr_catalog.people.salaries"), (403, "PERMISSION_DENIED"), "User does not have SELECT on Table"),
        (an_add(TRANSACTIONS, "VIEW"), INVALID, "is a table and not a VIEW"),
        (an_add(f"{SALES}.revenue_by_country"), INVALID, "is a VIEW and not a Table"),
        (an_add(f"{SALES}.daily_revenue"), INVALID, "is a MATERIALIZED_VIEW and not a Table"),
        (an_add(TRANSACTIONS, "FILE"), INVALID, "data_object_type 'FILE' is not one of"),
        (an_update("PUT", TRANSACTIONS), INVALID, "action 'PUT' is not one of"),
        ({"action": "ADD", "data_object": {"name": TRANSACTIONS}}, INVALID, "Missing required field: data_object_type"),
        ({"action": "ADD"}, INVALID, "Missing required field: data_object"),
        (an_add(TRANSACTIONS, shared_as="one"), INVALID, "shared_as 'one' must be schema.name"),
        (an_add(TRANSACTIONS, shared_as="a.b-c"), INVALID, "must be schema.name"),
        (an_add(TRANSACTIONS, shared_as=""), INVALID, "must not be empty"),
        (an_add(TRANSACTIONS, string_shared_as="a.b"), INVALID, "string_shared_as cannot be set"),
        (an_add(f"{SALES}.invoices", "VOLUME", shared_as="a.b"), INVALID, "shared_as cannot be set"),
        (an_add("prod_catalog.sales", "SCHEMA", cdf_enabled=True), INVALID, "cdf_enabled cannot be set"),
        (
            an_add(TRANSACTIONS, cdf_enabled=True, history_data_sharing_status="ENABLED"),
            INVALID,
            "Only one of cdf_enabled and history_data_sharing_status",
        ),
        (an_add(TRANSACTIONS, start_version=13), INVALID, "start_version 13"),
        (an_add(f"{SALES}.order_events"), INVALID, "deletion vectors"),
        (an_add("notebook.py", "NOTEBOOK_FILE"), INVALID, "The content must be set when adding a NOTEBOOK_FILE"),
        (
            an_add(TRANSACTIONS, partitions=[{"values": [{"name": "amount", "op": "EQUAL", "value": "1"}]}]),
            INVALID,
            "'amount' is not a partition column",
        ),
        (an_update("REMOVE", TRANSACTIONS), (404, "RESOURCE_DOES_NOT_EXIST"), "Shared Table"),
        (an_update("UPDATE", TRANSACTIONS, comment="x"), (404, "RESOURCE_DOES_NOT_EXIST"), "does not exist"),
    ],
)
def test_updates_refuse(plain: Plain, update: dict[str, Any], error: tuple[int, str], fragment: str) -> None:
    """Contract 4.3, 4.4: what an update must not be. Codes of volumes, models, REMOVE and UPDATE are UNCONFIRMED."""
    plain.a_share("sales", CUSTOMERS)
    answer = plain.patch("shares/sales", {"updates": [an_add(REFUNDS), update], "comment": "with them"})
    assert answer.error == error
    assert fragment in answer.body["message"]
    assert [each["name"] for each in plain.objects()] == [CUSTOMERS], "UNCONFIRMED: a PATCH is atomic"
    assert "comment" not in plain.get("shares/sales").body


def test_objects_of_every_type(plain: Plain) -> None:
    """Contract 4.3, 4.4: each type with the alias field that belongs to it, filled in where it was not given."""
    plain.a_share()
    adds = [
        an_add(f"{SALES}.orders_by_region", partitions=[{"values": [{"name": "region", "value": "emea"}]}]),
        an_add(f"{SALES}.revenue_by_country", "VIEW"),
        an_add(f"{SALES}.daily_revenue", "MATERIALIZED_VIEW"),
        an_add(f"{SALES}.live_orders", "STREAMING_TABLE"),
        an_add(f"{SALES}.order_events", history_data_sharing_status="ENABLED"),
        an_add(f"{SALES}.invoices", "VOLUME"),
        an_add(f"{SALES}.mask_email", "FUNCTION"),
        an_add(f"{SALES}.churn_model", "MODEL"),
        an_add("prod_catalog.marketing", "SCHEMA", comment="all of it"),
        an_add("intro.py", "NOTEBOOK_FILE", content="cHJpbnQoMSk="),
    ]
    assert plain.patch("shares/sales", {"updates": adds}).status == 200
    objects = {each["name"]: each for each in plain.objects()}
    assert objects[f"{SALES}.orders_by_region"]["partitions"] == [
        {"values": [{"name": "region", "op": "EQUAL", "value": "emea"}]}
    ]
    assert objects[f"{SALES}.order_events"]["cdf_enabled"] is True
    assert objects[f"{SALES}.invoices"]["string_shared_as"] == "sales.invoices"
    assert objects["prod_catalog.marketing"]["string_shared_as"] == "marketing"
    assert "content" not in objects["intro.py"]
    assert {("shared_as" in each) for each in objects.values() if "cdf_enabled" in each} == {True}
    assert plain.patch("shares/sales", {"storage_root": "abfss://x"}).error == (400, "INVALID_STATE")


def test_an_object_is_added_once(plain: Plain, control: ControlClient) -> None:
    """Contract 4.4: "Shared Table 'X' already exists"; aliases are unique too (UNCONFIRMED code)."""
    plain.a_share("sales", TRANSACTIONS)
    again = plain.patch("shares/sales", {"updates": [an_add(TRANSACTIONS.upper())]})
    assert again.error == (400, "RESOURCE_ALREADY_EXISTS")
    assert again.body["message"] == f"Shared Table '{TRANSACTIONS}' already exists"
    taken = plain.patch("shares/sales", {"updates": [an_add(CUSTOMERS, shared_as="Sales.Transactions")]})
    assert taken.error == (400, "RESOURCE_ALREADY_EXISTS")
    other_alias = {"updates": [an_add(TRANSACTIONS, shared_as="sales.copy")]}
    assert plain.patch("shares/sales", other_alias).error == (400, "RESOURCE_ALREADY_EXISTS")
    control.knobs(same_source_two_aliases="accept")
    assert plain.patch("shares/sales", other_alias).status == 200
    assert {each["shared_as"] for each in plain.objects()} == {"sales.transactions", "sales.copy"}


def test_one_object_cannot_appear_twice_in_a_patch(plain: Plain) -> None:
    """Contract 4.4: also REMOVE and ADD of one object is refused; the message lists the shared names."""
    plain.a_share("sales", TRANSACTIONS)
    both = [an_update("REMOVE", TRANSACTIONS), an_add(TRANSACTIONS, shared_as="a.b")]
    answer = plain.patch("shares/sales", {"updates": both})
    assert answer.error == INVALID
    assert answer.body["message"] == (
        "UpdateShare duplicate updates on the same data object with data object type: TABLE, "
        "names: [sales.transactions]."
    )


def test_a_patch_takes_at_most_a_hundred_updates(plain: Plain) -> None:
    """Contract 4.4: "number of data objects to update exceeds limit 100"; the status is UNCONFIRMED."""
    plain.a_share()
    removes = [an_update("REMOVE", f"{SALES}.t{number}") for number in range(101)]
    answer = plain.patch("shares/sales", {"updates": removes})
    assert answer.error == INVALID
    assert "UpdateShare number of data objects to update exceeds limit 100" in answer.body["message"]


def test_different_objects_may_be_added_removed_and_updated_together(plain: Plain) -> None:
    """Contract 4.4: seen on the real service. The answer of a PATCH carries the objects (4.1)."""
    plain.a_share("sales", TRANSACTIONS, CUSTOMERS)
    updates = [
        an_update("REMOVE", TRANSACTIONS),
        an_update("UPDATE", CUSTOMERS, comment="people"),
        an_add(REFUNDS),
    ]
    answer = plain.patch("shares/sales", {"updates": updates, "owner": "data-owners"})
    assert {each["name"]: each.get("comment") for each in answer.body["objects"]} == {
        CUSTOMERS: "people",
        REFUNDS: None,
    }
    assert answer.body["owner"] == "data-owners"


def test_an_object_may_be_removed_by_its_alias(plain: Plain) -> None:
    """Contract 1.7: an old client names the alias only."""
    plain.a_share()
    plain.patch("shares/sales", {"updates": [an_add(TRANSACTIONS, shared_as="public.tx")]})
    by_alias = [{"action": "REMOVE", "data_object": {"shared_as": "public.tx"}}]
    assert plain.patch("shares/sales", {"updates": by_alias}).status == 200
    assert plain.objects() == []


def test_update_keeps_the_alias_and_refuses_another(plain: Plain, control: ControlClient) -> None:
    """Contract 4.4: the same alias passes, "" is refused, another is UNCONFIRMED, hence a knob; absent keeps it."""
    plain.a_share()
    plain.patch("shares/sales", {"updates": [an_add(TRANSACTIONS, shared_as="public.tx")]})

    def update(**fields: Any) -> tuple[int, list[dict[str, Any]]]:
        updates = [an_update("UPDATE", TRANSACTIONS, **fields)]
        return plain.patch("shares/sales", {"updates": updates}).status, plain.objects()

    assert update(comment="one")[0] == 200
    assert update(comment="two", shared_as="public.tx")[0] == 200
    assert update(comment="three", shared_as="")[0] == 400
    status, (shared,) = update(shared_as="public.other")
    assert (status, shared["shared_as"], shared["comment"]) == (400, "public.tx", "two")
    control.knobs(update_changed_alias="accept")
    status, (shared,) = update(shared_as="public.other")
    assert (status, shared["shared_as"], shared["comment"]) == (200, "public.other", "two")


def test_a_changed_alias_must_be_free(plain: Plain, control: ControlClient) -> None:
    """Contract 4.3: an alias is unique in the share."""
    plain.a_share("sales", TRANSACTIONS, CUSTOMERS)
    control.knobs(update_changed_alias="accept")
    updates = [an_update("UPDATE", CUSTOMERS, shared_as="sales.transactions")]
    assert plain.patch("shares/sales", {"updates": updates}).error == (400, "RESOURCE_ALREADY_EXISTS")


def test_history_reports_cdf_by_its_knob(plain: Plain, control: ControlClient) -> None:
    """Contract 4.3: with history ENABLED the server may report cdf_enabled true. UNCONFIRMED, hence a knob."""
    plain.a_share()
    plain.patch("shares/sales", {"updates": [an_add(TRANSACTIONS, history_data_sharing_status="ENABLED")]})
    assert plain.objects()[0]["cdf_enabled"] is True
    control.knobs(history_reports_cdf=False)
    assert plain.objects()[0]["cdf_enabled"] is False


def test_updates_before_a_failing_one_stay_only_by_the_knob(plain: Plain, control: ControlClient) -> None:
    """Contract 4.4: UNCONFIRMED whether a PATCH is atomic."""
    plain.a_share()
    control.knobs(multi_update_atomic=False)
    assert plain.patch("shares/sales", {"updates": [an_add(REFUNDS), an_add(f"{SALES}.nope")]}).status == 404
    assert [each["name"] for each in plain.objects()] == [REFUNDS]


def test_object_changes_bump_updated_at_by_the_knob(plain: Plain, control: ControlClient) -> None:
    """Contract 4.6: UNCONFIRMED whether adding an object changes updated_at."""
    for bumps in (True, False):
        control.reset()
        control.knobs(object_change_bumps_updated_at=bumps)
        made = plain.a_share()
        control.advance_clock(60)
        changed = plain.patch("shares/sales", {"updates": [an_add(REFUNDS)]}).body
        assert (changed["updated_at"] > made["updated_at"]) is bumps


def test_the_owner_must_keep_select(plain: Plain) -> None:
    """Contract 4.5: without SELECT the object stays, with status PERMISSION_DENIED; a transfer judges the new owner."""
    plain.a_share("sales", TRANSACTIONS)
    assert plain.objects()[0]["status"] == "ACTIVE"
    plain.patch("shares/sales", {"owner": "guest@sandbox.example"})
    assert plain.objects()[0]["status"] == "PERMISSION_DENIED"
    plain.patch("shares/sales", {"owner": "owner@sandbox.example"})
    assert plain.objects()[0]["status"] == "ACTIVE"
    changes = [{"principal": "data-owners", "remove": ["ALL_PRIVILEGES"]}]
    assert plain.patch("permissions/catalog/prod_catalog", {"changes": changes}).status == 200
    assert plain.objects()[0]["status"] == "PERMISSION_DENIED"


def test_a_shared_table_cannot_be_dropped(plain: Plain) -> None:
    """Contract 4.5: INVALID_STATE, naming the shares; after its removal the table can go."""
    plain.a_share("sales", TRANSACTIONS)
    answer = plain.delete(f"tables/{TRANSACTIONS}")
    assert answer.error == (400, "INVALID_STATE")
    assert "DELTA_SHARING_SECURABLE_DELETE_BLOCKED" in answer.body["message"]
    plain.patch("shares/sales", {"updates": [an_update("REMOVE", TRANSACTIONS)]})
    assert plain.delete(f"tables/{TRANSACTIONS}").status == 200
    assert plain.get(f"tables/{TRANSACTIONS}/exists").body == {"table_exists": False}


def test_a_renamed_table_takes_its_shared_object_along(plain: Plain, control: ControlClient) -> None:
    """Contract 4.5: UNCONFIRMED, hence a knob: the name follows and the alias stays."""
    plain.a_share("sales", TRANSACTIONS)
    control.rename_table(TRANSACTIONS, f"{SALES}.deals")
    (shared,) = plain.objects()
    assert (shared["name"], shared["shared_as"]) == (f"{SALES}.deals", "sales.transactions")
    control.knobs(objects_follow_table_rename=False)
    control.rename_table(f"{SALES}.deals", f"{SALES}.sold")
    (shared,) = plain.objects()
    assert (shared["name"], shared["status"]) == (f"{SALES}.deals", "PERMISSION_DENIED")
    assert plain.patch("shares/sales", {"updates": [an_update("REMOVE", f"{SALES}.deals")]}).status == 200
