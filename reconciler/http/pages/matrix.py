"""Who can see what as a matrix: a row for each data object, a column for each recipient, a table for each workspace."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from reconciler.http.pages.tables import object_name
from reconciler.render.access_rows import AccessRow
from reconciler.render.access_text import short_workspace
from reconciler.render.html.markup import NOTHING, Markup, joined, tag
from reconciler.render.moments import moment

#: More of them are no picture any more: the list tells all.
RECIPIENTS: Final = 40
OBJECTS: Final = 300
#: Names of so many recipients have room side by side.
_UPRIGHT_BEYOND: Final = 6
_WHOLE: Final = "●"
_PART: Final = "◐"
_ONLY: Final = "only where"

_Cells: TypeAlias = Mapping[tuple[str, str], AccessRow]


def matrices(rows: Sequence[AccessRow], address: Callable[[AccessRow], str]) -> Markup:
    """`address`: where a cell leads to."""
    by_workspace: dict[str, list[AccessRow]] = {}
    for row in rows:
        by_workspace.setdefault(row.workspace, []).append(row)
    legend = tag("p", f"{_WHOLE} reads it   {_PART} reads a part of it", class_="legend")
    is_named = len(by_workspace) > 1
    parts = (_matrix(each, by_workspace[each], address, is_named=is_named) for each in sorted(by_workspace))
    return joined([legend, *parts])


def _matrix(
    workspace: str, rows: Sequence[AccessRow], address: Callable[[AccessRow], str], *, is_named: bool
) -> Markup:
    recipients = sorted({row.recipient for row in rows})
    objects = sorted({row.object for row in rows})
    cells = _cells(rows)
    shown = recipients[:RECIPIENTS]
    headings = tag("tr", tag("th", "Data object", scope="col"), *map(_column, shown))
    body = joined((_row(each, shown, cells, address) for each in objects[:OBJECTS]), "\n")
    name = short_workspace(workspace)
    caption = tag("caption", f"Who can read what in {name}", class_="unseen")
    look = "matrix upright" if len(shown) > _UPRIGHT_BEYOND else "matrix"
    drawn = tag("table", caption, tag("thead", headings), tag("tbody", body), class_=look)
    scrolled = tag("div", drawn, class_="scroll", tabindex="0", role="region", aria_label=f"Matrix of {name}")
    heading = tag("h2", name) if is_named else NOTHING
    return joined([heading, *_left_out(len(recipients), len(objects)), scrolled])


def _cells(rows: Sequence[AccessRow]) -> _Cells:
    """Of several ways to read an object, one that is not narrowed."""
    ordered = sorted(rows, key=lambda row: _ONLY not in row.extent)
    return {(row.object, row.recipient): row for row in ordered}


def _left_out(recipients: int, objects: int) -> Iterator[Markup]:
    if recipients > RECIPIENTS or objects > OBJECTS:
        said = f"Of {recipients:,} recipients and {objects:,} data objects, the first {RECIPIENTS} and {OBJECTS} are"
        yield tag("p", f"{said} shown: narrow the question, or look at the list.", class_="calm")


def _column(recipient: str) -> Markup:
    return tag("th", tag("bdi", recipient), scope="col", title=recipient)


def _row(name: str, recipients: Sequence[str], cells: _Cells, address: Callable[[AccessRow], str]) -> Markup:
    shown = (_cell(cells.get((name, recipient)), address) for recipient in recipients)
    return tag("tr", tag("th", object_name(name), scope="row", title=name), *shown)


def _cell(row: AccessRow | None, address: Callable[[AccessRow], str]) -> Markup:
    if row is None:
        return tag("td")
    sign, word = (_PART, "reads a part of") if _ONLY in row.extent else (_WHOLE, "reads")
    said = f"{row.recipient} {word} {row.object}, since {moment(row.since)} UTC"
    return tag("td", tag("a", sign, href=address(row), title=said, aria_label=said))
