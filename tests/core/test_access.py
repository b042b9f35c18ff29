"""Who gains and loses which objects, through direct and whole-schema shares, and whose doing it is."""

from dataclasses import replace

from reconciler.core.access import AccessChange, access, access_changes, overlay
from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange, ObjectChanged, ValueSet
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient, TokenSharing
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

T1, T2, T3 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2, 3))
SCHEMA = SharedObject("main.s", ObjectType.SCHEMA)
VOLUME, MODEL = SharedObject("main.s.v", ObjectType.VOLUME), SharedObject("main.s.m", ObjectType.MODEL)


def share(*objects: SharedObject, to: str = "acme", name: str = "s") -> Share:
    return Share(name, "", frozenset(objects), frozenset(to.split()))


def update(before: Share, after: Share, *changes: FieldChange) -> Update:
    return Update(before, after, changes, Cause.FILE)


def added(item: SharedObject, cause: Cause = Cause.FILE) -> ElementAdded:
    return ElementAdded("objects", item, cause)


def removed(item: SharedObject, cause: Cause = Cause.FILE) -> ElementRemoved:
    return ElementRemoved("objects", item, cause)


def test_a_table_that_its_shared_schema_covers_is_neither_gained_nor_lost() -> None:
    assert access_changes([update(share(SCHEMA), share(SCHEMA, T1), added(T1))]) == ()
    assert access_changes([update(share(SCHEMA, T1), share(SCHEMA), removed(T1))]) == ()
    elsewhere = Keep(share(SCHEMA, name="other"))
    assert access_changes([Delete(share(T1, VOLUME)), elsewhere]) == ()


def test_a_model_is_not_covered_by_its_schema() -> None:
    (change,) = access_changes([update(share(SCHEMA), share(SCHEMA, MODEL), added(MODEL))])
    assert (change.gains, change.loses) == (("main.s.m",), ())


def test_a_whole_schema_is_gained_and_lost_as_one() -> None:
    (gain,) = access_changes([update(share(T1), share(T1, SCHEMA), added(SCHEMA))])
    assert (gain.gains, gain.loses, gain.reads_after) == (("main.s",), (), 2)
    (loss,) = access_changes([update(share(T1, SCHEMA), share(T1), removed(SCHEMA))])
    assert (loss.gains, loss.loses) == ((), ("main.s",))


def test_one_table_instead_of_its_schema_is_a_loss_of_the_schema() -> None:
    (change,) = access_changes([update(share(SCHEMA), share(T1), removed(SCHEMA), added(T1))])
    assert (change.gains, change.loses) == ((), ("main.s",))


def test_the_schema_of_another_recipient_covers_nothing() -> None:
    other = Keep(share(SCHEMA, to="bolt", name="other"))
    (change,) = access_changes([Delete(share(T1)), other])
    assert change == AccessChange("acme", (), ("main.s.t1",), 0)


def test_an_object_shared_in_another_extent_is_read_otherwise_by_each_reader() -> None:
    narrowed = ObjectChanged(T1, T1, (ValueSet("partitions", "", "a = '1'", Cause.FILE),), T1)
    changes = access_changes([update(share(T1, T2, to="acme bolt"), share(T1, T2, to="acme bolt"), narrowed)])
    assert changes == tuple(
        AccessChange(name, (), (), 2, is_drift=False, reads_otherwise=("main.s.t1",)) for name in ("acme", "bolt")
    )


def test_another_comment_is_not_another_extent() -> None:
    commented = ObjectChanged(T1, T1, (ValueSet("comment", "", "x", Cause.FILE),), T1)
    assert access_changes([update(share(T1), share(T1), commented)]) == ()


def test_what_a_new_reader_gains_is_not_read_otherwise() -> None:
    narrowed = ObjectChanged(T1, T1, (ValueSet("partitions", "", "a = '1'", Cause.FILE),), T1)
    grant = ElementAdded("recipients", "bolt", Cause.FILE)
    changes = access_changes([update(share(T1), share(T1, to="acme bolt"), narrowed, grant)])
    assert [(each.recipient, each.gains, each.reads_otherwise) for each in changes] == [
        ("acme", (), ("main.s.t1",)),
        ("bolt", ("main.s.t1",), ()),
    ]


def test_what_hands_did_is_told_from_what_the_file_says() -> None:
    by_hand = update(share(T1), share(T1, T2), added(T2, Cause.DRIFT))
    assert [each.is_drift for each in access_changes([by_hand])] == [True]
    both = update(share(T1), share(T1, T2, T3), added(T2, Cause.DRIFT), added(T3))
    assert [each.is_drift for each in access_changes([both])] == [False]
    stranger = update(share(T1, to="acme eve"), share(T1), ElementRemoved("recipients", "eve", Cause.DRIFT))
    assert access_changes([stranger]) == (AccessChange("eve", (), ("main.s.t1",), 0, is_drift=True),)
    remade = Create(share(T1), Cause.DRIFT)
    assert [each.is_drift for each in access_changes([remade])] == [True]
    assert [each.is_drift for each in access_changes([Create(share(T1), Cause.FILE)])] == [False]


def test_a_change_of_its_own_makes_it_the_file_s_doing_for_those_it_touches() -> None:
    before, after = share(T1, to="acme eve"), share(T1, T2)
    changes = access_changes([update(before, after, ElementRemoved("recipients", "eve", Cause.DRIFT), added(T2))])
    assert [(each.recipient, each.is_drift) for each in changes] == [("acme", False), ("eve", True)]


def test_adopting_and_renaming_change_access_as_an_update_does() -> None:
    before, after = share(T1), share(T1, T2)
    for verdict in (Adopt(before, after, (added(T2),)), Rename(before, replace(after, name="t"), (added(T2),))):
        assert access_changes([verdict]) == (AccessChange("acme", ("main.s.t2",), (), 2),)


def test_what_changes_nothing_at_databricks_changes_no_access() -> None:
    recipient = Recipient("acme", TokenSharing())
    for verdict in (
        Keep(share(T1)),
        Record(None, share(T1)),
        Drifted(share(T1), (removed(T1, Cause.DRIFT),)),
        Drifted(None, ()),
        Forget(share(T1)),
        Release(share(T1)),
        Conflict("x", "", ""),
        Unknown("403"),
        Ignore(),
        Replace(recipient, recipient),
        Update(recipient, recipient, (), Cause.FILE),
        Create(recipient, Cause.FILE),
        Delete(recipient),
    ):
        assert access_changes([verdict]) == ()


def test_a_schema_is_told_by_its_name_where_its_type_is_not_known() -> None:
    loose = Share("s", objects=frozenset({SharedObject("main.s")}), recipients=frozenset({"acme"}))
    assert access_changes([update(loose, share(SharedObject("main.s"), T1), added(T1))]) == ()


def test_access_is_the_union_of_a_recipient_s_shares() -> None:
    shares = [share(T1, to="acme bolt"), share(T2, name="t"), Share("u", recipients=frozenset({"acme"})), Share("v")]
    assert access(shares) == {"acme": {"main.s.t1", "main.s.t2"}, "bolt": {"main.s.t1"}}


def test_what_is_not_managed_stays_as_it_is_there() -> None:
    there = Share("s", "theirs", frozenset({T1}), frozenset({"acme"}))
    assert overlay(there, Share("s", owner="x")) == replace(there, owner="x", storage_root=UNMANAGED)
    assert overlay(there, share(T2, to="bolt")) == share(T2, to="bolt")
