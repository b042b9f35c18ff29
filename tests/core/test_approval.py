"""What was approved is what runs: the same or less goes through, more is held until somebody approves it."""

from dataclasses import replace

import pytest
from hypothesis import given

from reconciler.core.allowance import approval_lift, normal_approval, normal_lift
from reconciler.core.approval import Approvals, Approved, check_approval, is_genuine, needs_approval, showing
from reconciler.core.guard import Attestation
from reconciler.core.key import recipient_key, share_key
from reconciler.core.limits import Limits
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import RecordedState
from reconciler.core.resource import Resource
from reconciler.core.review import Review
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from tests.core.carrying import Run
from tests.core.scenes import Scene, scenes
from tests.core.test_properties import often
from tests.core.worlds import (
    LEGAL,
    SALES_Q1,
    WORKSPACE,
    a_pack,
    desired_of,
    found,
    only,
    planned,
    recorded_of,
    rules,
    step_of,
)

ACME, BOLT = (
    Recipient(name, TokenSharing(), email=f"{name}@partner.example", allowed_ips=frozenset(), comment="")
    for name in ("acme", "bolt")
)
T1, T2 = (SharedObject(f"main.s.{name}", ObjectType.TABLE) for name in ("t1", "t2"))
S = Share("s", "", frozenset({T1}), frozenset({"acme"}))
K_ACME, K_BOLT, K_S = recipient_key("acme", WORKSPACE), recipient_key("bolt", WORKSPACE), share_key("s", WORKSPACE)
ON_RECORD = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1), K_BOLT: (BOLT, SALES_Q1)})
ATTESTED = {SALES_Q1: Attestation(removed=frozenset({K_S, K_ACME, K_BOLT}))}


def plan_of(
    share: Share,
    *there: Resource,
    approvals: Approvals | None = None,
    rows: RecordedState = ON_RECORD,
    allowed: frozenset[str] = frozenset(),
) -> Plan:
    desired = desired_of(a_pack(SALES_Q1, share, ACME, BOLT))
    actual = found(*(there or (S, ACME, BOLT)))
    return planned(desired, rows, actual, attestations=ATTESTED, approvals=approvals, allowed=allowed)


def approved(pack: PackPlan) -> Approved:
    return Approved(pack.fingerprint, pack.actions, pack.workspace, pack.gains)


def of(*plans: Plan) -> Approvals:
    """All that was approved bit by bit."""
    whole = Approved("", frozenset())
    for plan in plans:
        whole = whole.joined(approved(only(plan)))
    return Approvals({SALES_Q1: whole})


WITH_TABLE = replace(S, objects=frozenset({T1, T2}))
WITH_READER = replace(S, recipients=frozenset({"acme", "bolt"}))
WITH_BOTH = replace(WITH_TABLE, recipients=frozenset({"acme", "bolt"}))


def test_gains_are_pairs_of_who_is_let_in_and_what_is_new() -> None:
    def gained(share: Share) -> set[str]:
        return {text.partition(" by ")[0] for text in only(plan_of(share)).gains}

    assert gained(WITH_TABLE) == {"acme reads main.s.t2 (TABLE)"}
    assert gained(WITH_READER) == {"bolt reads main.s.t1 (TABLE)"}
    assert gained(WITH_BOTH) == {
        "acme reads main.s.t2 (TABLE)",
        "bolt reads main.s.t1 (TABLE)",
        "bolt reads main.s.t2 (TABLE)",
    }
    assert gained(replace(S, comment="other")) == set()
    assert gained(replace(S, recipients=frozenset())) == set()


def test_a_part_of_a_table_is_another_gain_than_all_of_it() -> None:
    part = replace(T1, partitions=frozenset({frozenset({Condition("region", value="EMEA")})}))
    narrow = replace(S, objects=frozenset({part}))
    rows = recorded_of({K_S: (narrow, SALES_Q1), K_ACME: (ACME, SALES_Q1), K_BOLT: (BOLT, SALES_Q1)})
    all_of_it = plan_of(replace(S, objects=frozenset({replace(T1, partitions=frozenset())})), narrow, ACME, rows=rows)
    reader = plan_of(replace(narrow, recipients=frozenset({"acme", "bolt"})), narrow, ACME, BOLT, rows=rows)
    assert not only(all_of_it).gains & only(reader).gains
    assert any("EMEA" in gain for gain in only(reader).gains)


