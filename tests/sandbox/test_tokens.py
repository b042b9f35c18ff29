"""Activation links, token rotation and what the open protocol then shows, held to the contract."""

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import InvalidParameterValue, NotFound

from reconciler.sandbox import ControlClient
from tests.sandbox.plain import SALES, Answer, Plain, an_update

YEAR = 31_536_000
DAY = 86_400
ACTIVATION = "/api/2.1/unity-catalog/public/data_sharing_activation"


def secret_of(recipient: dict[str, object]) -> str:
    return str(recipient["activation_url"]).partition("?")[2]


def bearer_of(plain: Plain, recipient: dict[str, object]) -> str:
    return str(plain.as_(None).get(f"{ACTIVATION}/{secret_of(recipient)}").body["bearerToken"])


def protocol(plain: Plain, bearer: str, path: str, address: str = "127.0.0.1") -> Answer:
    metastore = plain.get("metastore_summary").body["metastore_id"]
    full = f"/api/2.0/delta-sharing/metastores/{metastore}/{path}"
    return plain.as_(bearer).call("GET", full, headers={"X-Forwarded-For": address})


def test_a_link_works_once(workspace: WorkspaceClient, plain: Plain, control: ControlClient) -> None:
    """Contract 3: the credential file comes once; afterwards the link is gone. The second status is UNCONFIRMED."""
    made = plain.a_recipient()
    assert made["activated"] is False
    assert made["activation_url"].startswith(f"{plain.url}/delta_sharing/retrieve_config.html?")
    workspace.recipient_activation.get_activation_url_info(made["activation_url"])
    credential = workspace.recipient_activation.retrieve_token(made["activation_url"])
    assert credential.share_credentials_version == 1
    assert credential.expiration_time is not None
    assert credential.expiration_time.endswith("Z")
    read = workspace.recipients.get("partner")
    assert read.activated is True
    assert read.activation_url is None
    assert read.tokens is not None
    assert read.tokens[0].activation_url is None
    with pytest.raises(NotFound):
        workspace.recipient_activation.retrieve_token(secret_of(made))
    control.knobs(second_activation_status=410)
    assert plain.get(f"{ACTIVATION}/{secret_of(made)}").status == 410


def test_activation_needs_no_sign_in_and_an_unknown_link_is_404(plain: Plain) -> None:
    """Contract 3: public endpoints. UNCONFIRMED: 404 for an unknown link."""
    nobody = plain.as_(None)
    assert nobody.get(f"{ACTIVATION}/made-up").error == (404, "RESOURCE_DOES_NOT_EXIST")
    assert nobody.get(f"{ACTIVATION}_info/made-up").status == 404
    made = plain.a_recipient()
    page = nobody.get("/delta_sharing/retrieve_config.html?" + secret_of(made))
    assert page.status == 200
    assert secret_of(made) in page.body
    assert nobody.get(f"{ACTIVATION.replace('2.1', '2.0')}/{secret_of(made)}").status == 200


def test_rotation_adds_a_token_and_shortens_the_old_one(workspace: WorkspaceClient, plain: Plain) -> None:
    """Contract 2.5: the old token's expiry becomes now + N; `activated` speaks of the new token (UNCONFIRMED)."""
    made = plain.a_recipient()
    bearer_of(plain, made)
    rotated = workspace.recipients.rotate_token("partner", DAY)
    assert rotated.activated is False
    assert rotated.tokens is not None
    newest, oldest = rotated.tokens
    assert oldest.id == made["tokens"][0]["id"]
    assert oldest.expiration_time is not None
    assert newest.expiration_time is not None
    assert newest.expiration_time - oldest.expiration_time == pytest.approx((YEAR - DAY) * 1000, abs=2000)


def test_at_most_two_tokens(workspace: WorkspaceClient, plain: Plain, control: ControlClient) -> None:
    """Contract 2.5: rotating within the overlap is refused; after the old token has expired it works again."""
    plain.a_recipient()
    workspace.recipients.rotate_token("partner", DAY)
    with pytest.raises(InvalidParameterValue, match="There are already two active tokens for recipient partner"):
        workspace.recipients.rotate_token("partner", DAY)
    control.advance_clock(DAY + 1)
    assert len(plain.get("recipients/partner").body["tokens"]) == 2, "UNCONFIRMED: listed until the next rotation"
    assert len(workspace.recipients.rotate_token("partner", DAY).tokens or []) == 2


def test_rotation_with_zero_ends_the_old_token_at_once(plain: Plain) -> None:
    """Contract 2.5: 0 means the old token dies now."""
    bearer = bearer_of(plain, plain.a_recipient())
    assert protocol(plain, bearer, "shares").status == 200
    rotated = plain.post("recipients/partner/rotate-token", {"existing_token_expire_in_seconds": 0}).body
    assert len(rotated["tokens"]) == 1
    assert protocol(plain, bearer, "shares").status == 401


@pytest.mark.parametrize("seconds", [-1, 2 * YEAR])
def test_rotation_refuses_to_extend_and_negative_times(plain: Plain, seconds: int) -> None:
    """Contract 2.5: an expiry can only be shortened; negative is an error. Codes by choice (UNCONFIRMED)."""
    plain.a_recipient()
    answer = plain.post("recipients/partner/rotate-token", {"existing_token_expire_in_seconds": seconds})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert len(plain.get("recipients/partner").body["tokens"]) == 1


def test_rotation_without_a_time_follows_its_knob(plain: Plain, control: ControlClient) -> None:
    """Contract 2.5: UNCONFIRMED what an absent time means; the default keeps the old token's expiry."""
    made = plain.a_recipient()
    kept = plain.post("recipients/partner/rotate-token").body["tokens"][1]
    assert kept["expiration_time"] == made["tokens"][0]["expiration_time"]
    control.reset()
    control.knobs(rotate_default_keeps_expiry=False)
    plain.a_recipient()
    assert len(plain.post("recipients/partner/rotate-token").body["tokens"]) == 1


