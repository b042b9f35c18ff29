"""The smaller values: keys, encodings, actions, access, attestation rules, retry delays."""

import pytest

from reconciler.core.access import AccessChange, access_changes
from reconciler.core.actions import actions
from reconciler.core.changes import Cause, ElementAdded, ElementRemoved
from reconciler.core.encoding import canonical, digest
from reconciler.core.key import Kind, PackId, parse_key, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.recipient import OtherSharing, Recipient, TokenSharing
from reconciler.core.resource_encoding import decode_resource, encode_resource
from reconciler.core.retry import DELAYS, delay
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Adopt, Create, Delete, Forget, Keep, Update
from tests.core.worlds import SALES_Q1, WORKSPACE, a_pack

T1, T2 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("share/Finance_Q1", (Kind.SHARE, "finance_q1")),
        ("Recipient/ACME ", (Kind.RECIPIENT, "acme")),
        ("share/", None),
        ("share", None),
        ("table/x", None),
    ],
)
def test_a_key_has_one_text_form(text: str, expected: tuple[Kind, str] | None) -> None:
    key = parse_key(text, WORKSPACE)
    assert (None if key is None else (key.kind, key.name)) == expected
    if key is not None:
        assert parse_key(str(key), WORKSPACE) == key


def test_a_pack_is_the_same_in_any_case_and_spacing() -> None:
    assert PackId.of("Sales  Operations", "Q1") == PackId.of("sales operations", "q1 ")
    assert str(PackId.of("Sales  Operations", "Q1")) == "Sales Operations / Q1"


def test_encoding_knows_every_kind_and_nothing_else() -> None:
    other = Recipient("r", OtherSharing("OIDC_FEDERATION"))
    assert decode_resource(encode_resource(other)) == other
    untyped = Share("s", objects=frozenset({SharedObject("main.s.t")}))
    assert decode_resource(encode_resource(untyped)) == untyped
    with pytest.raises(ValueError, match="volume"):
        decode_resource({"kind": "volume", "name": "v"})


def test_equal_packs_encode_alike_whatever_their_order() -> None:
    recipient, share = Recipient("r", TokenSharing()), Share("s", objects=frozenset({T2, T1}))
    one, two = a_pack(SALES_Q1, recipient, share, adopt=True), a_pack(SALES_Q1, share, recipient, adopt=True)
    assert canonical(encode_pack(one)) == canonical(encode_pack(two))
    assert digest(encode_pack(one)) == digest(encode_pack(two))
    assert encode_pack(one)["recipient"] == [{"name": "r", "type": "D2O", "adopt": True}]


def test_actions_are_single_and_say_everything() -> None:
    key = share_key("s", WORKSPACE)
    share = Share("s", "hi", frozenset({T1}), frozenset({"acme"}))
    created = actions(key, Create(share, Cause.FILE))
    assert created == {
        f"share/s create in {WORKSPACE}",
        f'share/s comment = "hi" in {WORKSPACE}',
        f"share/s objects + main.s.t1 (TABLE) in {WORKSPACE}",
        f"share/s recipients + acme in {WORKSPACE}",
    }
    assert actions(key, Delete(share)) == {f"share/s delete in {WORKSPACE}"}
    assert actions(key, Adopt(share, share, ())) == {f"share/s adopt in {WORKSPACE}"}
    assert actions(key, Keep(share)) == actions(key, Forget(share)) == frozenset()
    recipient = recipient_key("acme", WORKSPACE)
    assert f"recipient/acme create as D2O in {WORKSPACE}" in actions(
        recipient, Create(Recipient("acme", TokenSharing()), Cause.FILE)
    )


def share(objects: set[SharedObject], recipients: set[str]) -> Share:
    return Share("s", "", frozenset(objects), frozenset(recipients))


def update(before: Share, after: Share, *changes: ElementAdded | ElementRemoved) -> Update:
    return Update(before, after, changes, Cause.FILE)


def test_access_names_what_each_recipient_gains_and_loses() -> None:
    before, after = share({T1}, {"acme", "eve"}), share({T1, T2}, {"acme"})
    changes = access_changes(
        [
            update(
                before,
                after,
                ElementAdded("objects", T2, Cause.FILE),
                ElementRemoved("recipients", "eve", Cause.DRIFT),
            )
        ]
    )
    assert changes == (
        AccessChange("acme", ("main.s.t2",), (), 2, is_drift=False),
        AccessChange("eve", (), ("main.s.t1",), 0, is_drift=True),
    )


def test_a_hand_made_grant_that_is_taken_back_is_drift() -> None:
    verdict = update(share({T1}, {"eve"}), share({T1}, set()), ElementRemoved("recipients", "eve", Cause.DRIFT))
    assert access_changes([verdict]) == (AccessChange("eve", (), ("main.s.t1",), 0, is_drift=True),)


def test_what_a_recipient_reads_through_another_share_is_not_lost() -> None:
    kept = Keep(Share("other", "", frozenset({T1}), frozenset({"acme"})))
    gone = Delete(share({T1}, {"acme"}))
    assert access_changes([gone, kept]) == ()
    assert access_changes([gone]) == (AccessChange("acme", (), ("main.s.t1",), 0),)


def test_unmanaged_fields_count_as_they_are() -> None:
    after = Share("s", "new", UNMANAGED, frozenset({"acme", "bolt"}))
    before = share({T1}, {"acme"})
    verdict = Update(before, after, (ElementAdded("recipients", "bolt", Cause.FILE),), Cause.FILE)
    assert access_changes([verdict]) == (AccessChange("bolt", ("main.s.t1",), (), 1),)


def test_retries_slow_down_and_never_end() -> None:
    assert delay(1, None, 0.0) == DELAYS[0]
    assert delay(0, None, 0.0) == DELAYS[0]
    assert delay(10_000, None, 0.0) == DELAYS[-1]
    assert delay(1, 120.0, 0.0) == 120.0
    assert delay(1, 120.0, 1.0) == pytest.approx(144.0)
