"""What Databricks would refuse in the middle of an apply stands in the plan before it, in words that say what is
missing; and what the owner of a share may not read any more is told as long as that lasts."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest_asyncio
from pydantic import SecretStr

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.render.status_report import Report
from reconciler.render.status_text import status_text
from reconciler.sandbox import ControlClient
from tests.journeys.declared import CUSTOMERS, REFUNDS, TRANSACTIONS, d2d, d2o, oidc, pack, share
from tests.journeys.journey import Journey
from tests.journeys.told import changing, messages, rules, step_of, text

UC = "/api/2.1/unity-catalog"
SCIM = "/api/2.0/preview/scim/v2"
ADMIN, OWNER, GUEST = "sharepack@sandbox.example", "owner@sandbox.example", "guest@sandbox.example"
TOKENS = {ADMIN: "dapi-sandbox-admin", OWNER: "dapi-sandbox-owner", GUEST: "dapi-sandbox-guest"}

EVENTS, ORDERS, SALARIES = (
    "prod_catalog.sales.order_events",
    "prod_catalog.sales.orders_by_region",
    "hr_catalog.people.salaries",
)

#: The journey goes on as somebody else, who is asked anew who they are.
Become = Callable[[str], Awaitable[None]]


@pytest_asyncio.fixture
async def become(journey: Journey) -> AsyncIterator[Become]:
    made: list[DatabricksPlatform] = []

    async def change(who: str) -> None:
        made.append(DatabricksPlatform({"token": SecretStr(TOKENS[who])}, trusted_hosts=[journey.url]))
        journey.platform = made[-1]

    yield change
    for platform in made:
        await platform.close()


async def test_objects_are_looked_up_before_anything_is_called(journey: Journey) -> None:
    journey.write(
        "p.yaml",
        pack(
            "P",
            share("missing", [], ["prod_catalog.sales.nowhere", TRANSACTIONS]),
            share("wrong_type", [], [{"name": TRANSACTIONS, "type": "VIEW"}]),
            share("no_schema", [], ["prod_catalog.nothing"]),
            share("not_partitioned", [], [{"name": TRANSACTIONS, "partitions": ["region = 'EMEA'"]}]),
            share("wrong_column", [], [{"name": ORDERS, "partitions": ["land = 'DE'"]}]),
            share("without_history", [], [EVENTS]),
            share("unreadable", [], [SALARIES]),
            share(
                "good",
                [],
                [
                    {"name": EVENTS, "history": True},
                    {"name": ORDERS, "partitions": ["region = 'EMEA'"]},
                    "prod_catalog.sales.revenue_by_country",
                ],
            ),
        ),
    )
    journey.commit()
    plan = await journey.plan()
    told = {str(step.key): [item.message for item in step.objections] for step in plan.steps}
    assert told == {
        "share/good": [],
        "share/missing": ["the catalog has no prod_catalog.sales.nowhere"],
        "share/no_schema": ["the catalog has no prod_catalog.nothing"],
        "share/not_partitioned": [
            f"{TRANSACTIONS} is not partitioned by region; its partition columns are: none",
        ],
        "share/unreadable": [
            f"{SALARIES} cannot be read by the owner of the share: SELECT on TABLE {SALARIES} is missing"
        ],
        "share/without_history": [
            f"{EVENTS} uses deletion vectors or column mapping; it can only be shared with `history: true`"
        ],
        "share/wrong_column": [
            f"{ORDERS} is not partitioned by land; its partition columns are: region, sold_on",
        ],
        "share/wrong_type": [f"{TRANSACTIONS} is a table, not a view"],
    }
    applied = await journey.apply()
    assert applied.failed == ()
    assert [path for _, path, _ in journey.writes()] == ["/shares", "/shares/good"]


async def test_the_right_is_that_of_the_share_s_owner(journey: Journey) -> None:
    """An administrator plans; whoever owns the share must be able to read what is in it."""
    journey.control.grant("TABLE", "hr_catalog.people.headcount", ADMIN, "SELECT")
    journey.save("p.yaml", pack("P", share("s", [], ["hr_catalog.people.headcount"], owner=OWNER)))
    assert "hr_catalog.people.headcount cannot be read by the owner of the share" in messages(await journey.plan())
    assert "USE_CATALOG on CATALOG hr_catalog" in messages(await journey.plan())


async def test_a_caller_without_rights_gets_objections_and_makes_no_failing_call(
    journey: Journey, become: Become
) -> None:
    journey.save("p.yaml", pack("P", d2o("partner"), share("s", ["partner"]), d2d("metastore")))
    await become(GUEST)
    for securable, privileges in (("CATALOG", "USE_CATALOG"), ("SCHEMA", "USE_SCHEMA"), ("TABLE", "SELECT")):
        name = TRANSACTIONS.rsplit(".", {"CATALOG": 2, "SCHEMA": 1, "TABLE": 0}[securable])[0]
        journey.control.grant(securable, name, GUEST, privileges)
    plan = await journey.plan()
    assert {item.message for step in plan.steps for item in step.objections} >= {
        f"{GUEST} lacks CREATE RECIPIENT on the metastore",
        f"{GUEST} lacks CREATE SHARE on the metastore",
    }
    applied = await journey.apply()
    assert (applied.failed, journey.writes()) == ((), [])
    # With the rights the same files pass.
    journey.control.grant("METASTORE", "", GUEST, "CREATE_SHARE", "CREATE_RECIPIENT")
    await become(GUEST)
    assert rules(await journey.plan()) == []
    await journey.converge()


async def test_what_others_own_is_an_objection_with_their_name(journey: Journey, become: Become) -> None:
    first = [d2o("partner", comment="1"), share("s", ["partner"], [TRANSACTIONS], comment="1")]
    journey.save("p.yaml", pack("P", *first))
    await journey.converge()
    # An administrator made them; somebody with every privilege on the metastore is still not their owner.
    await become(OWNER)
    changed = [d2o("partner", comment="2"), share("s", ["partner"], [TRANSACTIONS, CUSTOMERS], comment="2")]
    journey.save("p.yaml", pack("P", *changed))
    plan = await journey.plan()
    assert {(str(step.key), item.message) for step in plan.steps for item in step.objections} == {
        ("recipient/partner", f"{OWNER} lacks ownership of recipient/partner, which is {ADMIN}'s"),
        ("share/s", f"{OWNER} lacks ownership of share/s, which is {ADMIN}'s"),
    }
    journey.control.clear_log()
    await journey.apply()
    assert journey.writes() == []
    # Revoking takes USE SHARE and SET SHARE PERMISSION only, which this caller has; granting takes the recipient.
    journey.save("p.yaml", pack("P", first[0], share("s", [], [TRANSACTIONS], comment="1")))
    assert rules(await journey.plan()) == []
    await journey.converge()
    journey.save("p.yaml", pack("P", *first))
    assert messages(await journey.plan()).startswith(
        f"{OWNER} lacks ownership of recipient/partner, which is {ADMIN}'s"
    )
    # Nothing of it is asked of a plan that changes nothing.
    journey.save("p.yaml", pack("P", first[0], share("s", [], [TRANSACTIONS], comment="1")))
    assert changing(await journey.plan()) == []


async def test_a_recipient_that_another_pack_s_share_is_granted_to_has_an_owner_too(
    journey: Journey, become: Become
) -> None:
    journey.save("a.yaml", pack("A", d2o("partner")))
    await journey.converge()
    await become(OWNER)
    journey.save("b.yaml", pack("B", share("mine", ["partner"])))
    plan = await journey.plan()
    assert rules(plan) == [("share/mine", "rights-missing")]
    journey.control.clear_log()
    await journey.apply()
    assert journey.writes() == []
    # The same when only the file of the share is planned.
    assert rules(await journey.plan(["sharepacks/b.yaml"])) == [("share/mine", "rights-missing")]


async def test_a_recipient_of_a_pack_that_is_not_planned_must_be_there(journey: Journey, sdk: Any) -> None:
    journey.save("a.yaml", pack("A", d2o("partner")))
    await journey.converge()
    sdk.recipients.delete("partner")
    journey.save("b.yaml", pack("B", share("s", ["partner"])))
    plan = await journey.plan(["sharepacks/b.yaml"])
    assert rules(plan) == [("share/s", "recipient-missing")]
    assert "plan Sales Operations / A as well" in messages(plan)
    await journey.apply(plan)
    assert journey.control.state()["shares"] == []
    await journey.converge()
    assert [item["name"] for item in journey.control.state()["shares"]] == ["s"]


async def test_the_metastore_s_own_rules(journey: Journey) -> None:
    own = journey.control.metastore()["global_metastore_id"]
    journey.control.metastore(delta_sharing_scope="INTERNAL")
    journey.save("p.yaml", pack("P", d2o("partner"), oidc("signs-in"), d2d("metastore"), d2d("ourselves", own)))
    plan = await journey.plan()
    assert set(rules(plan)) == {
        ("recipient/ourselves", "own-metastore"),
        ("recipient/partner", "external-sharing-off"),
        ("recipient/signs-in", "external-sharing-off"),
    }
    await journey.apply()
    assert [item["name"] for item in journey.control.state()["recipients"]] == ["metastore"]


async def test_rights_that_cannot_be_read_block_nothing_but_giving_away(journey: Journey) -> None:
    for path in (f"{SCIM}/Me", f"{UC}/metastore_summary"):
        journey.control.fault(f"GET {path}", status=403, error_code="PERMISSION_DENIED", times=0)
    given_away = share("given", [], owner="data-owners")
    journey.save("p.yaml", pack("P", d2o("partner"), share("s", ["partner"]), given_away))
    plan = await journey.plan()
    assert rules(plan) == [("share/given", "owner-unverified")]
    applied = await journey.apply()
    assert applied.failed == ()
    assert [item["name"] for item in journey.control.state()["shares"]] == ["s"]


def _asked(control: ControlClient) -> dict[str, int]:
    """How often each thing was read, by path, and by what was asked for of a list."""
    counted: dict[str, int] = {}
    for entry in control.log():
        if entry["method"] == "GET":
            what = f"{entry['path']}?{entry['query']}" if entry["query"] else str(entry["path"])
            counted[what] = counted.get(what, 0) + 1
    return counted


async def test_each_object_is_asked_for_once_at_the_same_time_and_not_at_all_when_nothing_changes(
    journey: Journey,
) -> None:
    tables = [
        TRANSACTIONS,
        CUSTOMERS,
        REFUNDS,
        *(f"prod_catalog.logistics.{each}" for each in ("shipments", "carriers")),
    ]
    for name in "abcd":
        journey.write(f"{name}.yaml", pack(name, share(f"{name}_share", [], tables)))
    journey.commit()
    journey.control.clear_log()
    journey.control.latency(150)
    began = time.monotonic()
    await journey.plan()
    took = time.monotonic() - began
    journey.control.latency(0)
    asked = _asked(journey.control)
    catalog = {path: count for path, count in asked.items() if not path.startswith(f"{UC}/shares/")}
    for table in tables:
        assert asked[f"{UC}/tables/{table}"] == 1
    assert set(catalog.values()) == {1}, catalog
    # One after the other they would take as long as the sum.
    assert took < sum(asked.values()) * 0.15 * 2 / 3

    await journey.converge()
    journey.control.clear_log()
    assert changing(await journey.plan()) == []
    paths = {path.partition("?")[0] for path in _asked(journey.control)}
    names = [f"{UC}/shares/{each}_share" for each in "abcd"]
    assert paths == {*names, *(f"{name}/permissions" for name in names)}


async def test_what_the_owner_may_not_read_any_more_is_in_sync_and_degraded_until_it_may(
    journey: Journey, become: Become
) -> None:
    await become(OWNER)
    journey.save("p.yaml", pack("P", d2o("partner"), share("s", ["partner"], [TRANSACTIONS, CUSTOMERS])))
    await journey.converge()

    async def status() -> str:
        states, sightings = await journey.ledger.pack_states(), await journey.ledger.sightings()
        return status_text(Report(states, datetime.now(UTC), sightings=sightings))

    assert "degraded" not in await status()
    journey.control.revoke("CATALOG", "prod_catalog", "data-owners", "ALL_PRIVILEGES")
    journey.control.grant("CATALOG", "prod_catalog", "data-owners", "USE_CATALOG")
    journey.control.grant("SCHEMA", "prod_catalog.sales", "data-owners", "USE_SCHEMA")
    journey.control.grant("TABLE", CUSTOMERS, "data-owners", "SELECT")
    # An administrator plans too: the right is still that of the owner.
    for who in (OWNER, ADMIN):
        await become(who)
        plan = await journey.plan()
        assert (rules(plan), changing(plan)) == ([], [])
        (degraded,) = step_of(plan, "share/s").degraded
        assert (degraded.object_name, degraded.owner) == (TRANSACTIONS, OWNER)
        assert degraded.missing == f"SELECT on TABLE {TRANSACTIONS}"
        said = text(plan)
        assert "! share/s  in sync and degraded" in said
        assert f"grant SELECT on TABLE {TRANSACTIONS} to {OWNER}" in said

    journey.control.clear_log()
    await journey.converge()
    assert journey.writes() == []
    said = await status()
    assert "share/s is degraded" in said
    assert f"the share's owner {OWNER} lacks SELECT on TABLE {TRANSACTIONS}" in said
    assert CUSTOMERS not in said

    journey.control.grant("TABLE", TRANSACTIONS, "data-owners", "SELECT")
    assert step_of(await journey.plan(), "share/s").degraded == ()
    await journey.converge()
    assert "degraded" not in await status()
