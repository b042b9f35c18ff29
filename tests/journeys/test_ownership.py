"""Whose a resource is: what exists is taken over only when a pack says so, let go of without being touched, and moves
between packs without a call. Giving it another name, or another owner, keeps what its readers hold."""

from typing import Any

import pytest
from databricks.sdk.service.sharing import AuthenticationType

from reconciler.core.calls import Rename
from reconciler.core.key import recipient_key, share_key
from reconciler.core.verdict import Conflict
from tests.journeys.declared import CUSTOMERS, TRANSACTIONS, d2o, pack, share
from tests.journeys.dying import die_at
from tests.journeys.journey import Journey
from tests.journeys.told import changing, lifts, messages, rules, step_of, text


async def test_what_exists_is_adopted_only_when_a_pack_says_so(journey: Journey, sdk: Any) -> None:
    sdk.recipients.create("partner", AuthenticationType.TOKEN, comment="by hand")
    sdk.shares.create("theirs", comment="by hand")
    wanted = [d2o("partner", comment="by hand"), share("theirs", ["partner"], comment="ours")]
    journey.save("p.yaml", pack("P", *wanted))
    plan = await journey.plan()
    for key in ("recipient/partner", "share/theirs"):
        verdict = step_of(plan, key).verdict
        assert isinstance(verdict, Conflict)
        assert (verdict.rule, "adopt: true" in verdict.hint) == ("exists-not-ours", True)
    said = text(plan)
    assert "`adopt: true` would change nothing at Databricks" in said
    changes = said.partition("`adopt: true` would change this:")[2]
    for change in ('comment      "by hand" → "ours"', f"objects      + {TRANSACTIONS}", "recipients   + partner"):
        assert change in changes
    journey.control.clear_log()
    await journey.apply()
    assert journey.writes() == []

    journey.save("p.yaml", pack("P", *({**each, "adopt": True} for each in wanted)))
    plan = await journey.plan()
    assert changing(plan) == ["Adopt recipient/partner", "Adopt share/theirs"]
    await journey.converge()
    assert [path for _, path, _ in journey.writes()] == ["/shares/theirs", "/shares/theirs/permissions"]
    # Once it is ours the word may go, and a plan is empty either way.
    journey.save("p.yaml", pack("P", *wanted))
    assert changing(await journey.plan()) == []


async def test_one_commit_may_hand_a_resource_to_another_line(journey: Journey) -> None:
    """Let go of by the first apply, taken over by the second, and not touched by either."""
    entries = [d2o("partner"), share("moving", ["partner"])]
    journey.save("a.yaml", pack("A", *entries))
    await journey.converge()
    before = journey.control.state()
    journey.write("a.yaml", pack("A", release=["share/moving", "recipient/partner"]))
    journey.save("b.yaml", pack("B", *({**each, "adopt": True} for each in entries), line="Legal"))
    journey.control.clear_log()
    await journey.apply()
    await journey.converge()
    assert (journey.writes(), journey.control.state()) == ([], before)
    assert changing(await journey.plan()) == []
    found = await journey.ledger.recorded([share_key("moving", journey.url)], [])
    assert [row.pack.business_line for row in found.resources.values()] == ["Legal"]


async def test_what_a_pack_releases_stays_as_it_is_and_may_be_adopted_by_another_line(journey: Journey) -> None:
    entries = [d2o("partner"), share("moving", ["partner"])]
    journey.save("a.yaml", pack("A", *entries))
    await journey.converge()
    before = journey.control.state()
    taken = [{**each, "adopt": True} for each in entries]
    elsewhere = pack("B", *taken, line="Legal")

    # Another business line cannot take it, whatever it says, until it was let go of and that is applied.
    (journey.repository / "sharepacks" / "a.yaml").unlink()
    journey.save("b.yaml", elsewhere)
    for key in ("share/moving", "recipient/partner"):
        conflict = next(
            step.verdict for step in (await journey.plan(["sharepacks/b.yaml"])).steps if str(step.key) == key
        )
        assert isinstance(conflict, Conflict)
        assert (conflict.rule, "release:" in conflict.hint) == ("recorded-elsewhere", True)
    (journey.repository / "sharepacks" / "b.yaml").unlink()

    released = pack("A", release=["share/moving", "recipient/partner"])
    journey.save("a.yaml", released)
    journey.control.clear_log()
    plan = await journey.plan()
    assert rules(plan) == []
    assert changing(plan) == ["Release share/moving", "Release recipient/partner"]
    assert "let go of (release): it stays as it is" in text(plan)
    await journey.converge()
    assert (journey.writes(), journey.control.state()) == ([], before)
    assert (await journey.ledger.history(share_key("moving", "")))[-1].resource is None
    # The words may stay in the file until another pack declares it.
    assert changing(await journey.plan()) == []

    journey.write("a.yaml", pack("A"))
    journey.save("b.yaml", elsewhere)
    plan = await journey.plan()
    assert plan.problems == ()
    assert changing(plan) == ["Adopt recipient/partner", "Adopt share/moving"]
    await journey.converge()
    assert (journey.writes(), journey.control.state()) == ([], before)
    rows = await journey.rows("SELECT count(*) FROM deltashare.shares WHERE share_name = 'moving' AND is_current")
    assert rows[0][0] == 1


