"""Tables that become a list of cards where a screen is narrow, and the ways to their other pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from reconciler.http.pages.frame import link
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.moments import iso, moment


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """The first cell of a row is its heading. Roles are said once more, for a table that is shown otherwise is none to
    some browsers."""
    head = tag("tr", *(tag("th", each, scope="col", role="columnheader") for each in headings), role="row")
    return tag(
        "table",
        tag("caption", caption, class_="unseen"),
        tag("thead", head, role="rowgroup"),
        tag("tbody", joined((_row(headings, each) for each in rows), "\n"), role="rowgroup"),
        role="table",
        class_="rows",
    )


def when(at: datetime) -> Markup:
    """In UTC; the page says so once."""
    return tag("time", moment(at), datetime=iso(at.astimezone(UTC)))


def object_name(name: str) -> Markup:
    """In two parts, so that it is not torn elsewhere while there is room for each."""
    schema, dot, last = name.rpartition(".")
    return tag("bdi", tag("span", schema + dot, class_="schema") if dot else NOTHING, tag("span", last), class_="name")


def short(commit: str) -> Content:
    return tag("code", commit[:12], title=commit) if commit else "not committed"


def numbered(path: str, parameters: Mapping[str, str], page: int, pages: int) -> Markup:
    """Links to the page before and after this one; pages count from 1."""
    if pages <= 1:
        return NOTHING
    before, after = (link(path, {**parameters, "page": str(number)}) for number in (page - 1, page + 1))
    return pager(before if page > 1 else "", f"Page {page:,} of {pages:,}", after if page < pages else "")


def pager(before: str, said: str, after: str, first: str = "Previous") -> Markup:
    """Addresses that are empty have no link."""
    return tag(
        "nav",
        tag("a", f"← {first}", href=before) if before else NOTHING,
        tag("span", said),
        tag("a", "Next →", href=after, rel="next") if after else NOTHING,
        aria_label="Other pages of this list",
        class_="pager",
    )


def _row(headings: Sequence[str], cells: Sequence[Content]) -> Markup:
    first, *others = cells
    return tag(
        "tr",
        tag("th", first, scope="row", role="rowheader"),
        *(tag("td", cell, role="cell", data_label=name) for name, cell in zip(headings[1:], others, strict=True)),
        role="row",
    )
