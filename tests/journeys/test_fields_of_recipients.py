"""Every field of each type of recipient, created, changed, cleared, left alone and removed, and each changed by hand:
the workspace says what the pack says, a second plan is empty, and what drifted is one step."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest_asyncio
from databricks.sdk.service.sharing import (
    FederationPolicy,
    IpAccessList,
    OidcFederationPolicy,
    SecurablePropertiesKvPairs,
)

from reconciler.core.changes import Cause
from reconciler.core.key import recipient_key
from reconciler.core.recipient import Recipient
from reconciler.core.verdict import Record, Rename, Replace
from tests.journeys.fields import (
    SEED,
    Case,
    Entry,
    assert_nothing_to_do,
    cause,
    differences,
    in_days,
    open_steps,
    pack,
    recipient_as_written,
    told,
)
from tests.journeys.journey import Journey

ISSUER: Final = "https://login.example.com/tenant/v2.0"
NIGHTLY: Final = {"name": "nightly", "issuer": ISSUER, "subject_claim": "oid", "subject": "1111"}
WEEKLY: Final = {**NIGHTLY, "name": "weekly", "subject_claim": "azp", "audiences": ["a", "b"], "comment": "weekly run"}
#: The same policy by name, of somebody else: it cannot be changed in place.
OTHER_NIGHTLY: Final = {**NIGHTLY, "subject": "2222"}


def _common(kind: str) -> list[Case]:
    properties = SecurablePropertiesKvPairs({"country": "FR", "added": "by hand"})
    return [
        Case(kind, "comment", {"comment": "one"}, {"comment": "two"}, {"comment": "by hand"}, {"comment": ""}),
        Case(
            kind,
            "owner",
            {"owner": "sharing-team"},
            {"owner": "sharing-desk"},
            {"owner": "sharepack@sandbox.example"},
        ),
        Case(
            kind,
            "properties",
            {"properties": {"country": "DE", "tier": "1"}},
            {"properties": {"country": "AT"}},
            {"properties_kvpairs": properties},
            {"properties": {}},
        ),
    ]


def _addresses(kind: str) -> Case:
    return Case(
        kind,
        "allowed-ips",
        {"allowed_ips": ["198.51.100.50", "203.0.113.0/24"]},
        {"allowed_ips": ["203.0.113.0/24"]},
        {"ip_access_list": IpAccessList(["192.0.2.1", "203.0.113.0/24"])},
        {"allowed_ips": []},
    )


_POLICIES: Final = Case(
    "OIDC",
    "policies",
    {"federation_policies": [NIGHTLY, WEEKLY]},
    {"federation_policies": [OTHER_NIGHTLY]},
    {},
    {"federation_policies": []},
)
_EXPIRY: Final = Case("D2O", "expires-at", {"expires_at": in_days(200)}, {"expires_at": in_days(100)}, {})
CASES: Final = {
    case.name: case
    for case in (
        *(case for kind in ("D2O", "OIDC", "D2D") for case in _common(kind)),
        _addresses("D2O"),
        _addresses("OIDC"),
        _EXPIRY,
        _POLICIES,
    )
}
#: What a change by hand is told as; the rest is told as its field with the value that comes back.
DRIFT: Final = {
    "properties": ["properties.added = ", "properties.country = DE", "properties.tier = 1"],
    "allowed-ips": ["allowed_ips + 198.51.100.50", "allowed_ips - 192.0.2.1"],
    "comment": ["comment = one"],
    "owner": ["owner = sharing-team"],
}
OPEN_TO_ALL: Final = tuple(f"open-ips:recipient/{name}" for name in ("d2o-allowed-ips", "oidc-allowed-ips"))


def entry(case: Case, fields: Entry) -> Entry:
    """A D2D recipient of its own metastore: there is one for each."""
    number = list(CASES).index(case.name)
    needed = {
        "D2O": {"email": f"{case.label}@example.com"},
        "OIDC": {},
        "D2D": {"metastore_id": f"aws:us-west-2:abc-{number}"},
    }
    return {"name": case.name, "type": case.kind, **needed[case.kind], **fields}


FIRST: Final = {name: entry(case, case.first) for name, case in CASES.items()}
SECOND: Final = {name: entry(case, case.second) for name, case in CASES.items()}
CLEARED: Final = {
    name: entry(case, case.second if case.cleared is None else case.cleared) for name, case in CASES.items()
}
SILENT: Final = {name: entry(case, {}) for name, case in CASES.items()}


@pytest_asyncio.fixture
async def stocked(journey: Journey) -> AsyncIterator[Journey]:
    journey.control.seed(SEED)
    await converge(journey, FIRST)
    yield journey


def text(recipients: Mapping[str, Entry]) -> str:
    return pack("Recipients", recipient=list(recipients.values()))


async def converge(journey: Journey, recipients: Mapping[str, Entry]) -> None:
    journey.save("recipients.yaml", text(recipients))
    await journey.converge()
    assert_nothing_to_do(await journey.plan())


def assert_said(sdk: Any, recipients: Mapping[str, Entry]) -> None:
    ours_alone = {"type", "email"}
    wrong = {}
    for name, said in recipients.items():
        visible = {field: value for field, value in said.items() if field not in ours_alone}
        if lines := differences(visible, as_written(sdk, name)):
            wrong[name] = lines
    assert not wrong


def as_written(sdk: Any, name: str) -> Entry:
    return recipient_as_written(sdk, sdk.recipients.get(name))


async def test_each_field_is_made_changed_cleared_left_alone_and_removed(stocked: Journey, sdk: Any) -> None:
    assert_said(sdk, FIRST)
    ids = {name: sdk.recipients.get(name).id for name in CASES}
    stocked.save("recipients.yaml", text(SECOND))
    planned = open_steps(await stocked.plan())
    assert {name: cause(step) for name, step in planned.items()} == dict.fromkeys(CASES, Cause.FILE)
    await converge(stocked, SECOND)
    assert_said(sdk, SECOND)

    stocked.save("recipients.yaml", text(CLEARED))
    held = {name for name, step in open_steps(await stocked.plan()).items() if step.is_held}
    assert held == {"d2o-allowed-ips", "oidc-allowed-ips"}
    stocked.allow(*OPEN_TO_ALL)
    await converge(stocked, CLEARED)
    assert_said(sdk, CLEARED)

    await leave_alone(stocked, sdk)
    assert {name: sdk.recipients.get(name).id for name in CASES} == ids, "none was made anew"

    await converge(stocked, {})
    assert list(sdk.recipients.list()) == []


async def leave_alone(journey: Journey, sdk: Any) -> None:
    """What is not mentioned any more stays as it was, and what is done to it by hand is nobody's business."""
    before = {name: as_written(sdk, name) for name in CASES}
    journey.save("recipients.yaml", text(SILENT))
    assert {type(step.verdict) for step in open_steps(await journey.plan()).values()} == {Record}
    journey.control.clear_log()
    await converge(journey, SILENT)
    assert journey.writes() == []
    assert {name: as_written(sdk, name) for name in CASES} == before
    for name, case in CASES.items():
        change_by_hand(sdk, name, case)
    assert_nothing_to_do(await journey.plan())


