"""Each call and the right it needs, so that what Databricks would refuse is held before the first call."""

from dataclasses import replace
from typing import get_args

import pytest

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    Rename,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.changes import Cause, TokenRotated, field_changes
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.lowering import lower
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource, key_of
from reconciler.core.rights import Caller, rights_objections
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Adopt, Create, Delete, Keep, Replace, Update, Verdict
from reconciler.core.verdict import Rename as RenameVerdict
from tests.core.model import NOW
from tests.core.worlds import SALES_Q1, WORKSPACE, a_pack, as_actual, desired_of, found_with, planned, rules, step_of

T1 = SharedObject("main.s.t1", ObjectType.TABLE)
ACME = Recipient("acme", TokenSharing(), comment="")
BOLT = Recipient("bolt", OidcSharing(), policies=frozenset())
POLICY = FederationPolicy("main", "https://idp.example", SubjectClaim.SUB, "alice")
SHARE = Share("s", "", frozenset({T1}), frozenset({"acme"}))
EMPTY = replace(SHARE, recipients=frozenset())

NOBODY, OWNER, MEMBER = Caller("robot"), Caller("owner"), Caller("robot", frozenset({"owner"}))
ADMIN = Caller("robot", is_metastore_admin=True)
ADMIN_AND_OWNER = replace(ADMIN, groups=frozenset({"owner"}))
CREATOR = Caller("robot", privileges=frozenset({"CREATE_SHARE", "CREATE_RECIPIENT"}))
GRANTER = Caller("robot", privileges=frozenset({"USE_SHARE", "SET_SHARE_PERMISSION"}))
HALF_GRANTER = Caller("robot", privileges=frozenset({"SET_SHARE_PERMISSION"}))
OWNING_CREATOR = replace(CREATOR, groups=frozenset({"owner"}))
#: They stay able to do something afterwards.
TAKER, TAKING_ADMIN = replace(MEMBER, groups=frozenset({"owner", "team"})), replace(ADMIN, groups=frozenset({"team"}))


def update(before: Resource, after: Resource) -> Update:
    return Update(as_actual(before), after, field_changes(after, before, as_actual(before)), Cause.FILE)


def rotated() -> Update:
    return Update(as_actual(ACME), ACME, (TokenRotated("t", NOW, 60),), Cause.FILE)


def with_policies(*policies: FederationPolicy) -> Recipient:
    return replace(BOLT, policies=frozenset(policies))


#: The only call, the verdict it comes from, who may, and who may not.
CALLS: list[tuple[type[Call], Verdict, list[Caller], list[Caller]]] = [
    (CreateRecipient, Create(ACME, Cause.FILE), [CREATOR, ADMIN], [NOBODY, GRANTER]),
    (CreateShare, Create(Share("s", ""), Cause.FILE), [CREATOR, ADMIN], [NOBODY, GRANTER]),
    (UpdateRecipient, update(ACME, replace(ACME, comment="x")), [OWNER, MEMBER, ADMIN], [NOBODY, CREATOR]),
    (RotateToken, rotated(), [OWNER, MEMBER], [NOBODY, ADMIN]),
    (CreatePolicy, update(BOLT, with_policies(POLICY)), [OWNER, MEMBER], [NOBODY, ADMIN]),
    (DeletePolicy, update(with_policies(POLICY), BOLT), [OWNER, MEMBER], [NOBODY, ADMIN]),
    (DeleteRecipient, Delete(as_actual(ACME)), [OWNER, MEMBER], [NOBODY, ADMIN]),
    (UpdateShare, update(SHARE, replace(SHARE, comment="x")), [OWNER, MEMBER], [NOBODY, ADMIN, GRANTER]),
    (DeleteShare, Delete(as_actual(EMPTY)), [OWNER, MEMBER], [NOBODY, ADMIN]),
    (ChangeGrants, update(SHARE, EMPTY), [OWNER, MEMBER, GRANTER, ADMIN], [NOBODY, HALF_GRANTER]),
    (ChangeOwner, update(SHARE, replace(SHARE, owner="team")), [TAKER, TAKING_ADMIN], [NOBODY, CREATOR]),
    (ChangeOwner, update(ACME, replace(ACME, owner="team")), [TAKER, TAKING_ADMIN], [NOBODY, CREATOR]),
    (
        Rename,
        RenameVerdict(as_actual(replace(SHARE, name="old")), SHARE, ()),
        [OWNING_CREATOR, ADMIN_AND_OWNER],
        [NOBODY, OWNER, CREATOR, ADMIN],
    ),
    (
        Rename,
        RenameVerdict(as_actual(replace(ACME, name="old")), ACME, ()),
        [ADMIN_AND_OWNER],
        [NOBODY, OWNER, OWNING_CREATOR, ADMIN],
    ),
]


