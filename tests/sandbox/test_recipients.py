"""Recipients, held to the contract. "UNCONFIRMED" marks what no source says about the real service."""

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.service.sharing import AuthenticationType, IpAccessList, SecurablePropertiesKvPairs

from reconciler.sandbox import ControlClient
from tests.sandbox.conftest import Connect
from tests.sandbox.plain import GUEST, OWNER, USER, Plain

PARTNER = "aws:us-west-2:0a1b2c3d-0000-4000-8000-000000000001"
YEAR = 31_536_000


def test_sdk_creates_reads_changes_and_deletes(workspace: WorkspaceClient) -> None:
    """Contract 2.1: the recipient operations of the SDK."""
    made = workspace.recipients.create(
        "sales-analyst",
        AuthenticationType.TOKEN,
        comment="partner",
        ip_access_list=IpAccessList(allowed_ip_addresses=["192.168.1.0/24"]),
        properties_kvpairs=SecurablePropertiesKvPairs(properties={"region": "emea"}),
    )
    assert made.id
    assert made.owner == "sharepack@sandbox.example"
    read = workspace.recipients.get("sales-analyst")
    assert read == made
    assert [each.name for each in workspace.recipients.list()] == ["sales-analyst"]
    changed = workspace.recipients.update("sales-analyst", comment="", ip_access_list=IpAccessList())
    assert changed.comment == ""
    assert changed.ip_access_list is None
    workspace.recipients.delete("sales-analyst")
    with pytest.raises(NotFound):
        workspace.recipients.get("sales-analyst")


def test_a_databricks_recipient_has_no_token_and_its_parts_are_read_from_its_id(workspace: WorkspaceClient) -> None:
    """Contract 2.4: cloud, region and metastore_id come from the global id; tokens are for TOKEN only."""
    made = workspace.recipients.create("d2d", AuthenticationType.DATABRICKS, data_recipient_global_metastore_id=PARTNER)
    assert (made.cloud, made.region, made.metastore_id) == tuple(PARTNER.split(":"))
    assert not made.tokens
    assert made.activation_url is None
    assert made.activated is True, "UNCONFIRMED"


@pytest.mark.parametrize(
    ("body", "code", "fragment"),
    [
        ({"authentication_type": "TOKEN"}, "INVALID_PARAMETER_VALUE", "CreateRecipient Missing required field: name"),
        ({"name": "a b"}, "INVALID_PARAMETER_VALUE", "a b is not a valid name"),
        ({"name": "a.b"}, "INVALID_PARAMETER_VALUE", "is not a valid name"),
        ({"name": "a" * 256}, "INVALID_PARAMETER_VALUE", "is not a valid name"),
        ({"name": "x", "authentication_type": "EMAIL"}, "INVALID_PARAMETER_VALUE", "is not one of"),
        ({"name": "x", "authentication_type": "DATABRICKS"}, "INVALID_PARAMETER_VALUE", "Missing required field"),
        ({"name": "x", "data_recipient_global_metastore_id": "nowhere"}, "INVALID_PARAMETER_VALUE", "Cannot resolve"),
        (
            {
                "name": "x",
                "data_recipient_global_metastore_id": PARTNER,
                "ip_access_list": {"allowed_ip_addresses": []},
            },
            "INVALID_PARAMETER_VALUE",
            "ip_access_list cannot be set",
        ),
        (
            {"name": "x", "ip_access_list": {"allowed_ip_addresses": ["fe80::1"]}},
            "INVALID_PARAMETER_VALUE",
            "not a valid IPv4",
        ),
        (
            {"name": "x", "ip_access_list": {"allowed_ip_addresses": ["10.0.0.1"] * 101}},
            "INVALID_PARAMETER_VALUE",
            "at most 100",
        ),
        (
            {"name": "x", "properties_kvpairs": {"properties": {"databricks.name": "y"}}},
            "INVALID_PARAMETER_VALUE",
            "reserved",
        ),
        ({"name": "x", "expiration_time": 1}, "INVALID_PARAMETER_VALUE", "must be in the future"),
        ({"name": "x", "comment": 7}, "INVALID_PARAMETER_VALUE", "must be a string"),
    ],
)
def test_create_refuses(plain: Plain, body: dict[str, Any], code: str, fragment: str) -> None:
    """Contract 2.2 and 2.7: what a new recipient must not be. Codes of the IP and property rules are UNCONFIRMED."""
    answer = plain.post("recipients", body)
    assert answer.error == (400, code)
    assert fragment in answer.body["message"]
    assert plain.get("recipients").body == {}


