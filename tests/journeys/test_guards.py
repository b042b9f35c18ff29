"""Each guard refuses, says the exact words that lift it, and lets pass when they are said: on the command line for one
run, or by a reviewed entry in the pack until a day. Words for one thing lift nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from reconciler.adapters.clock import SystemClock
from reconciler.core.limits import Limits
from reconciler.core.plan import Plan
from reconciler.stages.plan import Wishes
from tests.journeys.declared import CUSTOMERS, REFUNDS, TRANSACTIONS, allowance, d2d, d2o, pack, share
from tests.journeys.journey import Journey
from tests.journeys.told import changing, lifts, messages, rules, step_of, text

TODAY = datetime.now(UTC).date()
SOON = str(TODAY + timedelta(days=30))
YESTERDAY = str(TODAY - timedelta(days=1))
RANGE = "203.0.113.0/24"
SCHEMA = "prod_catalog.marketing"


@dataclass(frozen=True)
class StoppedClock(SystemClock):
    """The last minute of a day."""

    day: date

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 23, 59, tzinfo=UTC)


#: What each pack says before and after its guarded change.
BEFORE: Mapping[str, tuple[dict[str, Any], ...]] = {
    "replaced": (d2o("r-partner"), share("r_share", ["r-partner"])),
    "emptied": (d2o("e-partner", allowed_ips=[RANGE]),),
    "widened": (d2o("w-partner", allowed_ips=[RANGE]),),
    "schema": (d2o("s-one"), d2o("s-two"), d2d("s-metastore"), share("s_share", ["s-one", "s-two", "s-metastore"])),
    "deleted": (share("d_one", []), share("d_two", [])),
    "revoked": (share("v_share", ["s-one"]),),
}
AFTER: Mapping[str, tuple[dict[str, Any], ...]] = {
    "replaced": (d2d("r-partner", "azure:westeurope:66666666-7777-8888-9999-000000000000"), BEFORE["replaced"][1]),
    "emptied": (d2o("e-partner", allowed_ips=[]),),
    "widened": (d2o("w-partner", allowed_ips=[RANGE, "0.0.0.0/0"]),),
    "schema": (*BEFORE["schema"][:3], share("s_share", ["s-one", "s-two", "s-metastore"], [TRANSACTIONS, SCHEMA])),
    "deleted": (),
    "revoked": (share("v_share", []),),
}
#: The words that lift what stands against it, and the rule.
LIFTS = {
    "replaced": {"replace:recipient/r-partner": "recipient-replaced"},
    "emptied": {"open-ips:recipient/e-partner": "ip-list-emptied"},
    "widened": {"any-ip:recipient/w-partner": "ip-list-wide-open"},
    "schema": {
        "whole-schema:share/s_share/s-one": "whole-schema-to-outsider",
        "whole-schema:share/s_share/s-two": "whole-schema-to-outsider",
    },
    "deleted": {"delete:share/d_one": "too-much-at-once", "delete:share/d_two": "too-much-at-once"},
    "revoked": {"revoke:share/v_share": "too-much-at-once"},
}
ALL = {lift for each in LIFTS.values() for lift in each}
#: Only the share of what there is counts here, per pack: 1 of 1, 2 of 2, and still 1 of 2.
FEW = Limits(per_pack=1000, per_run=1000, percent_per_pack=40, percent_per_run=100)


async def test_each_guard_names_what_lifts_it_and_nothing_else_does(journey: Journey) -> None:
    journey.wishes = Wishes(limits=FEW)
    for project, entries in BEFORE.items():
        journey.write(f"{project}.yaml", pack(project, *entries))
    journey.commit()
    await journey.converge()
    for project, entries in AFTER.items():
        journey.write(f"{project}.yaml", pack(project, *entries))
    journey.commit()

    plan = await journey.plan()
    assert lifts(plan) == ALL
    assert sorted(rule for _, rule in rules(plan)) == sorted(rule for each in LIFTS.values() for rule in each.values())
    for lift in ALL:
        assert f"to allow it: --allow {lift}, or in the pack: allow: [{{action: {lift}, until: " in text(plan)
    journey.control.clear_log()
    applied = await journey.apply()
    assert (applied.failed, journey.writes()) == ((), [])

    for lift in ALL:
        journey.allow(lift)
        assert lifts(await journey.plan()) == ALL - {lift}, lift
    # One name's words do not lift another's, nor do other words of the same name; nothing lifts them all.
    for wrong in (
        "replace:recipient/e-partner",
        "delete:recipient/r-partner",
        "any-ip:recipient/e-partner",
        "open-ips:recipient/w-partner",
        "whole-schema:share/s_share/s-metastore",
        "whole-schema:share/d_one/s-one",
        "revoke:share/d_one",
        "delete:share/v_share",
        "delete:share/*",
        "*",
    ):
        journey.allow(wrong)
        assert lifts(await journey.plan()) == ALL, wrong

    await _by_entries(journey, YESTERDAY)
    plan = await journey.plan()
    assert lifts(plan) == ALL
    assert messages(plan).count(f"the entry that allowed it ended on {YESTERDAY}") == len(ALL)

    # The first half by entries in the packs, what is left on the command line.
    await _by_entries(journey, SOON, "replaced", "schema", "revoked")
    by_entry = {lift for project in ("replaced", "schema", "revoked") for lift in LIFTS[project]}
    plan = await journey.plan()
    assert lifts(plan) == ALL - by_entry
    assert {words for step in plan.steps for words in step.lifted} == by_entry
    journey.allow(*(ALL - by_entry))
    plan = await journey.plan()
    assert rules(plan) == []
    assert {words for step in plan.steps for words in step.lifted} == ALL
    for lift in ALL:
        assert f"allowed by name: {lift}" in text(plan)
    await journey.converge()
    journey.allow()
    plan = await journey.plan()
    assert (rules(plan), changing(plan)) == ([], [])
    state = journey.control.state()
    assert {item["name"] for item in state["shares"]} == {"r_share", "s_share", "v_share"}


async def _by_entries(journey: Journey, until: str, *projects: str) -> None:
    journey.allow()
    for project, entries in AFTER.items():
        some = [allowance(lift, until) for lift in LIFTS[project]] if project in projects or not projects else []
        journey.write(f"{project}.yaml", pack(project, *entries, allow=some))
    journey.commit()


async def test_an_entry_counts_through_its_last_day(journey: Journey) -> None:
    journey.save("p.yaml", pack("P", *BEFORE["emptied"]))
    await journey.converge()
    lift = "open-ips:recipient/e-partner"
    journey.save("p.yaml", pack("P", *AFTER["emptied"], allow=[allowance(lift, SOON)]))
    journey.clock = StoppedClock(TODAY + timedelta(days=30))
    assert rules(await journey.plan()) == []
    journey.clock = StoppedClock(TODAY + timedelta(days=31))
    assert lifts(await journey.plan()) == {lift}


async def test_nothing_lifts_what_git_did_not_attest(journey: Journey) -> None:
    journey.wishes = Wishes()
    journey.save("p.yaml", pack("P", share("a", []), share("b", [], [TRANSACTIONS, CUSTOMERS])))
    await journey.converge()
    every = {f"{action}:share/{name}" for action in ("delete", "revoke") for name in ("a", "b")}
    left = share("b", [], [TRANSACTIONS])
    journey.write("p.yaml", pack("P", left, allow=[allowance(lift, SOON) for lift in sorted(every)]))
    journey.allow(*every)
    plan = await journey.plan(committed=False)
    assert rules(plan) == [("share/a", "delete-not-attested"), ("share/b", "revoke-not-attested")]
    assert lifts(plan) == set()
    journey.commit()
    assert rules(await journey.plan()) == []


async def test_protection_is_lifted_in_a_commit_of_its_own(journey: Journey) -> None:
    kept = d2o("reader")
    guarded = share("guarded", ["reader"], protect=True)
    journey.save("p.yaml", pack("P", kept, guarded, d2o("partner", protect=True)))
    await journey.converge()
    every = ("delete:share/guarded", "revoke:share/guarded", "delete:recipient/partner", "replace:recipient/partner")

    # Gone together with its protection, emptied of readers or objects, or replaced: none of it, whoever allows it.
    journey.save("p.yaml", pack("P", kept, allow=[allowance(lift, SOON) for lift in every]))
    journey.allow(*every)
    plan = await journey.plan()
    assert rules(plan) == [("share/guarded", "protected"), ("recipient/partner", "protected")]
    assert lifts(plan) == set()
    for emptied in (share("guarded", []), share("guarded", ["reader"], [])):
        journey.save("p.yaml", pack("P", kept, emptied, d2d("partner")))
        plan = await journey.plan()
        assert {("share/guarded", "protected"), ("recipient/partner", "protected")} <= set(rules(plan))
    journey.control.clear_log()
    await journey.apply()
    assert journey.writes() == []

    # Taking one of several readers away is no more than it ever was.
    journey.save("p.yaml", pack("P", kept, guarded, d2o("partner", protect=True)))
    await journey.converge()
    unguarded = share("guarded", ["reader"], protect=False)
    journey.save("p.yaml", pack("P", kept, unguarded, d2o("partner")))
    await journey.converge()
    assert journey.writes() == [], "protection is kept in the record only"
    journey.save("p.yaml", pack("P", kept))
    await journey.converge()
    state = journey.control.state()
    assert ([item["name"] for item in state["recipients"]], state["shares"]) == (["reader"], [])


async def test_what_goes_is_counted_by_pack_and_by_run(journey: Journey) -> None:
    tables = [TRANSACTIONS, CUSTOMERS, REFUNDS, "prod_catalog.marketing.leads"]
    for name in ("one", "two"):
        journey.write(f"{name}.yaml", pack(name, share(f"{name}_share", [], tables)))
    journey.write("three.yaml", pack("three", d2o("partner"), share("three_share", ["partner"], tables)))
    journey.commit()
    await journey.converge()
    for name in ("one", "two"):
        journey.write(f"{name}.yaml", pack(name, share(f"{name}_share", [], tables[:2])))
    journey.commit()

    async def held(**limits: int) -> set[str]:
        loose = Limits(per_pack=1000, per_run=1000, percent_per_pack=100, percent_per_run=100)
        journey.wishes = replace(journey.wishes, limits=replace(loose, **limits))
        return lifts(await journey.plan())

    both = {"revoke:share/one_share", "revoke:share/two_share"}
    assert await held() == set()
    assert await held(per_pack=2) == set()
    assert await held(per_pack=1) == both
    assert await held(per_run=4) == set()
    assert await held(per_run=3) == both
    # Half of each pack's objects, and a third of all.
    assert await held(percent_per_pack=50) == set()
    assert await held(percent_per_pack=49) == both
    assert await held(percent_per_run=34) == set()
    assert await held(percent_per_run=33) == both
    # What is allowed by name does not count against the rest of a run.
    journey.allow("revoke:share/one_share")
    assert await held(per_run=3) == set()
    assert await held(per_pack=1) == {"revoke:share/two_share"}
    journey.allow()

    # A whole pack's file removed: each of its resources by its own name.
    (journey.repository / "sharepacks" / "three.yaml").unlink()
    journey.save("one.yaml", pack("one", share("one_share", [], tables)))
    journey.save("two.yaml", pack("two", share("two_share", [], tables)))
    journey.wishes = Wishes()
    whole = {"delete:share/three_share", "delete:recipient/partner"}
    plan = await journey.plan()
    assert lifts(plan) == whole
    assert "2 of its 2 recipients and shares, more than 50 %" in messages(plan)
    journey.allow("delete:share/three_share")
    assert lifts(await journey.plan()) == set(), "one of two is no more than half"
    journey.allow(*whole)
    await journey.converge()
    assert {item["name"] for item in journey.control.state()["shares"]} == {"one_share", "two_share"}


async def test_strangers_are_revoked_without_counting(journey: Journey, sdk: Any) -> None:
    from databricks.sdk.service.sharing import (  # noqa: PLC0415 - the SDK takes two seconds
        AuthenticationType,
        PermissionsChange,
        SharedDataObject,
        SharedDataObjectDataObjectType,
        SharedDataObjectUpdate,
        SharedDataObjectUpdateAction,
    )

    journey.wishes = Wishes(limits=Limits(0, 0, 0, 0))
    journey.save("p.yaml", pack("P", d2o("partner"), share("s", ["partner"], [TRANSACTIONS])))
    await journey.converge()
    sdk.recipients.create("stranger", AuthenticationType.TOKEN)
    sdk.shares.update_permissions("s", changes=[PermissionsChange(principal="stranger", add=["SELECT"])])
    table = SharedDataObject(CUSTOMERS, data_object_type=SharedDataObjectDataObjectType.TABLE)
    sdk.shares.update("s", updates=[SharedDataObjectUpdate(SharedDataObjectUpdateAction.ADD, table)])
    plan = await journey.plan()
    assert (rules(plan), changing(plan)) == ([], ["Update share/s"])
    await journey.converge()
    granted = sdk.shares.share_permissions("s").privilege_assignments
    assert [grant.principal for grant in granted] == ["partner"]
    assert [item.name for item in sdk.shares.get("s", include_shared_data=True).objects] == [TRANSACTIONS]
    # The file's own removals count from the first.
    journey.save("p.yaml", pack("P", d2o("partner"), share("s", [], [TRANSACTIONS])))
    assert lifts(await journey.plan()) == {"revoke:share/s"}


def _is_whole_schema_held(plan: Plan) -> set[str]:
    return {lift for lift in lifts(plan) if lift.startswith("whole-schema:")}


async def test_a_new_share_of_a_schema_is_held_for_each_outsider_only(journey: Journey) -> None:
    partners = [d2o("partner"), d2d("metastore")]
    journey.save("p.yaml", pack("P", *partners, share("s", ["partner", "metastore"], [SCHEMA])))
    plan = await journey.plan()
    assert _is_whole_schema_held(plan) == {"whole-schema:share/s/partner"}
    assert step_of(plan, "share/s").is_held
    journey.allow("whole-schema:share/s/partner")
    await journey.converge()
    journey.allow()
    assert rules(await journey.plan()) == [], "what is on record is not asked for again"
    # Another outsider on the same share is another decision.
    journey.save(
        "p.yaml", pack("P", *partners, d2o("second"), share("s", ["partner", "metastore", "second"], [SCHEMA]))
    )
    assert _is_whole_schema_held(await journey.plan()) == {"whole-schema:share/s/second"}
    journey.save("p.yaml", pack("P", *partners, share("s", ["metastore"], [SCHEMA])))
    await journey.converge()
