"""Who can read what at a time, and since when: from versions of shares, for any sequence of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.key import PackId, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.reads import Reads, ShareVersion, reads_at
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from tests.drawing import examples

WORKSPACE = "https://adb-1.azuredatabricks.net"
PACK = PackId.of("Sales Operations", "Sales Q1")
START = datetime(2026, 1, 1, tzinfo=UTC)

ORDERS = SharedObject("prod.sales.orders", ObjectType.TABLE)
EMEA = SharedObject(
    "prod.sales.orders", ObjectType.TABLE, partitions=frozenset({frozenset({Condition("r", value="E")})})
)
ITEMS = SharedObject("prod.sales.items")
SCHEMA = SharedObject("prod.sales", ObjectType.SCHEMA)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def share(objects: Sequence[SharedObject] = (ORDERS,), readers: Sequence[str] = ("ann",), name: str = "sales") -> Share:
    return Share(name, objects=frozenset(objects), recipients=frozenset(readers))


def version(begin: int, end: int | None, of: Share, by: str = "") -> ShareVersion:
    until = None if end is None else day(end)
    key = share_key(of.name, WORKSPACE)
    return ShareVersion(key, of, PACK, day(begin), until, f"commit {begin}", by, f"jllt/packs#{begin}", f"rev{begin}")


def told(lines: Sequence[Reads]) -> list[tuple[str, str, datetime]]:
    return [(line.recipient, line.item.name, line.since) for line in lines]


HISTORY = (
    version(1, 2, share()),
    version(2, 3, share([ORDERS, ITEMS])),
    version(3, 4, share([EMEA, ITEMS], ["ann", "bob"])),
    # From day 4 to day 6 there was no such share.
    version(6, None, share([ORDERS], ["bob"])),
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (day(0), []),
        (day(1), [("ann", "prod.sales.orders", day(1))]),
        (day(2) - timedelta(microseconds=1), [("ann", "prod.sales.orders", day(1))]),
        (day(2), [("ann", "prod.sales.items", day(2)), ("ann", "prod.sales.orders", day(1))]),
        (
            day(3),
            [
                ("ann", "prod.sales.items", day(2)),
                # Less of it than before: another extent, so another beginning.
                ("ann", "prod.sales.orders", day(3)),
                ("bob", "prod.sales.items", day(3)),
                ("bob", "prod.sales.orders", day(3)),
            ],
        ),
        (day(4), []),
        (day(5), []),
        (day(6), [("bob", "prod.sales.orders", day(6))]),
        (day(99), [("bob", "prod.sales.orders", day(6))]),
        (None, [("bob", "prod.sales.orders", day(6))]),
    ],
)
def test_each_moment_has_its_answer(at: datetime | None, expected: list[tuple[str, str, datetime]]) -> None:
    assert told(reads_at(HISTORY, at)) == expected


def test_a_line_tells_who_brought_it_about_and_not_who_changed_something_else() -> None:
    history = [version(1, 2, share(), "john"), version(2, None, share([ORDERS, ITEMS]), "jane")]
    by_name = {line.item.name: line for line in reads_at(history)}
    orders, items = by_name["prod.sales.orders"], by_name["prod.sales.items"]
    assert (orders.commit, orders.created_by, orders.pull_requests, orders.approved_by) == (
        "commit 1",
        "john",
        "jllt/packs#1",
        "rev1",
    )
    assert (items.commit, items.created_by, items.approved_by) == ("commit 2", "jane", "rev2")


def test_what_is_closed_is_not_read_now() -> None:
    assert reads_at([version(1, 2, share())]) == ()


def test_what_somebody_lost_and_got_back_begins_anew() -> None:
    history = [version(1, 2, share()), version(2, 3, share(readers=["bob"])), version(3, None, share())]
    assert told(reads_at(history)) == [("ann", "prod.sales.orders", day(3))]


@pytest.mark.parametrize(
    "of",
    [
        Share("sales", objects=UNMANAGED, recipients=frozenset({"ann"})),
        Share("sales", objects=frozenset({ORDERS}), recipients=UNMANAGED),
        Share("sales", objects=frozenset(), recipients=frozenset({"ann"})),
    ],
)
def test_a_share_that_says_nothing_of_it_lets_nobody_read(of: Share) -> None:
    assert reads_at([version(1, None, of)]) == ()


def test_shares_of_one_name_in_two_workspaces_are_two() -> None:
    here, there = share_key("sales", WORKSPACE), share_key("sales", "https://adb-2.azuredatabricks.net")
    history = [ShareVersion(here, share(), PACK, day(1), day(2)), ShareVersion(there, share(), PACK, day(2))]
    assert [(line.share, line.since) for line in reads_at(history)] == [(there, day(2))]


@pytest.mark.parametrize(
    ("item", "is_schema", "covered"),
    [
        (ORDERS, False, ["prod.sales.orders", "PROD.Sales.Orders"]),
        (SCHEMA, True, ["prod.sales", "prod.sales.orders", "Prod.Sales.New"]),
        # Two parts without a type: a schema.
        (SharedObject("prod.sales"), True, ["prod.sales", "prod.sales.orders"]),
        (ITEMS, False, ["prod.sales.items"]),
        (SharedObject("How To", ObjectType.NOTEBOOK_FILE), False, ["How To", "how to"]),
    ],
)
def test_a_line_covers_the_object_and_what_lies_in_the_schema(
    item: SharedObject, is_schema: bool, covered: list[str]
) -> None:
    [line] = reads_at([version(1, None, share([item]))])
    assert line.is_schema == is_schema
    asked = ["prod", "prod.sales_archive.orders", "prod.sales.orders.more", *covered]
    assert [name for name in asked if line.covers(name)] == ([asked[2], *covered] if is_schema else covered)


#: What a share says for a day; None: it is not there.
DAY = st.one_of(
    st.none(),
    st.builds(
        share,
        st.lists(st.sampled_from([ORDERS, EMEA, ITEMS, SCHEMA]), max_size=3),
        st.lists(st.sampled_from(["ann", "bob"]), max_size=2),
    ),
)


def versions_of(days: Sequence[Share | None]) -> list[ShareVersion]:
    """A version a day."""
    last = len(days) - 1
    return [
        version(number, None if number == last else number + 1, each)
        for number, each in enumerate(days)
        if each is not None
    ]


def since_by_hand(days: Sequence[Share | None], number: int) -> dict[tuple[str, SharedObject], datetime]:
    """Day by day backwards, for each pair by itself."""
    found = {}
    for pair in pairs(days[number]):
        first = number
        while first > 0 and pair in pairs(days[first - 1]):
            first -= 1
        found[pair] = day(first)
    return found


def pairs(of: Share | None) -> set[tuple[str, SharedObject]]:
    if of is None or of.recipients is UNMANAGED or of.objects is UNMANAGED:
        return set()
    return {(reader, item) for reader in of.recipients for item in of.objects}


@given(days=st.lists(DAY, min_size=1, max_size=8), shuffled=st.randoms())
@settings(max_examples=examples(100, 400))
def test_any_history_is_told_as_it_was_on_any_day(days: list[Share | None], shuffled: object) -> None:
    history = versions_of(days)
    shuffled.shuffle(history)  # type: ignore[attr-defined]
    for number in range(len(days)):
        lines = reads_at(history, day(number) + timedelta(hours=1))
        assert {(line.recipient, line.item): line.since for line in lines} == since_by_hand(days, number)
    assert reads_at(history) == reads_at(history, day(len(days)))


@given(days=st.lists(DAY, min_size=1, max_size=6), number=st.integers(0, 5))
@settings(max_examples=examples(100, 400))
def test_what_comes_later_changes_no_answer_about_the_past(days: list[Share | None], number: int) -> None:
    at = day(number) + timedelta(hours=1)
    history = versions_of(days)
    assert reads_at(history, at) == reads_at([each for each in history if each.since <= at], at)