@pytest.mark.parametrize("partner", [PARTNER, PARTNER.upper(), "aws:us-west-2:abc-123-def", "gcp:europe-west1:0a"])
def test_global_metastore_ids(plain: Plain, partner: str) -> None:
    """Contract 2.2: cloud:region:uuid. The real service resolves the id; here any hexadecimal groups will do."""
    made = plain.post("recipients", {"name": "d2d", "data_recipient_global_metastore_id": partner}).body
    assert made["data_recipient_global_metastore_id"] == partner.lower()
    assert made["authentication_type"] == "DATABRICKS"


def test_the_own_metastore_is_no_recipient(plain: Plain) -> None:
    """Contract 2.7: sharing with the own metastore id. UNCONFIRMED: refused with 400."""
    own = plain.get("metastore_summary").body["global_metastore_id"]
    answer = plain.post("recipients", {"name": "self", "data_recipient_global_metastore_id": own})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")


def test_one_databricks_recipient_for_each_metastore(plain: Plain) -> None:
    """Contract 2.7: the message begins "There is already a Recipient object"; its code is UNCONFIRMED."""
    body = {"authentication_type": "DATABRICKS", "data_recipient_global_metastore_id": PARTNER}
    assert plain.post("recipients", {"name": "one", **body}).status == 200
    answer = plain.post("recipients", {"name": "two", **body})
    assert answer.error == (400, "RECIPIENT_ALREADY_EXISTS")
    assert answer.body["message"].startswith("There is already a Recipient object")


def test_a_name_is_taken_whatever_its_case(plain: Plain, control: ControlClient) -> None:
    """Contract 2.7, 2.8: duplicates are refused; names are stored in lower case. Status UNCONFIRMED, hence a knob."""
    assert plain.a_recipient("Partner")["name"] == "partner"
    assert plain.post("recipients", {"name": "PARTNER"}).error == (400, "RECIPIENT_ALREADY_EXISTS")
    control.knobs(already_exists_status=409)
    answer = plain.post("recipients", {"name": "PARTNER"})
    assert answer.error == (409, "RECIPIENT_ALREADY_EXISTS")
    assert "already exists" in answer.body["message"]
    assert plain.get("recipients/pArTnEr").body["name"] == "partner"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate-token"), ("GET", "/share-permissions")],
)
def test_an_unknown_recipient_is_404(plain: Plain, method: str, path: str) -> None:
    """Contract 2.7: 404 RECIPIENT_DOES_NOT_EXIST, also for delete."""
    answer = plain.call(method, f"recipients/nobody{path}", {})
    assert answer.error == (404, "RECIPIENT_DOES_NOT_EXIST")
    assert answer.body["message"] == "Recipient 'nobody' does not exist"


def test_update_replaces_what_it_names_and_keeps_the_rest(plain: Plain) -> None:
    """Contract 2.3: properties and IP list are replaced as a whole, an empty wrapper clears, null changes nothing."""
    plain.a_recipient(
        comment="c",
        ip_access_list={"allowed_ip_addresses": ["10.0.0.0/8"]},
        properties_kvpairs={"properties": {"a": "1"}},
    )
    changed = plain.patch(
        "recipients/partner", {"properties_kvpairs": {"properties": {"b": "2"}}, "comment": None}
    ).body
    properties = changed["properties_kvpairs"]["properties"]
    assert {name for name in properties if not name.startswith("databricks.")} == {"b"}
    assert changed["comment"] == "c"
    assert changed["ip_access_list"] == {"allowed_ip_addresses": ["10.0.0.0/8"]}
    assert "ip_access_list" not in plain.patch("recipients/partner", {"ip_access_list": {}}).body


def test_an_empty_update_is_accepted_unless_the_knob_says_otherwise(plain: Plain, control: ControlClient) -> None:
    """Contract 2.3: an empty PATCH is 200. UNCONFIRMED, hence a knob."""
    made = plain.a_recipient()
    assert plain.patch("recipients/partner", {}).body == made
    control.knobs(empty_recipient_update="error")
    assert plain.patch("recipients/partner", {}).error == (400, "INVALID_PARAMETER_VALUE")


