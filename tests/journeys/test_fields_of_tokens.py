"""Tokens in the course of time: rotated when due and never twice, whatever happens to the answer; the old one works for
the overlap; a lifetime holds from creation and from each rotation on. The sandbox's clock moves, and the product's with
it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import pytest_asyncio
from pydantic import SecretStr

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.core.changes import TokenRotated, TokenShortened
from reconciler.core.key import recipient_key
from reconciler.core.plan import Plan
from reconciler.core.verdict import Update
from reconciler.ports.ledger import WorkStatus
from tests.journeys.conftest import TOKEN
from tests.journeys.fields import SEED, SandboxClock, assert_nothing_to_do, open_steps, pack
from tests.journeys.journey import Journey

DAY: Final = 86_400
ROTATE: Final = "POST /api/2.1/unity-catalog/recipients/partner/rotate-token"
UPDATE: Final = "PATCH /api/2.1/unity-catalog/recipients/partner"
#: Seconds that a test may take between two looks at the clock.
SLACK: Final = 60


@pytest.fixture
def clock(journey: Journey) -> SandboxClock:
    return SandboxClock(journey.control)


@pytest_asyncio.fixture
async def partner(journey: Journey, clock: SandboxClock) -> AsyncIterator[Journey]:
    """A journey whose product counts by the sandbox's clock."""
    journey.control.seed(SEED)
    journey.clock = clock
    platform = DatabricksPlatform({"token": SecretStr(TOKEN)}, trusted_hosts=[journey.url], clock=clock.time)
    journey.platform = platform
    yield journey
    await platform.close()


def save(journey: Journey, **fields: Any) -> None:
    entry = {"name": "partner", "type": "D2O", "email": "ann@example.com", **fields}
    share = {"name": "orders", "recipients": ["partner"], "data_objects": ["main.sales.orders"]}
    journey.save("partner.yaml", pack("Partner", recipient=[entry], share=[share]))


async def converge(journey: Journey, **fields: Any) -> None:
    save(journey, **fields)
    await journey.converge()
    assert_nothing_to_do(await journey.plan())


def days_left(journey: Journey, clock: SandboxClock) -> list[float]:
    """Of each token that works, oldest first."""
    left = [(token["expires_at"] / 1000 - clock.time()) / DAY for token in journey.control.tokens("partner")]
    return [each for each in left if each > 0]


def token_changes(plan: Plan) -> list[TokenRotated | TokenShortened]:
    verdicts = [step.verdict for step in plan.steps]
    changes = [change for verdict in verdicts if isinstance(verdict, Update) for change in verdict.changes]
    return [change for change in changes if isinstance(change, TokenRotated | TokenShortened)]


def rotations(journey: Journey) -> int:
    return sum(path.endswith("/rotate-token") for _, path, _ in journey.writes())


def fetched(sdk: Any, journey: Journey) -> str:
    """What the partner does with the activation link of its newest token: fetches the credentials, once."""
    link = max(sdk.recipients.get("partner").tokens, key=lambda token: token.created_at).activation_url
    secret = link.rpartition("?")[2]
    address = f"{journey.url}/api/2.1/unity-catalog/public/data_sharing_activation/{secret}"
    with urlopen(address, timeout=10) as answer:
        return str(json.load(answer)["bearerToken"])


def reads(journey: Journey, bearer: str) -> bool:
    """Whether the partner can list what is shared with it."""
    metastore = journey.control.metastore()["metastore_id"]
    address = f"{journey.url}/api/2.0/delta-sharing/metastores/{metastore}/shares"
    try:
        with urlopen(Request(address, headers={"Authorization": f"Bearer {bearer}"}), timeout=10) as answer:
            return [item["name"] for item in json.load(answer)["items"]] == ["orders"]
    except HTTPError as refused:
        refused.close()
        return False


async def test_a_token_is_rotated_when_due_and_the_old_one_works_for_the_overlap(
    partner: Journey, clock: SandboxClock, sdk: Any
) -> None:
    await converge(partner, rotate_every="60d", rotation_overlap="3d")
    old = fetched(sdk, partner)
    clock.advance(days=59)
    assert_nothing_to_do(await partner.plan())
    clock.advance(days=1, seconds=1)
    (change,) = token_changes(await partner.plan())
    assert isinstance(change, TokenRotated)
    assert change.overlap == 3 * DAY
    partner.control.clear_log()
    await partner.converge()
    assert [(path, body) for _, path, body in partner.writes()] == [
        ("/recipients/partner/rotate-token", {"existing_token_expire_in_seconds": 3 * DAY})
    ]
    assert days_left(partner, clock) == [pytest.approx(3, abs=0.01), pytest.approx(365, abs=0.01)]
    new = fetched(sdk, partner)
    assert (reads(partner, old), reads(partner, new)) == (True, True)
    await partner.converge()
    assert_nothing_to_do(await partner.plan())
    clock.advance(days=2.9)
    assert reads(partner, old)
    clock.advance(days=0.2)
    assert (reads(partner, old), reads(partner, new)) == (False, True)
    assert_nothing_to_do(await partner.plan())
    assert rotations(partner) == 1
    clock.advance(days=57)
    await partner.converge()
    assert rotations(partner) == 2
    assert_nothing_to_do(await partner.plan())


