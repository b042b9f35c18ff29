"""The search that the canaries rely on finds a leak wherever it hides."""

import base64
from pathlib import Path

import asyncpg
import pytest

from reconciler.packs.document import PackDocument
from reconciler.packs.parsing import parse_file
from reconciler.packs.workbook_writing import to_workbook
from tests.journeys.canaries import Heard
from tests.journeys.packs import SALES

LEAK = "canarybird-leaked"


class _LeakyError(Exception):
    def __init__(self, told: str) -> None:
        super().__init__("all is well")
        self.told = told


def _hidden_below() -> BaseException:
    """In the cause of the context of what is raised."""
    shown, context = RuntimeError("nothing to see"), ValueError("harmless")
    shown.__context__, shown.__suppress_context__ = context, True
    context.__cause__ = _LeakyError(LEAK)
    return shown


@pytest.mark.parametrize(
    "failure", [ValueError(LEAK), _LeakyError(LEAK), _hidden_below(), ExceptionGroup("two", [KeyError(LEAK)])], ids=str
)
def test_the_search_finds_a_leak_wherever_an_exception_has_it(failure: BaseException) -> None:
    heard = Heard()
    heard.say_failure("here", failure)
    heard.say_failure("there", ValueError("harmless"))
    assert heard.where(LEAK) == {"here"}


@pytest.mark.parametrize("before", ["", "x", "xy", "user:"])
def test_the_search_finds_a_leak_in_any_form(before: str) -> None:
    told = f"{before}{LEAK} and more"
    for text in (
        told,
        told.upper(),
        base64.b64encode(told.encode()).decode(),
        told.encode().hex(),
        told.encode("utf-16-le"),
        told.encode("utf-16-be"),
    ):
        heard = Heard()
        heard.say("here", text)
        assert heard.where(LEAK) == {"here"}, text


def test_the_search_finds_a_leak_in_a_workbook(tmp_path: Path) -> None:
    document = parse_file("q1.yaml", SALES.replace("Q1 sales data", LEAK).encode()).document
    assert isinstance(document, PackDocument)
    (tmp_path / "leak.xlsx").write_bytes(to_workbook(document))
    heard = Heard()
    heard.say_folder("here", tmp_path)
    assert heard.where(LEAK) == {"here"}


async def test_the_search_finds_a_leak_in_a_table_of_any_schema(fresh_database_url: str) -> None:
    connection = await asyncpg.connect(fresh_database_url)
    await connection.execute("CREATE SCHEMA apart; CREATE TABLE apart.kept (n int, told jsonb)")
    await connection.execute("INSERT INTO apart.kept VALUES (1, $1)", f'{{"deep": ["{LEAK}"]}}')
    await connection.close()
    heard = Heard()
    await heard.say_tables("here", fresh_database_url)
    assert heard.where(LEAK) == {"here"}
