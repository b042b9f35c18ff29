"""Plans over whole packs: scope, strategy, handovers, guards, prerequisites, fingerprints."""

from dataclasses import replace

import pytest

from reconciler.core.actual import Observed, Unreadable
from reconciler.core.approval import Approved, check_approval
from reconciler.core.changes import Cause
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import SharePack, Strategy
from reconciler.core.pack_encoding import digests
from reconciler.core.plan import Plan
from reconciler.core.planning import World, keys_in_scope, make_plan
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import RecordedState
from reconciler.core.resolve import CatalogObject
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Conflict, Create, Delete, Forget, Keep, Record, Unknown, Update
from tests.core.worlds import (
    LEGAL,
    NOW,
    SALES_Q1,
    SALES_Q2,
    WORKSPACE,
    KnownCatalog,
    a_pack,
    desired_of,
    found,
    only,
    planned,
    recorded_of,
    step_of,
)

ACME, BOLT = (
    Recipient(name, TokenSharing(), email=f"{name}@partner.example", allowed_ips=frozenset(), comment="")
    for name in ("acme", "bolt")
)
T1 = SharedObject("main.s.t1", ObjectType.TABLE)
S = Share("s", "", frozenset({T1}), frozenset({"acme"}))
K_ACME, K_BOLT, K_S = recipient_key("acme", WORKSPACE), recipient_key("bolt", WORKSPACE), share_key("s", WORKSPACE)


def test_a_new_pack_is_created_recipients_first() -> None:
    plan = planned(desired_of(a_pack(SALES_Q1, S, ACME)))
    assert [(str(item.key), type(item.verdict)) for item in plan.steps] == [
        ("recipient/acme", Create),
        ("share/s", Create),
    ]
    assert only(plan).strategy is Strategy.NEW
    assert plan.has_changes
    assert only(plan).rows_behind


def test_a_pack_that_exists_is_an_update_and_a_wrong_strategy_in_the_file_is_a_warning() -> None:
    pack = replace(a_pack(SALES_Q1, S, ACME), stated_strategy=Strategy.NEW)
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    plan = planned(desired_of(pack), rows, found(S, ACME))
    assert only(plan).strategy is Strategy.UPDATE
    assert "NEW" in only(plan).warnings[0]
    assert not any(item.is_work for item in plan.steps)


def test_only_packs_in_scope_are_looked_at() -> None:
    desired = desired_of(a_pack(SALES_Q1, S, ACME), a_pack(SALES_Q2, BOLT))
    assert keys_in_scope(desired, {SALES_Q2}, RecordedState()) == {K_BOLT}
    assert [pack.pack for pack in planned(desired, scope=frozenset({SALES_Q2})).packs] == [SALES_Q2]


def test_a_removed_entry_is_deleted_only_when_git_attests_it() -> None:
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    desired = desired_of(a_pack(SALES_Q1, ACME))
    held = step_of(planned(desired, rows, found(S, ACME)), K_S)
    assert isinstance(held.verdict, Delete)
    assert [item.rule for item in held.objections] == ["delete-not-attested"]
    assert not held.is_work
    attested = {SALES_Q1: Attestation(removed=frozenset({K_S}))}
    assert step_of(planned(desired, rows, found(S, ACME), attestations=attested), K_S).is_work


def test_a_removed_pack_is_planned_from_its_rows() -> None:
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    attested = {SALES_Q1: Attestation(removed=frozenset({K_S, K_ACME}))}
    plan = planned(desired_of(), rows, found(S, ACME), attestations=attested)
    assert [str(item.key) for item in plan.steps] == ["share/s", "recipient/acme"]
    assert all(item.is_work for item in plan.steps)
    assert only(plan).declared is None


def test_a_pack_in_a_broken_file_is_not_planned_at_all() -> None:
    rows = recorded_of({K_S: (S, SALES_Q1)})
    desired = replace(desired_of(), broken={SALES_Q1: "q1.yaml"})
    assert planned(desired, rows, found(S)).packs == ()


@pytest.mark.parametrize("change", ["grant", "object"])
def test_without_git_s_word_nothing_is_taken_from_anybody(change: str) -> None:
    less = replace(S, recipients=frozenset()) if change == "grant" else replace(S, objects=frozenset())
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    refused = {SALES_Q1: Attestation(refusal="these files are not committed", hint="commit them")}
    plan = planned(desired_of(a_pack(SALES_Q1, less, ACME)), rows, found(S, ACME), attestations=refused)
    held = step_of(plan, K_S)
    assert [item.rule for item in held.objections] == ["revoke-not-attested"]
    assert not held.is_work
    assert only(plan).actions == frozenset()


