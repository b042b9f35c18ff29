"""The state of packs as a table for people and as JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.core.key import PackId
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import PackState
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render, table

#: How many resources of a pack were changed by hand; a pack that is missing could not be looked at.
Drift = Mapping[PackId, int]

_TONES: Final = {
    PackStatus.IN_PROGRESS: Tone.CHANGE,
    PackStatus.COMPLETED: Tone.ADD,
    PackStatus.FAILED: Tone.TROUBLE,
    PackStatus.VALIDATION_FAILED: Tone.TROUBLE,
}
_NO_PACKS: Final = "No pack is on record yet. `sharepack apply` records the packs it applies."


def status_text(states: Sequence[PackState], drift: Drift | None = None, style: Style = PLAIN) -> str:
    """`drift` when it was looked for."""
    if not states:
        return render([line(_NO_PACKS)], style)
    rows = [_row(state, drift) for state in states]
    headings = ["status", "strategy", "applied", "changed", *([] if drift is None else ["drift"]), "pack", "file"]
    return render([*table(headings, rows), EMPTY, *_reasons(states), _counts(states)], style)


def status_json(states: Sequence[PackState], drift: Drift | None = None) -> str:
    packs = [_value(state) | ({} if drift is None else {"drifted": drift.get(state.pack)}) for state in states]
    return json.dumps({"format_version": "1.0", "packs": packs}, indent=2) + "\n"


def moment(at: datetime) -> str:
    """In UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _row(state: PackState, drift: Drift | None) -> tuple[Span, ...]:
    gone = " (removed)" if state.is_deleted else ""
    return (
        Span(f"{state.status}{gone}", _TONES[state.status]),
        Span(str(state.strategy)),
        Span(state.applied_commit[:12] or "-"),
        Span(moment(state.last_updated), Tone.DIM),
        *([] if drift is None else [_drift(drift.get(state.pack))]),
        Span(str(state.pack)),
        Span(state.path, Tone.DIM),
    )


def _drift(resources: int | None) -> Span:
    match resources:
        case None:
            return Span("?", Tone.DIM)
        case 0:
            return Span("none", Tone.DIM)
        case count:
            return Span(f"{count} resource{'s'[: count != 1]}", Tone.DRIFT)


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
