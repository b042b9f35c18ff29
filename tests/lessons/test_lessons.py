"""Each lesson is told, says how it is met, and names tests that are there."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from tests.lessons.lessons import PAGE, ROOT, WAYS, Lesson, lessons, page

ALL = lessons()


def test_all_of_them_are_there_once_and_in_order() -> None:
    assert [lesson.id for lesson in ALL] == list(range(1, 56))


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: f"{lesson.id}-{lesson.issue}")
def test_each_says_what_hurt_and_how_it_is_met_and_names_tests_that_exist(lesson: Lesson) -> None:
    assert lesson.how in WAYS
    for words in (lesson.hurt, lesson.met):
        assert words.endswith(".")
        assert "\n" not in words
    assert lesson.tests
    assert len(set(lesson.tests)) == len(lesson.tests)
    assert [test for test in lesson.tests if not exists(test)] == []


def test_a_test_that_is_not_there_is_noticed() -> None:
    here = "tests/lessons/test_lessons.py"
    assert exists(f"{here}::test_a_test_that_is_not_there_is_noticed")
    for wrong in (f"{here}::test_nothing", f"{here}::exists", "tests/lessons/test_nothing.py::test_x", here, "x"):
        assert not exists(wrong)


def test_the_page_is_what_the_data_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.lessons"


def exists(test: str) -> bool:
    """Whether pytest would find it: `tests/path.py::test_name` or `tests/path.py::TestClass::test_name`."""
    path, _, name = test.partition("::")
    return name in names_in(path)


@cache
def names_in(path: str) -> frozenset[str]:
    place = ROOT / path
    is_test_file = place.name.startswith("test_") and place.suffix == ".py" and place.is_file()
    return frozenset(_names(ast.parse(place.read_text(encoding="utf-8")).body)) if is_test_file else frozenset()


def _names(statements: list[ast.stmt]) -> Iterator[str]:
    for each in statements:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("test_"):
                yield name
            case ast.ClassDef(name=name) if name.startswith("Test"):
                yield from (f"{name}::{inner}" for inner in _names(each.body))
            case _:
                pass