def test_the_same_or_less_than_was_approved_goes_through() -> None:
    for wanted in (WITH_TABLE, WITH_READER, WITH_BOTH):
        before = plan_of(wanted)
        after = plan_of(wanted, approvals=of(before))
        assert not after.is_held
        assert after.fingerprint == before.fingerprint
    # Somebody has done a part of it by hand meanwhile.
    assert not plan_of(WITH_BOTH, WITH_TABLE, ACME, BOLT, approvals=of(plan_of(WITH_BOTH))).is_held


def test_more_than_was_approved_is_held_and_says_what_is_new() -> None:
    plan = plan_of(WITH_BOTH, approvals=of(plan_of(WITH_READER)))
    step = step_of(plan, K_S)
    assert rules(step) == ["not-approved"]
    assert "main.s.t2" in step.objections[0].message
    assert not any(each.is_work for each in plan.steps)


def test_two_changes_that_are_harmless_alone_are_held_when_they_let_somebody_in_together() -> None:
    approvals = of(plan_of(WITH_TABLE), plan_of(WITH_READER))
    plan = plan_of(WITH_BOTH, approvals=approvals)
    unheld = only(plan_of(WITH_BOTH))
    assert unheld.actions <= approvals.packs[SALES_Q1].actions
    [objection] = step_of(plan, K_S).objections
    assert "bolt reads main.s.t2" in objection.message
    assert "acme" not in objection.message


def test_what_was_held_goes_on_when_it_is_approved_by_name_and_only_then() -> None:
    held = plan_of(WITH_BOTH, approvals=of(plan_of(WITH_READER)))
    lift = step_of(held, K_S).objections[0].lift
    assert lift == approval_lift(only(plan_of(WITH_BOTH)).fingerprint)
    let_go = plan_of(WITH_BOTH, approvals=of(plan_of(WITH_READER)), allowed=frozenset({lift}))
    assert not let_go.is_held
    assert step_of(let_go, K_S).lifted == (lift,)
    other = replace(WITH_BOTH, comment="something else besides")
    assert plan_of(other, approvals=of(plan_of(WITH_READER)), allowed=frozenset({lift})).is_held


def test_what_is_held_until_it_is_allowed_by_name_is_shown_and_so_approved_when_it_is() -> None:
    """But nothing else in the same step is."""
    strict = Limits(0, 0, 0, 0)
    nobody = replace(S, recipients=frozenset())
    desired = desired_of(a_pack(SALES_Q1, nobody, ACME, BOLT))
    there = found(S, ACME, BOLT)
    plan = planned(desired, ON_RECORD, there, attestations=ATTESTED, limits=strict)
    assert rules(step_of(plan, K_S)) == ["too-much-at-once"]
    assert only(plan).actions == frozenset()
    approvals = Approvals(showing(plan))
    allowed = frozenset({"revoke:share/s"})
    again = planned(
        desired, ON_RECORD, there, attestations=ATTESTED, approvals=approvals, allowed=allowed, limits=strict
    )
    assert not again.is_held
    assert planned(desired, ON_RECORD, there, attestations=ATTESTED, approvals=approvals, limits=strict).is_held
    more = desired_of(a_pack(SALES_Q1, replace(S, recipients=frozenset({"bolt"})), ACME, BOLT))
    grown = planned(more, ON_RECORD, there, attestations=ATTESTED, approvals=approvals, allowed=allowed, limits=strict)
    assert rules(step_of(grown, K_S)) == ["not-approved"]


def test_nothing_approved_holds_everything_the_files_ask_for() -> None:
    plan = plan_of(WITH_TABLE, approvals=Approvals(reasons={SALES_Q1: "it came in by no pull request"}))
    assert step_of(plan, K_S).objections[0].message.startswith("it came in by no pull request: ")