def key_for(verdict: Verdict) -> Key:
    match verdict:
        case Create(after) | Update(_, after) | Adopt(_, after) | RenameVerdict(_, after):
            return key_of(after, WORKSPACE)
        case Delete(before):
            return key_of(before, WORKSPACE)
        case _:
            raise TypeError(verdict)


def raised(verdict: Verdict, caller: Caller | None, owner: str = "owner", **owners: str) -> list[str]:
    found = rights_objections(key_for(verdict), verdict, caller, owner, owners)
    assert all(not objection.lift for objection in found)
    return [objection.rule for objection in found]


@pytest.mark.parametrize(
    ("call", "verdict", "may", "may_not"), CALLS, ids=[f"{call.__name__}-{n}" for n, (call, *_) in enumerate(CALLS)]
)
def test_who_may_make_each_call(call: type[Call], verdict: Verdict, may: list[Caller], may_not: list[Caller]) -> None:
    assert [type(each.call) for each in lower(key_for(verdict), verdict)] == [call]
    for caller in may:
        assert raised(verdict, caller) == []
    for caller in may_not:
        assert set(raised(verdict, caller)) == {"rights-missing"}


def test_every_call_stands_in_the_table() -> None:
    assert {call for call, *_ in CALLS} == set(get_args(Call))


def test_the_objection_says_who_lacks_what_and_whose_it_is() -> None:
    (found,) = rights_objections(share_key("s", WORKSPACE), update(SHARE, EMPTY), NOBODY, "boss", {})
    assert found.message == "robot lacks ownership of share/s, which is boss's"
    (unknown,) = rights_objections(share_key("s", WORKSPACE), update(SHARE, EMPTY), NOBODY, "", {})
    assert "somebody's" in unknown.message


def test_granting_takes_the_recipient_too_and_revoking_does_not() -> None:
    grant, revoke = update(EMPTY, SHARE), update(SHARE, EMPTY)
    assert raised(grant, OWNER, acme="owner") == []
    assert raised(grant, OWNER, acme="somebody") == ["rights-missing"]
    assert raised(grant, OWNER) == []
    assert raised(revoke, OWNER, acme="somebody") == []


def test_who_makes_something_owns_it_until_it_is_given_away() -> None:
    """The owner goes last, and after that only a member of the new one could do anything."""
    made = replace(SHARE, owner="data-team")
    member = replace(CREATOR, groups=frozenset({"data-team"}))
    assert raised(Create(made, Cause.FILE), member, "") == []
    assert raised(Create(made, Cause.FILE), CREATOR, "") == ["owner-locks-out"]


def test_whoever_may_only_take_ownership_takes_it_first() -> None:
    taken = update(SHARE, replace(SHARE, owner="team", comment="x"))
    assert raised(taken, TAKING_ADMIN) == []
    assert raised(update(SHARE, replace(SHARE, comment="x")), ADMIN) == ["rights-missing"]
    given = update(SHARE, replace(SHARE, owner="others", comment="x"))
    assert raised(given, ADMIN) == ["rights-missing"]