async def test_without_an_overlap_the_old_token_ends_at_once(partner: Journey, clock: SandboxClock, sdk: Any) -> None:
    await converge(partner, rotate_every="30d", rotation_overlap="0d")
    old = fetched(sdk, partner)
    clock.advance(days=31)
    await partner.converge()
    assert not reads(partner, old)
    assert len(days_left(partner, clock)) == 1
    assert_nothing_to_do(await partner.plan())


@pytest.mark.parametrize(
    "fault",
    [
        {"drop_connection": True, "after_handler": True},
        {"status": 500, "after_handler": True},
        {"drop_connection": True},
        {"status": 500},
    ],
    ids=["dropped-but-done", "500-but-done", "dropped", "500"],
)
async def test_a_rotation_whose_answer_got_lost_is_looked_up_and_not_repeated(
    partner: Journey, clock: SandboxClock, fault: dict[str, Any]
) -> None:
    await converge(partner, rotate_every="60d")
    clock.advance(days=60, seconds=1)
    partner.control.clear_log()
    partner.control.fault(ROTATE, times=1, **fault)
    await partner.converge()
    is_done = "after_handler" in fault
    assert rotations(partner) == (1 if is_done else 2)
    assert days_left(partner, clock) == [pytest.approx(7, abs=0.01), pytest.approx(365, abs=0.01)]
    assert_nothing_to_do(await partner.plan())
    assert await partner.rows("SELECT 1 FROM reconciler.operations WHERE outcome IN ('begun', 'unknown')") == []


#: What goes wrong between the new token and its end: an answer that got lost, or the call after it.
IN_BETWEEN: Final[list[tuple[str, dict[str, Any]]]] = [
    (ROTATE, {"drop_connection": True, "after_handler": True}),
    (UPDATE, {"status": 500}),
    (UPDATE, {"status": 429, "error_code": "REQUEST_LIMIT_EXCEEDED", "retry_after": 1}),
    (UPDATE, {"drop_connection": True, "after_handler": True}),
]


@pytest.mark.parametrize(
    ("pattern", "fault"), IN_BETWEEN, ids=["rotation-lost", "end-failed", "end-put-off", "end-lost"]
)
async def test_a_failure_after_a_rotation_leaves_no_new_token_without_its_lifetime(
    partner: Journey, clock: SandboxClock, pattern: str, fault: dict[str, Any]
) -> None:
    await converge(partner, rotate_every="60d", token_lifetime="90d")
    clock.advance(days=60, seconds=1)
    partner.control.clear_log()
    partner.control.fault(pattern, times=1, **fault)
    await partner.converge()
    assert rotations(partner) == 1
    assert days_left(partner, clock) == [pytest.approx(7, abs=0.01), pytest.approx(90, abs=0.05)]
    assert_nothing_to_do(await partner.plan())


