"""What lifts an objection, and above all what does not: another key, another action, another pack, another day."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.core.allowance import ACTIONS, expired, lift_of, lifts_in_force, normal_lift, weighed
from reconciler.core.guard import Attestation, Objection
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.limits import Limits
from reconciler.core.pack import Allowance, SharePack
from reconciler.core.plan import Step
from reconciler.core.problem import Where
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import ObjectType, Share, SharedObject
from tests.core.scenes import EVERYTHING
from tests.core.worlds import (
    SALES_Q1,
    SALES_Q2,
    WORKSPACE,
    a_pack,
    desired_of,
    found,
    planned,
    recorded_of,
    rules,
    step_of,
)

#: The day of every plan in these tests.
TODAY = date(2030, 3, 17)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delete:share/x", "delete:share/x"),
        ("  Delete : Share/Finance_Q1 ", "delete:share/finance_q1"),
        ("open-ips:recipient/Acme", "open-ips:recipient/acme"),
        ("whole-schema:share/x/Partner", "whole-schema:share/x/partner"),
        ("whole-schema:share/x", None),
        ("whole-schema:share/x/", None),
        ("delete:share/x/partner", None),
        ("delete:share/", None),
        ("delete:share", None),
        ("delete", None),
        ("share/x", None),
        ("delete:table/x", None),
        ("everything:share/x", None),
        ("*:share/x", None),
        ("delete:*", None),
        ("", None),
    ],
)
def test_what_a_person_writes_is_the_words_of_one_objection_or_of_none(text: str, expected: str | None) -> None:
    assert normal_lift(text) == expected


def test_the_words_of_every_objection_can_be_written() -> None:
    for lift in EVERYTHING:
        assert normal_lift(lift) == lift
    assert {lift.partition(":")[0] for lift in EVERYTHING} == set(ACTIONS)


def entry(action: str, until: date = TODAY) -> Allowance:
    return Allowance(action, until, "agreed", Where("q1.yaml", 3, 1))


def test_an_entry_counts_through_its_last_day() -> None:
    entries = [entry("delete:share/a", date(2030, 3, 16)), entry("delete:share/b"), entry("delete:share/c")]
    assert lifts_in_force(entries, TODAY) == {"delete:share/b", "delete:share/c"}


def test_an_objection_that_names_no_lift_is_never_lifted() -> None:
    hard, soft = Objection("rights-missing", "", ""), Objection("x", "", "", "delete:share/a")
    assert weighed([hard, soft, soft], {"", "delete:share/a"}) == ((hard,), ("delete:share/a",))
    assert weighed([hard, soft], {"delete:share/b", "revoke:share/a"}) == ((hard, soft), ())


def test_an_objection_says_when_the_entry_that_allowed_it_ended() -> None:
    soft = Objection("x", "too much", "hint", "delete:share/a")
    (told,) = expired([entry("delete:share/a", date(2030, 3, 1))], [soft], TODAY)
    assert told == replace(soft, message="too much; the entry that allowed it ended on 2030-03-01")
    assert list(expired([entry("delete:share/b", date(2030, 3, 1))], [soft], TODAY)) == [soft]


T1, T2, T3 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2, 3))
SCHEMA = SharedObject("main.s", ObjectType.SCHEMA)
ACME = Recipient("acme", TokenSharing(), allowed_ips=frozenset({"203.0.113.7"}))
OTHER = Recipient("other", TokenSharing(), allowed_ips=frozenset({"203.0.113.8"}))
SHARE = Share("x", objects=frozenset({T1, T2, T3}), recipients=frozenset({"acme"}))

#: The words that lift it, what is there and on record, what is wanted (None: to be gone).
GUARDED: list[tuple[str, str, Resource, Resource | None]] = [
    ("too-much-at-once", "delete:share/x", SHARE, None),
    ("too-much-at-once", "revoke:share/x", SHARE, replace(SHARE, objects=frozenset({T1}))),
    ("too-much-at-once", "revoke:share/x", SHARE, replace(SHARE, recipients=frozenset())),
    ("recipient-replaced", "replace:recipient/acme", ACME, Recipient("acme", DatabricksSharing("aws:r:m"))),
    ("ip-list-emptied", "open-ips:recipient/acme", ACME, replace(ACME, allowed_ips=frozenset())),
    ("ip-list-wide-open", "any-ip:recipient/acme", ACME, replace(ACME, allowed_ips=frozenset({"0.0.0.0/0"}))),
    (
        "whole-schema-to-outsider",
        "whole-schema:share/x/acme",
        SHARE,
        replace(SHARE, objects=frozenset({T1, T2, T3, SCHEMA})),
    ),
]


def step_with(
    there: Resource, wanted: Resource | None, allowed: frozenset[str] = frozenset(), entries: tuple[Allowance, ...] = ()
) -> Step:
    key = key_of(there, WORKSPACE)
    rest: list[Resource] = [ACME, OTHER] if isinstance(there, Share) else [OTHER]
    pack = a_pack(SALES_Q1, *rest, *([] if wanted is None else [wanted]))
    rows = recorded_of({key_of(item, WORKSPACE): (item, SALES_Q1) for item in (*rest, there)})
    plan = planned(
        desired_of(replace(pack, allowances=entries)),
        rows,
        found(*rest, there),
        attestations={SALES_Q1: Attestation(removed=frozenset({key}))},
        limits=Limits(per_pack=20, per_run=100, percent_per_pack=30, percent_per_run=30),
        allowed=allowed,
    )
    return step_of(plan, key)


@pytest.mark.parametrize(("rule", "lift", "there", "wanted"), GUARDED, ids=lambda each: str(each)[:30])
class TestEachGuard:
    def test_refuses_and_names_its_lift(self, rule: str, lift: str, there: Resource, wanted: Resource | None) -> None:
        step = step_with(there, wanted)
        assert rules(step) == [rule]
        assert step.objections[0].lift == lift
        assert not step.is_work

    def test_lets_pass_when_lifted_by_name(
        self, rule: str, lift: str, there: Resource, wanted: Resource | None
    ) -> None:
        by_command = step_with(there, wanted, frozenset({lift}))
        by_entry = step_with(there, wanted, entries=(entry(lift),))
        for step in (by_command, by_entry):
            assert step.objections == ()
            assert step.is_work
            assert step.lifted in {(lift,), ()}

    def test_nothing_else_lifts_it(self, rule: str, lift: str, there: Resource, wanted: Resource | None) -> None:
        """Every other action on this key, and this action on every other key, all at once."""
        names = ("x", "y", "acme", "other", "xx", "*", "")
        keys: list[Key] = [make(name, WORKSPACE) for name in names for make in (recipient_key, share_key)]
        everything_else = {
            lift_of(action, key, detail) for action in ACTIONS for key in keys for detail in ("", *names)
        } - {lift}
        assert rules(step_with(there, wanted, frozenset(everything_else))) == [rule]

    def test_an_entry_that_has_ended_does_not_lift_it_and_is_named(
        self, rule: str, lift: str, there: Resource, wanted: Resource | None
    ) -> None:
        step = step_with(there, wanted, entries=(entry(lift, date(2030, 3, 16)),))
        assert rules(step) == [rule]
        assert step.objections[0].message.endswith("the entry that allowed it ended on 2030-03-16")


def test_an_entry_counts_for_its_own_pack_only() -> None:
    neighbour: SharePack = replace(a_pack(SALES_Q2), allowances=(entry("delete:share/x"),))
    key = share_key("x", WORKSPACE)
    plan = planned(
        desired_of(a_pack(SALES_Q1, ACME), neighbour),
        recorded_of({key: (SHARE, SALES_Q1), key_of(ACME, WORKSPACE): (ACME, SALES_Q1)}),
        found(SHARE, ACME),
        attestations={SALES_Q1: Attestation(removed=frozenset({key}))},
        limits=Limits(percent_per_pack=30, percent_per_run=30),
    )
    assert rules(step_of(plan, key)) == ["too-much-at-once"]


PROTECTED = replace(SHARE, protect=True)


@pytest.mark.parametrize(
    ("rule", "there", "wanted", "more"),
    [
        ("protected", PROTECTED, None, {}),
        ("protected", PROTECTED, replace(SHARE, objects=frozenset()), {}),
        ("protected", replace(ACME, protect=True), Recipient("acme", DatabricksSharing("aws:r:m")), {}),
        ("delete-not-attested", SHARE, None, {"attestations": {SALES_Q1: Attestation()}}),
        ("delete-not-attested", SHARE, None, {"attestations": {SALES_Q1: Attestation("Git cannot show it", "fetch")}}),
        ("revoke-not-attested", SHARE, replace(SHARE, objects=frozenset({T1})), {"attestations": {}}),
        ("expiry-past", ACME, replace(ACME, expires_at=1), {}),
    ],
)
def test_nothing_lifts_what_names_no_lift(
    rule: str, there: Resource, wanted: Resource | None, more: dict[str, object]
) -> None:
    key = key_of(there, WORKSPACE)
    rest: list[Resource] = [ACME] if isinstance(there, Share) else []
    pack = a_pack(SALES_Q1, *rest, *([] if wanted is None else [wanted]))
    rows = recorded_of({key_of(item, WORKSPACE): (item, SALES_Q1) for item in (*rest, there)})
    all_words = frozenset(
        lift_of(action, each, detail)
        for action in ACTIONS
        for each in (key, key_of(ACME, WORKSPACE), share_key("x", WORKSPACE))
        for detail in ("", "acme")
    )
    world: dict[str, Any] = {"attestations": {SALES_Q1: Attestation(removed=frozenset({key}))}, "allowed": all_words}
    step = step_of(planned(desired_of(pack), rows, found(*rest, there), **(world | more)), key)
    assert rule in rules(step)
    assert not step.is_work
