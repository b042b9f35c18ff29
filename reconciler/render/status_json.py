"""The state of packs as JSON, for programs: all that the text tells, and times as such."""

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from reconciler.core.changes import moment_text
from reconciler.core.holds import Contest, Suspension
from reconciler.core.key import Key, PackId
from reconciler.ports.ledger import Daemon, PackState
from reconciler.render.moments import iso
from reconciler.render.status_report import Report
from reconciler.render.step_json import contest_value, degraded_value

Json = dict[str, Any]

#: Minor: readers may ignore what they do not know.
_FORMAT_VERSION: Final = "1.1"


def status_json(report: Report) -> str:
    document = {
        "format_version": _FORMAT_VERSION,
        "now": iso(report.now),
        "packs": [_pack(report, state) for state in report.states],
        "daemons": [_daemon(report, daemon) for daemon in report.daemons],
        "last_full_pass": report.last_full_pass,
        "distrusted_workspaces": list(report.distrusted),
        "warnings": list(report.warnings),
    }
    return json.dumps(document, indent=2) + "\n"


def _pack(report: Report, state: PackState) -> Json:
    pack = state.pack
    suspension = report.suspensions.get(pack)
    return {
        **_state(state),
        **({} if report.drift is None else {"drifted": report.drift.get(pack)}),
        "needs_attention": pack in report.needing_attention,
        "suspension": None if suspension is None else suspension_value(suspension),
        "contests": contest_values(report.contests.get(pack, {})),
        "drift": _drift(report, pack),
        "token_ends": [
            {**_key(each.key), "ends_at": moment_text(each.ends_at), "within_days": each.days}
            for each in report.token_ends(pack)
        ],
        "degraded": [
            {**_key(key), "objects": [*map(degraded_value, objects)]} for key, objects in report.degraded(pack)
        ],
    }


def suspension_value(suspension: Suspension) -> Json:
    return {
        "by": suspension.by,
        "reason": suspension.reason,
        "since": iso(suspension.since),
        "until": iso(suspension.until),
        "revocations_too": suspension.revocations_too,
    }


def contest_values(contests: Mapping[Key, tuple[Contest, ...]]) -> list[Json]:
    return [_key(key) | contest_value(contest) for key, each in sorted(contests.items()) for contest in each]


def _drift(report: Report, pack: PackId) -> list[Json]:
    return [
        {
            **_key(key),
            "fields": list(seen.drift),
            "by": seen.drifted_by,
            "since": None if seen.drift_since is None else iso(seen.drift_since),
        }
        for key, seen in report.seen(pack)
        if seen.drift
    ]


def _daemon(report: Report, daemon: Daemon) -> Json:
    return {
        "name": daemon.name,
        "leads": daemon.leads,
        "seen_at": iso(daemon.seen_at),
        "is_present": daemon in report.present_daemons,
        "full_pass_at": None if daemon.full_pass_at is None else iso(daemon.full_pass_at),
        "commit": daemon.commit,
        "source_failure": daemon.source_failure,
    }


def _key(key: Key) -> Json:
    return {"key": str(key), "workspace": key.workspace}


def _state(state: PackState) -> Json:
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
