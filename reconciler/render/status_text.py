"""The state of packs as a table for people and as JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from reconciler.core.key import Key, PackId
from reconciler.core.plan import Degraded
from reconciler.core.recorded import PackStatus
from reconciler.ports.ledger import PackState
from reconciler.render.degraded_text import degraded_objects
from reconciler.render.element_text import counted
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render, table
from reconciler.render.moments import moment
from reconciler.render.step_json import degraded_value

#: How many resources of a pack were changed by hand; a pack that is missing could not be looked at.
Drift = Mapping[PackId, int]
#: Per pack, the shares with objects that are shared and that nobody gets to read.
DegradedPacks: TypeAlias = Mapping[PackId, Mapping[Key, tuple[Degraded, ...]]]

_TONES: Final = {
    PackStatus.IN_PROGRESS: Tone.CHANGE,
    PackStatus.COMPLETED: Tone.ADD,
    PackStatus.FAILED: Tone.TROUBLE,
    PackStatus.VALIDATION_FAILED: Tone.TROUBLE,
}
_NOTHING_DEGRADED: Final[DegradedPacks] = MappingProxyType({})
#: Degraded objects of a share that are listed one by one.
_LISTED: Final = 20
_NO_PACKS: Final = "No pack is on record yet. `sharepack apply` records the packs it applies."


def status_text(
    states: Sequence[PackState],
    drift: Drift | None = None,
    style: Style = PLAIN,
    degraded: DegradedPacks = _NOTHING_DEGRADED,
) -> str:
    """`drift` and `degraded` when they were looked for."""
    if not states:
        return render([line(_NO_PACKS)], style)
    rows = [_row(state, drift) for state in states]
    headings = ["status", "strategy", "applied", "changed", *([] if drift is None else ["drift"]), "pack", "file"]
    lines = [*table(headings, rows), EMPTY, *_reasons(states), *_degraded(states, degraded), _counts(states, degraded)]
    return render(lines, style)


def status_json(
    states: Sequence[PackState], drift: Drift | None = None, degraded: DegradedPacks = _NOTHING_DEGRADED
) -> str:
    packs = [
        _value(state)
        | ({} if drift is None else {"drifted": drift.get(state.pack)})
        | {"degraded": _degraded_values(degraded.get(state.pack, {}))}
        for state in states
    ]
    return json.dumps({"format_version": "1.0", "packs": packs}, indent=2) + "\n"


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


def _degraded(states: Sequence[PackState], degraded: DegradedPacks) -> list[Line]:
    lines: list[Line] = []
    for state in states:
        for key, objects in sorted(degraded.get(state.pack, {}).items()):
            said = f"{key} is degraded: {counted(len(objects), 'object')} of it, shared, that nobody gets to read"
            lines.append(line(Span(f"{state.pack}: ", Tone.HEADING), Span(said, Tone.TROUBLE)))
            lines += degraded_objects(objects, _LISTED)
    return [*lines, EMPTY] if lines else []


def _degraded_values(shares: Mapping[Key, tuple[Degraded, ...]]) -> list[dict[str, Any]]:
    return [
        {"key": str(key), "workspace": key.workspace, "objects": [*map(degraded_value, objects)]}
        for key, objects in sorted(shares.items())
    ]


def _counts(states: Sequence[PackState], degraded: DegradedPacks) -> Line:
    numbers = [(status, sum(state.status is status for state in states)) for status in PackStatus]
    words = ", ".join(f"{count} {status}" for status, count in numbers if count)
    objects = sum(len(each) for state in states for each in degraded.get(state.pack, {}).values())
    trouble = f" {counted(objects, 'object')} degraded." if objects else ""
    return line(Span(f"{len(states)} pack{'s'[: len(states) != 1]}: {words}.{trouble} Times are UTC.", Tone.DIM))


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