def test_what_somebody_changed_by_hand_is_put_back_without_asking_again() -> None:
    plan = plan_of(S, WITH_READER, ACME, BOLT, approvals=Approvals())
    assert plan.has_changes
    assert not plan.is_held
    assert not needs_approval(only(plan))


def test_a_change_by_hand_since_the_approval_holds_the_pack_with_the_rest() -> None:
    plan = plan_of(WITH_TABLE, replace(S, recipients=frozenset()), ACME, BOLT, approvals=of(plan_of(WITH_TABLE)))
    assert plan.is_held
    assert "acme" in step_of(plan, K_S).objections[0].message


def test_who_stands_behind_a_pack_is_known_with_its_plan() -> None:
    review = Review(("example/packs#7",), ("ann (review)",))
    approvals = replace(of(plan_of(WITH_TABLE)), reviews={SALES_Q1: review})
    assert only(plan_of(WITH_TABLE, approvals=approvals)).review == review


def test_a_pack_that_waits_for_a_recipient_of_a_held_pack_is_held_too() -> None:
    lender, borrower = a_pack(SALES_Q1, ACME), a_pack(LEGAL, S)
    alone = planned(desired_of(lender, borrower))
    approvals = Approvals({LEGAL: approved(next(pack for pack in alone.packs if pack.pack == LEGAL))})
    plan = planned(desired_of(lender, borrower), approvals=approvals)
    assert rules(step_of(plan, K_ACME)) == ["not-approved"]
    assert rules(step_of(plan, K_S)) == ["recipient-missing"]


def test_a_saved_plan_does_not_let_anybody_in_that_it_did_not_show() -> None:
    reader, table = (only(plan_of(each)) for each in (WITH_READER, WITH_TABLE))
    both = {SALES_Q1: approved(reader).joined(approved(table))}
    assert [item.new for item in check_approval(plan_of(WITH_BOTH), both).stale] == [
        tuple(sorted(only(plan_of(WITH_BOTH)).gains - reader.gains - table.gains))
    ]


def test_of_another_workspace_nothing_is_approved() -> None:
    elsewhere = replace(approved(only(plan_of(WITH_TABLE))), workspace="https://adb-2.example")
    assert plan_of(WITH_TABLE, approvals=Approvals({SALES_Q1: elsewhere})).is_held
    joined = elsewhere.joined(approved(only(plan_of(WITH_READER))))
    assert joined.actions == only(plan_of(WITH_READER)).actions


def test_an_approval_stands_for_its_own_fingerprint() -> None:
    genuine = approved(only(plan_of(WITH_TABLE)))
    assert is_genuine(SALES_Q1, genuine)
    assert not is_genuine(LEGAL, genuine)
    assert not is_genuine(SALES_Q1, replace(genuine, gains=frozenset({"eve reads everything"})))
    assert not is_genuine(SALES_Q1, replace(genuine, actions=frozenset()))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("approve:0123456789abcdef", "approve:0123456789abcdef"),
        (" Approve : 0123456789ABCDEF ", "approve:0123456789abcdef"),
        ("approve:0123456789abcde", None),
        ("approve:0123456789abcdef0", None),
        ("approve:", None),
        ("approve", None),
        ("delete:share/x", None),
    ],
)
def test_an_approval_by_name_is_a_word_and_a_fingerprint(typed: str, meant: str | None) -> None:
    assert normal_approval(typed) == meant


def test_an_approval_written_inside_a_pack_means_nothing() -> None:
    assert normal_lift("approve:0123456789abcdef") is None


def _approved_plan(scene: Scene) -> Plan:
    return Run(scene, scene.recorded).plan()


@often
@given(scenes())
def test_a_plan_approved_as_a_whole_is_carried_out_as_a_whole(scene: Scene) -> None:
    plan = _approved_plan(scene)
    approvals = Approvals(showing(plan))
    again = Run(replace(scene, approvals=approvals), scene.recorded).plan()
    assert again == plan


@often
@given(scenes())
def test_with_nothing_approved_only_hands_are_undone(scene: Scene) -> None:
    plan = Run(replace(scene, approvals=Approvals(), allowed=frozenset()), scene.recorded).plan()
    for pack in plan.packs:
        assert not needs_approval(pack)
