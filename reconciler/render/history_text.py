"""Every version of one resource for people and as JSON: when, what changed, who, why, which commit."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from reconciler.core.changes import Cause, FieldChange, ValueSet, field_changes
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.key import Key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.ports.ledger import KeyVersion
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render
from reconciler.render.status_text import moment
from reconciler.render.step_text import change_lines, whole_lines

_LISTED = 20


def history_text(key: Key, versions: Sequence[KeyVersion], style: Style = PLAIN) -> str:
    """`versions` oldest first, of one or several workspaces."""
    return render(tuple(_lines(key, versions)), style)


def history_json(key: Key, versions: Sequence[KeyVersion]) -> str:
    values = [_value(version) for version in versions]
    return json.dumps({"format_version": "1.0", "key": str(key), "versions": values}, indent=2) + "\n"


def _lines(key: Key, versions: Sequence[KeyVersion]) -> Iterator[Line]:
    if not versions:
        yield line(f"Nothing is on record for {key}. `sharepack status` lists the packs that are.")
        return
    by_workspace = sorted(versions, key=lambda version: (version.key.workspace, version.version))
    for workspace, group in groupby(by_workspace, key=lambda version: version.key.workspace):
        yield line(Span(str(key), Tone.HEADING), Span(f"   {workspace}   times are UTC", Tone.DIM))
        before: Resource | None = None
        for version in group:
            yield EMPTY
            yield _title(version)
            yield from _why(version)
            yield from _what(before, version.resource)
            before = version.resource


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
    if version.change_reason:
        yield line(f"      {version.change_reason}")


def _what(before: Resource | None, after: Resource | None) -> Iterator[Line]:
    if after is None:
        yield line(Span("      deleted", Tone.REMOVE))
    elif before is None:
        yield from whole_lines(after, _LISTED)
    else:
        changes = _between(before, after)
        released = sorted(encode_resource(before).keys() - encode_resource(after).keys())
        yield from change_lines(changes, _LISTED)
        yield from (line(Span(f"      {field}: no longer managed", Tone.DIM)) for field in released)
        if not changes and not released:
            yield line(Span("      the same content", Tone.DIM))


def _between(before: Resource, after: Resource) -> tuple[FieldChange, ...]:
    """With our last version in place of the workspace, every difference is the file's. E-mail addresses are ours alone
    and no part of that comparison."""
    changes = field_changes(after, before, before)
    if isinstance(before, Recipient) and isinstance(after, Recipient) and after.email not in (before.email, UNMANAGED):
        was = "" if before.email is UNMANAGED else before.email
        return (ValueSet("email", was, after.email, Cause.FILE), *changes)
    return changes


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
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
