"""The type of each named object, and whether it can be shared as the pack says."""

from dataclasses import replace

import pytest

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.managed import UNMANAGED
from reconciler.core.resolve import Catalog, CatalogObject, Resolved, Sought, reader_of, resolve, to_look_up
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from tests.core.model_objects import as_found

TABLE, VIEW, VOLUME, SCHEMA = ObjectType.TABLE, ObjectType.VIEW, ObjectType.VOLUME, ObjectType.SCHEMA
T = SharedObject("main.s.t", TABLE)
LOOSE = SharedObject("main.s.t")
NOTEBOOK = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64))
EMEA = frozenset({frozenset({Condition("Region", value="EMEA")})})


def share(*objects: SharedObject, owner: str | None = None) -> Share:
    return Share("s", objects=frozenset(objects), owner=UNMANAGED if owner is None else owner)


def holding(*objects: SharedObject, owner: str = "boss", denied: tuple[SharedObject, ...] = ()) -> Found:
    items = frozenset(map(as_found, objects))
    return Found(Share("s", "", items, frozenset(), owner, ""), owner=owner, denied=frozenset(map(as_found, denied)))


def typed(resolved: Resolved) -> dict[str, object]:
    assert isinstance(resolved.share.objects, frozenset)
    return {item.name: item.type for item in resolved.share.objects}


@pytest.mark.parametrize(
    ("wanted", "observed", "catalog", "expected"),
    [
        (LOOSE, Absent(), {Sought("main.s.t", UNMANAGED): CatalogObject(VIEW)}, VIEW),
        (LOOSE, holding(replace(T, type=VIEW)), {}, VIEW),
        (LOOSE, holding(replace(T, type=VOLUME)), {}, VOLUME),
        (LOOSE, holding(T, replace(T, type=VOLUME)), {}, TABLE),
        (SharedObject("main.s"), Absent(), {Sought("main.s", SCHEMA): CatalogObject(SCHEMA)}, SCHEMA),
        (T, Absent(), {Sought("main.s.t", TABLE): CatalogObject(TABLE)}, TABLE),
        (NOTEBOOK, Absent(), {}, ObjectType.NOTEBOOK_FILE),
    ],
)
def test_a_type_comes_from_the_pack_the_name_the_share_or_the_catalog(
    wanted: SharedObject, observed: Observed, catalog: Catalog, expected: ObjectType
) -> None:
    resolved = resolve(share(wanted), observed, catalog)
    assert typed(resolved) == {wanted.name: expected}
    assert (resolved.missing, resolved.unknown, resolved.unfit) == ((), (), ())


def test_what_the_catalog_does_not_have_is_missing_and_what_it_does_not_say_is_unknown() -> None:
    other = SharedObject("main.s.u", TABLE)
    resolved = resolve(share(LOOSE, other), Absent(), {Sought("main.s.t", UNMANAGED): None})
    assert (resolved.missing, resolved.unknown) == (("main.s.t",), ("main.s.u",))
    settled = resolve(share(LOOSE, other), holding(T, other), {})
    assert (settled.missing, settled.unknown) == ((), ())


def test_an_untyped_name_is_not_what_another_entry_names() -> None:
    """The share holds the volume; the pack wants the volume and the table of that name."""
    volume = replace(T, type=VOLUME)
    table = {Sought("main.s.t", UNMANAGED, "boss"): CatalogObject(TABLE)}
    resolved = resolve(share(LOOSE, volume), holding(volume), table)
    assert resolved.share.objects == frozenset({T, volume})
    other_alias = replace(volume, shared_as="x.y")
    resolved = resolve(share(LOOSE, other_alias), holding(volume), table)
    assert resolved.share.objects == frozenset({T, other_alias})


def test_objects_nobody_manages_are_not_resolved() -> None:
    assert resolve(Share("s"), Absent(), {}) == Resolved(Share("s"))
    assert to_look_up(Share("s"), Absent()) == frozenset()


PARTITIONED = CatalogObject(TABLE, partition_columns=frozenset({"region", "org"}))


