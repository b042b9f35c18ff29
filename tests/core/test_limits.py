"""How much may go at once: in all and of each kind, of a pack and of a run, and what does not count."""

from dataclasses import replace

import pytest

from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange
from reconciler.core.guard import Objection
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.limits import Amount, Limits, amount_there, going_in, with_limits
from reconciler.core.pack import Strategy
from reconciler.core.plan import Basis, PackPlan, Step
from reconciler.core.recipient import DatabricksSharing, FederationPolicy, OidcSharing, Recipient, SubjectClaim
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
    Unknown,
    Update,
    Verdict,
)
from tests.core.worlds import SALES_Q1, SALES_Q2, WORKSPACE, rules

TABLES = [SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in range(60)]
HUNDRED = Limits(per_pack=1000, per_run=1000, percent_per_pack=100, percent_per_run=100)


def share(objects: int, readers: int = 0) -> Share:
    return Share("s", "", frozenset(TABLES[:objects]), frozenset(f"r{n}" for n in range(readers)))


def step(verdict: Verdict, name: str = "s", objections: tuple[Objection, ...] = ()) -> Step:
    return Step(share_key(name, WORKSPACE), verdict, None, objections=objections)


def less(there: Share, objects: int = 0, grants: int = 0, name: str = "s", cause: Cause = Cause.FILE) -> Step:
    """An update that removes that many objects and grants."""
    assert isinstance(there.objects, frozenset)
    assert isinstance(there.recipients, frozenset)
    gone: list[FieldChange] = [ElementRemoved("objects", item, cause) for item in TABLES[:objects]]
    gone += [ElementRemoved("recipients", name, cause) for name in sorted(there.recipients)[:grants]]
    return step(Update(there, there, tuple(gone), cause), name)


def plan(*steps: Step, pack: PackId = SALES_Q1) -> PackPlan:
    return PackPlan(pack, "", WORKSPACE, Strategy.UPDATE, steps, Basis("", "", ""))


def held(plans: tuple[PackPlan, ...]) -> list[str]:
    return [str(step.key.name) for plan in plans for step in plan.steps if step.objections]


@pytest.mark.parametrize(
    ("there", "objects", "grants", "is_held"),
    [
        pytest.param(share(1), 1, 0, True, id="one of one"),
        pytest.param(share(2), 1, 0, False, id="one of two is half"),
        pytest.param(share(3), 2, 0, True, id="two of three"),
        pytest.param(share(10, 1), 0, 1, True, id="each kind by itself: the only grant"),
        pytest.param(share(10, 2), 5, 1, False, id="half of each"),
        pytest.param(share(60, 4), 20, 0, False, id="as many as may go"),
        pytest.param(share(60, 4), 21, 0, True, id="one more than may go"),
        pytest.param(share(60, 4), 19, 2, True, id="objects and grants together"),
        pytest.param(share(10, 10), 0, 0, False, id="nothing goes"),
    ],
)
def test_the_limits_of_a_pack(there: Share, objects: int, grants: int, is_held: bool) -> None:
    (limited,) = with_limits([plan(less(there, objects, grants))], Limits(), {})
    assert rules(limited.steps[0]) == (["too-much-at-once"] if is_held else [])
    if is_held:
        assert limited.steps[0].objections[0].lift == "revoke:share/s"


def test_the_limits_of_a_run_are_those_of_all_packs_together() -> None:
    plans = [plan(less(share(30), 11)), plan(less(share(30), 11, name="t"), pack=SALES_Q2)]
    assert held(with_limits(plans, Limits(per_pack=20, per_run=22), {})) == []
    assert held(with_limits(plans, Limits(per_pack=20, per_run=21), {})) == ["s", "t"]
    assert held(with_limits(plans, Limits(percent_per_run=36), {})) == ["s", "t"]


def test_a_pack_beyond_its_own_limit_in_one_kind_is_not_spared_that_of_the_run_in_another() -> None:
    first = plan(less(share(2, 0), objects=2, name="objects"), less(share(0, 10), grants=1, name="grants"))
    second = plan(less(share(0, 10), grants=9, name="others"), pack=SALES_Q2)
    limits = replace(HUNDRED, percent_per_pack=95, percent_per_run=45)
    assert held(with_limits([first, second], limits, {})) == ["objects", "grants", "others"]


def test_a_deletion_is_lifted_as_a_deletion() -> None:
    deleted = step(Delete(share(3, 2)))
    (limited,) = with_limits([plan(deleted)], Limits(), {})
    assert limited.steps[0].objections[0].lift == "delete:share/s"
    assert "1 of its 1 recipients and shares" in limited.steps[0].objections[0].message
    (lifted,) = with_limits([plan(deleted)], Limits(), {SALES_Q1: {"delete:share/s"}})
    assert held((lifted,)) == []
    (not_lifted,) = with_limits([plan(deleted)], Limits(), {SALES_Q1: {"revoke:share/s", "delete:share/t"}})
    assert held((not_lifted,)) == ["s"]


