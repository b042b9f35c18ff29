"""Each field of a recipient, a share and a data object, with each cause; and what is told apart with care."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.changes import (
    Cause,
    ElementAdded,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    ValueSet,
    combined_cause,
    field_changes,
    moment_text,
)
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import FederationPolicy, OidcSharing, Recipient, SubjectClaim, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from tests.core.worlds import NOW, as_actual

TABLE = SharedObject("main.s.t", ObjectType.TABLE)
EMEA, APAC = (frozenset({frozenset({Condition("region", value=name)})}) for name in ("EMEA", "APAC"))
#: A field, three values it can have, and what each is called in a change.
FIELDS: list[tuple[Resource, str, list[Any], list[str]]] = [
    (Recipient("r", TokenSharing()), "comment", ["", "a", "b"], ["", "a", "b"]),
    (Recipient("r", TokenSharing()), "owner", ["x", "y", "z"], ["x", "y", "z"]),
    (
        Recipient("r", TokenSharing()),
        "expires_at",
        [NOW, NOW + 1000, NOW + 1500],
        [moment_text(NOW), moment_text(NOW + 1000), moment_text(NOW + 1500)],
    ),
    (Share("s"), "comment", ["", "a", "b"], ["", "a", "b"]),
    (Share("s"), "owner", ["x", "y", "z"], ["x", "y", "z"]),
    (Share("s"), "storage_root", ["", "s3://a", "s3://b"], ["", "s3://a", "s3://b"]),
]
OBJECT_FIELDS: list[tuple[str, list[Any], list[str]]] = [
    ("comment", ["", "a", "b"], ["", "a", "b"]),
    ("partitions", [frozenset(), EMEA, APAC], ["", "region = 'EMEA'", "region = 'APAC'"]),
    ("start_version", [0, 3, 4], ["0", "3", "4"]),
]


def setting(value: Any, field: str, to: object) -> Any:
    return replace(value, **{field: to})


def causes(recorded: int | None, desired: int, actual: int) -> Cause | None:
    if desired == actual:
        return None
    if recorded is None or recorded == actual:
        return Cause.FILE
    return Cause.DRIFT if recorded == desired else Cause.BOTH


@pytest.mark.parametrize(("like", "field", "values", "texts"), FIELDS, ids=lambda each: str(each)[:24])
def test_every_value_has_every_cause(like: Resource, field: str, values: list[Any], texts: list[str]) -> None:
    for desired, actual in ((d, a) for d in range(3) for a in range(3)):
        for recorded in (None, 0, 1, 2):
            last = setting(like, field, UNMANAGED if recorded is None else values[recorded])
            found = setting(as_actual(like), field, values[actual])
            changes = field_changes(setting(like, field, values[desired]), last, found)
            cause = causes(recorded, desired, actual)
            was = texts[actual] if recorded is None else texts[recorded]
            expected = () if cause is None else (ValueSet(field, texts[actual], texts[desired], cause, was),)
            assert changes == expected


@pytest.mark.parametrize(("field", "values", "texts"), OBJECT_FIELDS)
def test_every_option_of_an_object_has_every_cause(field: str, values: list[Any], texts: list[str]) -> None:
    for desired, actual in ((d, a) for d in range(3) for a in range(3)):
        for recorded in (None, 0, 1, 2):
            wanted, found = setting(TABLE, field, values[desired]), setting(TABLE, field, values[actual])
            last = setting(TABLE, field, UNMANAGED if recorded is None else values[recorded])
            changes = of_objects([wanted], [last], [found])
            cause = causes(recorded, desired, actual)
            was = texts[actual] if recorded is None else texts[recorded]
            sets = () if cause is None else (ValueSet(field, texts[actual], texts[desired], cause, was),)
            assert changes == ((ObjectChanged(found, wanted, sets, found),) if sets else ())


def of_objects(
    desired: list[SharedObject], recorded: list[SharedObject] | None, actual: list[SharedObject]
) -> tuple[FieldChange, ...]:
    last = None if recorded is None else Share("s", objects=frozenset(recorded))
    return field_changes(Share("s", objects=frozenset(desired)), last, Share("s", objects=frozenset(actual)))


@pytest.mark.parametrize("like", [Recipient("r", TokenSharing()), Share("s", objects=frozenset({TABLE}))])
def test_what_nobody_manages_is_never_a_difference(like: Resource) -> None:
    busy: Resource
    if isinstance(like, Recipient):
        busy = Recipient(
            "r",
            TokenSharing(),
            allowed_ips=frozenset({"1.2.3.4"}),
            comment="x",
            owner="y",
            properties=frozenset({("a", "b")}),
            expires_at=NOW,
        )
    else:
        item = replace(TABLE, shared_as="x.y", comment="c", partitions=EMEA, history=True, cdf=False, start_version=9)
        busy = Share("s", "c", frozenset({item}), frozenset({"r"}), "y", "s3://z")
    assert field_changes(like, like, busy) == ()


@pytest.mark.parametrize(
    ("desired", "recorded", "actual", "expected"),
    [
        ("one", ["one"], ["two", "one"], [("-", "two", Cause.DRIFT)]),
        ("one", ["one", "two"], ["two", "one"], [("-", "two", Cause.FILE)]),
        ("one two", ["one", "two"], ["one"], [("+", "two", Cause.DRIFT)]),
        ("one two", ["one"], ["one"], [("+", "two", Cause.FILE)]),
        ("one", None, ["two"], [("-", "two", Cause.FILE), ("+", "one", Cause.FILE)]),
        ("", ["one"], ["one"], [("-", "one", Cause.FILE)]),
    ],
)
@pytest.mark.parametrize("field", ["allowed_ips", "recipients", "policies"])
def test_each_element_of_a_set_has_its_own_cause(
    field: str, desired: str, recorded: list[str] | None, actual: list[str], expected: list[tuple[str, str, Cause]]
) -> None:
    like: Resource = Share("s") if field == "recipients" else Recipient("r", OidcSharing())

    def with_(names: list[str] | None) -> Resource:
        if names is None:
            return like
        return replace(like, **{field: frozenset(map(element, names))})  # type: ignore[arg-type]

    def element(name: str) -> Any:
        return policy(name) if field == "policies" else name

    kinds = {"-": ElementRemoved, "+": ElementAdded}
    changes = field_changes(with_(desired.split()), with_(recorded), with_(actual))
    assert list(changes) == [kinds[sign](field, element(name), cause) for sign, name, cause in expected]


def policy(name: str, subject: str = "alice") -> FederationPolicy:
    return FederationPolicy(name, "https://idp.example", SubjectClaim.SUB, subject)


def test_a_policy_that_changes_goes_and_comes() -> None:
    was, becomes = policy("main"), policy("main", "bob")
    changes = field_changes(
        Recipient("r", OidcSharing(), policies=frozenset({becomes})),
        Recipient("r", OidcSharing(), policies=frozenset({was})),
        Recipient("r", OidcSharing(), policies=frozenset({was})),
    )
    assert changes == (ElementRemoved("policies", was, Cause.FILE), ElementAdded("policies", becomes, Cause.FILE))


def test_each_property_is_a_change_of_its_own() -> None:
    def having(**properties: str) -> Recipient:
        return Recipient("r", TokenSharing(), properties=frozenset(properties.items()))

    changes = field_changes(having(a="1", b="2", c="3"), having(a="1", b="1", d="9"), having(a="5", b="1", d="9"))
    assert changes == (
        ValueSet("properties.a", "5", "1", Cause.DRIFT, "1"),
        ValueSet("properties.b", "1", "2", Cause.FILE, "1"),
        ValueSet("properties.c", "", "3", Cause.FILE, ""),
        ValueSet("properties.d", "9", "", Cause.FILE, "9"),
    )
    assert field_changes(Recipient("r", TokenSharing()), having(), having(a="5")) == ()


AS_A, AS_B = replace(TABLE, shared_as="x.a"), replace(TABLE, shared_as="x.b")


def test_another_alias_in_the_file_is_the_file_s_doing() -> None:
    changes = of_objects([AS_B], [AS_A], [AS_A])
    assert changes == (ElementRemoved("objects", AS_A, Cause.FILE), ElementAdded("objects", AS_B, Cause.FILE))


def test_another_alias_in_the_workspace_is_drift() -> None:
    changes = of_objects([AS_A], [AS_A], [AS_B])
    assert changes == (ElementRemoved("objects", AS_B, Cause.DRIFT), ElementAdded("objects", AS_A, Cause.DRIFT))


def test_a_second_alias_made_by_hand_is_drift() -> None:
    assert of_objects([AS_A], [AS_A], [AS_A, AS_B]) == (ElementRemoved("objects", AS_B, Cause.DRIFT),)


def test_another_type_in_the_file_is_the_file_s_doing() -> None:
    view = replace(TABLE, type=ObjectType.VIEW)
    changes = of_objects([view], [TABLE], [TABLE])
    assert changes == (ElementRemoved("objects", TABLE, Cause.FILE), ElementAdded("objects", view, Cause.FILE))


FLAGS = {"on": True, "off": False, "-": UNMANAGED}


@pytest.mark.parametrize(
    ("desired", "actual", "expected"),
    [
        # history, change feed: as desired, as they are (with its history an object says nothing of its feed).
        ("- -", "on off", {}),
        ("on -", "on off", {}),
        ("on -", "off on", {"history": "on"}),
        ("off -", "on off", {"history": "off"}),
        ("- on", "on off", {}),
        ("- on", "off off", {"cdf": "on"}),
        ("- off", "off on", {"cdf": "off"}),
        ("- off", "off off", {}),
        # Without its feed there is no history, and nobody can tell whether the feed was asked for by itself.
        ("- off", "on off", {"cdf": "off"}),
        ("off off", "on off", {"history": "off", "cdf": "off"}),
        ("off on", "on off", {"history": "off", "cdf": "on"}),
        ("off on", "off on", {}),
        ("on off", "on off", {}),
    ],
)
def test_history_and_change_feed(desired: str, actual: str, expected: dict[str, str]) -> None:
    wanted, found = (
        setting(setting(TABLE, "history", FLAGS[pair.split()[0]]), "cdf", FLAGS[pair.split()[1]])
        for pair in (desired, actual)
    )
    changes = of_objects([wanted], [found], [found])
    sets = [each for change in changes if isinstance(change, ObjectChanged) for each in change.sets]
    assert {each.field: each.after for each in sets} == expected


def test_a_notebook_is_compared_with_the_record_because_nobody_can_read_it() -> None:
    one, two = NotebookContent("1" * 64, b"one"), NotebookContent("2" * 64, b"two")
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=two)
    found = SharedObject("n", ObjectType.NOTEBOOK_FILE, "n", "")
    assert of_objects([notebook], [notebook], [found]) == ()
    (changed,) = of_objects([notebook], [replace(notebook, content=one)], [found])
    assert isinstance(changed, ObjectChanged)
    assert changed.sets == (ValueSet("content", "1" * 12, "2" * 12, Cause.FILE, "1" * 12),)
    assert changed.alias == "n"


def test_changes_of_several_causes_have_both() -> None:
    drift, file = ValueSet("a", "", "1", Cause.DRIFT), ValueSet("b", "", "1", Cause.FILE)
    assert combined_cause((drift, drift)) is Cause.DRIFT
    assert combined_cause((drift, file)) is Cause.BOTH
    assert ObjectChanged(TABLE, TABLE, (drift, file), TABLE).cause is Cause.BOTH


def test_resources_of_two_kinds_cannot_be_compared() -> None:
    with pytest.raises(TypeError, match="Share with Recipient"):
        field_changes(Share("x"), None, Recipient("x", TokenSharing()))


@pytest.mark.parametrize(
    ("moment", "text"), [(0, "1970-01-01T00:00:00Z"), (NOW, "2030-03-17T17:46:40Z"), (1, "1970-01-01T00:00:00.001Z")]
)
def test_moments_are_written_in_utc(moment: int, text: str) -> None:
    assert moment_text(moment) == text
