from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.actual import Token
from reconciler.core.changes import Cause, ElementAdded, ValueSet
from reconciler.core.holds import EXISTENCE, Contest
from reconciler.core.plan import Degraded, Seen, Step
from reconciler.core.sighting import (
    NOTICE_DAYS,
    Sighting,
    drifted_fields,
    has_drifted,
    left_alone,
    notice_due,
    sighting,
)
from reconciler.core.verdict import Conflict, Create, Delete, Drifted, Keep, Record, Rename, Unknown, Update, Verdict
from tests.core.disputes import a_contest, contesting
from tests.core.test_holds import KEY, PARTNER, PARTNER_KEY, SHARE, plan_of_one
from tests.core.worlds import (
    DAY,
    NOW,
    SALES_Q1,
    a_pack,
    as_actual,
    desired_of,
    found_with,
    planned,
    recorded_of,
    step_of,
)

HAND, FILE, BOTH = (
    ValueSet("hand", "x", "y", Cause.DRIFT),
    ValueSet("file", "x", "y", Cause.FILE),
    ValueSet("both", "x", "y", Cause.BOTH),
)
STRANGER = ElementAdded("recipients", "gone", Cause.DRIFT)


@pytest.mark.parametrize(
    ("verdict", "fields"),
    [
        (Update(SHARE, SHARE, (HAND, FILE, BOTH, STRANGER), Cause.BOTH), ("both", "hand", "recipients[gone]")),
        (Update(SHARE, SHARE, (FILE,), Cause.FILE), ()),
        (Rename(SHARE, SHARE, (HAND, FILE)), ("hand",)),
        (Drifted(SHARE, (HAND, FILE)), ("file", "hand")),
        (Drifted(None, ()), (EXISTENCE,)),
        (Create(SHARE, Cause.DRIFT), (EXISTENCE,)),
        (Create(SHARE, Cause.FILE), ()),
        (Keep(SHARE), ()),
        (Record(SHARE, SHARE), ()),
        (Delete(SHARE), ()),
        (Unknown("no answer"), ()),
        (Conflict("rule", "message", "hint", (HAND,)), ()),
    ],
)
def test_what_was_changed_by_hand_is_told_field_by_field(verdict: Verdict, fields: tuple[str, ...]) -> None:
    assert drifted_fields(Step(KEY, verdict, SHARE)) == fields


def contested(verdict: Verdict, *fields: str) -> Step:
    contests: tuple[Contest, ...] = tuple(a_contest(each, SHARE) for each in fields)
    return Step(KEY, verdict, SHARE, contests=contests)


def test_what_is_left_alone_stays_on_record_while_something_else_is_put_back() -> None:
    """Otherwise its age would begin anew."""
    there = as_actual(replace(SHARE, comment="by hand", recipients=frozenset()))
    after = replace(SHARE, comment="by hand")
    put_back = ElementAdded("recipients", "bolt", Cause.DRIFT)
    step = contested(Update(there, after, (put_back,), Cause.DRIFT), "comment", "owner")
    assert [change.field for change in left_alone(step)] == ["comment"]
    assert drifted_fields(step) == ("comment", "recipients[bolt]")
    assert drifted_fields(contested(Record(SHARE, after), "comment")) == ("comment",)
    assert drifted_fields(contested(Keep(as_actual(SHARE)), "comment")) == ()


def test_without_contests_nothing_is_left_alone() -> None:
    there = as_actual(replace(SHARE, comment="by hand"))
    change = ValueSet("comment", "by hand", "words", Cause.DRIFT)
    assert left_alone(Step(KEY, Update(there, SHARE, (change,), Cause.DRIFT), SHARE)) == ()
    assert left_alone(contested(Delete(SHARE), "comment")) == ()


def test_who_changed_it_is_told_where_something_was_changed() -> None:
    by_eve = Seen(updated_by="eve@example.com")
    step = Step(KEY, Drifted(SHARE, (HAND,)), SHARE, seen=by_eve)
    assert sighting(step) == Sighting((), ("hand",), "eve@example.com")
    assert sighting(replace(step, verdict=Keep(SHARE))) == Sighting()
    assert sighting(replace(step, verdict=Drifted(None, ()), seen=None)) == Sighting(drift=(EXISTENCE,))


def test_what_is_well_is_not_notable() -> None:
    assert not Sighting().is_notable
    assert Sighting((Degraded("c.s.t", "svc"),)).is_notable
    assert Sighting(drift=("comment",)).is_notable
    assert Sighting(token_ends_at=1).is_notable


def test_the_end_of_the_newest_token_is_seen_as_long_as_a_pack_wants_the_recipient() -> None:
    tokens = (Token("new", NOW - DAY, NOW + 3 * DAY), Token("old", NOW - 9 * DAY, NOW + DAY))
    there = {PARTNER_KEY: found_with(PARTNER, tokens=tokens)}
    rows = recorded_of({PARTNER_KEY: (PARTNER, SALES_Q1)})
    assert sighting(step_of(planned(desired_of(a_pack(SALES_Q1, PARTNER)), rows, there), PARTNER_KEY)) == Sighting(
        token_ends_at=NOW + 3 * DAY
    )
    gone = step_of(planned(desired_of(a_pack(SALES_Q1)), rows, there), PARTNER_KEY)
    assert sighting(gone).token_ends_at is None


def test_a_plan_with_contested_fields_has_drifted() -> None:
    there = replace(SHARE, comment="by hand")
    assert has_drifted(plan_of_one(SHARE, there, contesting(KEY, SHARE, "comment")))
    assert not has_drifted(plan_of_one(SHARE, SHARE, contesting(KEY, SHARE, "comment")))


@pytest.mark.parametrize(
    ("left", "notice"),
    [
        (30 * DAY + 1, None),
        (30 * DAY, 30),
        (14 * DAY + 1, 30),
        (14 * DAY, 14),
        (7 * DAY + 1, 14),
        (7 * DAY, 7),
        (DAY + 1, 7),
        (DAY, 1),
        (1, 1),
        (0, 0),
        (-DAY, 0),
    ],
)
def test_a_word_is_due_at_thirty_fourteen_seven_and_one_days_and_at_the_end(left: int, notice: int | None) -> None:
    assert notice_due(NOW + left, NOW) == notice


@given(st.integers(-(10**11), 10**11), st.integers(0, 10**10))
def test_a_notice_only_ever_becomes_more_urgent(left: int, later: int) -> None:
    first, second = notice_due(NOW + left, NOW), notice_due(NOW + left, NOW + later)
    assert first in {None, 0, *NOTICE_DAYS}
    assert (99 if second is None else second) <= (99 if first is None else first)