def test_giving_away_what_the_service_needs_is_held() -> None:
    given = update(SHARE, replace(SHARE, owner="others"))
    owner = Caller("owner", privileges=frozenset({"CREATE_SHARE"}))
    for verdict in (
        given,
        Adopt(given.before, given.after, given.changes),
        RenameVerdict(given.before, given.after, given.changes),
    ):
        assert raised(verdict, owner) == ["owner-locks-out"]
        assert raised(verdict, replace(owner, groups=frozenset({"others"}))) == []


def test_what_others_own_already_is_somebody_s_decision() -> None:
    assert raised(Adopt(as_actual(SHARE), SHARE, ()), NOBODY, "others") == []


def test_who_only_plans_holds_nothing_by_what_it_may_not_do_itself() -> None:
    giving_away = update(SHARE, replace(SHARE, owner="team"))
    for verdict in (Create(SHARE, Cause.FILE), giving_away, Delete(as_actual(SHARE))):
        assert rights_objections(key_of(SHARE, WORKSPACE), verdict, NOBODY, "owner", {"acme": "owner"})
        reader = replace(NOBODY, only_plans=True)
        assert rights_objections(key_of(SHARE, WORKSPACE), verdict, reader, "owner", {"acme": "owner"}) == ()
    closed = Caller("robot", shares_externally=False, only_plans=True)
    (objection,) = rights_objections(recipient_key(WORKSPACE, "acme"), Create(ACME, Cause.FILE), closed, "", {})
    assert objection.rule == "external-sharing-off"


def test_a_caller_nobody_knows_holds_only_what_could_lock_it_out() -> None:
    assert raised(update(SHARE, replace(SHARE, comment="x")), None) == []
    assert raised(Delete(SHARE), None) == []
    assert raised(update(SHARE, replace(SHARE, owner="others")), None) == ["owner-unverified"]
    assert raised(Create(replace(SHARE, owner="others"), Cause.FILE), None) == ["owner-unverified"]
    assert raised(Create(SHARE, Cause.FILE), None) == []


OURS = "aws:us-west-2:ours"


@pytest.mark.parametrize(
    ("verdict", "caller", "expected"),
    [
        (Create(Recipient("r", DatabricksSharing(OURS)), Cause.FILE), replace(CREATOR, metastore_id=OURS), 1),
        (Create(Recipient("r", DatabricksSharing("aws:x:theirs")), Cause.FILE), replace(CREATOR, metastore_id=OURS), 0),
        (Create(Recipient("r", DatabricksSharing("aws:x:theirs")), Cause.FILE), CREATOR, 0),
        (Create(ACME, Cause.FILE), replace(CREATOR, shares_externally=False), 1),
        (Create(BOLT, Cause.FILE), replace(CREATOR, shares_externally=False), 1),
        (Create(Recipient("r", DatabricksSharing("a:b:c")), Cause.FILE), replace(CREATOR, shares_externally=False), 0),
        (Replace(ACME, BOLT), replace(OWNING_CREATOR, shares_externally=False), 1),
        (Keep(ACME), replace(CREATOR, shares_externally=False), 0),
        (Create(SHARE, Cause.FILE), replace(CREATOR, shares_externally=False), 0),
    ],
)
def test_what_the_metastore_does_not_let_in(verdict: Verdict, caller: Caller, expected: int) -> None:
    found = rights_objections(recipient_key("r", WORKSPACE), verdict, caller, "owner", {})
    names = [objection.rule for objection in found]
    assert len(names) == expected
    assert set(names) <= {"own-metastore", "external-sharing-off"}


def test_a_plan_holds_what_its_caller_may_not_do() -> None:
    seen = {share_key("s", WORKSPACE): found_with(EMPTY, owner="boss")}
    pack = a_pack(SALES_Q1, replace(EMPTY, comment="x"), adopt=True)
    held = planned(desired_of(pack), None, seen, callers={WORKSPACE: NOBODY})
    assert rules(step_of(held, share_key("s", WORKSPACE))) == ["rights-missing"]
    blind = planned(desired_of(pack), None, seen)
    assert step_of(blind, share_key("s", WORKSPACE)).is_work
