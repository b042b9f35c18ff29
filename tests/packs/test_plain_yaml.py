"""What is read without places is what is read with them; and of a sound file no places are looked for."""

import random
from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yaml._yaml import CParser

from reconciler.core.problem import Where
from reconciler.packs import parsing, plain_yaml
from reconciler.packs.parsing import parse_file, yaml_text
from reconciler.packs.plain_yaml import read_plain
from reconciler.packs.tree import Places
from reconciler.packs.yaml_file import MAX_DEPTH, MAX_VALUES, read_yaml
from tests.packs.documents import THOROUGH
from tests.packs.examples import EXAMPLES, read
from tests.packs.noisy import NoisyWriter
from tests.packs.test_hostile import YAML_SCRAPS

SOUND = """\
metadata: {requestor: a@b.example, project_name: p, business_line: l}
recipient:
  - name: r
    type: D2O
    email: a@b.example
share:
- {name: s, recipients: [r], data_objects: [c.s.t, c.s.u]}
-   name: t
"""
FILES = sorted(path for path in EXAMPLES.rglob("*.y*ml") if isinstance(yaml_text(path.read_bytes()), str))


def is_read_alike(text: str) -> bool:
    """Whether it was read without places at all."""
    plain, tree = read_plain(text), read_yaml(text)
    if plain is None:
        return False
    assert plain.data == tree.data
    assert (list(tree.flaws), tree.is_whole) == ([], True)
    places = Places("a.yaml", tree.spot)
    assert {loc: places.value(loc) for loc in plain.entries} == {
        loc: Where("a.yaml", int(line), int(column)) for loc, (line, column) in plain.entries.items()
    }
    lists = {key: value for key, value in plain.data.items() if isinstance(value, list)}
    assert plain.entries.keys() == {(key, number) for key, value in lists.items() for number in range(len(value))}
    return True


def test_every_example_is_read_alike_or_with_care() -> None:
    read_alike = [path for path in FILES if is_read_alike(yaml_text(path.read_bytes()))]  # type: ignore[arg-type]
    assert len(read_alike) > len(FILES) / 2


@THOROUGH
@given(YAML_SCRAPS)
@example("a: [.5, 0x1F, 1_0, '1', ~, no, null, NaN, True, '', -.inf]\nb:\n")
def test_scraps_are_read_alike_or_with_care(text: str) -> None:
    is_read_alike(text)


@THOROUGH
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab ~#:-é\n", max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab1", max_size=2), inner, max_size=4),
        max_leaves=20,
    ).filter(lambda value: bool(value) and isinstance(value, dict)),
    st.integers(0, 2**32),
)
def test_text_as_people_write_it_is_read_alike(document: dict[str, object], seed: int) -> None:
    assert is_read_alike(NoisyWriter(random.Random(seed)).text(document))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "text",
        "- a\n- b",
        "a: &x 1\n",
        "a: &x [1]\n",
        "&x a: 1\n",
        "a: 1\nb: *a\n",
        "*a : 1\n",
        "a: !!str 1\n",
        "a: ! 1\n",
        "!x a: 1\n",
        "!x {a: 1}\n",
        "a: !x [1]\n",
        "a: [!x {b: 1}]\n",
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "a:\n  <<: {b: 1}\n",
        "[a]: 1\n",
        "? {a: 1}\n: 1\n",
        "a: 1\n---\nb: 1\n",
        "a: 1\n...\nb: 1\n",
        "a: [1\n",
        "a: 'x\n",
        "a: b: c\n",
        "\ta: 1\n",
        "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        "a: " + "{b: " * MAX_DEPTH + "1" + "}" * MAX_DEPTH,
        "[" * 50_000,
        "a: {" * 50_000,
    ],
)
def test_what_is_unusual_is_read_with_care(text: str) -> None:
    assert read_plain(text) is None


def test_as_deep_and_as_many_as_a_pack_may_be() -> None:
    assert is_read_alike("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    most = MAX_VALUES - 2
    assert is_read_alike("a: [" + "b," * most + "]")
    assert read_plain("a: [" + "b," * (most + 1) + "]") is None


def counted(wrapped: Callable[..., object]) -> tuple[list[object], Callable[..., object]]:
    calls: list[object] = []

    def count(*arguments: object) -> object:
        calls.append(arguments)
        return wrapped(*arguments)

    return calls, count


def test_a_sound_file_is_parsed_once_and_without_places() -> None:
    with_care, watched = counted(read_yaml)
    parsers, watched_parser = counted(CParser)
    with patch.object(parsing, "read_yaml", watched), patch.object(plain_yaml, "CParser", watched_parser):
        desired = read({"p/a.yaml": SOUND.encode()})
        (pack,) = desired.packs.values()
        places = {str(key): str(declared.where) for key, declared in pack.resources.items()}
    assert places == {"recipient/r": "p/a.yaml:3:5", "share/s": "p/a.yaml:7:3", "share/t": "p/a.yaml:8:5"}
    assert (len(with_care), len(parsers)) == (0, 1)


def test_the_places_of_a_sound_file_are_found_once_when_they_are_asked_for() -> None:
    parsed = parse_file("p/a.yaml", SOUND.replace("c.s.u", "c.s.unlike").encode())
    calls, watched = counted(read_yaml)
    with patch.object(parsing, "read_yaml", watched):
        moved = parsed.moved_to("p/b.yaml")
        assert str(parsed.places.value(("metadata", "project_name"))) == "p/a.yaml:1:50"
        assert str(moved.places.value(("share", 0, "data_objects", 1))) == "p/b.yaml:7:52"
        assert str(moved.places.key(("recipient", 0, "email"))) == "p/b.yaml:5:5"
    assert len(calls) == 1


def test_what_is_only_told_beside_other_packs_is_told_at_its_place() -> None:
    other = SOUND.replace("project_name: p", "project_name: q")
    problems = read({"a.yaml": SOUND.encode(), "b.yaml": other.encode()}).problems
    assert [(str(each.where), str(each.also), each.rule) for each in problems] == [
        ("b.yaml:3:11", "a.yaml:3:11", "resource-duplicate"),
        ("b.yaml:7:10", "a.yaml:7:10", "resource-duplicate"),
        ("b.yaml:8:11", "a.yaml:8:11", "resource-duplicate"),
    ]
