"""Objects of a share are a set: what they are is no place in a list, and each is in one request once."""

from collections import Counter
from dataclasses import replace

import pytest

from reconciler.core.actual import Found
from reconciler.core.calls import OBJECT_UPDATES_PER_CALL, UpdateShare
from reconciler.core.key import share_key
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED
from reconciler.core.resolve import CatalogObject
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from tests.core.worlds import (
    SALES_Q1,
    WORKSPACE,
    KnownCatalog,
    a_pack,
    desired_of,
    found,
    planned,
    recorded_of,
    step_of,
)

KEY = share_key("s", WORKSPACE)
TABLE = ObjectType.TABLE
EMEA, APAC = (frozenset({frozenset({Condition("region", value=name)})}) for name in ("EMEA", "APAC"))


def calls(before: Share, after: Share) -> list[UpdateShare]:
    """The requests for the objects; `before` is on record and there."""
    rows = recorded_of({KEY: (before, SALES_Q1)})
    held = [share.objects for share in (before, after) if share.objects is not UNMANAGED]
    names = {item.name for objects in held for item in objects}
    columns = frozenset({"region"})
    catalog = KnownCatalog({name: (CatalogObject(TABLE, partition_columns=columns),) for name in names})
    plan = planned(desired_of(a_pack(SALES_Q1, after)), rows, found(before), catalogs={WORKSPACE: catalog})
    step = step_of(plan, KEY)
    assert not step.is_held, step.objections
    return [each.call for each in lower(KEY, step.verdict) if isinstance(each.call, UpdateShare)]


def share(*objects: SharedObject) -> Share:
    return Share("s", objects=frozenset(objects))


def tables(*names: str, **fields: object) -> list[SharedObject]:
    return [replace(SharedObject(f"main.s.{name}", TABLE), **fields) for name in names]  # type: ignore[arg-type]


def test_an_object_in_the_middle_is_one_addition_and_nothing_else() -> None:
    names = [f"t{number:03}" for number in range(60)]
    (call,) = calls(share(*tables(*names[:30], *names[31:])), share(*tables(*names)))
    assert [item.name for item in call.add] == ["main.s.t030"]
    assert (call.remove, call.change) == ((), ())


def test_no_order_of_the_same_objects_is_a_change() -> None:
    names = ("one", "two", "three")
    assert calls(share(*tables(*names)), share(*reversed(tables(*names)))) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (tables("a", "b"), tables("b", "c")),
        (tables("a", shared_as="out.one"), tables("a", shared_as="out.two")),
        (tables("a", partitions=EMEA), tables("a", partitions=frozenset())),
        (tables("a", partitions=EMEA), tables("a", partitions=APAC)),
        (tables("a", history=True), tables("a", history=False, cdf=True)),
        (
            [*tables("a", shared_as="out.one"), *tables("a", shared_as="out.two")],
            [*tables("a", shared_as="out.two"), *tables("a", shared_as="out.three")],
        ),
        (
            [*tables("a", partitions=EMEA), *tables("b", shared_as="out.b"), *tables("c", history=True)],
            [*tables("a", partitions=frozenset()), *tables("b", shared_as="out.c"), *tables("c", cdf=True)],
        ),
    ],
)
def test_one_request_names_an_object_once(before: list[SharedObject], after: list[SharedObject]) -> None:
    made = calls(share(*before), share(*after))
    assert made
    for call in made:
        named = Counter(item.name for item in (*call.remove, *call.change, *call.add))
        assert max(named.values()) == 1, named


def test_another_alias_is_another_object_that_comes_once_the_first_is_gone() -> None:
    first, second = calls(share(*tables("a", shared_as="out.one")), share(*tables("a", shared_as="out.two")))
    assert [item.shared_as for item in first.remove] == ["out.one"]
    assert [item.shared_as for item in second.add] == ["out.two"]


def test_an_alias_that_is_not_mentioned_is_the_server_s_and_no_difference() -> None:
    """Databricks fills it in; whatever it chose is what it stays."""
    (wanted,) = tables("a")
    held = replace(wanted, shared_as="s.a", comment="", history=False, cdf=False, start_version=4)
    rows = recorded_of({KEY: (share(wanted), SALES_Q1)})
    plan = planned(desired_of(a_pack(SALES_Q1, share(wanted))), rows, {KEY: Found(share(held), owner="ann")})
    assert not step_of(plan, KEY).is_work


def test_many_changes_go_by_the_hundred_removals_first() -> None:
    made = calls(share(*tables(*(f"a{n}" for n in range(150)))), share(*tables(*(f"b{n}" for n in range(150)))))
    sizes = [(len(call.remove), len(call.add)) for call in made]
    assert sizes == [(100, 0), (50, 50), (0, 100)]
    assert all(sum(size) <= OBJECT_UPDATES_PER_CALL for size in sizes)


def test_a_table_with_deletion_vectors_is_shared_with_its_history_or_not_at_all() -> None:
    catalog = {WORKSPACE: KnownCatalog({"main.s.t": (CatalogObject(TABLE, needs_history=True),)})}
    (bare,) = tables("t")
    for item, expected in ((bare, ["object-unfit"]), (replace(bare, history=True), [])):
        plan = planned(desired_of(a_pack(SALES_Q1, share(item))), catalogs=catalog)
        assert [each.rule for each in step_of(plan, KEY).objections] == expected


@pytest.mark.parametrize("kind", [ObjectType.MATERIALIZED_VIEW, ObjectType.VIEW, ObjectType.STREAMING_TABLE])
def test_the_catalog_says_what_an_object_is_and_a_wrong_type_is_told(kind: ObjectType) -> None:
    catalog = {WORKSPACE: KnownCatalog({"main.s.t": (CatalogObject(kind),)})}
    looked_up = planned(desired_of(a_pack(SALES_Q1, share(SharedObject("main.s.t")))), catalogs=catalog)
    created = step_of(looked_up, KEY)
    assert not created.is_held
    assert created.desired == share(SharedObject("main.s.t", kind))
    said = planned(desired_of(a_pack(SALES_Q1, share(*tables("t")))), catalogs=catalog)
    (objection,) = step_of(said, KEY).objections
    assert objection.message == f"main.s.t is a {kind.words}, not a table"


@pytest.mark.parametrize(("count", "expected"), [(1000, []), (1001, ["object-unfit"])])
def test_a_share_that_would_outgrow_what_databricks_takes_is_held(count: int, expected: list[str]) -> None:
    """Also of plain names, whose types only the catalog knows."""
    names = [f"main.s.t{number}" for number in range(count)]
    catalog = {WORKSPACE: KnownCatalog({name: (CatalogObject(TABLE),) for name in names})}
    wanted = Share("s", UNMANAGED, frozenset(map(SharedObject, names)))
    step = step_of(planned(desired_of(a_pack(SALES_Q1, wanted)), catalogs=catalog), KEY)
    assert [each.rule for each in step.objections] == expected
