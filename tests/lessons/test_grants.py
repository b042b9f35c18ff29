"""Grants as Databricks takes them: nothing empty, nothing both ways, nobody's but those of the pack's own share."""

from itertools import combinations, product
from typing import Any

import pytest
from databricks.sdk.service.sharing import AuthenticationType, PermissionsChange

from reconciler.core.calls import ChangeGrants
from reconciler.core.key import share_key
from reconciler.core.lowering import lower
from reconciler.core.share import ObjectType, Share, SharedObject
from tests.core.worlds import NO_LIMITS, SALES_Q1, WORKSPACE, a_pack, desired_of, found, planned, recorded_of, step_of
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

KEY = share_key("s", WORKSPACE)
NAMES = ("acme", "bolt", "coil")
READERS = [frozenset(some) for count in range(4) for some in combinations(NAMES, count)]


@pytest.mark.parametrize(("before", "after"), list(product(READERS, READERS)))
@pytest.mark.parametrize("has_more_objects", [False, True])
def test_no_request_is_empty_and_none_gives_and_takes_from_one_reader(
    before: frozenset[str], after: frozenset[str], has_more_objects: bool
) -> None:
    table = SharedObject("main.s.t", ObjectType.TABLE)
    was = Share("s", "", frozenset(), before)
    wanted = Share("s", "", frozenset({table}) if has_more_objects else frozenset(), after)
    rows = recorded_of({KEY: (was, SALES_Q1)})
    plan = planned(desired_of(a_pack(SALES_Q1, wanted)), rows, found(was), limits=NO_LIMITS)
    made = [each.call for each in lower(KEY, step_of(plan, KEY).verdict) if isinstance(each.call, ChangeGrants)]
    assert all(call.grant or call.revoke for call in made)
    given = [name for call in made for name in call.grant]
    taken = [name for call in made for name in call.revoke]
    assert (sorted(given), sorted(taken)) == (sorted(after - before), sorted(before - after))


async def test_the_same_readers_in_other_letters_are_no_change(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.control.clear_log()
    journey.save("sales.yaml", SALES.replace("      - sales-analyst", "      - SALES-Analyst"))
    await journey.converge()
    assert journey.writes() == []


async def test_no_readers_is_said_with_an_empty_list_and_takes_all_away(journey: Journey, sdk: Any) -> None:
    """Also those that somebody granted by hand. Left out, the readers are left alone."""
    journey.save("sales.yaml", SALES)
    await journey.converge()
    readers = "    recipients:\n      - sales-analyst\n"
    sdk.recipients.create("stranger", AuthenticationType.TOKEN)
    sdk.shares.update_permissions("sales_q1_share", changes=[PermissionsChange(["SELECT"], "stranger")])
    journey.save("sales.yaml", SALES.replace(readers, ""))
    await journey.converge()
    assert len(sdk.shares.share_permissions("sales_q1_share").privilege_assignments) == 2
    journey.save("sales.yaml", SALES.replace(readers, "    recipients: []\n"))
    await journey.converge()
    assert not sdk.shares.share_permissions("sales_q1_share").privilege_assignments


async def test_many_readers_are_granted_in_one_request(journey: Journey, sdk: Any) -> None:
    names = [f"reader-{number}" for number in range(30)]
    recipients = "".join(f"  - {{name: {name}, type: D2O, email: a@b.example}}\n" for name in names)
    head, _, _ = SALES.partition("recipient:\n")
    share = f"share:\n  - {{name: many, recipients: [{', '.join(names)}], data_objects: []}}\n"
    journey.save("many.yaml", f"{head}recipient:\n{recipients}{share}")
    await journey.converge()
    grants = [body for method, path, body in journey.writes() if path.endswith("/permissions")]
    assert [len(body["changes"]) for body in grants] == [30]
    assert len(sdk.shares.share_permissions("many").privilege_assignments) == 30