def test_immutable_fields_are_ignored_by_update(plain: Plain) -> None:
    """Contract 2.3: authentication type and partner metastore cannot be updated; unknown fields are tolerated (1.8)."""
    plain.a_recipient()
    changed = plain.patch(
        "recipients/partner",
        {"authentication_type": "DATABRICKS", "data_recipient_global_metastore_id": PARTNER, "comment": "x"},
    ).body
    assert changed["authentication_type"] == "TOKEN"
    assert "data_recipient_global_metastore_id" not in changed


def test_rename_keeps_id_tokens_and_grants(plain: Plain) -> None:
    """Contract 2.3, 2.8: a rename keeps id and tokens; grants follow. UNCONFIRMED on the wire."""
    made = plain.a_recipient()
    plain.a_share()
    plain.a_grant()
    renamed = plain.patch("recipients/partner", {"new_name": "Partner-2"}).body
    assert (renamed["name"], renamed["id"], renamed["tokens"]) == ("partner-2", made["id"], made["tokens"])
    assert plain.get("recipients/partner").status == 404
    assert plain.get("shares/sales/permissions").body["privilege_assignments"][0]["principal"] == "partner-2"
    plain.a_recipient("other")
    assert plain.patch("recipients/other", {"new_name": "partner-2"}).error == (400, "RECIPIENT_ALREADY_EXISTS")


def test_rename_needs_an_admin_that_owns_it(plain: Plain) -> None:
    """Contract 2.3, 2.6: rename is for a metastore admin who is also the owner."""
    plain.as_(OWNER).a_recipient()
    assert plain.patch("recipients/partner", {"new_name": "other"}).error == (403, "PERMISSION_DENIED")
    assert plain.as_(OWNER).patch("recipients/partner", {"new_name": "other"}).error == (403, "PERMISSION_DENIED")
    assert plain.as_(OWNER).patch("recipients/partner", {"comment": "mine"}).status == 200


def test_who_may_do_what(plain: Plain, connect: Connect) -> None:
    """Contract 2.6: create by admin or CREATE_RECIPIENT; delete and rotate by the owner; list shows one's own."""
    guest, user, owner = plain.as_(GUEST), plain.as_(USER), plain.as_(OWNER)
    answer = user.post("recipients", {"name": "x"})
    assert answer.error == (403, "PERMISSION_DENIED")
    assert "User does not have CREATE RECIPIENT on Metastore" in answer.body["message"]
    owner.a_recipient()
    assert user.get("recipients/partner").status == 200
    assert guest.get("recipients/partner").error == (403, "PERMISSION_DENIED")
    assert user.get("recipients").body == {}
    assert [each["name"] for each in plain.get("recipients").body["recipients"]] == ["partner"]
    for answer in (plain.delete("recipients/partner"), plain.post("recipients/partner/rotate-token", {})):
        assert answer.error == (403, "PERMISSION_DENIED")
        assert "User is not an owner of Recipient 'partner'" in answer.body["message"]
    assert user.patch("recipients/partner", {"comment": "x"}).error == (403, "PERMISSION_DENIED")
    with pytest.raises(PermissionDenied):
        connect(USER).recipients.delete("partner")
    assert plain.patch("recipients/partner", {"owner": "sharepack@sandbox.example"}).status == 200
    assert plain.delete("recipients/partner").body == {}


def test_an_unknown_owner_is_refused(plain: Plain) -> None:
    """Contract 1.6: "Could not find principal with name X"; its status is UNCONFIRMED."""
    answer = plain.post("recipients", {"name": "x", "owner": "nobody@sandbox.example"})
    assert answer.error == (404, "PRINCIPAL_DOES_NOT_EXIST")
    assert answer.body["message"] == "Could not find principal with name nobody@sandbox.example"


def test_deleting_a_recipient_takes_its_grants_along(plain: Plain, control: ControlClient) -> None:
    """Contract 2.8: delete is not blocked by grants. UNCONFIRMED on the wire, hence a knob."""
    plain.a_recipient()
    plain.a_share()
    plain.a_grant()
    control.knobs(delete_with_grants="refused")
    assert plain.delete("recipients/partner").error == (400, "INVALID_STATE")
    control.knobs(delete_with_grants="allowed")
    assert plain.delete("recipients/partner").status == 200
    assert plain.get("shares/sales/permissions").body == {}


