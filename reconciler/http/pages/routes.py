"""The pages to look at, and what they need from this server. What a page shows is put together in `gathering`."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from reconciler.core.recorded import PackStatus
from reconciler.http.finding_packs import HandedIn, find, find_on_record
from reconciler.http.pages.access import LIST, Asked, access_page
from reconciler.http.pages.assets import ICON, SCRIPT, STYLE, Asset
from reconciler.http.pages.gathering import access_report, access_view, pack_view, packs_view
from reconciler.http.pages.pack import handed_in_page, pack_page
from reconciler.http.pages.packs import packs_page
from reconciler.http.pages.progress import states
from reconciler.http.pages.visiting import Looking, PageRoute
from reconciler.http.routes_access import XLSX
from reconciler.http.routes_events import Streams
from reconciler.ports.archive import Filter
from reconciler.render.moments import iso
from reconciler.render.spreadsheets import access_csv, access_xlsx

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

_YEAR: Final = "public, max-age=31536000, immutable"
_Text = Annotated[str, Query(max_length=200)]
_Name = Annotated[str, Query(max_length=800)]


@router.get("/")
async def packs(
    looking: Looking, text: _Text = "", business_line: _Text = "", status: _Text = "", after: _Name = ""
) -> Response:
    visit, caller = looking
    chosen = PackStatus(status) if status in set(PackStatus) else None
    narrowed = Filter(business_line=business_line, status=chosen, text=text)
    return visit.page(packs_page(await packs_view(visit.parts, caller, narrowed, after), visit.visitor))


@router.get("/packs/{share_pack_id}")
async def pack(looking: Looking, share_pack_id: UUID, plan: _Text = "") -> Response:
    visit, caller = looking
    found = await find(visit.parts, caller, share_pack_id)
    if isinstance(found, HandedIn):
        return visit.page(handed_in_page(found.upload, visit.visitor))
    view = await pack_view(visit.parts, found.state, with_plan=plan == "now")
    return visit.page(pack_page(view, visit.visitor))


@router.get("/packs/{share_pack_id}/events")
async def events(request: Request, looking: Looking, share_pack_id: UUID) -> Response:
    visit, caller = looking
    state = await find_on_record(visit.parts, caller, share_pack_id)
    streams: Streams = request.app.state.streams
    streams.enter(caller.name)
    told = states(visit, caller, streams, state.share_pack_id)
    return StreamingResponse(told, media_type="text/event-stream")


@router.get("/access")
async def access(
    looking: Looking,
    recipient: _Name = "",
    object_name: Annotated[str, Query(alias="object", max_length=800)] = "",
    business_line: _Text = "",
    as_of: _Text = "",
    view: _Text = LIST,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    visit, caller = looking
    asked = Asked(recipient.strip(), object_name.strip(), business_line, as_of.strip(), view, page)
    return visit.page(access_page(await access_view(visit.parts, caller, asked), visit.visitor))


@router.get("/access/export")
async def export(
    looking: Looking,
    format: Literal["csv", "xlsx"],  # noqa: A002 - its name in the address
    recipient: _Name = "",
    object_name: Annotated[str, Query(alias="object", max_length=800)] = "",
    business_line: _Text = "",
    as_of: _Text = "",
) -> Response:
    visit, caller = looking
    asked = Asked(recipient.strip(), object_name.strip(), business_line, as_of.strip())
    report = await access_report(visit.parts, caller, asked)
    saved = {"Content-Disposition": f'attachment; filename="access.{format}"'}
    if format == "csv":
        return Response(access_csv(report.lines, report.recipients), media_type="text/csv", headers=saved)
    about = [("as of", iso(report.at)), ("lines", f"{len(report.lines):,}")]
    return Response(access_xlsx(report.lines, report.recipients, about), media_type=XLSX, headers=saved)


@router.get(STYLE.path)
async def style(v: _Text = "") -> Response:
    return _asset(STYLE, v)


@router.get(SCRIPT.path)
async def script(v: _Text = "") -> Response:
    return _asset(SCRIPT, v)


@router.get(ICON.path)
async def icon(v: _Text = "") -> Response:
    return _asset(ICON, v)


def _asset(asset: Asset, version: str) -> Response:
    """For good under the address that only this version has; asked for again under others."""
    headers = {"Cache-Control": _YEAR if version == asset.version else "no-cache", "ETag": f'"{asset.version}"'}
    return Response(asset.content, media_type=asset.media_type, headers=headers)
