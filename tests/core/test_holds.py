"""Suspensions, verdict by verdict, and contested fields, field by field; properties over all are in `test_disputes`."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from reconciler.core.actual import Absent, Found
from reconciler.core.changes import Cause, ObjectChanged, TokenRotated, TokenShortened, ValueSet, field_changes
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.holds import (
    EXISTENCE,
    Holds,
    as_left,
    changed_by_hand,
    declared_digest,
    parted,
    path_of,
    suspension_objections,
)
from reconciler.core.key import recipient_key, share_key
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import DriftPolicy
from reconciler.core.plan import Plan
from reconciler.core.recipient import OidcSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import (
    Adopt,
    Create,
    Delete,
    Drifted,
    Forget,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Update,
    Verdict,
)
from tests.core.disputes import UNTIL, a_contest, a_suspension, contesting
from tests.core.scenes import EMEA, ONE, OTHER, POLICIES
from tests.core.worlds import (
    SALES_Q1,
    WORKSPACE,
    a_pack,
    a_token,
    as_actual,
    desired_of,
    found,
    found_with,
    planned,
    recorded_of,
    rules,
    step_of,
)

TABLE = SharedObject("main.sales.orders", ObjectType.TABLE, comment="why", partitions=frozenset())
LEADS = SharedObject("main.sales.leads", ObjectType.TABLE)
BOOK = SharedObject("Read me", ObjectType.NOTEBOOK_FILE, comment="", content=ONE)
SHARE = Share("acme", "words", frozenset({TABLE, LEADS}), frozenset({"bolt"}))
PARTNER = Recipient("bolt", TokenSharing(), comment="words", allowed_ips=frozenset({"10.0.0.0/24", "10.1.0.0/24"}))
KEY, PARTNER_KEY = share_key("acme", WORKSPACE), recipient_key("bolt", WORKSPACE)


def update(recorded: Resource, desired: Resource, actual: Resource) -> Update:
    changes = field_changes(desired, recorded, as_actual(actual))
    return Update(as_actual(actual), desired, changes, changes[0].cause)


def by_file(before: Resource, after: Resource) -> Update:
    return update(before, after, before)


def by_hand(wanted: Resource, there: Resource) -> Update:
    return update(wanted, wanted, there)


def objects(*items: SharedObject) -> Share:
    return replace(SHARE, objects=frozenset(items))


FEWER, NONE, OTHERS = (
    replace(PARTNER, allowed_ips=frozenset(ips)) for ips in ({"10.0.0.0/24"}, set[str](), {"10.2.0.0/24"})
)
SHARED_ALL = replace(TABLE, history=True)


class TestSuspension:
    @pytest.mark.parametrize(
        "verdict",
        [
            Delete(SHARE),
            by_file(SHARE, replace(SHARE, recipients=frozenset())),
            by_file(SHARE, objects(TABLE)),
            by_file(SHARE, objects(LEADS, replace(TABLE, partitions=frozenset({EMEA})))),
            by_file(objects(SHARED_ALL), objects(replace(SHARED_ALL, history=False))),
            by_file(PARTNER, FEWER),
            by_file(NONE, PARTNER),
            Adopt(SHARE, objects(TABLE), field_changes(objects(TABLE), None, as_actual(SHARE))),
        ],
    )
    def test_what_a_commit_takes_away_goes_unless_that_is_suspended_too(self, verdict: Verdict) -> None:
        assert list(suspension_objections(verdict, a_suspension())) == []
        (objection,) = suspension_objections(verdict, a_suspension(revocations_too=True))
        assert objection.rule == "suspended"

    @pytest.mark.parametrize(
        "verdict",
        [
            Create(SHARE, Cause.FILE),
            Create(SHARE, Cause.DRIFT),
            Rename(replace(SHARE, name="old"), SHARE, ()),
            Replace(PARTNER, replace(PARTNER, authentication=OidcSharing())),
            by_file(SHARE, replace(SHARE, comment="other")),
            by_file(SHARE, replace(SHARE, recipients=frozenset({"bolt", "core"}))),
            # One of the changes takes something away, another does not.
            by_file(SHARE, replace(SHARE, recipients=frozenset(), comment="other")),
            by_file(SHARE, replace(SHARE, recipients=frozenset({"core"}))),
            by_file(
                objects(replace(TABLE, history=True)),
                objects(replace(TABLE, history=False, comment="other")),
            ),
            by_file(objects(replace(TABLE, partitions=frozenset({EMEA}))), objects(TABLE)),
            # Fewer addresses, until there are none and all may read; or others.
            by_file(PARTNER, NONE),
            by_file(PARTNER, OTHERS),
            by_file(FEWER, PARTNER),
            # Undone, not committed.
            by_hand(SHARE, replace(SHARE, recipients=frozenset({"bolt", "core"}))),
            Update(
                PARTNER,
                PARTNER,
                (TokenRotated("bolt-0", 0, 0),),
                Cause.FILE,
            ),
            Adopt(SHARE, SHARE, (ValueSet("comment", "a", "b", Cause.FILE),)),
        ],
    )
    def test_everything_else_is_held(self, verdict: Verdict) -> None:
        for revocations_too in (False, True):
            (objection,) = suspension_objections(verdict, a_suspension(revocations_too=revocations_too))
            assert (objection.rule, objection.lift) == ("suspended", "")

    @pytest.mark.parametrize(
        "verdict",
        [
            Keep(SHARE),
            Record(None, SHARE),
            Forget(SHARE),
            Release(SHARE),
            Adopt(SHARE, SHARE, ()),
            Drifted(SHARE, ()),
        ],
    )
    def test_rows_of_ours_are_brought_up_to_date(self, verdict: Verdict) -> None:
        assert list(suspension_objections(verdict, a_suspension(revocations_too=True))) == []

    def test_the_objection_says_who_until_when_why_and_how_it_ends(self) -> None:
        far_east = timezone(timedelta(hours=9), "JST")
        suspension = replace(a_suspension(), until=UNTIL.astimezone(far_east))
        (objection,) = suspension_objections(Create(SHARE, Cause.FILE), suspension)
        assert objection.message == (
            "the pack is suspended until 2030-03-24 12:00 UTC by ann@example.com: the partner is moving"
        )
        assert "sharepack resume" in objection.hint

    def test_a_pack_that_is_not_suspended_is_not_held(self) -> None:
        assert list(suspension_objections(Create(SHARE, Cause.FILE), None)) == []


@pytest.mark.parametrize(
    ("there", "wanted", "paths"),
    [
        (replace(SHARE, comment="x"), SHARE, {"comment"}),
        (replace(SHARE, recipients=frozenset({"core"})), SHARE, {"recipients[core]", "recipients[bolt]"}),
        (objects(LEADS, replace(TABLE, comment="x")), SHARE, {"objects[main.sales.orders]"}),
        (objects(TABLE), SHARE, {"objects[main.sales.leads]"}),
        (NONE, FEWER, {"allowed_ips[10.0.0.0/24]"}),
        (
            Recipient("r", OidcSharing(), policies=frozenset({POLICIES[0]})),
            Recipient("r", OidcSharing(), policies=frozenset({POLICIES[1]})),
            {"policies[main]"},
        ),
        (
            Recipient("r", TokenSharing(), properties=frozenset({("a.b", "1")})),
            Recipient("r", TokenSharing(), properties=frozenset({("c", "1")})),
            {"properties.a.b", "properties.c"},
        ),
    ],
)
class TestFields:
    def test_each_change_is_about_a_field_that_has_a_name(
        self, there: Resource, wanted: Resource, paths: set[str]
    ) -> None:
        changes = field_changes(wanted, wanted, as_actual(there))
        assert {path_of(change) for change in changes} == paths
        assert changed_by_hand(changes) == paths

    def test_a_field_that_is_left_is_as_it_is_there(self, there: Resource, wanted: Resource, paths: set[str]) -> None:
        actual = as_actual(there)
        left, rest = parted(field_changes(wanted, wanted, actual), paths)
        assert rest == ()
        assert field_changes(as_left(wanted, actual, left), wanted, actual) == ()

    def test_what_only_the_file_changed_is_nobodys_hand(
        self, there: Resource, wanted: Resource, paths: set[str]
    ) -> None:
        assert paths
        assert changed_by_hand(field_changes(wanted, there, as_actual(there))) == frozenset()


def test_a_token_is_never_left() -> None:
    changes = (TokenRotated("t", 0, 0), TokenShortened("t", None, 1))
    assert {path_of(change) for change in changes} == {"token"}
    assert as_left(PARTNER, as_actual(PARTNER), changes) == PARTNER


def test_an_object_whose_alias_is_taken_by_one_that_is_left_is_not_added() -> None:
    """Somebody shared other data under the alias that readers know, three times."""
    theirs, ours = replace(LEADS, shared_as="pub.orders"), replace(TABLE, shared_as="pub.orders")
    wanted, actual = objects(ours), as_actual(objects(theirs))
    changes = field_changes(wanted, wanted, actual)
    left, rest = parted(changes, {"objects[main.sales.leads]"})
    assert (set(left), rest) == (set(changes), ())
    verdict = compare(ThreeStates(wanted, wanted, Found(actual), contested=frozenset({"objects[main.sales.leads]"})))
    assert verdict == Drifted(actual, left)


def test_a_volume_may_have_the_alias_of_a_table_that_is_left() -> None:
    theirs = replace(LEADS, shared_as="pub.orders")
    volume = SharedObject("main.sales.files", ObjectType.VOLUME, "pub.orders")
    wanted = objects(volume)
    _, rest = parted(field_changes(wanted, wanted, as_actual(objects(theirs))), {"objects[main.sales.leads]"})
    assert [path_of(change) for change in rest] == ["objects[main.sales.files]"]


def test_a_notebook_that_has_to_be_sent_is_sent_and_keeps_the_comment_that_is_contested() -> None:
    """After a crash nobody knows what it holds."""
    wanted, recorded = objects(BOOK), objects(replace(BOOK, content=OTHER))
    actual = as_actual(objects(replace(BOOK, comment="by hand")))
    verdict = compare(
        ThreeStates(wanted, recorded, Found(actual), contested=frozenset({"objects[Read me]"}), rows_behind=True)
    )
    assert isinstance(verdict, Update)
    (change,) = verdict.changes
    assert isinstance(change, ObjectChanged)
    assert [each.field for each in change.sets] == ["content"]
    (operation,) = lower(KEY, verdict)
    left = objects(replace(BOOK, comment="by hand", shared_as=UNMANAGED))
    assert (operation.after, verdict.after) == (left, left)


def test_a_stranger_who_is_left_keeps_no_other_stranger() -> None:
    there = replace(SHARE, recipients=frozenset({"bolt", "left", "other"}))
    plan = plan_of_one(SHARE, there, contesting(KEY, SHARE, "recipients[left]"))
    verdict = step_of(plan, KEY).verdict
    assert isinstance(verdict, Update)
    assert [path_of(change) for change in verdict.changes] == ["recipients[other]"]
    assert verdict.after == replace(SHARE, recipients=frozenset({"bolt", "left"}))


def plan_of_one(wanted: Resource, there: Resource | None, holds: Holds, **more: object) -> Plan:
    """`wanted` is on record, too."""
    pack = replace(a_pack(SALES_Q1, PARTNER, wanted), **more)  # type: ignore[arg-type]
    key = share_key(wanted.name, WORKSPACE)
    rows = recorded_of({PARTNER_KEY: (PARTNER, SALES_Q1), key: (wanted, SALES_Q1)})
    present = [PARTNER] if there is None else [PARTNER, there]
    return planned(desired_of(pack), rows, found(*present), holds=holds)


class TestTheEndOfAContest:
    def test_a_pack_that_wants_something_else_ends_it(self) -> None:
        there = replace(SHARE, comment="by hand")
        assert isinstance(step_of(plan_of_one(SHARE, there, contesting(KEY, SHARE, "comment")), KEY).verdict, Drifted)
        for other in (replace(SHARE, comment="other"), replace(SHARE, protect=True), objects(TABLE)):
            step = step_of(plan_of_one(other, there, contesting(KEY, SHARE, "comment")), KEY)
            assert isinstance(step.verdict, Update)
            assert step.contests == ()

    def test_a_contest_of_another_resource_means_nothing(self) -> None:
        holds = contesting(share_key("other", WORKSPACE), SHARE, "comment")
        assert isinstance(step_of(plan_of_one(SHARE, replace(SHARE, comment="x"), holds), KEY).verdict, Update)

    def test_what_is_to_be_gone_has_no_contests(self) -> None:
        assert contesting(KEY, SHARE, "comment").contests_of(KEY, None) == ()

    def test_the_digest_is_that_of_all_that_is_wanted(self) -> None:
        others = [replace(SHARE, protect=True), replace(SHARE, comment=UNMANAGED), objects(TABLE)]
        assert len({declared_digest(each) for each in (SHARE, *others)}) == 4


class TestContestsAndReportedDrift:
    THERE = replace(SHARE, comment="by hand", recipients=frozenset({"bolt", "stranger"}))

    def test_both_leave_everything(self) -> None:
        holds = contesting(KEY, SHARE, "comment")
        step = step_of(plan_of_one(SHARE, self.THERE, holds, drift=DriftPolicy.REPORT), KEY)
        assert isinstance(step.verdict, Drifted)
        assert [path_of(change) for change in step.verdict.changes] == ["comment", "recipients[stranger]"]

    def test_a_contested_field_on_record_as_it_was_left_is_not_taken_for_a_change_of_the_file(self) -> None:
        verdict = compare(
            ThreeStates(
                SHARE,
                replace(SHARE, comment="by hand, before"),
                Found(as_actual(self.THERE)),
                reports_drift=True,
                contested=frozenset({"comment"}),
            )
        )
        assert isinstance(verdict, Drifted)

    def test_a_file_that_changed_is_obeyed_all_the_same(self) -> None:
        verdict = compare(
            ThreeStates(
                replace(SHARE, recipients=frozenset({"core"})),
                SHARE,
                Found(as_actual(replace(SHARE, comment="by hand"))),
                reports_drift=True,
                contested=frozenset({"comment"}),
            )
        )
        assert isinstance(verdict, Update)
        assert {path_of(change) for change in verdict.changes} == {"recipients[bolt]", "recipients[core]"}


class TestExistence:
    def states(self, **more: object) -> ThreeStates:
        return ThreeStates(SHARE, SHARE, Absent(), contested=frozenset({EXISTENCE}), **more)  # type: ignore[arg-type]

    def test_what_is_deleted_again_and_again_stays_deleted(self) -> None:
        assert compare(self.states()) == Drifted(None, ())

    def test_what_became_of_a_call_that_was_begun_is_found_out(self) -> None:
        assert compare(self.states(rows_behind=True)) == Create(SHARE, Cause.DRIFT)

    def test_what_a_pack_declares_anew_is_made(self) -> None:
        states = replace(self.states(), recorded=None)
        assert compare(states) == Create(SHARE, Cause.FILE)

    def test_it_may_come_back(self) -> None:
        assert isinstance(compare(replace(self.states(), actual=Found(as_actual(SHARE)))), Keep)


class TestRowsOfContestedResources:
    def compared(self, **more: object) -> Verdict:
        there = as_actual(replace(SHARE, comment="by hand"))
        states = ThreeStates(SHARE, SHARE, Found(there), contested=frozenset({"comment"}))
        return compare(replace(states, **more))  # type: ignore[arg-type]

    def test_an_open_intent_is_resolved(self) -> None:
        left = replace(SHARE, comment="by hand")
        assert self.compared(rows_behind=True) == Record(SHARE, left)
        assert isinstance(self.compared(recorded=left), Drifted)

    def test_what_only_our_record_holds_follows_the_file(self) -> None:
        unprotected = replace(SHARE, protect=True)
        assert self.compared(recorded=unprotected) == Record(unprotected, replace(SHARE, comment="by hand"))

    def test_what_is_taken_over_is_made_as_the_file_says(self) -> None:
        assert isinstance(self.compared(recorded=None, adopt=True), Adopt)
        adopted = self.compared(recorded=None, adopt=True)
        assert isinstance(adopted, Adopt)
        assert adopted.after == SHARE


def test_drift_is_no_occasion_to_lift_a_protection_unseen() -> None:
    verdict = compare(
        ThreeStates(SHARE, replace(SHARE, protect=True), Found(as_actual(replace(SHARE, comment="by hand"))))
    )
    assert isinstance(verdict, Update)
    assert verdict.cause is Cause.BOTH


def test_a_rotation_goes_on_while_a_comment_is_contested() -> None:
    partner = replace(PARTNER, rotate_every=3600)
    key = recipient_key("bolt", WORKSPACE)
    rows = recorded_of({key: (partner, SALES_Q1)})
    there = found_with(replace(partner, comment="by hand"), tokens=a_token(partner))
    holds = contesting(key, partner, "comment", "token")
    verdict = step_of(planned(desired_of(a_pack(SALES_Q1, partner)), rows, {key: there}, holds=holds), key).verdict
    assert isinstance(verdict, Update)
    assert [type(change) for change in verdict.changes] == [TokenRotated]
    assert verdict.after == replace(partner, comment="by hand")


def test_a_suspension_holds_the_steps_of_its_pack_and_of_no_other() -> None:
    plan = plan_of_one(SHARE, None, Holds({SALES_Q1: a_suspension()}))
    assert rules(step_of(plan, KEY)) == ["suspended"]
    assert rules(step_of(plan_of_one(SHARE, None, Holds()), KEY)) == []


def test_a_contest_says_who_and_until_when() -> None:
    step = step_of(plan_of_one(SHARE, replace(SHARE, comment="x"), contesting(KEY, SHARE, "comment")), KEY)
    assert step.contests == (a_contest("comment", SHARE),)


def test_nothing_is_granted_to_a_recipient_that_stays_deleted() -> None:
    rows = recorded_of({PARTNER_KEY: (PARTNER, SALES_Q1), KEY: (SHARE, SALES_Q1)})
    there = found(replace(SHARE, recipients=frozenset()))
    holds = contesting(PARTNER_KEY, PARTNER, EXISTENCE)
    plan = planned(desired_of(a_pack(SALES_Q1, PARTNER, SHARE)), rows, there, holds=holds)
    assert step_of(plan, PARTNER_KEY).verdict == Drifted(None, ())
    (objection,) = step_of(plan, KEY).objections
    assert objection.message == "recipient bolt was deleted by hand, and is left so for now"