def change_by_hand(sdk: Any, name: str, case: Case) -> None:
    if case is _POLICIES:
        for policy in list(sdk.recipient_federation_policies.list(name)):
            sdk.recipient_federation_policies.delete(name, policy.name)
        oidc = OidcFederationPolicy(issuer=ISSUER, subject_claim="sub", subject="3333")
        sdk.recipient_federation_policies.create(name, FederationPolicy(name="by-hand", oidc_policy=oidc))
    elif case is _EXPIRY:
        sdk.recipients.update(name, expiration_time=sdk.recipients.get(name).expiration_time - 86_400_000)
    else:
        sdk.recipients.update(name, **case.by_hand)


async def test_each_field_changed_by_hand_is_one_step_and_comes_back(stocked: Journey, sdk: Any) -> None:
    cases = {name: case for name, case in CASES.items() if case is not _EXPIRY}
    for name, case in cases.items():
        change_by_hand(sdk, name, case)
        assert differences(case.first, as_written(sdk, name)), name
    planned = open_steps(await stocked.plan())
    assert planned.keys() == cases.keys()
    assert {name: cause(step) for name, step in planned.items()} == dict.fromkeys(cases, Cause.DRIFT)
    assert {name: told(step) for name, step in planned.items() if name != _POLICIES.name} == {
        name: DRIFT[case.label] for name, case in cases.items() if case is not _POLICIES
    }
    assert told(planned[_POLICIES.name]) == [
        f"policies + nightly (oid 1111 at {ISSUER})",
        f"policies + weekly (azp 1111 at {ISSUER})",
        f"policies - by-hand (sub 3333 at {ISSUER})",
    ]
    await stocked.converge()
    assert_said(sdk, FIRST)
    assert_nothing_to_do(await stocked.plan())


async def test_an_expiry_that_was_shortened_by_hand_cannot_come_back_and_is_held_with_what_to_do(
    stocked: Journey, sdk: Any
) -> None:
    change_by_hand(sdk, _EXPIRY.name, _EXPIRY)
    ((name, step),) = open_steps(await stocked.plan()).items()
    assert (name, cause(step), step.is_held) == (_EXPIRY.name, Cause.DRIFT, True)
    (objection,) = step.objections
    assert objection.rule == "expiry-not-extendable"
    assert in_days(199) in objection.message
    assert objection.hint == f"rotate it for a longer one: sharepack rotate {_EXPIRY.name}"
    stocked.control.clear_log()
    await stocked.apply()
    assert stocked.writes() == []