@pytest.mark.parametrize(
    ("wanted", "entry", "words"),
    [
        (T, CatalogObject(VIEW), "is a view, not a table"),
        (replace(T, type=ObjectType.MATERIALIZED_VIEW), CatalogObject(TABLE), "is a table, not a materialized view"),
        (T, CatalogObject(TABLE), ""),
        (LOOSE, CatalogObject(ObjectType.STREAMING_TABLE), ""),
        (T, CatalogObject(TABLE, lacking="SELECT on TABLE main.s.t"), "SELECT on TABLE main.s.t is missing"),
        (T, CatalogObject(TABLE, needs_history=True), "can only be shared with `history: true`"),
        (replace(T, history=False), CatalogObject(TABLE, needs_history=True), "can only be shared with"),
        (replace(T, history=True), CatalogObject(TABLE, needs_history=True), ""),
        (replace(T, partitions=EMEA), PARTITIONED, ""),
        (replace(T, partitions=frozenset()), CatalogObject(TABLE), ""),
        (
            replace(T, partitions=EMEA),
            CatalogObject(TABLE),
            "its partition columns are: none",
        ),
        (
            replace(T, partitions=frozenset({frozenset({Condition("day"), Condition("org", value="1")})})),
            PARTITIONED,
            "not partitioned by day; its partition columns are: org, region",
        ),
        (replace(LOOSE, cdf=True, start_version=1), CatalogObject(VIEW), "takes no cdf and no start_version"),
    ],
)
def test_an_object_that_cannot_be_shared_so_says_why(wanted: SharedObject, entry: CatalogObject, words: str) -> None:
    resolved = resolve(share(wanted), Absent(), {Sought("main.s.t", wanted.type): entry})
    if not words:
        assert resolved.unfit == ()
    else:
        ((name, why),) = resolved.unfit
        assert name == "main.s.t"
        assert words in why


def test_several_misfits_are_told_at_once() -> None:
    entry = CatalogObject(TABLE, needs_history=True, lacking="SELECT on TABLE main.s.t")
    resolved = resolve(share(replace(T, partitions=EMEA)), Absent(), {Sought("main.s.t", TABLE): entry})
    assert len(resolved.unfit) == 3


@pytest.mark.parametrize(
    ("wanted", "observed", "is_sought"),
    [
        pytest.param(T, Absent(), True, id="new"),
        pytest.param(T, Unreadable("403"), True, id="nobody knows"),
        pytest.param(T, holding(T), False, id="there"),
        pytest.param(replace(T, comment="x"), holding(T), False, id="only its comment"),
        pytest.param(replace(T, partitions=EMEA), holding(T), True, id="another part of it"),
        pytest.param(replace(T, partitions=EMEA), holding(replace(T, partitions=EMEA)), False, id="the same part"),
        pytest.param(replace(T, type=VIEW), holding(T), True, id="another type"),
        pytest.param(replace(T, history=False), holding(replace(T, history=True)), True, id="its history goes"),
        pytest.param(replace(T, history=True), holding(T), False, id="its history comes"),
        pytest.param(T, holding(T, denied=(T,)), True, id="its owner may not read it"),
        pytest.param(NOTEBOOK, Absent(), False, id="a notebook is nowhere in the catalog"),
    ],
)
def test_what_is_looked_up(wanted: SharedObject, observed: Observed, is_sought: bool) -> None:
    sought = to_look_up(share(wanted), observed)
    assert {each.name for each in sought} == ({wanted.name} if is_sought else set())


def test_everything_is_looked_up_when_somebody_else_is_to_own_the_share() -> None:
    assert to_look_up(share(T, owner="team"), holding(T)) == {Sought("main.s.t", TABLE, "team")}
    assert to_look_up(share(T, owner="boss"), holding(T)) == frozenset()


@pytest.mark.parametrize(
    ("wanted", "observed", "reader"),
    [
        (share(owner="team"), holding(), "team"),
        (share(), holding(), "boss"),
        (share(), Absent(), ""),
        (share(owner="team"), Absent(), "team"),
    ],
)
def test_who_must_be_able_to_read_is_the_owner_to_be(wanted: Share, observed: Observed, reader: str) -> None:
    assert reader_of(wanted, observed) == reader


def test_two_objects_that_would_bear_one_name_for_their_readers_are_told() -> None:
    one, other = (SharedObject(f"{catalog}.s.t", TABLE) for catalog in ("main", "spare"))
    entries: Catalog = {Sought(each.name, TABLE): CatalogObject(TABLE) for each in (one, other)}
    assert [name for name, _ in resolve(share(one, other), Absent(), entries).unfit] == ["spare.s.t"]
    apart = replace(other, shared_as="s.u")
    assert resolve(share(one, apart), Absent(), entries).unfit == ()
