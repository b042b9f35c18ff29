"""One step of a plan: what it is made of besides its verdict, and the answers that no other module gives."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.actual import Absent, Unreadable
from reconciler.core.changes import Cause, TokenRotated
from reconciler.core.guard import Attestation
from reconciler.core.key import recipient_key, share_key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.pack import DriftPolicy, SharePack
from reconciler.core.plan import Degraded, Seen, Step
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.resolve import CatalogObject, Sought
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import NotebookContent, ObjectType, Share, SharedObject
from reconciler.core.tenant import Tenant, Tenants
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Unknown,
    Update,
)
from tests.core.model import DAY, NOW
from tests.core.model_objects import as_found
from tests.core.worlds import (
    COMMIT,
    SALES_Q1,
    SALES_Q2,
    WORKSPACE,
    a_pack,
    a_token,
    desired_of,
    found,
    found_with,
    planned,
    recorded_of,
    renamed,
    rules,
    step_of,
)

T1 = SharedObject("main.s.t1", ObjectType.TABLE)
ACME = Recipient("acme", TokenSharing(), comment="ours")
S = Share("s", "ours", frozenset({T1}), frozenset({"acme"}))
K_ACME, K_S = recipient_key("acme", WORKSPACE), share_key("s", WORKSPACE)
ROWS = recorded_of({K_ACME: (ACME, SALES_Q1), K_S: (S, SALES_Q1)})


def only_step(pack: SharePack, there: Resource, **more: Any) -> Step:
    rest = [ACME] if there.name == "s" else [S]
    seen = {**found(*rest, there), **more.pop("actual", {})}
    return step_of(planned(desired_of(pack), ROWS, seen, **more), key_of(there, WORKSPACE))


def test_a_step_says_who_stands_behind_what_is_there() -> None:
    seen = found_with(S, owner="boss", updated_by="eve", updated_at=NOW - DAY)
    step = only_step(a_pack(SALES_Q1, ACME, S), S, actual={K_S: seen})
    assert step.seen == Seen("boss", "eve", NOW - DAY)
    gone = planned(desired_of(a_pack(SALES_Q1, ACME, S)), ROWS, found(ACME))
    assert step_of(gone, K_S).seen is None


@pytest.mark.parametrize(
    ("catalog", "missing"),
    [
        ({}, ""),
        ({Sought("main.s.t1", ObjectType.TABLE, "boss"): None}, ""),
        (
            {Sought("main.s.t1", ObjectType.TABLE, "boss"): CatalogObject(ObjectType.TABLE, lacking="SELECT on it")},
            "SELECT on it",
        ),
    ],
)
def test_an_object_nobody_gets_to_read_is_in_sync_and_degraded(catalog: object, missing: str) -> None:
    seen = found_with(S, owner="boss", denied=frozenset({as_found(T1)}))
    step = only_step(a_pack(SALES_Q1, ACME, S), S, actual={K_S: seen}, catalogs={WORKSPACE: catalog})
    assert isinstance(step.verdict, Keep)
    assert step.objections == ()
    assert step.degraded == (Degraded("main.s.t1", "boss", missing),)


def test_a_recipient_is_never_degraded() -> None:
    assert only_step(a_pack(SALES_Q1, ACME, S), ACME).degraded == ()


THEIRS = replace(S, comment="theirs")


@pytest.mark.parametrize(
    ("pack_says", "tenant_says", "is_told"),
    [
        (UNMANAGED, None, False),
        (UNMANAGED, DriftPolicy.CORRECT, False),
        (UNMANAGED, DriftPolicy.REPORT, True),
        (DriftPolicy.CORRECT, DriftPolicy.REPORT, False),
        (DriftPolicy.REPORT, DriftPolicy.CORRECT, True),
        (DriftPolicy.REPORT, None, True),
    ],
)
def test_drift_is_told_or_corrected_as_the_pack_says_and_else_its_tenant(
    pack_says: Managed[DriftPolicy], tenant_says: DriftPolicy | None, is_told: bool
) -> None:
    pack = replace(a_pack(SALES_Q1, ACME, S), drift=pack_says)
    tenants = Tenants({"sales": Tenant("Sales", {"": WORKSPACE}, drift=tenant_says)})
    desired = replace(desired_of(pack), tenants=tenants)
    step = step_of(planned(desired, ROWS, found(ACME, THEIRS)), K_S)
    assert isinstance(step.verdict, Drifted if is_told else Update)
    assert step.is_work is not is_told


def test_once_the_file_changes_what_drifted_everything_is_put_right() -> None:
    pack = replace(a_pack(SALES_Q1, ACME, replace(S, recipients=frozenset())), drift=DriftPolicy.REPORT)
    step = only_step(pack, THEIRS)
    assert isinstance(step.verdict, Update)
    assert step.verdict.cause is Cause.BOTH


def test_what_was_deleted_by_hand_is_told_too_and_nothing_is_granted_to_it() -> None:
    """A share that gives something new to a recipient that is gone would be refused in the middle."""
    eager = Share("new", objects=frozenset({T1}), recipients=frozenset({"acme"}))
    pack = replace(a_pack(SALES_Q1, ACME, S, eager), drift=DriftPolicy.REPORT)
    plan = planned(desired_of(pack), ROWS, found(replace(S, recipients=frozenset())))
    assert step_of(plan, K_ACME).verdict == Drifted(None, ())
    assert isinstance(step_of(plan, K_S).verdict, Drifted)
    new = step_of(plan, share_key("new", WORKSPACE))
    assert rules(new) == ["recipient-missing"]
    assert "deleted by hand" in new.objections[0].message


def test_a_pack_lets_go_of_a_resource_without_touching_it() -> None:
    pack = replace(a_pack(SALES_Q1, ACME), released=frozenset({K_S}))
    step = only_step(pack, THEIRS)
    assert step.verdict == Release(S)
    assert (step.objections, step.is_work, step.is_change) == ((), True, False)
    foreign = planned(desired_of(pack), recorded_of({K_ACME: (ACME, SALES_Q1)}), found(ACME, S))
    assert [each.key for each in foreign.steps] == [K_ACME]


def test_what_is_released_is_let_go_although_nobody_can_read_it() -> None:
    pack = replace(a_pack(SALES_Q1, ACME), released=frozenset({K_S}))
    assert only_step(pack, S, actual={K_S: Unreadable("403")}).verdict == Release(S)


def test_another_pack_s_release_does_not_let_go_of_this_one_s() -> None:
    other = replace(a_pack(SALES_Q2), released=frozenset({K_S}))
    plan = planned(desired_of(a_pack(SALES_Q1, ACME, S), other), ROWS, found(ACME, S))
    assert isinstance(step_of(plan, K_S).verdict, Keep)


def test_a_rename_is_one_step_under_the_new_name() -> None:
    new = recipient_key("partner", WORKSPACE)
    renaming = renamed(a_pack(SALES_Q1, replace(ACME, name="partner")), new, "acme")
    plan = planned(desired_of(renaming), ROWS, found(ACME), attestations={SALES_Q1: Attestation(removed=frozenset())})
    step = step_of(plan, new)
    assert isinstance(step.verdict, Rename)
    assert step.renamed_from == "acme"
    assert [str(each.key) for each in plan.steps if each.key.kind == "recipient"] == ["recipient/partner"]


def test_what_may_still_be_there_under_its_old_name_is_not_made_a_second_time() -> None:
    """Its partner would lose the token with the first one, when that is deleted afterwards."""
    new = recipient_key("partner", WORKSPACE)
    renaming = renamed(a_pack(SALES_Q1, replace(ACME, name="partner")), new, "acme")
    seen = {**found(S), K_ACME: Unreadable("timed out"), new: Absent()}
    plan = planned(desired_of(renaming), ROWS, seen)
    assert step_of(plan, new).verdict == Unknown("timed out")
    assert step_of(plan, K_ACME).is_held


def test_an_old_name_is_never_deleted_because_the_new_one_is_taken() -> None:
    new = recipient_key("partner", WORKSPACE)
    partner = replace(ACME, name="partner")
    attested = {SALES_Q1: Attestation(removed=frozenset({K_ACME, K_S}))}
    for adopt in (False, True):
        renaming = renamed(a_pack(SALES_Q1, partner, adopt=adopt), new, "acme")
        plan = planned(desired_of(renaming), ROWS, found(ACME, partner, S), attestations=attested)
        old = step_of(plan, K_ACME)
        assert isinstance(old.verdict, Conflict)
        assert old.verdict.rule == "renamed-and-there"
        assert "partner" in old.verdict.hint
        assert isinstance(step_of(plan, new).verdict, Adopt if adopt else Conflict)
    without = planned(desired_of(a_pack(SALES_Q1, partner)), ROWS, found(ACME, partner, S), attestations=attested)
    assert isinstance(step_of(without, K_ACME).verdict, Delete)


def test_a_rename_that_was_begun_and_not_done_does_not_make_the_other_one_ours() -> None:
    """Databricks refused it because the name was taken, and nobody learned of the answer."""
    new = recipient_key("partner", WORKSPACE)
    partner = replace(ACME, name="partner")
    rows = recorded_of({K_ACME: (ACME, SALES_Q1), K_S: (S, SALES_Q1)}, intents=[new])
    plan = planned(desired_of(renamed(a_pack(SALES_Q1, partner, S), new, "acme")), rows, found(ACME, partner, S))
    verdict = step_of(plan, new).verdict
    assert isinstance(verdict, Conflict)
    assert verdict.rule == "exists-not-ours"


def test_what_was_begun_on_something_on_record_by_its_new_name_is_found_out_whatever_bears_the_old_one() -> None:
    new = recipient_key("partner", WORKSPACE)
    partner = replace(ACME, name="partner")
    both = {K_ACME: (ACME, SALES_Q2), new: (partner, SALES_Q1)}
    renaming = desired_of(renamed(a_pack(SALES_Q1, partner), new, "acme"))
    begun = planned(renaming, recorded_of(both, intents=[new]), found(ACME, partner))
    assert step_of(begun, new).verdict == Record(partner, partner)
    assert isinstance(step_of(planned(renaming, recorded_of(both), found(ACME, partner)), new).verdict, Keep)


def test_a_call_that_was_begun_on_a_share_of_notebooks_is_no_reason_to_make_it_again_where_drift_is_only_told() -> None:
    notebook = SharedObject("Read me", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64, b"one"))
    share = replace(S, objects=frozenset({notebook}))
    rows = recorded_of({K_ACME: (ACME, SALES_Q1), K_S: (share, SALES_Q1)}, intents=[K_S])
    pack = replace(a_pack(SALES_Q1, ACME, share), drift=DriftPolicy.REPORT)
    assert step_of(planned(desired_of(pack), rows, found(ACME)), K_S).verdict == Drifted(None, ())
    other = replace(share, objects=frozenset({replace(notebook, content=NotebookContent("2" * 64, b"two"))}))
    changed = replace(a_pack(SALES_Q1, ACME, other), drift=DriftPolicy.REPORT)
    assert isinstance(step_of(planned(desired_of(changed), rows, found(ACME)), K_S).verdict, Create)


def test_a_rename_and_another_authentication_are_two_commits() -> None:
    new = recipient_key("partner", WORKSPACE)
    other = Recipient("partner", DatabricksSharing("aws:us-west-2:abc"))
    plan = planned(desired_of(renamed(a_pack(SALES_Q1, other), new, "acme")), ROWS, found(ACME, S))
    verdict = step_of(plan, new).verdict
    assert isinstance(verdict, Conflict)
    assert verdict.rule == "renamed-and-replaced"


def test_a_token_is_looked_at_only_for_what_is_declared() -> None:
    rotating = replace(ACME, rotate_every=DAY // 1000)
    seen = {K_ACME: found_with(ACME, tokens=a_token(ACME, 2 * DAY))}
    step = only_step(a_pack(SALES_Q1, rotating, S), ACME, actual=seen)
    assert isinstance(step.token, TokenRotated)
    assert step_of(planned(desired_of(a_pack(SALES_Q1, S)), ROWS, {**found(S), **seen}), K_ACME).token is None


@pytest.mark.parametrize(
    ("verdict", "is_change", "is_work", "is_held"),
    [
        (Create(S, Cause.FILE), True, True, False),
        (Update(S, S, (), Cause.FILE), True, True, False),
        (Adopt(S, S, ()), False, True, False),
        (Rename(S, S, ()), True, True, False),
        (Delete(S), True, True, False),
        (Record(None, S), False, True, False),
        (Forget(S), False, True, False),
        (Release(S), False, True, False),
        (Keep(S), False, False, False),
        (Drifted(S, ()), False, False, False),
        (Ignore(), False, False, False),
        (Conflict("x", "", ""), False, False, True),
        (Unknown("403"), False, False, True),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_work_what_changes_anything_and_what_is_held(
    verdict: Create | Update | Adopt | Keep, is_change: bool, is_work: bool, is_held: bool
) -> None:
    step = Step(K_S, verdict, S)
    assert (step.is_change, step.is_work, step.is_held) == (is_change, is_work, is_held)


def test_rows_from_another_commit_s_files_are_written_with_this_one() -> None:
    rows = recorded_of({K_ACME: (ACME, SALES_Q1)}, commit="")
    plan = planned(desired_of(a_pack(SALES_Q1, ACME), commit=COMMIT), rows, found(ACME))
    assert step_of(plan, K_ACME).verdict == Record(ACME, ACME)
