"""Calls about recipients, their tokens and policies, on the wire (contract 1.5, 2.3, 2.5, 2.9)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.calls import (
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    RotateToken,
    UpdateRecipient,
)
from reconciler.core.key import Key
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN, UC, found, refusal, requests_of, unavailability, wire_of

METASTORE = "aws:us-east-1:11111111-2222-3333-4444-555555555555"
POLICIES = "/api/2.0/data-sharing/recipients/acme/federation-policies"
#: 2030-03-17, in seconds.
NOW = 1_900_000_000


@pytest.fixture
async def punctual(control: ControlClient) -> AsyncIterator[DatabricksPlatform]:
    """A platform whose clock stands still, and so does (nearly) the sandbox's."""
    control.set_clock(NOW * 1000)
    opened = DatabricksPlatform(ADMIN, clock=lambda: NOW + 0.25)
    yield opened
    await opened.close()


async def test_a_token_recipient_with_everything(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    call = CreateRecipient(recipient, TokenSharing(), ("10.0.0.0/8", "1.2.3.4"), "Partner")
    assert await wire_of(platform, control, call) == (
        "POST",
        "/recipients",
        {
            "name": "acme",
            "authentication_type": "TOKEN",
            "comment": "Partner",
            "ip_access_list": {"allowed_ip_addresses": ["10.0.0.0/8", "1.2.3.4"]},
        },
    )


async def test_unmanaged_fields_are_not_sent(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, share: Key
) -> None:
    sent = await wire_of(platform, control, CreateRecipient(recipient, TokenSharing()))
    assert sent == ("POST", "/recipients", {"name": "acme", "authentication_type": "TOKEN"})
    assert await wire_of(platform, control, CreateShare(share)) == ("POST", "/shares", {"name": "q1_share"})


async def test_a_databricks_recipient_names_its_metastore(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    call = CreateRecipient(recipient, DatabricksSharing(METASTORE), comment="")
    assert await wire_of(platform, control, call) == (
        "POST",
        "/recipients",
        {
            "name": "acme",
            "authentication_type": "DATABRICKS",
            "data_recipient_global_metastore_id": METASTORE,
            "comment": "",
        },
    )


async def test_a_recipient_that_no_pack_can_declare_is_not_made(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    with pytest.raises(RefusedError, match="OIDC_FEDERATION are not made"):
        await platform.perform(CreateRecipient(recipient, OtherSharing("OIDC_FEDERATION")))
    assert requests_of(control) == []


async def test_a_recipient_update_sends_the_whole_list_and_nothing_else(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    create = CreateRecipient(recipient, TokenSharing(), ("1.2.3.4",), "Partner")
    sent = await wire_of(platform, control, UpdateRecipient(recipient, ("1.2.3.4", "5.6.7.8")), create)
    assert sent == (
        "PATCH",
        "/recipients/acme",
        {"ip_access_list": {"allowed_ip_addresses": ["1.2.3.4", "5.6.7.8"]}},
    )


async def test_properties_expiration_and_the_rest_of_a_new_recipient(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    control.set_clock(NOW * 1000)
    call = CreateRecipient(recipient, TokenSharing(), properties=(("org", "acme"),), expires_at=(NOW + 60) * 1000)
    assert await wire_of(platform, control, call) == (
        "POST",
        "/recipients",
        {
            "name": "acme",
            "authentication_type": "TOKEN",
            "properties_kvpairs": {"properties": {"org": "acme"}},
            "expiration_time": (NOW + 60) * 1000,
        },
    )


async def test_so_many_seconds_count_from_when_the_call_is_made(
    punctual: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    created = await wire_of(punctual, control, CreateRecipient(recipient, TokenSharing(), expires_in=3600))
    assert created[2]["expiration_time"] == (NOW + 3600) * 1000 + 250
    updated = await wire_of(punctual, control, UpdateRecipient(recipient, expires_in=60))
    assert updated == ("PATCH", "/recipients/acme", {"expiration_time": (NOW + 60) * 1000 + 250})


async def test_a_token_can_live_as_long_as_the_metastore_allows(
    punctual: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    control.set_clock(NOW * 1000 + 300)
    control.metastore(delta_sharing_recipient_token_lifetime_in_seconds=86_400)
    await punctual.perform(CreateRecipient(recipient, TokenSharing(), expires_in=86_400))
    assert (await found(punctual, recipient)).tokens[0].expires_at == (NOW + 86_400) * 1000 + 250


async def test_an_oidc_recipient_and_its_policies(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    created = await wire_of(platform, control, CreateRecipient(recipient, OidcSharing(), ("10.0.0.0/8",)))
    assert created[2] == {
        "name": "acme",
        "authentication_type": "OIDC_FEDERATION",
        "ip_access_list": {"allowed_ip_addresses": ["10.0.0.0/8"]},
    }
    policy = FederationPolicy("people", "https://login", SubjectClaim.GROUPS, "s", frozenset({"b", "a"}), "Staff")
    oidc = {"issuer": "https://login", "subject_claim": "groups", "subject": "s"}
    assert await wire_of(platform, control, CreatePolicy(recipient, policy)) == (
        "POST",
        POLICIES,
        {"name": "people", "comment": "Staff", "oidc_policy": {**oidc, "audiences": ["a", "b"]}},
    )
    bare = FederationPolicy("robots", "https://login", SubjectClaim.GROUPS, "s")
    sent = await wire_of(platform, control, CreatePolicy(recipient, bare))
    assert sent[2] == {"name": "robots", "oidc_policy": oidc}
    gone = await wire_of(platform, control, DeletePolicy(recipient, "people"))
    assert gone[:2] == ("DELETE", f"{POLICIES}/people")
    assert (await refusal(platform, DeletePolicy(recipient, "people"))).code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize("name", ["", "..", "../../acme"])
async def test_a_policy_name_cannot_reach_elsewhere(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, name: str
) -> None:
    await platform.perform(CreateRecipient(recipient, OidcSharing()))
    with pytest.raises(RefusedError):
        await platform.perform(DeletePolicy(recipient, name))
    assert (await found(platform, recipient)).resource.name == "acme"


@pytest.mark.parametrize("overlap", [0, 3600])
async def test_a_rotation_says_how_long_the_old_token_goes_on(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, overlap: int
) -> None:
    call = RotateToken(recipient, "decided-by-others", overlap)
    sent = await wire_of(platform, control, call, CreateRecipient(recipient, TokenSharing()))
    assert sent == ("POST", "/recipients/acme/rotate-token", {"existing_token_expire_in_seconds": overlap})
    live = [token for token in control.tokens("acme") if token["is_live"]]
    assert len(live) == (1 if overlap == 0 else 2)


@pytest.mark.parametrize(
    ("left", "asked", "sent"),
    [(7200, 3600, 3600), (3600, 3600, 3539), (1800, 3600, 1739), (30, 3600, 0), (-5, 3600, 0), (600, 0, 0)],
)
async def test_a_rotation_never_asks_for_more_than_is_left_of_the_old_token(
    punctual: DatabricksPlatform, control: ControlClient, recipient: Key, left: int, asked: int, sent: int
) -> None:
    """Contract 2.5: that is refused. A minute goes to clocks that differ and requests that are slow."""
    created = CreateRecipient(recipient, TokenSharing(), expires_at=(NOW + max(left, 20)) * 1000)
    call = RotateToken(recipient, "x", asked, (NOW + left) * 1000)
    request = await wire_of(punctual, control, call, created)
    assert request[2] == {"existing_token_expire_in_seconds": sent}


@pytest.mark.parametrize("words", [None, "Two are plenty"])
async def test_a_third_token_is_refused_whatever_the_words(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, words: str | None
) -> None:
    """Contract 2.5: by its code, as any other refusal."""
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    await platform.perform(RotateToken(recipient, "x", 3600))
    if words:
        control.fault(
            f"POST {UC}/recipients/*/rotate-token", status=400, error_code="INVALID_PARAMETER_VALUE", message=words
        )
    refused = await refusal(platform, RotateToken(recipient, "x", 3600))
    assert refused.code == "INVALID_PARAMETER_VALUE"
    assert refused.reason == words or refused.reason.startswith("There are already two")
    assert len(control.tokens("acme")) == 2


CLEARED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"allowed_ips": ()}, {"ip_access_list": {}}),
    ({"comment": ""}, {"comment": ""}),
    ({"properties": ()}, {"properties_kvpairs": {}}),
]


@pytest.mark.parametrize(("fields", "body"), CLEARED, ids=lambda each: str(*each))
async def test_empty_clears(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, fields: dict[str, Any], body: Any
) -> None:
    create = CreateRecipient(recipient, TokenSharing(), ("1.2.3.4",), "Partner", (("org", "acme"),))
    sent = await wire_of(platform, control, UpdateRecipient(recipient, **fields), create)
    assert sent == ("PATCH", "/recipients/acme", body)
    resource = (await found(platform, recipient)).resource
    assert isinstance(resource, Recipient)
    held = {"allowed_ips": resource.allowed_ips, "comment": resource.comment, "properties": resource.properties}
    (name,) = fields
    assert not held.pop(name)
    assert all(held.values())


async def test_properties_are_sent_as_a_whole(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    create = CreateRecipient(recipient, TokenSharing(), properties=(("a", "1"), ("b", "2")))
    sent = await wire_of(platform, control, UpdateRecipient(recipient, properties=(("b", "3"),)), create)
    assert sent == ("PATCH", "/recipients/acme", {"properties_kvpairs": {"properties": {"b": "3"}}})
    resource = (await found(platform, recipient)).resource
    assert isinstance(resource, Recipient)
    assert resource.properties == frozenset({("b", "3")})


async def test_a_rotation_whose_answer_is_lost_may_have_been_made(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    """It is sent once: whoever reads then finds another token to be the newest."""
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    (before,) = (await found(platform, recipient)).tokens
    control.fault(f"POST {UC}/recipients/*/rotate-token", after_handler=True, drop_connection=True, times=0)
    control.clear_log()
    lost = await unavailability(platform, RotateToken(recipient, before.id, 3600))
    assert lost.maybe_done
    assert len(requests_of(control)) == 1
    assert (await found(platform, recipient)).tokens[0].id != before.id
