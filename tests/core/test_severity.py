"""What each change and each step does to whoever reads the data."""

from dataclasses import replace

import pytest

from reconciler.core.changes import (
    Cause,
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
)
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.severity import Effect, also_widens, change_effect, drift_effect, effect
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
    Verdict,
)

NONE, METADATA, WIDENS = Effect.NONE, Effect.METADATA, Effect.WIDENS
NARROWS, BREAKS, REVOKES_ALL = Effect.NARROWS, Effect.BREAKS, Effect.REVOKES_ALL
T1, T2 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2))
READ = Share("s", "", frozenset({T1}), frozenset({"acme"}))
UNREAD, EMPTY = replace(READ, recipients=frozenset()), replace(READ, objects=frozenset())
ACME = Recipient("acme", TokenSharing(), allowed_ips=frozenset({"1.2.3.4"}))
POLICY = FederationPolicy("main", "https://idp.example", SubjectClaim.SUB, "alice")


def value(field: str, before: str, after: str) -> ValueSet:
    return ValueSet(field, before, after, Cause.FILE)


def changed(*sets: ValueSet) -> ObjectChanged:
    return ObjectChanged(T1, T1, sets, T1)


CHANGES: list[tuple[FieldChange, Effect]] = [
    (value("comment", "", "x"), METADATA),
    (value("owner", "a", "b"), METADATA),
    (value("storage_root", "", "s3://x"), METADATA),
    (value("expires_at", "2030-01-01T00:00:00Z", "2029-01-01T00:00:00Z"), NARROWS),
    (value("properties.org", "1", "2"), BREAKS),
    (value("properties.org", "", "2"), WIDENS),
    (value("properties.org", "1", ""), NARROWS),
    (ElementAdded("recipients", "acme", Cause.FILE), WIDENS),
    (ElementAdded("objects", T1, Cause.FILE), WIDENS),
    (ElementAdded("policies", POLICY, Cause.FILE), WIDENS),
    (ElementRemoved("recipients", "acme", Cause.FILE), NARROWS),
    (ElementRemoved("objects", T1, Cause.FILE), NARROWS),
    (ElementRemoved("policies", POLICY, Cause.FILE), NARROWS),
    (changed(value("comment", "", "x")), METADATA),
    (changed(value("content", "1", "2")), METADATA),
    (changed(value("partitions", "", "a = '1'")), NARROWS),
    (changed(value("partitions", "a = '1'", "")), WIDENS),
    (changed(value("partitions", "a = '1'", "a = '2'")), BREAKS),
    (changed(value("history", "off", "on")), WIDENS),
    (changed(value("history", "on", "off")), NARROWS),
    (changed(value("cdf", "off", "on")), WIDENS),
    (changed(value("cdf", "on", "off")), NARROWS),
    (changed(value("start_version", "5", "3")), WIDENS),
    (changed(value("start_version", "3", "5")), NARROWS),
    (changed(value("start_version", "", "5")), NARROWS),
    (changed(value("comment", "", "x"), value("history", "on", "off")), NARROWS),
    (TokenRotated("t", 0, 60), METADATA),
    (TokenRotated("t", 0, 0), BREAKS),
    (TokenShortened("t", None, 1), NARROWS),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=lambda each: str(each)[:40])
def test_the_effect_of_a_change(change: FieldChange, expected: Effect) -> None:
    assert change_effect(change) is expected
    assert drift_effect(Drifted(READ, (change,))) is expected
    if not isinstance(change, ElementAdded | ElementRemoved) or change.field != "objects":
        for verdict in (
            Update(READ, READ, (change,), Cause.FILE),
            Adopt(READ, READ, (change,)),
            Rename(UNREAD, UNREAD, (change,)),
        ):
            assert effect(verdict) is expected


GONE_T1, NEW_T1 = ElementRemoved("objects", T1, Cause.FILE), ElementAdded("objects", T1, Cause.FILE)