def test_what_is_lifted_by_name_does_not_count_for_the_others() -> None:
    pack = plan(less(share(4), 3, name="a"), less(share(4), 1, name="b"))
    assert held(with_limits([pack], Limits(percent_per_pack=49), {})) == ["a", "b"]
    assert held(with_limits([pack], Limits(percent_per_pack=49), {SALES_Q1: {"revoke:share/a"}})) == []
    (lifted,) = with_limits([pack], Limits(percent_per_pack=10), {SALES_Q1: {"revoke:share/a"}})
    assert [each.lifted for each in lifted.steps] == [("revoke:share/a",), ()]
    assert held((lifted,)) == ["b"]


def test_a_lift_for_one_pack_does_not_count_for_another() -> None:
    plans = [plan(less(share(2), 2)), plan(less(share(2), 2, name="t"), pack=SALES_Q2)]
    assert held(with_limits(plans, Limits(), {SALES_Q2: {"revoke:share/s", "revoke:share/t"}})) == ["s"]


def test_what_is_held_already_does_not_count() -> None:
    one = less(share(2), 1)
    other = replace(less(share(2), 1, name="t"), objections=(Objection("other", "", ""),))
    (limited,) = with_limits([plan(one, other)], Limits(percent_per_pack=30), {})
    assert [rules(each) for each in limited.steps] == [[], ["other"]]


def test_only_steps_that_take_part_are_held() -> None:
    pack = plan(less(share(2), 2), step(Keep(share(1, 5)), "k"), step(Create(share(1), Cause.FILE), "new"))
    assert held(with_limits([pack], Limits(), {})) == ["s"]


def test_what_was_added_by_hand_goes_without_being_counted() -> None:
    assert held(with_limits([plan(less(share(2, 2), 2, 2, cause=Cause.DRIFT))], Limits(0, 0, 0, 0), {})) == []


def test_an_object_that_comes_back_under_another_alias_does_not_go() -> None:
    was, becomes = (replace(TABLES[0], shared_as=alias) for alias in ("x.a", "x.b"))
    there = Share("s", "", frozenset({was}), frozenset())
    swap = (ElementRemoved("objects", was, Cause.FILE), ElementAdded("objects", becomes, Cause.FILE))
    assert going_in(step(Update(there, there, swap, Cause.FILE))) == Amount()
    assert going_in(step(Update(there, there, swap[:1], Cause.FILE))) == Amount(objects=1)


POLICY = FederationPolicy("main", "https://idp.example", SubjectClaim.SUB, "alice")
OIDC = Recipient("r", OidcSharing(), policies=frozenset({POLICY}))
GONE = (ElementRemoved("recipients", "r", Cause.FILE), ElementRemoved("allowed_ips", "1.2.3.4", Cause.FILE))


@pytest.mark.parametrize(
    ("verdict", "going", "there"),
    [
        (Delete(share(3, 2)), Amount(1, 0, 0), Amount(1, 2, 3)),
        (Update(share(3, 2), share(3, 2), GONE, Cause.FILE), Amount(0, 1, 0), Amount(1, 2, 3)),
        (Adopt(share(3, 2), share(3, 2), GONE), Amount(0, 1, 0), Amount(1, 2, 3)),
        (Rename(share(3, 2), share(3, 2), GONE), Amount(0, 1, 0), Amount(1, 2, 3)),
        (
            Update(OIDC, OIDC, (ElementRemoved("policies", POLICY, Cause.FILE),), Cause.FILE),
            Amount(0, 1, 0),
            Amount(1, 1, 0),
        ),
        (Replace(OIDC, Recipient("r", DatabricksSharing("a:b:c"))), Amount(), Amount(1, 1, 0)),
        (Keep(share(3, 2)), Amount(), Amount(1, 2, 3)),
        (Drifted(share(3, 2), ()), Amount(), Amount(1, 2, 3)),
        (Drifted(None, ()), Amount(), Amount()),
        (Record(None, share(3, 2)), Amount(), Amount(1, 2, 3)),
        (Forget(share(3, 2)), Amount(), Amount(1, 2, 3)),
        (Release(share(3, 2)), Amount(), Amount(1, 2, 3)),
        (Create(share(3, 2), Cause.FILE), Amount(), Amount()),
        (Unknown("403"), Amount(), Amount()),
        (Keep(Share("s")), Amount(), Amount(1, 0, 0)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_goes_and_what_there_is(verdict: Verdict, going: Amount, there: Amount) -> None:
    assert going_in(step(verdict)) == going
    assert amount_there(step(verdict)) == there


def test_resources_count_among_resources() -> None:
    keys = [Step(recipient_key(f"r{n}", WORKSPACE), Keep(Recipient(f"r{n}", OidcSharing())), None) for n in range(2)]
    assert held(with_limits([plan(step(Delete(share(9, 9))), *keys)], Limits(), {})) == []
    assert held(with_limits([plan(step(Delete(share(9, 9))), *keys)], Limits(percent_per_pack=33), {})) == ["s"]
