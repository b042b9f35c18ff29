"""A quiet look costs lists and grants, and nothing that a hand changes slips through it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from databricks.sdk.service.sharing import (
    AuthenticationType,
    FederationPolicy,
    IpAccessList,
    OidcFederationPolicy,
    PermissionsChange,
    SecurablePropertiesKvPairs,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectHistoryDataSharingStatus,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.core.key import PackId
from reconciler.sandbox import Sandbox, Seed
from tests.journeys.glancing import Looking, a_pack, looking, undone
from tests.journeys.journey import Journey

ALPHA, BETA = PackId.of("Line Alpha", "Alpha"), PackId.of("Line Beta", "Beta")
ADD, REMOVE, UPDATE = SharedDataObjectUpdateAction
TABLE = SharedDataObjectDataObjectType.TABLE
CUSTOMERS, REFUNDS = "prod_catalog.sales.customers", "prod_catalog.sales.refunds"
#: Few shares: each is asked for its readers. Many: each recipient is asked for its shares.
FEW: dict[str, Any] = {"shares": 2}
MANY: dict[str, Any] = {"shares": 6, "recipients": 1}


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(Seed.example())


@pytest.fixture(scope="module")
def sandbox_url(sandbox: Sandbox) -> Iterator[str]:
    with sandbox.serving() as url:
        yield url


def objects(sdk: Any, *updates: tuple[SharedDataObjectUpdateAction, SharedDataObject]) -> None:
    sdk.shares.update("alpha_s0", updates=[SharedDataObjectUpdate(*each) for each in updates])


def table(name: str, **more: Any) -> SharedDataObject:
    return SharedDataObject(name=name, data_object_type=TABLE, **more)


def grant(sdk: Any, recipient: str, share: str = "alpha_s0") -> None:
    sdk.shares.update_permissions(share, changes=[PermissionsChange(principal=recipient, add=["SELECT"])])


def revoke(sdk: Any, recipient: str, share: str = "alpha_s0") -> None:
    sdk.shares.update_permissions(share, changes=[PermissionsChange(principal=recipient, remove=["SELECT"])])


def make(sdk: Any, name: str) -> None:
    sdk.recipients.create(name, AuthenticationType.TOKEN)


def share_anew(sdk: Any) -> None:
    """As it was, in everything but when it was made."""
    found = sdk.shares.get("alpha_s0", include_shared_data=True)
    readers = sdk.shares.share_permissions("alpha_s0").privilege_assignments
    sdk.shares.delete("alpha_s0")
    sdk.shares.create("alpha_s0", comment=found.comment)
    objects(sdk, *((ADD, table(each.name)) for each in found.objects))
    for each in readers:
        grant(sdk, each.principal)


def share_put_in_its_place(sdk: Any) -> None:
    """Another share, older than the look, takes the name."""
    sdk.shares.update("alpha_s0", new_name="hidden")
    sdk.shares.update("impostor", new_name="alpha_s0")


def recipient_put_in_its_place(sdk: Any) -> None:
    sdk.recipients.update("alpha-r0", new_name="hidden")
    sdk.recipients.update("stranger", new_name="alpha-r0", comment="for alpha-r0")


def recipient_anew(sdk: Any) -> None:
    sdk.recipients.delete("alpha-r0")
    sdk.recipients.create("alpha-r0", AuthenticationType.TOKEN, comment="for alpha-r0")
    for share in sdk.shares.list_shares():
        if share.name.startswith("alpha_"):
            grant(sdk, "alpha-r0", share.name)


def made_a_moment_ago(sdk: Any) -> None:
    make(sdk, "newcomer")
    grant(sdk, "newcomer")


def one_for_another(sdk: Any) -> None:
    """As many objects as before."""
    objects(sdk, (ADD, table(REFUNDS)))
    objects(sdk, (REMOVE, table(CUSTOMERS)))


def under_another_alias(sdk: Any) -> None:
    objects(sdk, (REMOVE, table(CUSTOMERS)))
    objects(sdk, (ADD, table(CUSTOMERS, shared_as="sales.people")))


HANDS: dict[str, Callable[[Any], object]] = {
    "object added": lambda sdk: objects(sdk, (ADD, table(REFUNDS))),
    "object removed": lambda sdk: objects(sdk, (REMOVE, table(CUSTOMERS))),
    "object exchanged": one_for_another,
    "object under another alias": under_another_alias,
    "object with its history": lambda sdk: objects(
        sdk,
        (
            UPDATE,
            table(CUSTOMERS, history_data_sharing_status=SharedDataObjectHistoryDataSharingStatus.ENABLED),
        ),
    ),
    "object with a comment": lambda sdk: objects(sdk, (UPDATE, table(CUSTOMERS, comment="by hand"))),
    "grant to a known recipient": lambda sdk: grant(sdk, "beta-r0"),
    "grant to a foreign recipient": lambda sdk: grant(sdk, "stranger"),
    "grant to a recipient made a moment ago": made_a_moment_ago,
    "grant taken away": lambda sdk: revoke(sdk, "alpha-r0"),
    "comment of a recipient": lambda sdk: sdk.recipients.update("alpha-r0", comment="by hand"),
    "owner of a recipient": lambda sdk: sdk.recipients.update("alpha-r0", owner="owner@sandbox.example"),
    "properties of a recipient": lambda sdk: sdk.recipients.update(
        "alpha-r0", properties_kvpairs=SecurablePropertiesKvPairs({"region": "emea"})
    ),
    "addresses of a recipient": lambda sdk: sdk.recipients.update(
        "alpha-r0", ip_access_list=IpAccessList(["198.51.100.7"])
    ),
    "end of a token": lambda sdk: sdk.recipients.update(
        "alpha-r0", expiration_time=sdk.recipients.get("alpha-r0").tokens[0].expiration_time - 86_400_000
    ),
    "token rotated": lambda sdk: sdk.recipients.rotate_token("alpha-r0", 3600),
    "recipient deleted": lambda sdk: sdk.recipients.delete("alpha-r0"),
    "recipient deleted and made again": recipient_anew,
    "recipient renamed away": lambda sdk: sdk.recipients.update("alpha-r0", new_name="hidden"),
    "another recipient in its place": recipient_put_in_its_place,
    "comment of a share": lambda sdk: sdk.shares.update("alpha_s0", comment="by hand"),
    "owner of a share": lambda sdk: sdk.shares.update("alpha_s0", owner="owner@sandbox.example"),
    "share deleted": lambda sdk: sdk.shares.delete("alpha_s0"),
    "share deleted and made again": share_anew,
    "share renamed away": lambda sdk: sdk.shares.update("alpha_s0", new_name="hidden"),
    "another share in its place": share_put_in_its_place,
}


async def two_packs(journey: Journey, sdk: Any, size: dict[str, Any]) -> Looking:
    make(sdk, "stranger")
    sdk.shares.create("impostor", comment="number 0")
    look = await looking(journey, a_pack("Alpha", **size), a_pack("Beta", **size))
    assert await look.by_lists() == {ALPHA, BETA}
    return look


@pytest.mark.parametrize("size", [FEW, MANY], ids=["by share", "by recipient"])
async def test_what_a_hand_changes_is_not_taken_for_unchanged(
    journey: Journey, sandbox: Sandbox, sdk: Any, size: dict[str, Any]
) -> None:
    look = await two_packs(journey, sdk, size)
    for hand, change in HANDS.items():
        with undone(sandbox, look):
            change(sdk)
            assert await look.by_lists() == {BETA}, hand
        with undone(sandbox, look):
            assert await look.by_lists() == {ALPHA, BETA}, f"{hand} was not undone"


@pytest.mark.parametrize(
    "knobs",
    [
        {"list_includes_tokens": False},
        {"empty_middle_pages": True, "page_size": 3},
        {"shuffle_lists": True, "token_order": "shuffle"},
        {"lowercase_names": False, "empty_lists_omitted": False},
        {"permission_change_bumps_updated_at": True},
        {"rotate_bumps_updated_at": False},
    ],
    ids=str,
)
async def test_what_is_unknown_of_databricks_makes_no_difference(
    journey: Journey, sdk: Any, knobs: dict[str, Any]
) -> None:
    journey.control.knobs(**knobs)
    look = await two_packs(journey, sdk, FEW)
    for hand in ("object added", "grant to a foreign recipient", "owner of a recipient"):
        HANDS[hand](sdk)
        assert await look.by_lists() == {BETA}, hand


async def test_a_token_that_is_rotated_without_a_trace_is_seen_where_lists_carry_tokens(
    journey: Journey, sdk: Any
) -> None:
    journey.control.knobs(rotate_bumps_updated_at=False)
    look = await two_packs(journey, sdk, FEW)
    sdk.recipients.rotate_token("alpha-r0", 3600)
    assert await look.by_lists() == {BETA}


@pytest.mark.parametrize(("size", "most"), [(FEW, 2 + 4), (MANY, 2 + 3 + 3)], ids=["by share", "by recipient"])
async def test_a_quiet_look_asks_lists_and_grants_and_nothing_else(
    journey: Journey, sdk: Any, size: dict[str, Any], most: int
) -> None:
    look = await two_packs(journey, sdk, size)
    assert await look.by_lists() == {ALPHA, BETA}
    assert look.asked.count("GET /recipients") == look.asked.count("GET /shares") == 1
    assert len(look.asked) <= most
    assert all(each.startswith("GET ") for each in look.asked)
    assert journey.writes() == []


async def test_a_page_more_is_a_call_more(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    journey.control.knobs(page_size=2)
    assert await look.by_lists() == {ALPHA, BETA}
    # Five of each, the foreign ones too, and the readers of four shares.
    assert len(look.asked) == 3 + 3 + 4


async def test_lists_that_cost_more_than_they_save_are_left_alone(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    journey.control.knobs(page_size=1)
    await look.by_lists()
    assert await look.by_lists() == frozenset()
    assert look.asked == []


@pytest.mark.parametrize("what", ["recipients", "shares"])
async def test_a_list_that_is_refused_vouches_for_nothing(journey: Journey, sdk: Any, what: str) -> None:
    look = await two_packs(journey, sdk, FEW)
    journey.control.fault(
        f"GET /api/2.1/unity-catalog/{what}", status=403, error_code="PERMISSION_DENIED", message="No", times=0
    )
    assert await look.by_lists() == frozenset()
    journey.control.clear_faults()


@pytest.mark.parametrize("size", [FEW, MANY], ids=["by share", "by recipient"])
async def test_readers_that_are_not_told_vouch_for_nothing(journey: Journey, sdk: Any, size: dict[str, Any]) -> None:
    look = await two_packs(journey, sdk, size)
    denied = {"status": 403, "error_code": "PERMISSION_DENIED", "message": "No", "times": 0}
    journey.control.fault("GET /api/2.1/unity-catalog/shares/alpha_s0/permissions", **denied)
    journey.control.fault("GET /api/2.1/unity-catalog/recipients/*/share-permissions", **denied)
    assert await look.by_lists() == {BETA}
    journey.control.clear_faults()


async def test_recipients_that_do_not_tell_are_not_asked_again(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, MANY)
    path = "/api/2.1/unity-catalog/recipients/*/share-permissions"
    journey.control.fault(f"GET {path}", status=403, error_code="PERMISSION_DENIED", message="No", times=0)
    assert await look.by_lists() == {ALPHA, BETA}
    assert sum("share-permissions" in each for each in look.asked) == 3
    assert await look.by_lists() == {ALPHA, BETA}
    assert sum("share-permissions" in each for each in look.asked) == 0
    journey.control.clear_faults()


async def test_a_recipient_that_only_an_admin_sees_hides_no_grant(journey: Journey, sdk: Any) -> None:
    """Who may not see all recipients asks the shares who reads them."""
    look = await two_packs(journey, sdk, MANY)
    journey.control.metastore(owner="owner@sandbox.example")
    journey.platform._callers.clear()  # type: ignore[attr-defined] # it is known for a minute
    assert await look.by_lists() == {ALPHA, BETA}
    assert sum(each.endswith("/permissions") and "/shares/" in each for each in look.asked) == 12


async def test_who_may_sign_in_is_asked_for(journey: Journey, sdk: Any) -> None:
    pack = a_pack("Alpha", kind="type: OIDC").replace(", email: x@y.com", "")
    pack = pack.replace(
        'comment: "for alpha-r0"',
        'comment: "for alpha-r0", federation_policies: '
        "[{name: one, issuer: https://id.example/a, subject_claim: sub, subject: s}]",
    )
    look = await looking(journey, pack)
    assert await look.by_lists() == {ALPHA}
    assert sum("federation-policies" in each for each in look.asked) == 2
    policy = OidcFederationPolicy.from_dict(
        {"issuer": "https://id.example/b", "subject": "intruder", "subject_claim": "sub"}
    )
    sdk.recipient_federation_policies.create("alpha-r0", FederationPolicy(name="other", oidc_policy=policy))
    assert await look.by_lists() == frozenset()


async def test_a_clock_that_goes_back_hides_nothing(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    journey.control.advance_clock(-7200)
    HANDS["object added"](sdk)
    assert await look.by_lists() == {BETA}


async def test_two_changes_within_a_millisecond_are_both_seen(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    journey.control.advance_clock(3600)
    HANDS["object added"](sdk)
    objects(sdk, (REMOVE, table(REFUNDS)))
    passed = await look.in_full()
    assert ALPHA in passed.quiet
    # The second one bears the same time as what was read between the two.
    journey.control.knobs(object_change_bumps_updated_at=False)
    HANDS["object added"](sdk)
    assert await look.by_lists() == {BETA}


async def test_a_change_while_lists_are_read_is_seen_by_the_next_look(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    await look.in_full()
    HANDS["share deleted and made again"](sdk)
    passed = await look.in_full()
    assert ALPHA in passed.quiet
    assert await look.by_lists() == {ALPHA, BETA}
    HANDS["comment of a share"](sdk)
    assert await look.by_lists() == {BETA}


async def test_where_updated_at_stays_the_workspace_is_read_in_full_from_then_on(journey: Journey, sdk: Any) -> None:
    journey.control.knobs(object_change_bumps_updated_at=False)
    look = await two_packs(journey, sdk, FEW)
    HANDS["object added"](sdk)
    # This is what lists cannot tell: the look in full finds it.
    assert await look.by_lists() == {ALPHA, BETA}
    passed = await look.in_full()
    assert ALPHA not in passed.quiet
    assert look.memory.distrusted == {journey.url} == await journey.ledger.distrusted()
    assert (await journey.ledger.figures()).distrusted == 1
    assert await look.by_lists() == frozenset()
    assert look.asked == []


async def test_one_look_in_so_many_is_in_full(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    found = [await look.by_lists() for _ in range(look.full_every)]
    # One was made before.
    assert found == [{ALPHA, BETA}] * (look.full_every - 2) + [frozenset()] * 2


async def test_what_others_have_submitted_is_read_in_full(journey: Journey, sdk: Any) -> None:
    look = await two_packs(journey, sdk, FEW)
    journey.write("pack 0.yaml", a_pack("Alpha").replace("number 0", "another"))
    journey.commit()
    await journey.converge()
    assert await look.by_lists() == {BETA}
