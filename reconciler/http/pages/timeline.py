"""What became of a pack over time, newest first: its resources version by version, and how far each change of its file
got. Says who stands behind each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from reconciler.core.key import Key
from reconciler.core.resource import Resource
from reconciler.http.pages.tables import short, when
from reconciler.ports.archive import RowVersion
from reconciler.ports.records import KeyVersion
from reconciler.render.history_text import what_changed
from reconciler.render.html.lines_html import block
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.lines import Line

#: Entries that are shown; the API tells all.
SHOWN: Final = 100
_RUNNING: Final = "IN_PROGRESS"
_TONES: Final = {"COMPLETED": "add", "FAILED": "trouble", "VALIDATION_FAILED": "trouble"}


@dataclass(frozen=True, slots=True)
class _Entry:
    at: datetime
    title: Markup
    #: Who, from where, by whose leave.
    behind: Markup
    content: Markup


def timeline(rows: Sequence[RowVersion], versions: Sequence[KeyVersion]) -> Markup:
    """Both oldest first, `versions` of each resource."""
    entries = [*_of_pack(rows), *_of_resources(versions)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = tag("ol", joined(map(_entry, entries[:SHOWN]), "\n"), class_="timeline")
    if len(entries) <= SHOWN:
        return shown
    return joined([shown, tag("p", f"… and {len(entries) - SHOWN:,} older ones", class_="calm")])


def _entry(entry: _Entry) -> Markup:
    return tag("li", tag("p", when(entry.at), entry.title, class_="what"), entry.behind, entry.content)


def _of_resources(versions: Sequence[KeyVersion]) -> Iterator[_Entry]:
    ordered = sorted(versions, key=lambda version: (version.key, version.version))
    for key, group in groupby(ordered, key=lambda version: version.key):
        before: Resource | None = None
        for version in group:
            lines = list(what_changed(before, version.resource))
            yield _Entry(version.effective_from, _named(key, version), _behind(version), _folded(lines))
            before = version.resource


def _named(key: Key, version: KeyVersion) -> Markup:
    return joined([tag("b", tag("bdi", str(key))), " ", tag("span", f"version {version.version}", class_="dim")])


def _behind(version: KeyVersion) -> Markup:
    parts: list[list[Content]] = [[version.created_by], ["commit ", short(version.commit)]]
    if version.pull_requests:
        parts.append(["pull request ", version.pull_requests])
    parts.append(
        [f"approved by {version.approved_by}" if version.approved_by else "nobody is known to have approved it"]
    )
    return _said(parts, version.change_reason)


def _said(parts: Iterable[Sequence[Content]], reason: str) -> Markup:
    words: list[Content] = []
    for part in parts:
        words += [" · " if words else "", *part]
    if reason:
        words += [tag("br"), reason]
    return tag("p", *words, class_="behind")


def _folded(lines: Sequence[Line]) -> Markup:
    return tag("div", block(lines)) if len(lines) <= 6 else tag("details", tag("summary", "What changed"), block(lines))


def _of_pack(rows: Sequence[RowVersion]) -> Iterator[_Entry]:
    """What happened on the way to an end is told with that end."""
    steps: list[RowVersion] = []
    for row in rows:
        steps.append(row)
        if _status(row) != _RUNNING or row.is_deleted:
            yield _ended(steps)
            steps = []
    if steps:
        yield _ended(steps)


def _ended(steps: Sequence[RowVersion]) -> _Entry:
    last = steps[-1]
    status = "removed" if last.is_deleted else _status(last)
    tone = "dim" if last.is_deleted else _TONES.get(status, "change")
    title = tag("span", status.lower().replace("_", " "), class_=f"badge {tone}")
    said = _text(last, "error_message") or _text(last, "provisioning_status")
    on_the_way = [tag("li", when(each.effective_from), " ", _text(each, "provisioning_status")) for each in steps[:-1]]
    way = tag("details", tag("summary", "On the way"), tag("ul", *on_the_way)) if on_the_way else NOTHING
    behind = _said(
        [[last.created_by], ["commit ", short(last.commit)]], "" if last.change_reason == said else last.change_reason
    )
    return _Entry(last.effective_from, title, behind, joined([tag("p", said), way] if said else [way]))


def _status(row: RowVersion) -> str:
    return _text(row, "share_pack_status")


def _text(row: RowVersion, name: str) -> str:
    return str(row.values.get(name) or "")