def test_share_permissions_of_a_recipient(workspace: WorkspaceClient, plain: Plain) -> None:
    """Contract 2.1: share-permissions lists each share with the recipient as principal."""
    plain.a_recipient()
    for name in ("one", "two"):
        plain.a_share(name)
        plain.a_grant(name)
    rows = workspace.recipients.share_permissions("partner").permissions_out or []
    assert {each.share_name for each in rows} == {"one", "two"}
    assert [each.principal for row in rows for each in row.privilege_assignments or []] == ["partner", "partner"]


def test_the_number_of_recipients_is_limited(plain: Plain, control: ControlClient) -> None:
    """Contract 4.8: 5000 recipients a metastore; code and status are UNCONFIRMED, the status is a knob."""
    control.knobs(max_recipients=1)
    plain.a_recipient()
    assert plain.post("recipients", {"name": "one-more"}).error == (400, "QUOTA_EXCEEDED")


def test_open_recipients_need_external_sharing(plain: Plain) -> None:
    """Contract 2.7: INTERNAL scope refuses open recipients; the code is UNCONFIRMED."""
    metastore = plain.get("metastore_summary").body["metastore_id"]
    assert plain.patch(f"metastores/{metastore}", {"delta_sharing_scope": "INTERNAL"}).status == 200
    answer = plain.post("recipients", {"name": "x"})
    assert answer.error == (404, "FEATURE_DISABLED")
    assert "External Delta Sharing is not enabled on the metastore" in answer.body["message"]
    assert plain.post("recipients", {"name": "x", "data_recipient_global_metastore_id": PARTNER}).status == 200


def test_properties_may_come_as_a_list(plain: Plain, control: ControlClient) -> None:
    """Contract 1.7: old clients send properties as a list of key and value. UNCONFIRMED, hence a knob."""
    old = {"properties": [{"key": "a", "value": "1"}]}
    made = plain.a_recipient(properties_kvpairs=old)
    assert made["properties_kvpairs"]["properties"]["a"] == "1"
    control.knobs(properties_as_list_accepted=False)
    assert plain.patch("recipients/partner", {"properties_kvpairs": old}).error == (400, "INVALID_PARAMETER_VALUE")


def test_sdk_errors_are_of_the_right_class(workspace: WorkspaceClient) -> None:
    """Contract 1.6: codes of Unity Catalog map to classes by status; the code stays readable."""
    workspace.recipients.create("x", AuthenticationType.TOKEN)
    with pytest.raises(BadRequest) as refused:
        workspace.recipients.create("x", AuthenticationType.TOKEN)
    assert refused.value.error_code == "RECIPIENT_ALREADY_EXISTS"
    details = refused.value.get_error_details()
    assert details.error_info is not None
    assert details.error_info.reason == "RECIPIENT_ALREADY_EXISTS"
    assert details.request_info is not None


def test_federation_policies(plain: Plain, workspace: WorkspaceClient) -> None:
    """Contract 2.9: policies of an OIDC recipient. Codes are UNCONFIRMED."""
    path = "/api/2.0/data-sharing/recipients/oidc/federation-policies"
    policy = {"name": "main", "oidc_policy": {"issuer": "https://id.example", "subject_claim": "oid", "subject": "42"}}
    plain.a_recipient("oidc", authentication_type="OIDC_FEDERATION")
    made = plain.post(path, policy).body
    assert made["oidc_policy"] == policy["oidc_policy"]
    assert plain.post(path, policy).error == (409, "ALREADY_EXISTS")
    assert plain.post(path, {**policy, "name": "Bad Name"}).error == (400, "INVALID_PARAMETER_VALUE")
    assert [each.name for each in workspace.recipient_federation_policies.list("oidc")] == ["main"]
    assert plain.get(f"{path}/main").body == made
    assert plain.delete(f"{path}/main").body == {}
    assert plain.get(f"{path}/main").error == (404, "RESOURCE_DOES_NOT_EXIST")
    plain.a_recipient("open")
    assert plain.post(path.replace("/oidc/", "/open/"), policy).error == (400, "INVALID_PARAMETER_VALUE")