def test_without_git_s_word_things_are_still_created_and_widened() -> None:
    refused = {SALES_Q1: Attestation(refusal="these files are not committed", hint="commit them")}
    plan = planned(desired_of(a_pack(SALES_Q1, S, ACME)), attestations=refused)
    assert all(item.is_work for item in plan.steps)


def test_a_resource_moves_between_packs_of_a_line_without_any_call() -> None:
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    desired = desired_of(a_pack(SALES_Q2, S, ACME))
    plan = planned(desired, rows, found(S, ACME))
    assert {type(item.verdict) for item in plan.steps} == {Record}
    assert {pack.pack for pack in plan.packs if pack.steps} == {SALES_Q2}
    assert all(pack.actions == frozenset() for pack in plan.packs)


def test_a_pack_cannot_take_a_resource_of_another_business_line() -> None:
    rows = recorded_of({K_ACME: (ACME, LEGAL)})
    plan = planned(desired_of(a_pack(SALES_Q1, ACME)), rows, found(ACME), frozenset({SALES_Q1}))
    verdict = step_of(plan, K_ACME).verdict
    assert isinstance(verdict, Conflict)
    assert verdict.rule == "recorded-elsewhere"
    assert str(LEGAL) in verdict.message


def test_a_pack_cannot_take_a_resource_while_its_owner_s_file_is_broken() -> None:
    rows = recorded_of({K_ACME: (ACME, SALES_Q2)})
    desired = replace(desired_of(a_pack(SALES_Q1, ACME)), broken={SALES_Q2: "q2.yaml"})
    assert isinstance(step_of(planned(desired, rows, found(ACME)), K_ACME).verdict, Conflict)


def test_rows_from_uncommitted_files_are_brought_up_to_date_by_a_commit() -> None:
    rows = recorded_of({K_ACME: (ACME, SALES_Q1)}, commit="")
    plan = planned(desired_of(a_pack(SALES_Q1, ACME)), rows, found(ACME))
    assert isinstance(step_of(plan, K_ACME).verdict, Record)
    uncommitted = desired_of(a_pack(SALES_Q1, ACME), is_committed=False)
    assert isinstance(step_of(planned(uncommitted, rows, found(ACME)), K_ACME).verdict, Keep)


def test_a_missing_object_holds_the_share_and_nothing_else() -> None:
    share = replace(S, objects=frozenset({SharedObject("main.s.typo")}))
    plan = planned(desired_of(a_pack(SALES_Q1, share, ACME)), catalogs={WORKSPACE: KnownCatalog({})})
    assert [item.rule for item in step_of(plan, K_S).objections] == ["object-missing"]
    assert step_of(plan, K_ACME).is_work


def test_an_object_that_cannot_be_looked_up_holds_the_share() -> None:
    share = replace(S, objects=frozenset({SharedObject("main.s.secret")}))
    plan = planned(desired_of(a_pack(SALES_Q1, share, ACME)), catalogs={})
    assert [item.rule for item in step_of(plan, K_S).objections] == ["object-unreadable"]


def test_types_come_from_the_name_the_share_or_the_catalog() -> None:
    names = ["main.s", "main.s.t1", "main.s.new"]
    share = replace(S, objects=frozenset(SharedObject(name) for name in names))
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    actual = found(replace(S, objects=frozenset({SharedObject("main.s.t1", ObjectType.MATERIALIZED_VIEW)})), ACME)
    catalogs = {WORKSPACE: KnownCatalog({"main.s.new": (CatalogObject(ObjectType.VIEW),)})}
    wanted = step_of(planned(desired_of(a_pack(SALES_Q1, share, ACME)), rows, actual, catalogs=catalogs), K_S).desired
    assert isinstance(wanted, Share)
    assert wanted.objects is not UNMANAGED
    assert {item.name: item.type for item in wanted.objects} == {
        "main.s": ObjectType.SCHEMA,
        "main.s.t1": ObjectType.MATERIALIZED_VIEW,
        "main.s.new": ObjectType.VIEW,
    }


def test_a_share_waits_for_a_held_recipient() -> None:
    actual = found(ACME)
    plan = planned(desired_of(a_pack(SALES_Q1, S, ACME)), None, actual)
    assert isinstance(step_of(plan, K_ACME).verdict, Conflict)
    assert [item.rule for item in step_of(plan, K_S).objections] == ["recipient-missing"]


