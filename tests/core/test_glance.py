"""What lists vouch for, as values."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.actual import Absent, Found, Observed, Token, Unreadable
from reconciler.core.glance import (
    SETTLED_AFTER,
    GrantsBy,
    Lists,
    Memory,
    ReadInFull,
    betrayed,
    candidates,
    forget,
    grants_by,
    learned,
    looked,
    pays,
    plausible,
    readers_by_share,
    unchanged,
)
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import Strategy
from reconciler.core.plan import Basis, PackPlan, Step
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus, RecordedPack
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Keep

URL = "https://a.cloud.databricks.com"
PACK = PackId.of("Sales", "Q1")
ROW = RecordedPack(PACK, "1", "sales.yaml", URL, PackStatus.COMPLETED, "c0ffee", generation=3)
ANN, Q1 = recipient_key("ann", URL), share_key("q1", URL)
READ_AT = 1_000_000_000
CHANGED_AT = READ_AT - SETTLED_AFTER
TOKEN = Token("t1", CHANGED_AT, READ_AT + 10**9)
ONE, TWO = (SharedObject(f"c.s.{name}", ObjectType.TABLE) for name in ("one", "two"))


def recipient(**more: object) -> Found:
    given = Recipient("ann", TokenSharing(), comment="", owner="o", expires_at=TOKEN.expires_at or 0)
    return replace(Found(given, "o", "u", CHANGED_AT, tokens=(TOKEN,)), **more)  # type: ignore[arg-type]


def share(*objects: SharedObject, at: int | None = CHANGED_AT) -> Found:
    return Found(Share("q1", "", frozenset(objects), frozenset({"ann"}), "o", ""), "o", "u", at)


def listed(found: Found) -> Found:
    resource = found.resource
    if isinstance(resource, Share):
        return replace(found, resource=replace(resource, objects=UNMANAGED, recipients=UNMANAGED))
    return found


def plan(rotate_every: int | None = None) -> PackPlan:
    wanted = Recipient("ann", TokenSharing(), rotate_every=UNMANAGED if rotate_every is None else rotate_every)
    steps = (Step(ANN, Keep(recipient().resource), wanted), Step(Q1, Keep(share().resource), Share("q1")))
    return PackPlan(PACK, "sales.yaml", URL, Strategy.UPDATE, steps, Basis("", "", ""))


def read(began_at: int = READ_AT, *, its_share: Observed | None = None, rotate_every: int | None = None) -> ReadInFull:
    actual: dict[object, Observed] = {ANN: recipient(), Q1: its_share or share(ONE)}
    return ReadInFull(actual, [(plan(rotate_every), ROW)], began_at)  # type: ignore[arg-type]


def remembered(its_read: ReadInFull | None = None, before: Memory | None = None, spread: float = 0.0) -> Memory:
    return learned(before or Memory(), its_read or read(), 8, lambda: spread)


def lists(*, one: Observed | None = None, other: Observed | None = None, readers: str = "ann") -> Lists:
    return Lists({ANN: one or recipient(), Q1: other or listed(share())}, {Q1: frozenset(readers.split())})


def test_what_lists_show_as_it_was_is_unchanged() -> None:
    assert unchanged(remembered(), [PACK], lists()) == {PACK}


@pytest.mark.parametrize(
    "told",
    [
        lists(one=Unreadable("listed twice")),
        lists(one=recipient(updated_at=CHANGED_AT + 1)),
        lists(one=recipient(updated_at=CHANGED_AT - 1)),
        lists(one=recipient(updated_at=None)),
        lists(one=recipient(owner="x")),
        lists(one=recipient(tokens=(replace(TOKEN, id="t2"),))),
        lists(other=listed(share(at=CHANGED_AT - 1))),
        lists(other=listed(replace(share(), updated_by="x"))),
        lists(readers=""),
        lists(readers="ann bob"),
        replace(lists(), readers={Q1: None}),
        replace(lists(), readers={}),
        replace(lists(), resources={ANN: recipient()}),
        Lists(),
    ],
)
def test_what_lists_show_otherwise_or_not_at_all_is_not(told: Lists) -> None:
    assert unchanged(remembered(), [PACK], told) == frozenset()


def test_lists_without_tokens_say_nothing_of_them() -> None:
    told = recipient(tokens=())
    assert unchanged(remembered(), [PACK], lists(one=told)) == {PACK}
    assert isinstance(told.resource, Recipient)
    without_end = replace(told, resource=replace(told.resource, expires_at=UNMANAGED))
    assert unchanged(remembered(), [PACK], lists(one=without_end)) == {PACK}
    another_end = replace(told, resource=replace(told.resource, expires_at=5))
    assert unchanged(remembered(), [PACK], lists(one=another_end)) == frozenset()


@pytest.mark.parametrize("at", [CHANGED_AT + 1, READ_AT, READ_AT + 10**6, None])
def test_what_was_read_right_after_a_change_vouches_for_nothing(at: int | None) -> None:
    """Nor does what bears a time that is still to come, or none."""
    memory = remembered(read(its_share=share(ONE, at=at)))
    assert unchanged(memory, [PACK], lists(other=listed(share(at=at)))) == frozenset()


def test_read_twice_with_the_same_time_it_does() -> None:
    young = share(ONE, at=READ_AT)
    soon, later = (remembered(read(READ_AT + wait, its_share=young), remembered(read(its_share=young)))
                   for wait in (SETTLED_AFTER - 1, SETTLED_AFTER))  # fmt: skip
    told = lists(other=listed(share(at=READ_AT)))
    assert unchanged(soon, [PACK], told) == frozenset()
    assert unchanged(later, [PACK], told) == {PACK}


def test_objects_that_change_under_the_same_time_give_it_away() -> None:
    memory = remembered()
    assert betrayed(memory, {Q1: share(ONE)}) == ()
    assert betrayed(memory, {Q1: share(ONE, TWO, at=CHANGED_AT + 1)}) == ()
    assert betrayed(memory, {Q1: Absent(), ANN: recipient()}) == ()
    assert betrayed(memory, {Q1: share(TWO)}) == (Q1,)
    for changed in (
        replace(ONE, shared_as="s.other"),
        replace(ONE, comment="by hand"),
        replace(ONE, history=True),
        replace(ONE, cdf=True),
        replace(ONE, start_version=3),
        replace(ONE, type=ObjectType.VIEW),
    ):
        assert betrayed(memory, {Q1: share(changed)}) == (Q1,), changed
    young = remembered(read(its_share=share(ONE, at=READ_AT)))
    assert betrayed(young, {Q1: share(TWO, at=READ_AT)}) == ()


def test_a_pack_is_read_in_full_when_its_record_has_changed_or_its_workspace_is_distrusted() -> None:
    memory = remembered()
    assert candidates(memory, [PACK], {PACK: ROW}, READ_AT) == {PACK}
    assert candidates(memory, [PACK], {PACK: replace(ROW, generation=4)}, READ_AT) == frozenset()
    assert candidates(memory, [PACK], {}, READ_AT) == frozenset()
    assert candidates(replace(memory, distrusted=frozenset({URL})), [PACK], {PACK: ROW}, READ_AT) == frozenset()
    assert candidates(forget(memory, [PACK]), [PACK], {PACK: ROW}, READ_AT) == frozenset()
    assert forget(memory, [PACK]).resources == memory.resources


def test_a_pack_is_read_in_full_when_a_token_is_to_be_replaced() -> None:
    memory = remembered(read(rotate_every=3600))
    due = TOKEN.created_at + 3_600_000
    assert candidates(memory, [PACK], {PACK: ROW}, due - 1) == {PACK}
    assert candidates(memory, [PACK], {PACK: ROW}, due) == frozenset()


@given(st.floats(0, 1), st.integers(1, 100))
def test_no_pack_is_looked_at_by_lists_alone_for_longer_than_it_may_be(spread: float, full_every: int) -> None:
    memory = learned(Memory(), read(), full_every, lambda: spread)
    looks = 0
    while candidates(memory, [PACK], {PACK: ROW}, READ_AT):
        memory, looks = looked(memory, [PACK]), looks + 1
    assert full_every * 0.7 - 2 <= looks <= full_every - 1


def test_a_pack_with_something_to_do_or_unread_is_not_remembered() -> None:
    assert remembered(read(its_share=Absent())).packs == {}
    assert remembered(read(its_share=Unreadable("no"))).packs == {}
    assert learned(Memory(), replace(read(), quiet=[]), 8, lambda: 0.0).packs == {}


@given(st.integers(0, 50), st.integers(0, 50), st.sampled_from([True, False, None]))
def test_recipients_are_asked_only_where_that_is_cheaper_and_all_are_seen(
    shares: int, recipients: int, sees_all: bool | None
) -> None:
    if grants_by(shares, recipients, sees_all=sees_all) is GrantsBy.RECIPIENT:
        assert sees_all is not False
        assert recipients < shares


def test_readers_are_the_same_from_both_sides() -> None:
    read_by = {ANN: frozenset({"q1", "foreign"}), recipient_key("bob", URL): frozenset({"q1"})}
    other = share_key("q2", URL)
    assert readers_by_share([Q1, other], read_by) == {Q1: {"ann", "bob"}, other: frozenset()}


def test_lists_pay_while_they_cost_less() -> None:
    keys = [ANN, Q1]
    # In full: the recipient, the share and its readers. By lists: the readers, and the pages.
    assert [pays(keys, pages) for pages in (0, 1, 2, 3)] == [True, True, False, False]


def test_what_is_plausible_needs_no_grants() -> None:
    assert plausible(remembered(), [PACK], lists(readers="").resources) == {PACK}
    assert plausible(remembered(), [PACK], {}) == frozenset()


def test_what_follows_from_steps_is_worked_out_once() -> None:
    made = plan()
    assert made.actions is made.actions
    assert made.gains is made.gains
    assert made.fingerprint is made.fingerprint
    assert replace(made, path="x") != made
    assert replace(made, path=made.path) == made
