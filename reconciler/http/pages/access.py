"""Who can see what, now or at a day: as a list with where each line comes from, and as a matrix of recipients and
objects. Says what `AccessReport` says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.access_report import AccessReport
from reconciler.core.share import ObjectType
from reconciler.http.pages.frame import Visitor, choice, framed, labelled, link, message
from reconciler.http.pages.matrix import matrices
from reconciler.http.pages.tables import numbered, object_name, short, table, when
from reconciler.render.access_rows import AccessRow, access_rows
from reconciler.render.access_text import short_workspace
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.moments import to_the_minute

PATH: Final = "/access"
LIST: Final = "list"
MATRIX: Final = "matrix"
#: Lines on a page of the list.
_LINES: Final = 200
_ALL_LINES: Final = "all business lines"
_HEADINGS: Final = ("Recipient", "Data object", "Through", "Pack", "Since", "By", "Approved by")


@dataclass(frozen=True, slots=True)
class Asked:
    """As the visitor wrote it; empty where nothing was."""

    recipient: str = ""
    object_name: str = ""
    business_line: str = ""
    as_of: str = ""
    view: str = LIST
    page: int = 1

    @property
    def parameters(self) -> Mapping[str, str]:
        return {
            "recipient": self.recipient,
            "object": self.object_name,
            "business_line": self.business_line,
            "as_of": self.as_of,
            "view": "" if self.view == LIST else self.view,
        }


@dataclass(frozen=True, slots=True)
class AccessView:
    asked: Asked
    #: Those the visitor may choose from.
    business_lines: Sequence[str]
    #: None: the question was not understood.
    report: AccessReport | None
    trouble: str = ""


def access_page(view: AccessView, visitor: Visitor) -> str:
    trouble = message(view.trouble) if view.trouble else NOTHING
    content = NOTHING if view.report is None else joined(_answer(view.asked, view.report))
    return framed("Who can see what", _question(view), trouble, content, visitor=visitor, here=PATH)


def _question(view: AccessView) -> Markup:
    asked = view.asked
    lines = {"": _ALL_LINES} | {each: each for each in view.business_lines}
    return tag(
        "form",
        labelled("recipient", "Recipient", _field("recipient", asked.recipient)),
        labelled("object", "Data object", _field("object", asked.object_name, placeholder="catalog.schema.table")),
        labelled("business_line", "Business line", choice("business_line", asked.business_line, lines)),
        labelled("as_of", "On the day", _field("as_of", asked.as_of, kind="date")),
        tag("input", type="hidden", name="view", value=asked.view),
        tag("button", "Show", class_="main"),
        action=PATH,
        role="search",
        aria_label="Narrow it",
        class_="panel filter",
    )


def _field(name: str, value: str, *, kind: str = "text", placeholder: str | None = None) -> Markup:
    return tag(
        "input",
        type=kind,
        name=name,
        id=name,
        value=value,
        placeholder=placeholder,
        autocomplete="off",
        autocapitalize="none",
        spellcheck="false",
    )


def _answer(asked: Asked, report: AccessReport) -> Iterator[Markup]:
    yield _summary(asked, report)
    if report.is_before_the_record:
        yield message(_unknown(report), tone="change")
    if not report.lines:
        return
    yield _views(asked)
    rows = list(access_rows(report.lines, report.recipients))
    if asked.view == MATRIX:
        yield matrices(rows, lambda row: _line_link(asked, row))
    else:
        yield _listed(asked, rows)


def _summary(asked: Asked, report: AccessReport) -> Markup:
    moment = report.question.at_words or to_the_minute(report.at)
    tense = "Now" if report.question.at is None else "Then"
    readers = len({(line.recipient, line.share.workspace) for line in report.lines})
    objects = len({(line.item.name, line.share.workspace) for line in report.lines})
    said = f"{tense} ({moment}), {_counted(readers, 'recipient')} can read {_counted(objects, 'data object')}."
    nothing = f"{tense} ({moment}), nobody can read {'any of this' if any(_narrowed(asked)) else 'anything'}."
    again = tag("a", "Show everything, now", href=link(PATH, {"view": asked.parameters["view"]}))
    is_narrowed = any(_narrowed(asked)) or asked.as_of
    return tag("p", said if report.lines else nothing, " ", again if is_narrowed else NOTHING, class_="summary")


def _narrowed(asked: Asked) -> tuple[str, ...]:
    return asked.recipient, asked.object_name, asked.business_line


def _unknown(report: AccessReport) -> str:
    if report.record_since is None:
        return "No share is on record: what was granted by hand, or by another program, is not told here."
    return f"The record begins {to_the_minute(report.record_since)}: of what was before that, nothing is known here."


def _views(asked: Asked) -> Markup:
    ways = ((LIST, "List"), (MATRIX, "Matrix"))
    turns = (
        tag(
            "a",
            said,
            href=link(PATH, replace(asked, view=view).parameters),
            aria_current="true" if view == asked.view else None,
        )
        for view, said in ways
    )
    exports = (
        tag("a", said, href=link("/access/export", {**asked.parameters, "view": "", "format": form}), download=True)
        for form, said in (("csv", "CSV"), ("xlsx", "Excel"))
    )
    shown = tag("div", *turns, class_="turns", role="group", aria_label="Show as")
    return tag("div", shown, tag("p", "Take it along as ", *_between(list(exports), " or ")), class_="controls")


def _between(parts: Sequence[Markup], word: str) -> list[Content]:
    return [each for part in parts for each in (word, part)][1:]


def _listed(asked: Asked, rows: Sequence[AccessRow]) -> Markup:
    pages = -(-len(rows) // _LINES)
    page = min(max(asked.page, 1), pages)
    shown = rows[(page - 1) * _LINES : page * _LINES]
    caption = "Who can read which data object, through which share, since when; times are UTC"
    is_several = len({row.workspace for row in rows}) > 1
    cells = (_cells(row, is_several=is_several) for row in shown)
    return joined([table(caption, _HEADINGS, cells), numbered(PATH, asked.parameters, page, pages)])


def _cells(row: AccessRow, *, is_several: bool) -> tuple[Content, ...]:
    """`is_several`: which workspace it is needs to be said."""
    kind = ", ".join(filter(None, [row.type, row.email or row.metastore.rpartition(":")[0], row.signs_in]))
    extent = row.extent if row.object_type == ObjectType.SCHEMA.words else f"{row.object_type}, {row.extent}"
    return (
        _two(tag("bdi", row.recipient), kind),
        _two(object_name(row.object), extent.strip(", ")),
        _two(tag("bdi", row.share, class_="name"), short_workspace(row.workspace) if is_several else ""),
        _two(row.project, row.business_line),
        when(row.since),
        _two(row.created_by, short(row.commit)),
        _two(row.approved_by or "nobody said", row.pull_requests),
    )


def _two(first: Content, second: Content) -> Markup:
    return joined([tag("span", first, class_="first"), tag("span", second, class_="second") if second else NOTHING])


def _line_link(asked: Asked, row: AccessRow) -> str:
    """To the lines behind a cell of the matrix."""
    narrowed = replace(asked, recipient=row.recipient, object_name=row.object, view=LIST)
    return link(PATH, narrowed.parameters)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s'[: count != 1]}"
