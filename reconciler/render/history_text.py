"""Every version of one resource for people and as JSON: when, what changed, who, why, which commit, and who stands
behind it."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from reconciler.core.changes import Cause, FieldChange, ValueSet, field_changes
from reconciler.core.key import Key, normal_name
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.share import Share
from reconciler.ports.ledger import KeyVersion
from reconciler.render.change_text import change_lines
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render
from reconciler.render.moments import moment, span
from reconciler.render.resource_text import whole_lines

_LISTED = 20


def history_text(key: Key, versions: Sequence[KeyVersion], style: Style = PLAIN) -> str:
    """`versions` oldest first, of one or several workspaces."""
    return render(tuple(_lines(key, versions)), style)


def history_json(key: Key, versions: Sequence[KeyVersion]) -> str:
    values = [_value(version) for version in versions]
    return json.dumps({"format_version": "1.1", "key": str(key), "versions": values}, indent=2) + "\n"


def _lines(key: Key, versions: Sequence[KeyVersion]) -> Iterator[Line]:
    if not versions:
        yield line(f"Nothing is on record for {key}. `sharepack status` lists the packs that are.")
        return
    by_workspace = sorted(versions, key=_workspace_and_time)
    for workspace, group in groupby(by_workspace, key=lambda version: version.key.workspace):
        yield line(Span(str(key), Tone.HEADING), Span(f"   {workspace}   times are UTC", Tone.DIM))
        before: Resource | None = None
        for version in group:
            yield EMPTY
            yield _title(version)
            yield from _why(version)
            yield from what_changed(before, version.resource)
            before = version.resource


def _workspace_and_time(version: KeyVersion) -> tuple[str, datetime, int]:
    return version.key.workspace, version.effective_from, version.version


def _title(version: KeyVersion) -> Line:
    until = "now" if version.effective_to is None else moment(version.effective_to)
    return line(
        Span(f"  v{version.version}", Tone.HEADING),
        f"  {moment(version.effective_from)} → {until}",
        Span(f"   {version.pack}", Tone.DIM),
    )


def _why(version: KeyVersion) -> Iterator[Line]:
    commit = f"commit {version.commit[:12]}" if version.commit else "files that were not committed"
    yield line(f"      by {version.created_by}, from {commit}")
    if version.pull_requests or version.approved_by:
        yield line(f"      {', '.join(_behind(version))}")
    if version.change_reason:
        yield line(f"      {version.change_reason}")


def _behind(version: KeyVersion) -> Iterator[str]:
    if version.pull_requests:
        yield f"pull request{'s' if ', ' in version.pull_requests else ''} {version.pull_requests}"
    if version.approved_by:
        yield f"approved by {version.approved_by}"


def what_changed(before: Resource | None, after: Resource | None) -> Iterator[Line]:
    """From one version to the next, None being absent."""
    if after is None:
        yield line(Span("      deleted", Tone.REMOVE))
    elif before is None:
        yield from whole_lines(after, _LISTED)
    else:
        said = [*_renamed(before, after), *_replaced(before, after)]
        said += [*change_lines(_between(before, after), _LISTED), *_let_go(before, after)]
        yield from said or [line(Span("      the same content", Tone.DIM))]


def _renamed(before: Resource, after: Resource) -> Iterator[Line]:
    if normal_name(before.name) != normal_name(after.name):
        yield line(Span(f"      renamed from {before.name} to {after.name}", Tone.CHANGE))


def _replaced(before: Resource, after: Resource) -> Iterator[Line]:
    if isinstance(before, Recipient) and isinstance(after, Recipient) and before.authentication != after.authentication:
        words = f"      made anew: was {before.authentication}, is {after.authentication}"
        yield line(Span(words, Tone.TROUBLE))


def _let_go(before: Resource, after: Resource) -> Iterator[Line]:
    """Protection that is lifted is left out of the record, and is a change."""
    fields = sorted(encode_resource(before).keys() - encode_resource(after).keys() - {"protect", "metastore_id"})
    yield from (line(Span(f"      {field}: no longer managed", Tone.DIM)) for field in fields)


def _between(before: Resource, after: Resource) -> tuple[FieldChange, ...]:
    """With our last version in place of the workspace, every difference is the file's."""
    return (*_ours_alone(before, after), *field_changes(after, before, before))


def _ours_alone(before: Resource, after: Resource) -> Iterator[ValueSet]:
    """What Databricks has no place for, and which is no part of that comparison."""
    match before, after:
        case Recipient(), Recipient():
            yield from _set("email", before.email, after.email)
            yield from _set("token_lifetime", _span(before.token_lifetime), _span(after.token_lifetime))
            yield from _set("rotate_every", _span(before.rotate_every), _span(after.rotate_every))
            yield from _set("rotation_overlap", _span(before.rotation_overlap), _span(after.rotation_overlap))
        case Share(), Share():
            pass
        case _:
            return
    yield from _set("protect", _yes(is_it=before.protect), _yes(is_it=after.protect))


def _set(field: str, before: Managed[str], after: Managed[str]) -> Iterator[ValueSet]:
    if after is not UNMANAGED and after != before:
        yield ValueSet(field, "" if before is UNMANAGED else before, after, Cause.FILE)


def _span(seconds: Managed[int]) -> Managed[str]:
    return UNMANAGED if seconds is UNMANAGED else span(seconds)


def _yes(*, is_it: bool) -> str:
    return "yes" if is_it else "no"


def _value(version: KeyVersion) -> dict[str, Any]:
    return {
        "workspace": version.key.workspace,
        "version": version.version,
        "effective_from": _iso(version.effective_from),
        "effective_to": None if version.effective_to is None else _iso(version.effective_to),
        "is_deleted": version.resource is None,
        "resource": None if version.resource is None else encode_resource(version.resource),
        "business_line": version.pack.business_line,
        "project_name": version.pack.project_name,
        "created_by": version.created_by,
        "change_reason": version.change_reason,
        "commit": version.commit,
        "plan_id": None if version.plan_id is None else str(version.plan_id),
        "pull_requests": version.pull_requests,
        "approved_by": version.approved_by,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
