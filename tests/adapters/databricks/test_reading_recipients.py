"""Recipients as Databricks tells them: every field a value, tokens newest first, nothing of the server's own."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.actual import Token
from reconciler.core.calls import CreatePolicy, CreateRecipient, RotateToken, UpdateRecipient
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC, answer, found, reason

ME = "sharepack@sandbox.example"
METASTORE = "aws:us-east-1:AAAAAAAA-2222-3333-4444-555555555555"
POLICIES = "/api/2.0/data-sharing/recipients/acme/federation-policies"
PEOPLE = FederationPolicy("people", "https://login.example", SubjectClaim.OID, "s-1", frozenset({"a", "b"}), "Staff")
ROBOTS = FederationPolicy("robots", "https://login.example", SubjectClaim.AZP, "s-2")
#: What every recipient says that nobody set anything on.
BARE = Recipient(
    "acme", TokenSharing(), allowed_ips=frozenset(), comment="", owner=ME, properties=frozenset(), expires_at=UNMANAGED
)


async def test_a_token_recipient(platform: DatabricksPlatform, control: ControlClient, recipient: Key) -> None:
    call = CreateRecipient(
        recipient, TokenSharing(), ("10.0.0.0/8", "1.2.3.4"), "Partner", (("org", "acme"), ("region", "emea"))
    )
    await platform.perform(call)
    (token,) = control.tokens("acme")
    seen = await found(platform, recipient)
    assert seen.resource == replace(
        BARE,
        allowed_ips=frozenset({"10.0.0.0/8", "1.2.3.4"}),
        comment="Partner",
        properties=frozenset({("org", "acme"), ("region", "emea")}),
        expires_at=token["expires_at"],
    )
    assert seen.tokens == (Token(token["id"], token["created_at"], token["expires_at"]),)
    assert (seen.owner, seen.updated_by) == (ME, ME)
    assert seen.updated_at is not None
    assert seen.updated_at > 1_600_000_000_000


async def test_what_is_not_set_is_empty_never_unmanaged(platform: DatabricksPlatform, recipient: Key) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    seen = await found(platform, recipient)
    assert seen.resource == replace(BARE, expires_at=seen.tokens[0].expires_at or UNMANAGED)


async def test_a_databricks_recipient_has_its_metastore_in_lower_case_and_no_address_list(
    platform: DatabricksPlatform, recipient: Key
) -> None:
    await platform.perform(CreateRecipient(recipient, DatabricksSharing(METASTORE)))
    seen = await found(platform, recipient)
    wanted = replace(BARE, authentication=DatabricksSharing(METASTORE.lower()), allowed_ips=UNMANAGED)
    assert (seen.resource, seen.tokens) == (wanted, ())


@pytest.mark.parametrize("knobs", [{}, {"page_size": 1, "empty_middle_pages": True}], ids=str)
async def test_an_oidc_recipient_with_all_its_policies(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, knobs: dict[str, Any]
) -> None:
    control.knobs(**knobs)
    await platform.perform(CreateRecipient(recipient, OidcSharing(), ("10.0.0.0/8",)))
    for policy in (PEOPLE, ROBOTS):
        await platform.perform(CreatePolicy(recipient, policy))
    seen = await found(platform, recipient)
    assert seen.resource == replace(
        BARE,
        authentication=OidcSharing(),
        allowed_ips=frozenset({"10.0.0.0/8"}),
        policies=frozenset({PEOPLE, ROBOTS}),
    )


async def test_policies_are_asked_for_where_there_can_be_some(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    control.clear_log()
    await found(platform, recipient)
    assert [entry["path"] for entry in control.log()] == [f"{UC}/recipients/acme"]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"name": "x", "oidc_policy": {"issuer": "i", "subject": "s", "subject_claim": "aura"}}, "does not know"),
        ({"name": "x"}, "does not know"),
        ({"oidc_policy": {"issuer": "i", "subject": "s", "subject_claim": "sub"}}, "does not know"),
        ({"name": "x", "oidc_policy": {"issuer": "i", "subject_claim": "sub"}}, "does not know"),
        ({"name": "x", "oidc_policy": ["i"]}, "no answer of the Databricks API"),
    ],
)
async def test_a_policy_that_cannot_be_told_makes_the_recipient_unreadable(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, policy: Any, says: str
) -> None:
    await platform.perform(CreateRecipient(recipient, OidcSharing()))
    control.fault(f"GET {POLICIES}", status=200, body={"policies": [policy]}, times=0)
    assert says in await reason(platform, recipient)


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [(404, "RECIPIENT_DOES_NOT_EXIST", "read it again"), (403, "PERMISSION_DENIED", "PERMISSION_DENIED: No")],
)
async def test_policies_that_cannot_be_read_are_not_none(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, status: int, code: str, says: str
) -> None:
    await platform.perform(CreateRecipient(recipient, OidcSharing()))
    control.fault(f"GET {POLICIES}", status=status, error_code=code, message="No")
    assert says in await reason(platform, recipient)


async def test_a_way_to_sign_in_that_packs_do_not_know(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    told = {"name": "acme", "authentication_type": "OAUTH_CLIENT_CREDENTIALS", "owner": ME}
    answer(control, "recipients/acme", told)
    seen = await found(platform, recipient)
    assert seen.resource == replace(BARE, authentication=OtherSharing("OAUTH_CLIENT_CREDENTIALS"))


@pytest.mark.parametrize("order", ["newest", "oldest", "shuffle"])
async def test_tokens_are_told_newest_first(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key, order: str
) -> None:
    control.knobs(token_order=order)
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    control.advance_clock(5)
    (first,) = (await found(platform, recipient)).tokens
    await platform.perform(RotateToken(recipient, first.id, 3600))
    seen = await found(platform, recipient)
    assert [token.id for token in seen.tokens] == [each["id"] for each in reversed(control.tokens("acme"))]
    assert seen.tokens[1].id == first.id
    assert isinstance(seen.resource, Recipient)
    assert seen.resource.expires_at == seen.tokens[0].expires_at


@pytest.mark.parametrize(
    ("told", "expected", "tokens"),
    [
        ({"tokens": [{"id": "t", "created_at": 5}], "expiration_time": 9}, 9, (Token("t", 5),)),
        ({"tokens": [{"id": "t", "created_at": 5, "expiration_time": 7}]}, 7, (Token("t", 5, 7),)),
        ({"tokens": [{"id": "t", "created_at": 5}]}, UNMANAGED, (Token("t", 5),)),
        ({"expiration_time": 9}, 9, ()),
        ({}, UNMANAGED, ()),
    ],
)
async def test_when_the_newest_token_ends(
    platform: DatabricksPlatform,
    control: ControlClient,
    recipient: Key,
    told: Any,
    expected: Any,
    tokens: tuple[Token, ...],
) -> None:
    answer(control, "recipients/acme", {"name": "acme", "authentication_type": "TOKEN", "owner": ME, **told})
    seen = await found(platform, recipient)
    assert (seen.resource, seen.tokens) == (replace(BARE, expires_at=expected), tokens)


async def test_an_expiration_is_read_back_to_the_millisecond(platform: DatabricksPlatform, recipient: Key) -> None:
    await platform.perform(CreateRecipient(recipient, TokenSharing()))
    (token,) = (await found(platform, recipient)).tokens
    assert token.expires_at is not None
    await platform.perform(UpdateRecipient(recipient, expires_at=token.expires_at - 1))
    assert (await found(platform, recipient)).tokens[0].expires_at == token.expires_at - 1


async def test_empty_and_reserved_properties(
    platform: DatabricksPlatform, control: ControlClient, recipient: Key
) -> None:
    held = {"properties": {"databricks.name": "acme", "databricks-account-id": "1", "empty": ""}}
    answer(
        control,
        "recipients/acme",
        {"name": "acme", "authentication_type": "TOKEN", "owner": ME, "properties_kvpairs": held},
    )
    seen = await found(platform, recipient)
    assert seen.resource == replace(BARE, properties=frozenset({("databricks-account-id", "1"), ("empty", "")}))
