"""OIDC recipients and their federation policies, held to section 2.9 of the contract."""

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sharing import AuthenticationType, FederationPolicy, IpAccessList, OidcFederationPolicy

from reconciler.sandbox import ControlClient
from tests.sandbox.conftest import Connect
from tests.sandbox.plain import OWNER, USER, Plain

POLICIES = "/api/2.0/data-sharing/recipients/partner/federation-policies"
POLICY = {"issuer": "https://login.example/v2.0", "subject_claim": "oid", "subject": "s", "audiences": ["a"]}


@pytest.fixture
def partner(plain: Plain) -> None:
    plain.a_recipient(authentication_type="OIDC_FEDERATION")


def test_sdk_makes_lists_and_deletes_policies(workspace: WorkspaceClient, control: ControlClient) -> None:
    made = workspace.recipients.create(
        "partner",
        AuthenticationType.OIDC_FEDERATION,
        ip_access_list=IpAccessList(["10.0.0.0/8"]),
    )
    assert not made.tokens
    assert made.ip_access_list == IpAccessList(["10.0.0.0/8"])
    for name in ("people", "robots", "nightly"):
        wanted = FederationPolicy(name=name, oidc_policy=OidcFederationPolicy.from_dict(POLICY), comment=name)
        workspace.recipient_federation_policies.create("partner", wanted)
    control.knobs(page_size=1, empty_middle_pages=True)
    found = {each.name: each for each in workspace.recipient_federation_policies.list("partner")}
    assert set(found) == {"people", "robots", "nightly"}
    assert found["people"].oidc_policy == OidcFederationPolicy.from_dict(POLICY)
    assert found["people"].comment == "people"
    workspace.recipient_federation_policies.delete("partner", "robots")
    assert workspace.recipient_federation_policies.get_federation_policy("partner", "people").id
    assert {each.name for each in workspace.recipient_federation_policies.list("partner")} == {"people", "nightly"}


@pytest.mark.usefixtures("partner")
@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ({"name": "Upper", "oidc_policy": POLICY}, "not a valid policy name"),
        ({"oidc_policy": POLICY}, "Missing required field: name"),
        ({"name": "x"}, "Missing required field: oidc_policy"),
        ({"name": "x", "oidc_policy": {**POLICY, "issuer": ""}}, "Missing required field: issuer"),
        ({"name": "x", "oidc_policy": {**POLICY, "subject": None}}, "Missing required field: subject"),
        ({"name": "x", "oidc_policy": {**POLICY, "subject_claim": None}}, "Missing required field: subject_claim"),
        ({"name": "x", "oidc_policy": {**POLICY, "subject_claim": "email"}}, "is not one of"),
        ({"name": "x", "oidc_policy": {**POLICY, "audiences": "a"}}, "must be a list of strings"),
    ],
)
def test_a_policy_must_be_whole(plain: Plain, body: dict[str, Any], fragment: str) -> None:
    """Codes are UNCONFIRMED."""
    answer = plain.post(POLICIES, body)
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert fragment in answer.body["message"]
    assert plain.get(POLICIES).body == {}


@pytest.mark.usefixtures("partner")
def test_names_are_unique_and_unknown_ones_404(plain: Plain) -> None:
    """Codes are UNCONFIRMED."""
    body = {"name": "people", "oidc_policy": POLICY}
    assert plain.post(POLICIES, body).status == 200
    assert plain.post(POLICIES, body).error == (409, "ALREADY_EXISTS")
    assert plain.delete(f"{POLICIES}/robots").error == (404, "RESOURCE_DOES_NOT_EXIST")
    assert plain.get(f"{POLICIES}/robots").error == (404, "RESOURCE_DOES_NOT_EXIST")


def test_only_oidc_recipients_have_policies(plain: Plain) -> None:
    plain.a_recipient()
    answer = plain.post(POLICIES, {"name": "people", "oidc_policy": POLICY})
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert plain.get("/api/2.0/data-sharing/recipients/nobody/federation-policies").status == 404


def test_an_oidc_recipient_has_no_token_to_end_or_rotate(plain: Plain) -> None:
    body = {"name": "x", "authentication_type": "OIDC_FEDERATION", "expiration_time": 4_000_000_000_000}
    assert plain.post("recipients", body).error == (400, "INVALID_PARAMETER_VALUE")
    plain.a_recipient(authentication_type="OIDC_FEDERATION")
    refused = plain.post("recipients/partner/rotate-token", {"existing_token_expire_in_seconds": 0})
    assert "non-TOKEN authentication type" in refused.body["message"]
    later = plain.patch("recipients/partner", {"expiration_time": 4_000_000_000_000})
    assert later.error == (400, "INVALID_PARAMETER_VALUE")


def test_owners_change_policies_and_readers_of_the_recipient_see_them(plain: Plain, connect: Connect) -> None:
    """The SDK's documentation: create and delete by the owner, list and get with read access."""
    plain.as_(OWNER).a_recipient(authentication_type="OIDC_FEDERATION")
    assert plain.as_(OWNER).post(POLICIES, {"name": "people", "oidc_policy": POLICY}).status == 200
    assert [each.name for each in connect(USER).recipient_federation_policies.list("partner")] == ["people"]
    for token in (USER, None):
        client = plain.as_(USER) if token else plain
        assert client.delete(f"{POLICIES}/people").error == (403, "PERMISSION_DENIED")
