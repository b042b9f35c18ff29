"""What is told at once, or by a shorter way, is what the long way tells."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from reconciler.core.desired import Revision
from reconciler.core.share import SharedObject
from reconciler.packs import objects, workbook_table
from reconciler.packs.cell_values import joined, read_cell
from reconciler.packs.cells import _ENTRY, _LINE, _entries, read_lines, read_list
from reconciler.packs.document import DataObjectEntry
from reconciler.packs.names import are_usual_tables, object_name
from reconciler.packs.objects import Listed, check_objects, known
from reconciler.packs.reading import read_packs
from reconciler.packs.sheet_marks import _SIGNS, _SUSPECT
from reconciler.packs.sheets import Form
from reconciler.packs.tree import Places, Spot, Tree
from reconciler.packs.workbook import read_workbook
from reconciler.packs.workbook_gate import _FAR_COLUMN
from reconciler.packs.workbook_rows import Cell, Notes, filled_rows
from reconciler.packs.workbook_spots import RowSpots
from reconciler.packs.workbook_table import _value
from tests.packs.documents import OBJECTS, TEXTS, THOROUGH
from tests.packs.workbooks import GUIDE, METADATA, as_excel_saves, edited, workbook, written

TABLES = st.from_regex(r"[a-c_1]{1,2}(\.[a-cA`é _/-]{0,2}){1,3}\n?", fullmatch=True)
LISTED = st.lists(TABLES | OBJECTS | st.sampled_from(["a.b.c", "a.b.c\na.b.d", "a.b", "A.b.c", "a.b.c\n", "", "\n"]))


@THOROUGH
@given(LISTED)
@example(["a.b.c\na.b.d"])
@example([f"a.b.{'c' * 255}", f"a.b.{'c' * 256}"])
def test_usual_tables_are_their_own_normal_form(texts: Sequence[str]) -> None:
    if are_usual_tables(texts):
        assert [object_name(text) for text in texts] == texts
        assert all(known(text).kind is None for text in texts)


def test_an_object_with_options_is_not_a_usual_table() -> None:
    assert are_usual_tables(["a.b.c", "a.b.d"])
    assert not are_usual_tables(["a.b.c", DataObjectEntry(name="a.b.d")])
    assert not are_usual_tables([])


@THOROUGH
@given(st.lists(LISTED | st.builds(lambda text: [DataObjectEntry(name=text)], TABLES), max_size=3))
def test_the_checks_of_usual_tables_find_what_the_long_way_finds(lists: Sequence[Sequence[Listed]]) -> None:
    items = [item for each in lists for item in each]
    with patch.object(objects, "are_usual_tables", lambda _: False):
        slowly = list(check_objects(items, ("share",)))
    assert list(check_objects(items, ("share",))) == slowly


def test_objects_of_one_name_under_other_aliases_are_different() -> None:
    assert len({SharedObject("c.s.t"), SharedObject("c.s.t", shared_as="a.b"), SharedObject("c.s.t")}) == 2


@THOROUGH
@given(TEXTS | st.text('a" ,;\n\t\r\u00a0\\', max_size=12))
@example(" a ,;b\n\n,")
def test_lists_without_quotes_are_split_as_those_with_them(text: str) -> None:
    assert list(read_list(text)) == list(_entries(_ENTRY, text))
    assert list(read_lines(text)) == list(_entries(_LINE, text))


def test_what_a_row_adds_does_not_copy_what_the_rows_above_it_had() -> None:
    names, pairs = ["a"], {"k": "1"}
    assert joined(names, ["b", "c"], ("Shares", "A3"))[0] is names
    found, flaws = joined(pairs, {"k": "2", "m": "3"}, ("Shares", "A3"))
    assert found is pairs
    assert (names, pairs) == (["a", "b", "c"], {"k": "1", "m": "3"})
    assert [flaw.rule for flaw in flaws] == ["key-duplicate"]


def rows_of(data: bytes) -> dict[str, list[tuple[int, dict[int, Cell]]]]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    return {
        sheet.title: [(number, dict(cells)) for number, cells in filled_rows(sheet, frozenset(), Notes())]
        for sheet in book.worksheets
    }


def rows_of_openpyxl(data: bytes) -> dict[str, list[tuple[int, dict[int, Cell]]]]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    found: dict[str, list[tuple[int, dict[int, Cell]]]] = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        found[sheet.title] = []
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells = {column: Cell(cell.value, cell.data_type) for column, cell in enumerate(row, start=1)}
            filled = {column: cell for column, cell in cells.items() if str(cell.value or "").strip()}
            found[sheet.title].extend([(number, filled)] if filled else [])
    return found


def odd_values() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["name", " ", "two\nlines", "_x0041_", "", 17, 2.5, True, "#REF!", "30"])
    sheet["C5"] = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"))
    sheet["A9"] = "last"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


ODD_ROWS = b"""\
<row r="2"><c r="C2" t="inlineStr"><is><t>c</t></is></c><c r="A2" t="inlineStr"><is><t>a</t></is></c></row>
<row r="4"><c r="A4" t="inlineStr"><is><t>x</t></is></c><c r="A4" t="inlineStr"><is><t/></is></c>
<c r="B4" t="inlineStr"><is/></c><c t="inlineStr"><is><t>y</t></is></c><c r="E4" t="inlineStr"/></row>
<row r="3"><c r="A3" t="inlineStr"><is><t>above</t></is></c></row>
<row r="7"/>
<row><c r="B9" t="inlineStr"><is><t xml:space="preserve"> b </t></is></c>
<c r="D9" t="inlineStr"><is><r><t>rich</t></r><r><t> text</t></r></is></c><c r="C9"><v>3</v></c></row></sheetData>"""


@pytest.mark.parametrize(
    "data",
    [
        workbook,
        odd_values,
        lambda: as_excel_saves(written(GUIDE)),
        lambda: edited(workbook(), "xl/worksheets/sheet2.xml", b"</sheetData>", ODD_ROWS),
    ],
    ids=["a pack", "odd values", "shared texts", "odd rows"],
)
def test_rows_are_those_that_openpyxl_reads(data: Callable[[], bytes]) -> None:
    book = data()
    assert rows_of(book) == rows_of_openpyxl(book)


def test_where_the_rows_of_a_sound_workbook_stand_is_not_worked_out() -> None:
    def asked(_: RowSpots, position: int) -> Spot:
        raise AssertionError(position)

    with patch.object(RowSpots, "_spot", asked):
        found = read_packs({"sharepacks/sales/a.xlsx": workbook()}, Revision(), "https://adb-1.1.azuredatabricks.net")
    (pack,) = found.packs.values()
    assert not found.problems
    assert {(each.where.sheet, each.where.cell) for each in pack.resources.values()} == {
        ("Recipients", "A2"),
        ("Shares", "A2"),
    }


NAMES = st.sampled_from(["a", "b", "A", "+", " + ", '"q"', "x\r\ny", None, 7, "#REF!"])
LISTS = st.sampled_from(["x.y.z", "x.y.z, +", "+", '""', "x.y.z\nx.y.w", None, True, 3.5])
PAIRS = st.sampled_from(["k=v", "k=v\nl=w", '""', "nothing", None])
OWNERS = st.sampled_from(["a", "b", "zz", None, 1])
HEADERS: dict[str, list[Any]] = {
    "Recipients": ["properties", None, "name", "allowed_ips", "federation_policies"],
    "Shares": ["name", "comment", "recipients", "data_objects"],
    "DataObjects": ["share", "name", "partitions", "comment"],
    "Release": ["resource"],
}
ROWS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "Recipients": st.tuples(PAIRS, NAMES, NAMES, LISTS, LISTS),
    "Shares": st.tuples(NAMES, NAMES, LISTS, LISTS),
    "DataObjects": st.tuples(OWNERS, NAMES, LISTS, NAMES),
    "Release": st.tuples(NAMES),
}
SHEETS = st.fixed_dictionaries({title: st.lists(rows, max_size=5) for title, rows in ROWS.items()})


class _Asking(list[int]):
    """The numbers of rows, of each of which it is asked at once where it stands."""

    def __init__(self, ask: Callable[[int], object]) -> None:
        super().__init__()
        self._ask = ask

    def append(self, number: int) -> None:
        super().append(number)
        self._ask(-1)


def at_once(*given: Any) -> RowSpots:
    spots = RowSpots(*given)
    object.__setattr__(spots, "numbers", _Asking(spots.__getitem__))
    return spots


def spelt(spot: Any) -> object:
    if not isinstance(spot, Spot):
        return spot
    inner: Any = spot.inner
    within = {key: spelt(each) for key, each in inner.items()} if isinstance(inner, dict) else list(map(spelt, inner))
    return (spot.at, spot.key, within)


def without_spots(tree: Tree) -> object:
    return (tree.data, tree.flaws, tree.is_whole, tree.known)


@THOROUGH
@given(SHEETS)
@example({"Recipients": [], "Shares": [("a", None, "p", "x.y.z, +"), ("+", None, None, "+"), ("b", None, None, None)]})
def test_where_rows_stand_is_the_same_asked_at_once_and_later(sheets: dict[str, list[tuple[Any, ...]]]) -> None:
    data = written({"Metadata": METADATA} | {title: [HEADERS[title], *rows] for title, rows in sheets.items()})
    later = read_workbook(data)
    with patch.object(workbook_table, "RowSpots", at_once):
        sooner = read_workbook(data)
    assert without_spots(later) == without_spots(sooner)
    assert spelt(later.spot) == spelt(sooner.spot)
    for loc, position in later.known.items():
        assert Places("a.xlsx", later.spot).value(loc) == Places("a.xlsx", known={loc: position}).value(loc)


def test_rows_and_columns_that_are_left_empty_are_counted() -> None:
    shares = [[None, "data_objects", None, "name"], [], [None, "a.b.c, a.b.d", None, "x"], [], [None, None, None, "y"]]
    places = Places("a.xlsx", read_workbook(workbook(Shares=shares)).spot)
    asked = {
        ("share", 0): "D3",
        ("share", 0, "data_objects", 1): "B3",
        ("share", 1): "D5",
        ("share", 1, "data_objects"): "B5",
        ("share", 1, "comment"): "D5",
        ("share", 2): "A1",
    }
    assert {loc: places.value(loc).cell for loc in asked} == asked


@THOROUGH
@given(TEXTS | st.text('a" \n\r+', max_size=6))
def test_a_text_taken_as_it_is_stands_for_itself(text: str) -> None:
    cell = Cell(text, "s")
    assert _value(Form.TEXT, cell, ("Shares", "A", 2), Notes()) == read_cell(Form.TEXT, cell, ("Shares", "A2"))[0]


XML = st.lists(
    st.sampled_from(
        [b"<", b"x:", b"f", b">", b"/", b" ", b"\n", b"mergeCell", b"hidden", b"=", b"r", b'"', b"AAA", b"1"]
    ),
    max_size=12,
).map(b"".join)


@THOROUGH
@given(XML)
@example(b"<x:f>")
@example(b'<c\nr = "AAA1"')
def test_what_is_looked_for_in_a_sheet_is_found_by_the_quicker_look(xml: bytes) -> None:
    assert not _SUSPECT.search(xml) or any(sign in xml for sign in _SIGNS)
    plain = re.compile(rb"""\sr\s*=\s*["'][A-Za-z]{3,}[0-9]""")
    assert bool(_FAR_COLUMN.search(xml)) == bool(plain.search(xml))