@pytest.mark.parametrize(
    ("pattern", "fault"), IN_BETWEEN, ids=["rotation-lost", "end-failed", "end-put-off", "end-lost"]
)
async def test_a_failure_after_a_rotation_asked_for_leaves_no_new_token_without_its_end(
    partner: Journey, clock: SandboxClock, pattern: str, fault: dict[str, Any]
) -> None:
    ends = clock.now().replace(microsecond=0) + timedelta(days=100)
    await converge(partner, expires_at=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    plan = await asked_to_rotate(partner, overlap=DAY)
    partner.control.clear_log()
    partner.control.fault(pattern, times=1, **fault)
    applied = await partner.apply(plan)
    assert applied.failed == (), applied.failed
    assert rotations(partner) == 1
    assert days_left(partner, clock) == [pytest.approx(1, abs=0.01), pytest.approx(100, abs=0.01)]
    assert_nothing_to_do(await partner.plan())
    versions = await partner.ledger.history(recipient_key("partner", partner.url))
    assert "found changed by hand" not in {version.change_reason for version in versions}


async def asked_to_rotate(journey: Journey, overlap: int) -> Plan:
    """The plan of a person who asks for a new token; nobody asks afterwards."""
    nobody = journey.wishes
    journey.wishes = replace(nobody, rotations={recipient_key("partner", journey.url): overlap})
    plan = await journey.plan()
    journey.wishes = nobody
    return plan


async def test_with_two_tokens_that_work_a_rotation_waits(partner: Journey, clock: SandboxClock, sdk: Any) -> None:
    await converge(partner, rotate_every="60d", rotation_overlap="5d")
    clock.advance(days=58)
    sdk.recipients.rotate_token("partner", 4 * DAY)
    partner.control.clear_log()
    # By hand, two days early: the next one is due sixty days after that.
    clock.advance(days=3)
    assert_nothing_to_do(await partner.plan())
    clock.advance(days=56)
    sdk.recipients.rotate_token("partner", 30 * DAY)
    sdk_made = rotations(partner)
    save(partner, rotate_every="1d", rotation_overlap="0d")
    await partner.converge()
    clock.advance(days=2)
    # Due, and there is no room for a third: it waits, and says nothing.
    assert token_changes(await partner.plan()) == []
    assert_nothing_to_do(await partner.plan())
    plan = await asked_to_rotate(partner, overlap=0)
    (held,) = [step for step in plan.steps if step.is_held]
    assert [(each.rule, each.lift) for each in held.objections] == [("two-tokens", "")]
    assert "rotate again" in held.objections[0].hint
    await partner.apply(plan)
    assert rotations(partner) == sdk_made
    clock.advance(days=29)
    await partner.converge()
    assert rotations(partner) == sdk_made + 1


async def test_a_lifetime_counts_from_creation_and_from_each_rotation(partner: Journey, clock: SandboxClock) -> None:
    await converge(partner, token_lifetime="30d", rotate_every="20d", rotation_overlap="2d")
    (created,) = [body for _, path, body in partner.writes() if path == "/recipients"]
    assert created["expiration_time"] / 1000 == pytest.approx(clock.time() + 30 * DAY, abs=SLACK)
    assert days_left(partner, clock) == [pytest.approx(30, abs=0.01)]
    clock.advance(days=21)
    partner.control.clear_log()
    await partner.converge()
    assert [path for _, path, _ in partner.writes()] == ["/recipients/partner/rotate-token", "/recipients/partner"]
    assert days_left(partner, clock) == [pytest.approx(2, abs=0.01), pytest.approx(30, abs=0.01)]
    assert_nothing_to_do(await partner.plan())


async def test_a_token_that_lives_too_long_is_shortened_but_never_below_the_overlap(
    partner: Journey, clock: SandboxClock
) -> None:
    await converge(partner)
    assert days_left(partner, clock) == [pytest.approx(365, abs=0.01)]
    clock.advance(days=10)
    await converge(partner, token_lifetime="90d")
    assert days_left(partner, clock) == [pytest.approx(80, abs=0.01)]
    await converge(partner, token_lifetime="20d")
    assert days_left(partner, clock) == [pytest.approx(10, abs=0.01)]
    # Longer is not given back, and is no difference.
    await converge(partner, token_lifetime="60d")
    assert days_left(partner, clock) == [pytest.approx(10, abs=0.01)]
    await converge(partner, token_lifetime="12d")
    assert days_left(partner, clock) == [pytest.approx(7, abs=0.01)]
    clock.advance(days=3)
    partner.control.clear_log()
    assert_nothing_to_do(await partner.plan())
    await converge(partner, token_lifetime="5d", rotate_every="4d", rotation_overlap="1d", comment="faster")
    assert rotations(partner) == 1, "it is older than that"
    assert days_left(partner, clock) == [pytest.approx(1, abs=0.01), pytest.approx(5, abs=0.01)]


async def test_a_late_rotation_gives_the_old_token_what_is_left_of_it(partner: Journey, clock: SandboxClock) -> None:
    await converge(partner, token_lifetime="30d", rotate_every="25d", rotation_overlap="7d")
    clock.advance(days=28)
    await partner.converge()
    assert days_left(partner, clock) == [pytest.approx(2, abs=0.01), pytest.approx(30, abs=0.01)]
    assert_nothing_to_do(await partner.plan())


async def test_a_token_that_has_ended_is_replaced(partner: Journey, clock: SandboxClock, sdk: Any) -> None:
    await converge(partner, token_lifetime="30d", rotate_every="25d", rotation_overlap="2d")
    clock.advance(days=40)
    await partner.converge()
    assert days_left(partner, clock) == [pytest.approx(30, abs=0.01)]
    assert reads(partner, fetched(sdk, partner))
    assert_nothing_to_do(await partner.plan())


async def test_an_expiry_comes_and_stays_without_drift(partner: Journey, clock: SandboxClock, sdk: Any) -> None:
    ends = clock.now().replace(microsecond=0) + timedelta(days=20)
    await converge(partner, expires_at=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    bearer = fetched(sdk, partner)
    assert sdk.recipients.get("partner").expiration_time == ends.timestamp() * 1000
    assert_nothing_to_do(await partner.plan())
    clock.advance(days=21)
    assert not reads(partner, bearer)
    assert_nothing_to_do(await partner.plan())
    save(partner, expires_at=(clock.now() - timedelta(days=10)).strftime("%Y-%m-%d"))
    held = open_steps(await partner.plan())["partner"]
    assert [objection.rule for objection in held.objections] == ["expiry-past"]


async def test_a_rotation_that_is_refused_fails_with_the_reason_and_is_done_later(
    partner: Journey, clock: SandboxClock
) -> None:
    await converge(partner, rotate_every="60d")
    clock.advance(days=61)
    partner.control.clear_log()
    partner.control.fault(ROTATE, times=1, status=403, error_code="PERMISSION_DENIED", message="User is not an owner")
    (failed,) = (await partner.apply()).failed
    assert failed.status is WorkStatus.FAILED
    assert "User is not an owner" in failed.reason
    assert len(days_left(partner, clock)) == 1
    await partner.converge()
    assert len(days_left(partner, clock)) == 2
