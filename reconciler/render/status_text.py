"""The state of packs as a table for people and as JSON."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import PackState
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render, table

_TONES: Final = {
    PackStatus.IN_PROGRESS: Tone.CHANGE,
    PackStatus.COMPLETED: Tone.ADD,
    PackStatus.FAILED: Tone.TROUBLE,
    PackStatus.VALIDATION_FAILED: Tone.TROUBLE,
}
_NO_PACKS: Final = "No pack is on record yet. `sharepack apply` records the packs it applies."


def status_text(states: Sequence[PackState], style: Style = PLAIN) -> str:
    if not states:
        return render([line(_NO_PACKS)], style)
    rows = [_row(state) for state in states]
    lines = [*table(["status", "strategy", "applied", "changed", "pack", "file"], rows)]
    return render([*lines, EMPTY, *_reasons(states), _counts(states)], style)


def status_json(states: Sequence[PackState]) -> str:
    return json.dumps({"format_version": "1.0", "packs": [_value(state) for state in states]}, indent=2) + "\n"


def moment(at: datetime) -> str:
    """In UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _row(state: PackState) -> tuple[Span, ...]:
    gone = " (removed)" if state.is_deleted else ""
    return (
        Span(f"{state.status}{gone}", _TONES[state.status]),
        Span(str(state.strategy)),
        Span(state.applied_commit[:12] or "-"),
        Span(moment(state.last_updated), Tone.DIM),
        Span(str(state.pack)),
        Span(state.path, Tone.DIM),
    )


def _reasons(states: Sequence[PackState]) -> list[Line]:
    said = [
        line(Span(f"{state.pack}: ", Tone.HEADING), Span(state.error_message or state.provisioning_status))
        for state in states
        if state.error_message or (state.status is PackStatus.IN_PROGRESS and state.provisioning_status)
    ]
    return [*said, EMPTY] if said else []


def _counts(states: Sequence[PackState]) -> Line:
    counted = [(status, sum(state.status is status for state in states)) for status in PackStatus]
    words = ", ".join(f"{count} {status}" for status, count in counted if count)
    return line(Span(f"{len(states)} pack{'s'[: len(states) != 1]}: {words}. Times are UTC.", Tone.DIM))


def _value(state: PackState) -> dict[str, Any]:
    return {
        "business_line": state.pack.business_line,
        "project_name": state.pack.project_name,
        "share_pack_id": str(state.share_pack_id),
        "share_pack_name": state.share_pack_name,
        "status": str(state.status),
        "strategy": str(state.strategy),
        "path": state.path,
        "workspace": state.workspace,
        "requested_by": state.requested_by,
        "commit": state.commit,
        "applied_commit": state.applied_commit,
        "provisioning_status": state.provisioning_status,
        "error_message": state.error_message,
        "created_at": state.created_at.astimezone(UTC).isoformat(),
        "last_updated": state.last_updated.astimezone(UTC).isoformat(),
        "is_removed": state.is_deleted,
    }