async def test_moving_between_packs_of_a_line_makes_no_call(journey: Journey) -> None:
    partner, moving = d2o("partner"), share("moving", ["partner"])
    journey.write("a.yaml", pack("A", partner, moving, share("staying", ["partner"], [CUSTOMERS])))
    journey.save("b.yaml", pack("B"))
    await journey.converge()
    journey.control.clear_log()
    journey.write("a.yaml", pack("A", share("staying", ["partner"], [CUSTOMERS])))
    journey.save("b.yaml", pack("B", partner, moving))
    plan = await journey.plan()
    assert changing(plan) == ["Record recipient/partner", "Record share/moving"]
    await journey.converge()
    assert journey.writes() == []
    # Also back again together with the file, while the rest of the pack goes with it.
    (journey.repository / "sharepacks" / "b.yaml").unlink()
    journey.save("a.yaml", pack("A", partner, moving, share("staying", ["partner"], [CUSTOMERS])))
    await journey.converge()
    assert journey.writes() == []
    states = {state.pack.project_name: state.is_deleted for state in await journey.ledger.pack_states()}
    assert states == {"A": False, "B": True}


def _renamed(journey: Journey) -> dict[str, Any]:
    """Shares with their readers, by name, and the ids of recipients' tokens."""
    state = journey.control.state()
    return {
        "shares": {item["name"]: {each["principal"] for each in item["permissions"]} for item in state["shares"]},
        "tokens": {
            item["name"]: [each["id"] for each in journey.control.tokens(item["name"])] for item in state["recipients"]
        },
    }


async def test_a_share_and_its_recipient_are_renamed_in_one_commit(journey: Journey) -> None:
    journey.write("b.yaml", pack("B", share("other", ["old-partner"], [CUSTOMERS])))
    journey.save("a.yaml", pack("A", d2o("old-partner"), share("old_share", ["old-partner"])))
    await journey.converge()
    token = _renamed(journey)["tokens"]["old-partner"]
    journey.control.clear_log()

    new = [
        d2o("new-partner", renamed_from="old-partner"),
        share("new_share", ["new-partner"], renamed_from="old_share"),
    ]
    journey.write("b.yaml", pack("B", share("other", ["new-partner"], [CUSTOMERS])))
    journey.save("a.yaml", pack("A", *new))
    plan = await journey.plan()
    assert (rules(plan), changing(plan)) == (
        [],
        ["Rename recipient/new-partner", "Rename share/new_share", "Record share/other"],
    )
    await journey.converge()
    assert [(method, path, body) for method, path, body in journey.writes()] == [
        ("PATCH", "/recipients/old-partner", {"new_name": "new-partner"}),
        ("PATCH", "/shares/old_share", {"new_name": "new_share"}),
    ]
    assert _renamed(journey) == {
        "shares": {"new_share": {"new-partner"}, "other": {"new-partner"}},
        "tokens": {"new-partner": token},
    }
    # The history goes on, and the word may go.
    names = [
        each.resource.name for each in await journey.ledger.history(recipient_key("new-partner", "")) if each.resource
    ]
    assert names[0] == "old-partner"
    assert names[-1] == "new-partner"
    journey.save("a.yaml", pack("A", d2o("new-partner"), share("new_share", ["new-partner"])))
    await journey.converge()
    assert len(journey.writes()) == 2


async def test_a_share_that_names_its_reader_s_old_name_is_told_so(journey: Journey) -> None:
    journey.write("b.yaml", pack("B", share("other", ["old-partner"], [CUSTOMERS])))
    journey.save("a.yaml", pack("A", d2o("old-partner")))
    await journey.converge()
    journey.save("a.yaml", pack("A", d2o("new-partner", renamed_from="old-partner")))
    plan = await journey.plan()
    assert [(problem.rule, problem.where.path) for problem in plan.problems if problem.is_error] == [
        ("recipient-unknown", "sharepacks/b.yaml")
    ]


