"""Puts together what each page shows, from the ports: as much as its visitor may see, and no more. Renders nothing."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.key import Key, PackId
from reconciler.core.permits import Caller
from reconciler.core.plan import Plan
from reconciler.core.recorded import PackStatus
from reconciler.http.pages.access import AccessView, Asked
from reconciler.http.pages.pack import PackView
from reconciler.http.pages.packs import PacksView
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError, of_a_part
from reconciler.http.routes_access import moment
from reconciler.ports.archive import Filter
from reconciler.ports.ledger import Ledger
from reconciler.ports.records import KeyVersion, PackState
from reconciler.render.status_report import Report
from reconciler.stages.access import who_reads
from reconciler.stages.contests import contests_by_pack

_PACKS: Final = 50
_DAY: Final = len("2026-03-31")


async def packs_view(parts: Parts, caller: Caller, narrowed: Filter, after: str) -> PacksView:
    """Raises LedgerError, and HttpError (404) for a place in the list that no page gave."""
    archive = parts.archive
    mine = replace(narrowed, lines=caller.lines)
    try:
        page = await archive.packs(mine, after, _PACKS)
    except ValueError:
        raise HttpError(404, "there is no such page of the list; begin with its first one") from None
    report = await _report(parts.ledger, page.packs)
    found = await asyncio.gather(*(archive.packs(replace(mine, status=status), limit=1) for status in PackStatus))
    counts = {status: each.total for status, each in zip(PackStatus, found, strict=True)}
    return PacksView(page, mine, await business_lines(parts, caller), counts, report, is_later=bool(after))


async def pack_view(parts: Parts, state: PackState, *, with_plan: bool) -> PackView:
    """Raises LedgerError."""
    archive = parts.archive
    report, rows, keys, uploads, last = await asyncio.gather(
        _report(parts.ledger, [state]),
        archive.pack_versions(state.share_pack_id),
        archive.pack_keys(state.pack),
        parts.inbox.uploads(state.pack),
        parts.plans.newest(state.pack),
    )
    versions = await _versions(parts.ledger, keys, state.pack)
    view = PackView(state, report, rows, versions, uploads, last)
    return await _planned(parts, view) if with_plan else view


async def access_view(parts: Parts, caller: Caller, asked: Asked) -> AccessView:
    """Raises LedgerError. A day that cannot be understood is told, and the question left unanswered."""
    lines = await business_lines(parts, caller)
    try:
        report = await access_report(parts, caller, asked)
    except HttpError as error:
        known = asked if _is_day(asked.as_of) else replace(asked, as_of="")
        return AccessView(known, lines, None, error.detail)
    return AccessView(asked, lines, report)


async def access_report(parts: Parts, caller: Caller, asked: Asked) -> AccessReport:
    """Raises LedgerError, and HttpError (422) for a moment that is none or has not come."""
    now = parts.clock.now()
    at = moment(asked.as_of, now) if asked.as_of else None
    words = f"the end of {asked.as_of} in UTC" if at is not None and len(asked.as_of) == _DAY else ""
    lines = caller.lines
    if asked.business_line:
        line = asked.business_line.casefold()
        lines = frozenset({line}) if caller.may_read(line) else frozenset()
    question = AccessQuestion(asked.recipient, asked.object_name, at, words, lines)
    return await who_reads(parts.archive, question, now)


async def business_lines(parts: Parts, caller: Caller) -> Sequence[str]:
    return sorted(each.name for each in await parts.archive.tenants(caller.lines))


def own_part(plan: Plan) -> Plan:
    """Without what is wrong in files of other packs, which may be nobody's business."""
    paths = {pack.path for pack in plan.packs}
    return replace(plan, problems=tuple(each for each in plan.problems if each.where.path in paths))


async def _planned(parts: Parts, view: PackView) -> PackView:
    try:
        return replace(view, plan=own_part(await parts.live_plan(view.state.pack)))
    except Exception as error:
        problem = of_a_part(error)
        if problem is None:
            raise
        return replace(view, trouble=problem.detail)


async def _versions(ledger: Ledger, keys: Sequence[Key], pack: PackId) -> Sequence[KeyVersion]:
    """Those that were this pack's: a resource may have been another's before."""
    found = await asyncio.gather(*map(ledger.history, keys))
    return [version for versions in found for version in versions if version.pack == pack]


async def _report(ledger: Ledger, states: Sequence[PackState]) -> Report:
    facts, holds, sightings, standings, daemons, figures = await asyncio.gather(
        ledger.facts(),
        ledger.holds(),
        ledger.sightings(),
        ledger.standings([state.pack for state in states]),
        ledger.daemons(),
        ledger.figures(),
    )
    return Report(
        states=states,
        now=facts.now,
        sightings=sightings,
        suspensions=holds.suspensions,
        contests=await contests_by_pack(ledger, holds),
        needing_attention=frozenset(pack for pack, standing in standings.items() if standing.needs_attention),
        daemons=daemons,
        last_full_pass=figures.last_full_pass,
    )


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return datetime.strptime(text, "%Y-%m-%d") is not None  # noqa: DTZ007 - only whether it is one
    return False
