"""A recipient whose way to sign in changes is made anew, once that was allowed by name: its grants come back in the
same apply, also those of other packs, and a worker that dies in between is followed by one that ends it."""

from typing import Any

import pytest

from reconciler.core.calls import ChangeGrants, CreateRecipient, DeleteRecipient
from tests.journeys.declared import CUSTOMERS, METASTORE, d2d, d2o, oidc, pack, share
from tests.journeys.dying import die_at
from tests.journeys.journey import Journey
from tests.journeys.told import changing, rules, text

LIFT = "replace:recipient/partner"
OWN, OTHER = share("own_share", ["partner", "second"]), share("other_share", ["partner"], [CUSTOMERS])


async def _made(journey: Journey, before: dict[str, Any], after: dict[str, Any]) -> None:
    """The recipient is granted two shares, one of another pack; its file now says otherwise."""
    journey.write("b.yaml", pack("B", OTHER))
    journey.save("a.yaml", pack("A", before, d2o("second"), OWN))
    await journey.converge()
    journey.save("a.yaml", pack("A", after, d2o("second"), OWN))
    journey.control.clear_log()


def _grants(journey: Journey) -> dict[str, set[str]]:
    shares = journey.control.state()["shares"]
    return {item["name"]: {each["principal"] for each in item["permissions"]} for item in shares}


GRANTED = {"own_share": {"partner", "second"}, "other_share": {"partner"}}


@pytest.mark.parametrize("after", [d2d("partner"), oidc("partner")], ids=["d2d", "oidc"])
async def test_grants_come_back_in_the_same_apply(journey: Journey, after: dict[str, Any]) -> None:
    await _made(journey, d2o("partner"), after)
    held = await journey.plan()
    assert rules(held) == [("recipient/partner", "recipient-replaced")]
    assert changing(held) == []
    journey.allow(LIFT)
    plan = await journey.plan()
    assert changing(plan) == ["Replace recipient/partner", "Update share/own_share", "Update share/other_share"]
    assert "revokes all" in text(plan)
    await journey.converge()
    assert [(method, path) for method, path, _ in journey.writes()] == [
        ("DELETE", "/recipients/partner"),
        ("POST", "/recipients"),
        ("PATCH", "/shares/own_share/permissions"),
        ("PATCH", "/shares/other_share/permissions"),
    ]
    assert _grants(journey) == GRANTED
    journey.allow()
    assert changing(await journey.plan()) == []


async def test_a_lift_for_one_recipient_replaces_no_other(journey: Journey) -> None:
    journey.save("a.yaml", pack("A", d2o("partner"), d2o("second")))
    await journey.converge()
    journey.save("a.yaml", pack("A", oidc("partner"), oidc("second")))
    journey.allow(LIFT)
    assert rules(await journey.plan()) == [("recipient/second", "recipient-replaced")]
    journey.control.clear_log()
    applied = await journey.apply()
    assert applied.failed == ()
    assert [path for _, path, _ in journey.writes()] == ["/recipients/partner", "/recipients"]


@pytest.mark.parametrize(
    ("call_type", "is_done"),
    [(DeleteRecipient, True), (CreateRecipient, False), (CreateRecipient, True), (ChangeGrants, False)],
    ids=["deleted", "before-create", "created", "before-grants"],
)
async def test_a_worker_that_dies_half_way_is_followed_by_another(
    journey: Journey, call_type: type, is_done: bool
) -> None:
    await _made(journey, d2o("partner"), d2d("partner"))
    journey.allow(LIFT)
    plan = await journey.plan()
    work_ids = await die_at(journey, plan, call_type, is_done=is_done)
    assert len(_grants(journey)["own_share"]) == 1
    await journey.workforce().work_until_done(work_ids)
    assert _grants(journey) == GRANTED
    (partner, _) = sorted(journey.control.state()["recipients"], key=lambda each: str(each["name"]))
    assert (partner["authentication_type"], partner["data_recipient_global_metastore_id"]) == ("DATABRICKS", METASTORE)
    writes = [(method, path) for method, path, _ in journey.writes()]
    assert len(writes) == len(set(writes)) == 4, "nothing is done twice"
    journey.allow()
    assert changing(await journey.plan()) == []


async def test_a_new_plan_ends_what_a_dead_worker_began_without_another_allowance(journey: Journey) -> None:
    """The recipient is gone: nothing is left to be lost, so making it is no replacement any more."""
    await _made(journey, d2o("partner"), d2d("partner"))
    journey.allow(LIFT)
    await die_at(journey, await journey.plan(), CreateRecipient, is_done=False)
    journey.allow()
    plan = await journey.plan()
    assert rules(plan) == []
    await journey.converge()
    assert _grants(journey) == GRANTED