async def test_what_only_the_record_holds_changes_without_a_call(journey: Journey) -> None:
    journey.control.seed(SEED)
    kept: list[Entry] = [
        {"email": "ann@example.com", "rotate_every": "60d", "rotation_overlap": "3d", "token_lifetime": "90d"},
        {"email": "ben@example.com", "rotate_every": "61d", "rotation_overlap": "4d", "token_lifetime": "120d"},
        {"email": "ben@example.com", "rotate_every": "61d", "protect": True},
        {"email": "ben@example.com"},
    ]
    recorded = []
    for fields in kept:
        await converge(journey, {"partner": {"name": "partner", "type": "D2O", **fields}})
        (last,) = (await journey.ledger.history(recipient_key("partner", journey.url)))[-1:]
        assert isinstance(last.resource, Recipient)
        recorded.append(last.resource)
    assert [(method, path) for method, path, _ in journey.writes()] == [("POST", "/recipients")]
    day = 86_400
    assert [(each.email, each.rotate_every, each.rotation_overlap, each.token_lifetime) for each in recorded[:2]] == [
        ("ann@example.com", 60 * day, 3 * day, 90 * day),
        ("ben@example.com", 61 * day, 4 * day, 120 * day),
    ]
    assert [each.protect for each in recorded] == [False, False, True, False]


async def test_a_protected_recipient_is_not_deleted_until_that_is_lifted(journey: Journey, sdk: Any) -> None:
    partner = {"name": "partner", "type": "D2O", "email": "ann@example.com"}
    await converge(journey, {"partner": {**partner, "protect": True}})
    journey.save("recipients.yaml", text({}))
    (held,) = open_steps(await journey.plan()).values()
    assert [objection.rule for objection in held.objections] == ["protected"]
    await journey.apply()
    assert sdk.recipients.get("partner").name == "partner"
    await converge(journey, {"partner": partner})
    await converge(journey, {})
    assert list(sdk.recipients.list()) == []


async def test_a_renamed_recipient_keeps_its_token_and_its_grants(journey: Journey, sdk: Any) -> None:
    journey.control.seed(SEED)
    old = {"name": "old", "type": "D2O", "email": "ann@example.com"}
    share = {"name": "orders", "recipients": ["old"], "data_objects": ["main.sales.orders"]}
    journey.save("recipients.yaml", pack("Recipients", recipient=[old], share=[share]))
    await journey.converge()
    before = sdk.recipients.get("old")
    new = {**old, "name": "new", "renamed_from": "old", "comment": "renamed"}
    journey.save("recipients.yaml", pack("Recipients", recipient=[new], share=[{**share, "recipients": ["new"]}]))
    planned = open_steps(await journey.plan())
    assert {name: type(step.verdict) for name, step in planned.items()} == {"new": Rename, "orders": Record}
    journey.control.clear_log()
    await journey.converge()
    assert_nothing_to_do(await journey.plan())
    after = sdk.recipients.get("new")
    assert (after.id, after.comment) == (before.id, "renamed")
    assert [token.id for token in after.tokens] == [token.id for token in before.tokens]
    assert {(method, path) for method, path, _ in journey.writes()} == {
        ("PATCH", "/recipients/old"),
        ("PATCH", "/recipients/new"),
    }


async def test_another_way_to_sign_in_is_another_recipient_and_only_with_its_name_allowed(
    journey: Journey, sdk: Any
) -> None:
    journey.control.seed(SEED)
    share = {"name": "orders", "recipients": ["partner"], "data_objects": ["main.sales.orders"]}
    kinds: list[Entry] = [
        {"type": "D2O", "email": "ann@example.com"},
        {"type": "OIDC", "federation_policies": [NIGHTLY]},
        {"type": "D2D", "metastore_id": "aws:us-west-2:abc-1"},
        {"type": "D2D", "metastore_id": "aws:us-west-2:abc-2"},
    ]
    ids = []
    for number, kind in enumerate(kinds):
        journey.save("recipients.yaml", pack("Partner", recipient=[{"name": "partner", **kind}], share=[share]))
        if number:
            held = [step for step in (await journey.plan()).steps if step.is_held]
            assert [type(step.verdict) for step in held][:1] == [Replace]
        journey.allow("replace:recipient/partner")
        await journey.converge()
        assert_nothing_to_do(await journey.plan())
        journey.allow()
        ids.append(sdk.recipients.get("partner").id)
        grants = sdk.shares.share_permissions("orders").privilege_assignments
        assert [grant.principal for grant in grants] == ["partner"], "it is granted again"
    assert len(set(ids)) == len(kinds)
