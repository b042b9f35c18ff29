"""Every row of the three-way table, and the causes of each difference."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange, ValueSet
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    OidcSharing,
    OtherSharing,
    Recipient,
    TokenSharing,
)
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share, SharedObject
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
    Replace,
    Unknown,
    Update,
)

T1, T2 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2))


def share(
    comment: str = "", objects: tuple[SharedObject, ...] = (T1,), recipients: tuple[str, ...] = ("acme",)
) -> Share:
    return Share("s", comment, frozenset(objects), frozenset(recipients))


D, OTHER, THIRD = share("d"), share("other"), share("third")


def verdict(desired: Resource | None, recorded: Resource | None, actual: Observed, **more: Any) -> object:
    return compare(ThreeStates(desired, recorded, actual, **more))


@pytest.mark.parametrize(
    ("desired", "recorded", "actual", "kind"),
    [
        (D, None, Absent(), Create(D, Cause.FILE)),
        (D, D, Absent(), Create(D, Cause.DRIFT)),
        (D, OTHER, Absent(), Create(D, Cause.DRIFT)),
        (D, D, Found(D), Keep(D)),
        (D, OTHER, Found(D), Record(OTHER, D)),
        (None, D, Absent(), Forget(D)),
        (None, D, Found(OTHER), Delete(OTHER)),
        (None, None, Found(D), Ignore()),
        (None, None, Absent(), Ignore()),
        (D, None, Unreadable("403"), Unknown("403")),
        (None, D, Unreadable("403"), Unknown("403")),
        (None, None, Unreadable("403"), Ignore()),
    ],
)
def test_rows_without_a_difference_to_mend(
    desired: Resource | None, recorded: Resource | None, actual: Observed, kind: object
) -> None:
    assert verdict(desired, recorded, actual) == kind


@pytest.mark.parametrize(
    ("recorded", "cause", "was"),
    [
        (D, Cause.DRIFT, "d"),
        (OTHER, Cause.FILE, "other"),
        (THIRD, Cause.BOTH, "third"),
        (Share("s"), Cause.FILE, "other"),
    ],
)
def test_a_difference_is_drift_when_our_record_agrees_with_the_file(recorded: Share, cause: Cause, was: str) -> None:
    changes = (ValueSet("comment", "other", "d", cause, was),)
    assert verdict(D, recorded, Found(OTHER)) == Update(OTHER, D, changes, cause)


@pytest.mark.parametrize(
    ("desired", "recorded", "actual", "changes"),
    [
        ((T1, T2), (T1,), (T1,), [ElementAdded("objects", T2, Cause.FILE)]),
        ((T1, T2), (T1, T2), (T1,), [ElementAdded("objects", T2, Cause.DRIFT)]),
        ((T1,), (T1, T2), (T1, T2), [ElementRemoved("objects", T2, Cause.FILE)]),
        ((T1,), (T1,), (T1, T2), [ElementRemoved("objects", T2, Cause.DRIFT)]),
        (
            (T2,),
            (T1,),
            (T1,),
            [ElementRemoved("objects", T1, Cause.FILE), ElementAdded("objects", T2, Cause.FILE)],
        ),
    ],
)
def test_each_element_of_a_set_has_its_own_cause(
    desired: tuple[SharedObject, ...],
    recorded: tuple[SharedObject, ...],
    actual: tuple[SharedObject, ...],
    changes: list[FieldChange],
) -> None:
    found = verdict(share(objects=desired), share(objects=recorded), Found(share(objects=actual)))
    assert isinstance(found, Update)
    assert list(found.changes) == changes


def test_a_stranger_s_grant_is_drift_and_a_grant_the_file_dropped_is_not() -> None:
    found = verdict(share(), share(recipients=("acme", "bolt")), Found(share(recipients=("acme", "bolt", "eve"))))
    assert isinstance(found, Update)
    assert set(found.changes) == {
        ElementRemoved("recipients", "bolt", Cause.FILE),
        ElementRemoved("recipients", "eve", Cause.DRIFT),
    }
    assert found.cause is Cause.BOTH


def test_what_exists_and_is_not_recorded_is_a_conflict_unless_the_pack_adopts_it() -> None:
    found = verdict(D, None, Found(OTHER))
    assert isinstance(found, Conflict)
    assert found.rule == "exists-not-ours"
    assert "adopt: true" in found.hint
    assert found.changes == (ValueSet("comment", "other", "d", Cause.FILE, "other"),)
    assert verdict(D, None, Found(OTHER), adopt=True) == Adopt(OTHER, D, found.changes)
    assert verdict(D, None, Found(D), adopt=True) == Adopt(D, D, ())


def test_an_open_intent_makes_a_found_resource_ours() -> None:
    assert verdict(D, None, Found(D), intended=True) == Record(None, D)
    assert isinstance(verdict(D, None, Found(OTHER), intended=True), Update)
    assert verdict(D, None, Absent(), intended=True) == Create(D, Cause.FILE)


def test_an_open_intent_without_a_declaration_proves_nothing() -> None:
    found = verdict(None, None, Found(D), intended=True)
    assert isinstance(found, Conflict)
    assert found.rule == "unproven-owner"


def test_an_open_intent_on_what_is_neither_declared_nor_there_is_concluded() -> None:
    assert verdict(None, None, Absent(), intended=True) == Forget(None)
    assert verdict(None, D, Absent(), intended=True) == Forget(D)


def test_unmanaged_fields_are_never_compared() -> None:
    mine = Share("s", UNMANAGED, UNMANAGED, frozenset({"acme"}))
    assert verdict(mine, mine, Found(share("anything", (T1, T2)))) == Keep(share("anything", (T1, T2)))


def test_empty_clears_and_absent_leaves_alone() -> None:
    assert isinstance(verdict(share(objects=()), share(), Found(share())), Update)
    assert verdict(Share("s", "", UNMANAGED, frozenset({"acme"})), share(), Found(share())) == Record(
        share(), Share("s", "", UNMANAGED, frozenset({"acme"}))
    )


def test_a_field_only_our_record_holds_is_recorded_without_a_call() -> None:
    before = Recipient("acme", TokenSharing(), email="old@partner.example", allowed_ips=frozenset(), comment="")
    after = Recipient("acme", TokenSharing(), email="new@partner.example", allowed_ips=frozenset(), comment="")
    actual = Recipient("acme", TokenSharing(), allowed_ips=frozenset(), comment="")
    assert verdict(after, before, Found(actual)) == Record(before, after)


def test_rows_that_name_another_pack_are_behind() -> None:
    assert verdict(D, D, Found(D), rows_behind=True) == Record(D, D)


OTHERS = [DatabricksSharing("aws:us-west-2:abc-123"), OidcSharing(), OtherSharing("OAUTH_CLIENT_CREDENTIALS")]


@pytest.mark.parametrize("actual", OTHERS, ids=str)
def test_another_authentication_is_a_replacement_when_it_is_ours_and_else_a_conflict(actual: Authentication) -> None:
    desired = Recipient("acme", TokenSharing())
    there = Recipient("acme", actual, allowed_ips=frozenset(), comment="")
    assert verdict(desired, desired, Found(there)) == Replace(there, desired)
    assert verdict(desired, None, Found(there), intended=True) == Replace(there, desired)
    for adopt in (False, True):
        found = verdict(desired, None, Found(there), adopt=adopt)
        assert isinstance(found, Conflict)
        assert found.rule == "recipient-not-replaceable"
        assert str(actual) in found.message
    renamed = verdict(desired, replace(desired, name="old"), Found(replace(there, name="old")), renames=True)
    assert isinstance(renamed, Conflict)
    assert renamed.rule == "renamed-and-replaced"


OLD = replace(D, name="old")


@pytest.mark.parametrize(
    ("recorded", "actual", "more", "expected"),
    [
        (OLD, Found(OLD), {"renames": True}, Rename(OLD, D, ())),
        (
            OLD,
            Found(replace(OLD, comment="x")),
            {"renames": True},
            Rename(replace(OLD, comment="x"), D, (ValueSet("comment", "x", "d", Cause.DRIFT, "d"),)),
        ),
        # Done, and the rows tell the old name.
        (OLD, Found(D), {}, Record(OLD, D)),
        (OLD, Found(D), {"rows_behind": True}, Record(OLD, D)),
        (D, Found(D), {"rows_behind": True}, Record(D, D)),
    ],
)
def test_a_rename(recorded: Resource, actual: Observed, more: dict[str, bool], expected: object) -> None:
    assert verdict(D, recorded, actual, **more) == expected


@pytest.mark.parametrize(
    ("desired", "recorded", "actual", "expected"),
    [
        (None, D, Found(OTHER), Release(D)),
        (None, D, Absent(), Release(D)),
        (None, D, Unreadable("403"), Release(D)),
        (None, None, Found(D), Ignore()),
        (None, None, Absent(), Ignore()),
        # Whoever declares it as well wants it after all.
        (D, D, Found(D), Keep(D)),
        (D, D, Absent(), Create(D, Cause.DRIFT)),
    ],
)
def test_letting_go(desired: Resource | None, recorded: Resource | None, actual: Observed, expected: object) -> None:
    assert verdict(desired, recorded, actual, released=True) == expected


BY_HAND = (ValueSet("comment", "other", "d", Cause.DRIFT, "d"),)
BY_FILE = (ValueSet("comment", "other", "d", Cause.FILE, "other"),)


@pytest.mark.parametrize(
    ("recorded", "actual", "expected"),
    [
        (D, Found(OTHER), Drifted(OTHER, BY_HAND)),
        (D, Absent(), Drifted(None, ())),
        (D, Found(D), Keep(D)),
        # The file changed the resource: then it is brought into order.
        (OTHER, Found(OTHER), Update(OTHER, D, BY_FILE, Cause.FILE)),
        (THIRD, Found(OTHER), Update(OTHER, D, (ValueSet("comment", "other", "d", Cause.BOTH, "third"),), Cause.BOTH)),
        (OTHER, Absent(), Create(D, Cause.DRIFT)),
        (None, Absent(), Create(D, Cause.FILE)),
        (D, Unreadable("403"), Unknown("403")),
    ],
)
def test_drift_that_is_only_reported(recorded: Resource | None, actual: Observed, expected: object) -> None:
    assert verdict(D, recorded, actual, reports_drift=True) == expected


def test_what_the_record_holds_beside_the_workspace_does_not_make_a_report_of_drift() -> None:
    """A new e-mail address is the file's doing: the record is behind, whatever hands did."""
    before = Recipient("acme", TokenSharing(), email="old@partner.example", comment="ours")
    after = replace(before, email="new@partner.example")
    there = Recipient("acme", TokenSharing(), comment="theirs")
    found = verdict(after, before, Found(there), reports_drift=True)
    assert isinstance(found, Update)


def test_what_is_to_be_gone_is_deleted_as_it_is_there() -> None:
    assert verdict(None, D, Found(OTHER)) == Delete(OTHER)
    assert verdict(None, D, Found(OTHER), reports_drift=True) == Delete(OTHER)
