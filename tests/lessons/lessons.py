"""The lessons as data, and the page made of them. Whether the tests they name exist is test_lessons' matter."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "lessons.md"
#: How a lesson is met, as the page says it.
WAYS: Final[Mapping[str, str]] = {
    "impossible": "cannot happen",
    "rule": "said of the file",
    "objection": "held in the plan",
    "behaviour": "done right, and shown",
    "limit": "only in part",
}
_INTRODUCTION: Final = """\
# What hurt others, and how it is met here

Fifty-five things that hurt people who manage Delta Sharing with other tools, by the public issue they are known by
(tf: databricks/terraform-provider-databricks, cli: databricks/cli, sdk-py, sdk-go: databricks/databricks-sdk-…). Each
says what hurt, how it is met here, and which tests show it. Where that is only in part, it says so.

This page is made of [tests/lessons/lessons.yaml](../tests/lessons/lessons.yaml) with `python -m tests.lessons`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    id: int
    issue: str
    hurt: str
    how: str
    met: str
    #: Node ids: `tests/path.py::test_name`.
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    lessons: tuple[Lesson, ...]


@cache
def parts() -> Sequence[Part]:
    document = yaml.safe_load(Path(__file__).with_name("lessons.yaml").read_text(encoding="utf-8"))
    return [
        Part(each["part"], tuple(Lesson(**{**item, "tests": tuple(item["tests"])}) for item in each["lessons"]))
        for each in document
    ]


def lessons() -> Sequence[Lesson]:
    return [lesson for part in parts() for lesson in part.lessons]


def page() -> str:
    return "".join(f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "| | lessons |"
    yield "|---|---|"
    for how, words in WAYS.items():
        yield f"| {words} | {sum(lesson.how == how for lesson in lessons())} |"
    for part in parts():
        yield f"\n## {part.title}"
        for lesson in part.lessons:
            yield f"\n**{lesson.id}. {lesson.issue}** {lesson.hurt}"
            yield f"*{WAYS[lesson.how][0].upper()}{WAYS[lesson.how][1:]}.* {lesson.met}\n"
            yield from (f"- {_link(test)}" for test in lesson.tests)


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name}](../{path})"