def test_only_token_recipients_rotate(plain: Plain) -> None:
    """Contract 2.5: the refusal says "non-TOKEN authentication type"."""
    plain.post("recipients", {"name": "d2d", "data_recipient_global_metastore_id": "aws:us-west-2:0a1b-2c"})
    answer = plain.post("recipients/d2d/rotate-token", {"existing_token_expire_in_seconds": 0})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "non-TOKEN authentication type" in answer.body["message"]


def test_expiry_is_only_ever_shortened(plain: Plain, control: ControlClient) -> None:
    """Contract 2.3: "Cannot extend the token expiration time"; which token it changes is UNCONFIRMED."""
    made = plain.a_recipient()
    sooner = made["expiration_time"] - DAY * 1000
    changed = plain.patch("recipients/partner", {"expiration_time": sooner}).body
    assert changed["expiration_time"] == changed["tokens"][0]["expiration_time"] == sooner
    answer = plain.patch("recipients/partner", {"expiration_time": made["expiration_time"]})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "Cannot extend the token expiration time" in answer.body["message"]


def test_a_new_token_lives_as_long_as_the_metastore_says(plain: Plain) -> None:
    """Contract 2.5: the metastore's lifetime counts for new tokens and leaves the existing one alone."""
    made = plain.a_recipient()
    metastore = plain.get("metastore_summary").body["metastore_id"]
    plain.patch(f"metastores/{metastore}", {"delta_sharing_recipient_token_lifetime_in_seconds": DAY})
    newest, oldest = plain.post("recipients/partner/rotate-token").body["tokens"]
    assert oldest["expiration_time"] == made["expiration_time"]
    assert newest["expiration_time"] - newest["created_at"] == DAY * 1000


def test_token_lists_follow_their_knobs(plain: Plain, control: ControlClient) -> None:
    """Contract 2.4, 2.5: UNCONFIRMED whether lists carry tokens, in which order, and whether expired ones show."""
    made = plain.a_recipient()
    plain.post("recipients/partner/rotate-token", {"existing_token_expire_in_seconds": DAY})
    control.knobs(token_order="oldest", list_includes_tokens=False)
    assert plain.get("recipients/partner").body["tokens"][0]["id"] == made["tokens"][0]["id"]
    (listed,) = plain.get("recipients").body["recipients"]
    assert "tokens" not in listed
    assert "activation_url" not in listed
    control.knobs(expired_tokens_listed="never")
    control.advance_clock(DAY + 1)
    assert len(plain.get("recipients/partner").body["tokens"]) == 1


def test_rotation_bumps_updated_at_by_its_knob(plain: Plain, control: ControlClient) -> None:
    """Contract 4.6: UNCONFIRMED whether rotate-token changes updated_at."""
    for bumps in (True, False):
        control.reset()
        control.knobs(rotate_bumps_updated_at=bumps)
        made = plain.a_recipient()
        control.advance_clock(60)
        rotated = plain.post("recipients/partner/rotate-token").body
        assert (rotated["updated_at"] > made["updated_at"]) is bumps


def test_the_protocol_shows_what_is_granted_under_its_shared_name(plain: Plain) -> None:
    """Contract 4.10: only granted shares; table names come from the alias; a deleted recipient is out at once."""
    made = plain.a_recipient()
    bearer = bearer_of(plain, made)
    plain.a_share("sales", f"{SALES}.transactions")
    plain.patch("shares/sales", {"updates": [an_update("ADD", f"{SALES}.customers", shared_as="crm.people")]})
    assert protocol(plain, bearer, "shares").body == {"items": []}
    assert protocol(plain, bearer, "shares/sales/all-tables").status == 404
    plain.a_grant()
    assert protocol(plain, bearer, "shares").body == {"items": [{"name": "sales"}]}
    tables = protocol(plain, bearer, "shares/sales/all-tables").body["items"]
    assert {(each["schema"], each["name"]) for each in tables} == {("sales", "transactions"), ("crm", "people")}
    schemas = protocol(plain, bearer, "shares/sales/schemas").body["items"]
    assert {each["name"] for each in schemas} == {"sales", "crm"}
    people = protocol(plain, bearer, "shares/sales/schemas/crm/tables").body["items"]
    assert [each["name"] for each in people] == ["people"]
    version = protocol(plain, bearer, "shares/sales/schemas/crm/tables/people/version")
    assert version.headers["Delta-Table-Version"] == "0"
    metadata = protocol(plain, bearer, "shares/sales/schemas/crm/tables/people/metadata").body
    assert '"metaData"' in metadata
    assert protocol(plain, bearer, "shares/sales/schemas/crm/tables/other/version").status == 404
    plain.delete("recipients/partner")
    assert protocol(plain, bearer, "shares").status == 401


def test_the_protocol_obeys_the_ip_list_and_a_shared_schema(plain: Plain) -> None:
    """Contract 4.10: 403 outside the IP list. 4.4: a SCHEMA shares all its tables."""
    made = plain.a_recipient(ip_access_list={"allowed_ip_addresses": ["203.0.113.0/24"]})
    bearer = bearer_of(plain, made)
    plain.a_share("sales")
    plain.patch("shares/sales", {"updates": [an_update("ADD", "prod_catalog.logistics", "SCHEMA")]})
    plain.a_grant()
    assert protocol(plain, bearer, "shares").status == 403
    tables = protocol(plain, bearer, "shares/sales/all-tables", "203.0.113.9").body["items"]
    assert {each["name"] for each in tables} == {"shipments", "carriers", "warehouses"}