def test_a_share_needs_the_pack_that_brings_its_recipient() -> None:
    desired = desired_of(a_pack(SALES_Q1, S), a_pack(SALES_Q2, ACME))
    plan = planned(desired)
    assert {pack.pack: pack.needs for pack in plan.packs} == {
        SALES_Q1: frozenset({SALES_Q2}),
        SALES_Q2: frozenset(),
    }
    alone = planned(desired, scope=frozenset({SALES_Q1}))
    assert str(SALES_Q2) in step_of(alone, K_S).objections[0].message
    known = planned(desired, recorded_of({K_ACME: (ACME, SALES_Q2)}), found(ACME), frozenset({SALES_Q1}))
    assert step_of(known, K_S).is_work
    assert only(known).needs == frozenset()


def test_packs_that_wait_for_each_other_are_held() -> None:
    other = Share("o", "", frozenset({T1}), frozenset({"bolt"}))
    plan = planned(desired_of(a_pack(SALES_Q1, other, ACME), a_pack(SALES_Q2, S, BOLT)))
    assert all(pack.needs == frozenset() for pack in plan.packs)
    assert [item.rule for item in step_of(plan, K_S).objections] == ["recipient-missing"]
    assert step_of(plan, K_ACME).is_work


def test_what_cannot_be_read_is_held() -> None:
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    actual: dict[Key, Observed] = {**found(ACME), K_S: Unreadable("PERMISSION_DENIED")}
    plan = planned(desired_of(a_pack(SALES_Q1, S, ACME)), rows, actual)
    assert step_of(plan, K_S).verdict == Unknown("PERMISSION_DENIED")
    assert plan.is_held


def test_what_was_not_looked_at_is_not_absent_and_what_git_was_not_asked_is_not_attested() -> None:
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    less = desired_of(a_pack(SALES_Q1, replace(S, recipients=frozenset()), ACME))
    blind = make_plan(less, {SALES_Q1}, World(rows, {}, NOW))
    assert {type(item.verdict) for item in blind.steps} == {Unknown}
    unasked = make_plan(less, {SALES_Q1}, World(rows, found(S, ACME), NOW))
    assert [item.rule for item in step_of(unasked, K_S).objections] == ["revoke-not-attested"]


def test_what_is_gone_on_both_sides_only_closes_rows() -> None:
    plan = planned(desired_of(), recorded_of({K_S: (S, SALES_Q1)}))
    assert step_of(plan, K_S).verdict == Forget(S)
    assert step_of(plan, K_S).is_work


def _changed(pack: SharePack) -> Plan:
    rows = recorded_of({K_S: (S, SALES_Q1), K_ACME: (ACME, SALES_Q1)})
    return planned(desired_of(pack), rows, found(S, ACME))


def test_fingerprints_are_over_actions_and_nothing_else() -> None:
    comment = _changed(a_pack(SALES_Q1, replace(S, comment="new"), ACME))
    moved = _changed(a_pack(SALES_Q1, replace(S, comment="new"), ACME, path="elsewhere.yaml"))
    another = _changed(a_pack(SALES_Q1, replace(S, comment="other"), ACME))
    assert comment.fingerprint == moved.fingerprint
    assert comment.fingerprint != another.fingerprint
    update = step_of(comment, K_S).verdict
    assert isinstance(update, Update)
    assert update.cause is Cause.FILE


def test_the_same_or_fewer_actions_are_approved_and_new_ones_are_not() -> None:
    small = _changed(a_pack(SALES_Q1, replace(S, comment="new"), ACME))
    large = _changed(a_pack(SALES_Q1, replace(S, comment="new", objects=frozenset()), ACME))
    approval = {SALES_Q1: Approved(only(large).fingerprint, only(large).actions, WORKSPACE)}
    assert check_approval(small, approval).stale == ()
    approval = {SALES_Q1: Approved(only(small).fingerprint, only(small).actions, WORKSPACE)}
    checked = check_approval(large, approval)
    assert checked.plan.packs == ()
    assert checked.stale[0].new == (f"share/s objects - main.s.t1 (TABLE) in {WORKSPACE}",)
    elsewhere = {SALES_Q1: replace(approval[SALES_Q1], workspace="https://other.example")}
    assert check_approval(small, elsewhere).stale[0].new == (f'share/s comment = "new" in {WORKSPACE}',)
    assert check_approval(small, {}).stale


def test_digests_that_were_made_before_make_the_same_plan() -> None:
    desired = desired_of(a_pack(SALES_Q1, S, ACME), a_pack(SALES_Q2, BOLT))
    known = {each.id: digests(each) for each in desired.packs.values()}
    world = World(recorded_of({K_S: (S, SALES_Q1), K_BOLT: (BOLT, SALES_Q2)}), found(S), NOW)
    assert make_plan(desired, desired.packs, replace(world, digests=known)) == make_plan(desired, desired.packs, world)
    assert len({*known.values(), digests(a_pack(SALES_Q1, S))}) == 3
