"""The first page: packs with how far each is, what was seen of it, and who watches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.recorded import PackStatus
from reconciler.http.pages.frame import Visitor, choice, framed, labelled, link
from reconciler.http.pages.tables import pager, table, when
from reconciler.ports.archive import Filter, Page
from reconciler.ports.records import PackState
from reconciler.render.daemon_text import daemon_lines
from reconciler.render.html.lines_html import block, words
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.lines import Line, Tone
from reconciler.render.status_report import Report
from reconciler.render.status_text import pack_lines

PATH: Final = "/"
_TONES: Final = {
    PackStatus.IN_PROGRESS: Tone.CHANGE,
    PackStatus.COMPLETED: Tone.ADD,
    PackStatus.FAILED: Tone.TROUBLE,
    PackStatus.VALIDATION_FAILED: Tone.TROUBLE,
}
_SAID: Final = {
    PackStatus.IN_PROGRESS: "in progress",
    PackStatus.COMPLETED: "completed",
    PackStatus.FAILED: "failed",
    PackStatus.VALIDATION_FAILED: "validation failed",
}
_HEADINGS: Final = ("Pack", "Status", "What there is to say", "Changed, for")
_ALL_LINES: Final = "all business lines"
_ALL_WELL: Final = "as it should be"


@dataclass(frozen=True, slots=True)
class PacksView:
    page: Page
    #: What the visitor asked for; its `lines` are what they may see.
    narrowed: Filter
    #: Those the visitor may choose from.
    business_lines: Sequence[str]
    #: How many there are, whatever their status, under what else was asked for.
    counts: Mapping[PackStatus, int]
    #: About the packs of this page.
    report: Report
    #: Whether this is not the first page.
    is_later: bool = False


def packs_page(view: PacksView, visitor: Visitor) -> str:
    content = [_watch(view.report), _question(view), _statuses(view), _packs(view)]
    return framed("Packs", *content, visitor=visitor, here=PATH)


def badge(state: PackState) -> Markup:
    status = "removed" if state.is_deleted else _SAID[state.status]
    tone = Tone.DIM if state.is_deleted else _TONES[state.status]
    return tag("span", status, class_=f"badge {tone.value}")


def pack_address(state: PackState) -> str:
    return f"/packs/{state.share_pack_id}"


def told(state: PackState, report: Report) -> Iterator[Line]:
    """What needs a word about a pack; which pack it is stands beside it."""
    for each in pack_lines(state, report):
        yield each[1:] if each[0].tone is Tone.HEADING else each


def _watch(report: Report) -> Markup:
    tone = "trouble" if report.warnings else "quiet"
    return tag("section", block(daemon_lines(report)), class_=f"watch {tone}", aria_label="Who watches")


def _question(view: PacksView) -> Markup:
    narrowed = view.narrowed
    lines = {"": _ALL_LINES} | {each: each for each in view.business_lines}
    hint = "a part of its name, project, file or requestor"
    text = tag("input", type="search", name="text", id="text", value=narrowed.text, aria_describedby="text-hint")
    kept = tag("input", type="hidden", name="status", value=str(narrowed.status)) if narrowed.status else NOTHING
    return tag(
        "form",
        labelled("text", "Look for", text, hint),
        labelled("business_line", "Business line", choice("business_line", narrowed.business_line, lines)),
        kept,
        tag("button", "Show", class_="main"),
        action=PATH,
        role="search",
        aria_label="Narrow the list",
        class_="panel filter",
    )


def _parameters(narrowed: Filter, status: PackStatus | None) -> dict[str, str]:
    return {"text": narrowed.text, "business_line": narrowed.business_line, "status": str(status) if status else ""}


def _statuses(view: PacksView) -> Markup:
    counts: list[tuple[PackStatus | None, int]] = [(None, sum(view.counts.values())), *view.counts.items()]
    links = (
        tag(
            "a",
            f"{_SAID[status] if status else 'all'} ",
            tag("b", f"{count:,}"),
            href=link(PATH, _parameters(view.narrowed, status)),
            aria_current="true" if status is view.narrowed.status else None,
        )
        for status, count in counts
    )
    return tag("div", *links, class_="turns", role="group", aria_label="By status")


def _packs(view: PacksView) -> Markup:
    if not view.page.packs:
        return tag("p", *_nothing(view), class_="summary")
    rows = (_cells(state, view.report) for state in view.page.packs)
    caption = "Packs, by business line and project; times are UTC"
    parameters = _parameters(view.narrowed, view.narrowed.status)
    after = link(PATH, {**parameters, "after": view.page.next or ""}) if view.page.next else ""
    before = link(PATH, parameters) if view.is_later else ""
    said = f"{len(view.page.packs):,} of {view.page.total:,} pack{'s'[: view.page.total != 1]}"
    return joined([table(caption, _HEADINGS, rows), pager(before, said, after, "First page")])


def _nothing(view: PacksView) -> Iterator[Content]:
    narrowed = view.narrowed
    if narrowed.text or narrowed.business_line or narrowed.status:
        yield "No pack is like that. "
        yield tag("a", "Show all", href=PATH)
    else:
        yield "No pack is on record yet. One that is committed, or handed in here, is shown once it was looked at."


def _cells(state: PackState, report: Report) -> tuple[Content, ...]:
    name = tag("a", tag("bdi", state.pack.project_name), href=pack_address(state), class_="first")
    of = tag("span", tag("bdi", state.pack.business_line), class_="second")
    lines = [words(each) for each in told(state, report)]
    said = joined(tag("p", each) for each in lines) if lines else tag("span", _quiet(state), class_="dim")
    return (
        joined([name, of, tag("span", state.path, class_="second path")]),
        badge(state),
        said,
        joined(
            [
                tag("span", when(state.last_updated), class_="first"),
                tag("span", state.requested_by, class_="second"),
            ]
        ),
    )


def _quiet(state: PackState) -> str:
    return _ALL_WELL if state.status is PackStatus.COMPLETED and not state.is_deleted else state.provisioning_status