def addresses(before: set[str], after: set[str]) -> Update:
    was, becomes = replace(ACME, allowed_ips=frozenset(before)), replace(ACME, allowed_ips=frozenset(after))
    gone = (ElementRemoved("allowed_ips", each, Cause.FILE) for each in sorted(before - after))
    new = (ElementAdded("allowed_ips", each, Cause.FILE) for each in sorted(after - before))
    return Update(was, becomes, (*gone, *new), Cause.FILE)


STEPS: list[tuple[Verdict, Effect]] = [
    (Create(READ, Cause.FILE), WIDENS),
    (Create(UNREAD, Cause.FILE), METADATA),
    (Create(EMPTY, Cause.FILE), METADATA),
    (Create(ACME, Cause.FILE), METADATA),
    (Update(READ, EMPTY, (GONE_T1,), Cause.FILE), REVOKES_ALL),
    (Update(READ, UNREAD, (ElementRemoved("recipients", "acme", Cause.FILE),), Cause.FILE), REVOKES_ALL),
    (Update(UNREAD, replace(EMPTY, recipients=frozenset()), (GONE_T1,), Cause.FILE), NARROWS),
    (Update(READ, READ, (GONE_T1, NEW_T1), Cause.FILE), BREAKS),
    (Update(READ, READ, (), Cause.FILE), NONE),
    (addresses({"1.2.3.4"}, {"1.2.3.4", "5.6.7.8"}), WIDENS),
    (addresses({"1.2.3.4", "5.6.7.8"}, {"1.2.3.4"}), NARROWS),
    (addresses({"1.2.3.4"}, {"5.6.7.8"}), NARROWS),
    (addresses({"1.2.3.4"}, set()), WIDENS),
    (addresses(set(), {"1.2.3.4"}), NARROWS),
    (Rename(READ, replace(READ, name="t"), ()), BREAKS),
    (Rename(UNREAD, replace(UNREAD, name="t"), ()), METADATA),
    (Rename(READ, EMPTY, (GONE_T1,)), REVOKES_ALL),
    (Rename(ACME, replace(ACME, name="new"), ()), METADATA),
    (Replace(ACME, Recipient("acme", OidcSharing())), REVOKES_ALL),
    (Delete(READ), REVOKES_ALL),
    (Delete(UNREAD), METADATA),
    (Delete(Recipient("acme", DatabricksSharing("a:b:c"))), REVOKES_ALL),
    (Record(None, READ), NONE),
    (Keep(READ), NONE),
    (Drifted(READ, (GONE_T1,)), NONE),
    (Forget(READ), NONE),
    (Release(READ), NONE),
    (Conflict("x", "", ""), NONE),
    (Unknown("403"), NONE),
    (Ignore(), NONE),
]


@pytest.mark.parametrize(("verdict", "expected"), STEPS, ids=lambda each: type(each).__name__)
def test_the_effect_of_a_step(verdict: Verdict, expected: Effect) -> None:
    assert effect(verdict) is expected


def test_a_recipient_deleted_by_hand_has_no_worse_effect_than_metadata_when_it_is_told() -> None:
    assert drift_effect(Drifted(None, ())) is METADATA


def test_what_somebody_gains_is_told_beside_what_another_loses() -> None:
    new_t2, gone_reader = ElementAdded("objects", T2, Cause.FILE), ElementRemoved("recipients", "eve", Cause.FILE)
    assert also_widens(Update(READ, READ, (new_t2, gone_reader), Cause.FILE))
    assert not also_widens(Update(READ, READ, (new_t2,), Cause.FILE))
    assert not also_widens(Update(READ, READ, (gone_reader,), Cause.FILE))
    assert not also_widens(Update(READ, READ, (GONE_T1, NEW_T1), Cause.FILE))
    assert not also_widens(Delete(READ))


def test_effects_are_ordered_from_harmless_to_worst_and_have_words() -> None:
    assert sorted(Effect) == [NONE, METADATA, WIDENS, NARROWS, BREAKS, REVOKES_ALL]
    assert len({each.words for each in Effect}) == len(Effect)
