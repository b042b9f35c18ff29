"""Plans that reviewers were shown, in the order they were shown. Which of them somebody approved is not known here."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from reconciler.core.approval import Approved
from reconciler.core.key import PackId
from reconciler.ports.ledger import ShownPlan

#: Two runs for one pull request show their plans one after the other. "show" in ASCII; a lock of two numbers is never
#: one of a single number.
_LOCK: Final = 0x73686F77

_SHOW: Final = """
    INSERT INTO reconciler.shown_plans (repository, pull_request, head, fingerprint, packs)
    SELECT $1, $2, $3, $4, $5::jsonb
    WHERE NOT EXISTS (
        SELECT FROM (
            SELECT head, fingerprint FROM reconciler.shown_plans
            WHERE lower(repository) = lower($1) AND pull_request = $2 ORDER BY number DESC LIMIT 1
        ) AS newest
        WHERE newest.head = $3 AND newest.fingerprint = $4
    )
"""


async def show_plan(connection: asyncpg.Connection, shown: ShownPlan) -> None:
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, hashtext(lower($2::text) || '#' || $3::text))",
        _LOCK,
        shown.repository,
        str(shown.number),
    )
    await connection.execute(
        _SHOW,
        shown.repository,
        shown.number,
        shown.head,
        shown.fingerprint,
        json.dumps([_pack_to_json(pack, shown.packs[pack]) for pack in sorted(shown.packs)]),
    )


async def shown_plans(connection: asyncpg.Connection, repository: str, number: int) -> Sequence[ShownPlan]:
    rows = await connection.fetch(
        """
        SELECT * FROM reconciler.shown_plans
        WHERE lower(repository) = lower($1) AND pull_request = $2 ORDER BY number
        """,
        repository,
        number,
    )
    return [_shown_plan(row) for row in rows]


def _shown_plan(row: asyncpg.Record) -> ShownPlan:
    return ShownPlan(
        repository=row["repository"],
        number=row["pull_request"],
        head=row["head"],
        fingerprint=row["fingerprint"],
        packs=dict(_pack_from_json(document) for document in json.loads(row["packs"])),
        shown_at=row["shown_at"],
    )


def _pack_to_json(pack: PackId, approved: Approved) -> Mapping[str, object]:
    return {
        "business_line": pack.business_line,
        "project_name": pack.project_name,
        "fingerprint": approved.fingerprint,
        "workspace": approved.workspace,
        "actions": sorted(approved.actions),
        "gains": sorted(approved.gains),
    }


def _pack_from_json(document: Mapping[str, Any]) -> tuple[PackId, Approved]:
    approved = Approved(
        document["fingerprint"],
        frozenset(document["actions"]),
        document["workspace"],
        frozenset(document["gains"]),
    )
    return PackId.of(document["business_line"], document["project_name"]), approved
