"""The tables of docs/scale.md are those that `python -m tests.scale --write` makes; what they claim holds."""

import json
import re
from dataclasses import asdict, replace

import pytest

from tests.scale.assumed import DAY, LARGE, Fleet, Setting
from tests.scale.large import Large
from tests.scale.limits import limits
from tests.scale.measure import Kept, Measured
from tests.scale.memory import Thought
from tests.scale.page import PAGE, filled, form, read_blocks
from tests.scale.pulls import day_of_pulls
from tests.scale.result import Result, live
from tests.scale.tables import blocks

_KEPT = Kept(3, {"deltashare.shares": 1.0, "reconciler.plans": 1.0}, {"deltashare.shares": 900.0}, 100, 20, 1000, 0.1)
_MEASURED = Measured(10, _KEPT, _KEPT, _KEPT, 700.0, 600.0, 500.0, 56, 1e-5, "18")


@pytest.fixture(scope="module")
def small() -> Result:
    """A small run: the days are lived, what needs a database or a process of its own is made up."""
    some = Setting(seconds=DAY / 48, changed=0.5, by_hand=0.2)
    few, more = (live(Fleet(packs, packs_in_workspace=2), some, [1]) for packs in (2, 6))
    made = Setting(workers=2, hands=16, watches=False, changed=0, by_hand=0, seconds=60)
    new = live(Fleet(4, packs_in_workspace=2), made, [1], is_applied=False)
    return Result(
        seed=1,
        days=(few, few, more),
        beats=(replace(few, full_every=1), few, *(replace(few, interval=hours * 3600.0) for hours in (1, 4))),
        rates=tuple(replace(few, rate=rate) for rate in (10, 25, 50, 1e6)),
        onboarding=(new, new, new, new),
        measured=_MEASURED,
        thoughts=(Thought(10, 0.01, 0.03, 0.005, 40, 41, 42), Thought(20, 0.02, 0.06, 0.006, 40, 42, 44)),
        pulls=tuple(day_of_pulls(merged, 1) for merged in (5, 10, 20)),
    )


def test_the_page_has_the_form_that_a_run_gives(small: Result) -> None:
    page, made = read_blocks(PAGE.read_text(encoding="utf-8")), blocks(small)
    assert page.keys() == made.keys()
    # Which limit is met first, and which table grows most, is a matter of the numbers.
    of_numbers = {"limits", "rows"}
    for name in page.keys() - of_numbers:
        there, given = form(page[name]), form(made[name])
        assert _headless(there[0]) == _headless(given[0]), name
        assert there[1:] == given[1:], name
    assert sorted(form(page["limits"])) == sorted(form(made["limits"]))
    assert {row.split(" ")[0] for row in form(page["rows"])[1:]} == {"8"}


def test_filling_a_page_changes_its_tables_and_nothing_else(small: Result) -> None:
    page, made = PAGE.read_text(encoding="utf-8"), blocks(small)
    once = filled(page, made)
    assert read_blocks(once) == made
    assert filled(once, made) == once
    bare = re.compile(r"(<!-- scale:.*? -->).*?(<!-- /scale -->)", re.DOTALL)
    assert bare.sub(r"\1\2", once) == bare.sub(r"\1\2", page)


def test_a_result_is_the_same_after_json(small: Result) -> None:
    again = Result.from_json(small.to_json())
    assert asdict(again) == json.loads(small.to_json()) | {
        name: tuple(json.loads(small.to_json())[name])
        for name in ("days", "beats", "rates", "onboarding", "thoughts", "pulls")
    }
    assert blocks(again) == blocks(small)


def test_what_is_multiplied_is_the_sum_of_what_was_counted(small: Result) -> None:
    large = Large(small)
    day = small.days[-1]
    assert large.total_calls == pytest.approx((sum(day.calls.values()) + day.throttled) * LARGE.packs / day.packs)
    assert large.bytes_of(_KEPT) == pytest.approx(900.0)
    assert large.changes + large.rotations == pytest.approx(large.work)


def test_limits_are_sorted_by_what_is_met_first_and_each_has_a_page(small: Result) -> None:
    found = limits(Large(small))
    met = [each.met_at for each in found if each.met_at is not None]
    assert met == sorted(met)
    for each in found:
        assert not each.is_confirmed or each.source.startswith("https://")
        if each.met_at is not None and each.seen_at is None:
            assert (each.met_at <= LARGE.packs) == each.is_met
    first = found[0]
    assert (first.what, first.met_at) == ("shares of one metastore", 500)


def test_plans_shown_by_the_daemon_grow_with_the_square_and_those_of_workflows_do_not() -> None:
    few, many = day_of_pulls(5, 1), day_of_pulls(50, 1)
    assert 50 < many.shown_by_daemon / few.shown_by_daemon < 150
    assert many.workflow_requests == 10 * few.workflow_requests
    # Opened and merged at the same hours: as many come as go.
    assert many.open == pytest.approx(50, rel=0.3)


def _headless(head: str) -> str:
    return re.sub(r"[\d,]+ (new )?packs", "N packs", head)