@pytest.mark.parametrize("is_done", [False, True], ids=["never-sent", "answer-lost"])
async def test_a_rename_is_done_once_also_when_its_worker_dies(journey: Journey, is_done: bool) -> None:
    journey.save("a.yaml", pack("A", d2o("old-partner"), share("s", ["old-partner"])))
    await journey.converge()
    token = _renamed(journey)["tokens"]["old-partner"]
    journey.control.clear_log()
    journey.save("a.yaml", pack("A", d2o("new-partner", renamed_from="old-partner"), share("s", ["new-partner"])))
    await die_at(journey, await journey.plan(), Rename, is_done=is_done)
    await journey.converge()
    assert _renamed(journey) == {"shares": {"s": {"new-partner"}}, "tokens": {"new-partner": token}}
    assert [path for _, path, _ in journey.writes()] == ["/recipients/old-partner"]
    assert changing(await journey.plan()) == []


async def test_a_rename_whose_answer_got_lost_on_the_way_is_found_done(journey: Journey) -> None:
    journey.save("a.yaml", pack("A", share("old_share", [])))
    await journey.converge()
    journey.save("a.yaml", pack("A", share("new_share", [], renamed_from="old_share")))
    journey.control.clear_log()
    root = "/api/2.1/unity-catalog"
    journey.control.fault(f"PATCH {root}/shares/old_share", times=1, drop_connection=True, after_handler=True)
    await journey.converge()
    assert [path for _, path, _ in journey.writes()] == ["/shares/old_share"]
    assert list(_renamed(journey)["shares"]) == ["new_share"]


async def test_what_was_renamed_by_hand_is_taken_over_only_when_a_pack_says_so(journey: Journey, sdk: Any) -> None:
    journey.save("a.yaml", pack("A", d2o("old-partner")))
    await journey.converge()
    token = _renamed(journey)["tokens"]["old-partner"]
    sdk.recipients.update("old-partner", new_name="new-partner")
    journey.control.clear_log()
    journey.save("a.yaml", pack("A", d2o("new-partner", renamed_from="old-partner")))
    # Nothing proves that it is the same one: a person has to say so.
    plan = await journey.plan()
    verdict = step_of(plan, "recipient/new-partner").verdict
    assert isinstance(verdict, Conflict)
    assert "adopt: true" in verdict.hint
    journey.save("a.yaml", pack("A", d2o("new-partner", renamed_from="old-partner", adopt=True)))
    await journey.converge()
    assert (journey.writes(), _renamed(journey)["tokens"]) == ([], {"new-partner": token})
    assert changing(await journey.plan()) == []


def _owner_of(journey: Journey, kind: str, name: str) -> str:
    (found,) = (item for item in journey.control.state()[kind] if item["name"] == name)
    return str(found["owner"])


async def test_the_owner_is_set_last_when_made_and_first_when_changed(journey: Journey, sdk: Any) -> None:
    me = "sharepack@sandbox.example"
    journey.save("a.yaml", pack("A", d2o("partner", owner=me), share("s", ["partner"], owner=me)))
    await journey.converge()
    paths = [path for _, path, _ in journey.writes()]
    assert [path for path in paths if path.startswith("/recipients")] == ["/recipients", "/recipients/partner"]
    made = ["/shares", "/shares/s", "/shares/s/permissions", "/shares/s"]
    assert [path for path in paths if path.startswith("/shares")] == made
    assert paths.index("/recipients/partner") < paths.index("/shares/s/permissions")
    assert [body for _, _, body in journey.writes()][-1] == {"owner": me}
    # The share was given away by hand. An admin who is not its owner may do one thing only, and that comes first.
    sdk.shares.update("s", owner="owner@sandbox.example")
    journey.control.clear_log()
    journey.save("a.yaml", pack("A", d2o("partner", owner=me), share("s", ["partner"], owner=me, comment="ours")))
    plan = await journey.plan()
    assert rules(plan) == []
    await journey.converge()
    assert [(path, body) for _, path, body in journey.writes()] == [
        ("/shares/s", {"owner": me}),
        ("/shares/s", {"comment": "ours"}),
    ]


async def test_giving_a_resource_away_for_good_is_held(journey: Journey) -> None:
    journey.save("a.yaml", pack("A", d2o("partner"), share("s", ["partner"])))
    await journey.converge()
    strange = "data-owners"
    journey.save("a.yaml", pack("A", d2o("partner", owner=strange), share("s", ["partner"], owner=strange)))
    every = [f"{action}:{key}" for action in ("delete", "revoke") for key in ("share/s", "recipient/partner")]
    journey.allow(*every)
    journey.control.clear_log()
    plan = await journey.plan()
    assert {rule for _, rule in rules(plan)} >= {"owner-locks-out"}
    assert lifts(plan) == set()
    assert strange in messages(plan)
    await journey.apply()
    assert journey.writes() == []
    # A share that is to be made for somebody else is held as well, before it is made.
    journey.save("a.yaml", pack("A", d2o("partner"), share("s", ["partner"]), share("new", [], owner=strange)))
    plan = await journey.plan()
    assert ("share/new", "owner-locks-out") in rules(plan)
    assert _owner_of(journey, "shares", "s") == "sharepack@sandbox.example"
