"""Packs and what became of them, tenants and projects: what the record says, as far as the caller may see it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final, assert_never
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request

from reconciler.core.plan import Plan
from reconciler.core.recorded import PackStatus
from reconciler.http import models
from reconciler.http.answers import answers, item, status_of, version
from reconciler.http.auth import Reader
from reconciler.http.finding_packs import HandedIn, OnRecord, find, find_on_record, missing
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError
from reconciler.ports.archive import Filter, Tenancy
from reconciler.ports.inbox import Upload, UploadStatus
from reconciler.render.plan_json import plan_document

router: Final = APIRouter(prefix="/workflow")

#: As the guide's clients send it; not needed where an id says which workspace is meant.
_Workspace = Annotated[str, Header(alias="X-Workspace-URL", max_length=2048)]
_Text = Annotated[str, Query(max_length=200)]


@router.get(
    "/sharepack/{share_pack_id}",
    tags=["Share packs"],
    summary="Status of a share pack",
    responses=answers(404),
)
async def status(
    request: Request,
    caller: Reader,
    share_pack_id: UUID,
    x_workspace_url: _Workspace = "",  # noqa: ARG001
) -> models.SharePackStatus:
    """By the id that the upload was answered with."""
    parts = parts_of(request)
    found = await find(parts, caller, share_pack_id)
    match found:
        case OnRecord(state):
            return status_of(state, parts.scrub)
        case HandedIn(upload):
            return _status_of_upload(upload, parts.scrub)
        case _:
            assert_never(found)


@router.get("/sharepacks", tags=["Share packs"], summary="List share packs", responses=answers())
async def packs(  # noqa: PLR0913 - one for each parameter of the address
    request: Request,
    caller: Reader,
    *,
    business_line: _Text = "",
    status: models.Status | None = None,
    workspace_url: Annotated[str, Query(max_length=2048)] = "",
    text: Annotated[str, Query(max_length=200, description="Part of a name, project, path or requestor.")] = "",
    cursor: Annotated[str, Query(max_length=1000, description="NextCursor of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.SharePackPage:
    """By business line and project."""
    wanted = None if status is None else PackStatus(status)
    narrowed = Filter(caller.lines, business_line, wanted, workspace_url.strip().rstrip("/"), text)
    parts = parts_of(request)
    try:
        page = await parts.archive.packs(narrowed, cursor, limit)
    except ValueError:
        raise HttpError(422, "cursor: give back a NextCursor as it was, or leave it out", kind="parameters") from None
    return models.SharePackPage(
        share_packs=[item(each, parts.scrub) for each in page.packs], total=page.total, next_cursor=page.next
    )


@router.get(
    "/sharepack/{share_pack_id}/history",
    tags=["Share packs"],
    summary="All versions of a share pack",
    responses=answers(404),
)
async def history(request: Request, caller: Reader, share_pack_id: UUID) -> models.SharePackHistory:
    """Oldest first; each status is a version."""
    parts = parts_of(request)
    state = await find_on_record(parts, caller, share_pack_id)
    rows = await parts.archive.pack_versions(state.share_pack_id)
    keys = await parts.archive.pack_keys(state.pack)
    return models.SharePackHistory(
        share_pack_id=state.share_pack_id,
        versions=[*map(version, rows)],
        resources=[models.ResourceName(key=str(key), workspace_url=key.workspace) for key in sorted(keys)],
    )


@router.get(
    "/sharepack/{share_pack_id}/plan",
    tags=["Share packs"],
    summary="The plan of a share pack",
    responses=answers(404),
)
async def plan(
    request: Request,
    caller: Reader,
    share_pack_id: UUID,
    *,
    live: Annotated[bool, Query(description="Made just now, instead of the last one that was submitted.")] = False,
) -> models.SharePackPlan:
    """What was, or would be, done: steps, who gains and loses access, what is held back."""
    parts = parts_of(request)
    state = await find_on_record(parts, caller, share_pack_id)
    if live:
        made = await parts.live_plan(state.pack)
        return models.SharePackPlan(
            share_pack_id=state.share_pack_id,
            is_live=True,
            plan_id=None,
            actor="",
            commit=made.revision.commit,
            made_at=parts.clock.now(),
            plan=next(iter(own_document(made)["packs"]), None),
        )
    kept = await parts.plans.newest(state.pack)
    return models.SharePackPlan(
        share_pack_id=state.share_pack_id,
        is_live=False,
        plan_id=None if kept is None else kept.plan_id,
        actor="" if kept is None else kept.actor,
        commit=state.commit if kept is None else kept.commit,
        made_at=state.last_updated if kept is None else kept.made_at,
        plan=None if kept is None else dict(kept.pack),
    )


@router.get("/tenants", tags=["Tenants"], summary="List tenants", responses=answers())
async def tenants(request: Request, caller: Reader) -> models.TenantList:
    """Business lines."""
    found = await parts_of(request).archive.tenants(caller.lines)
    return models.TenantList(
        tenants=[
            models.Tenant(tenant_id=each.id, business_line=each.name, since=each.since, values=dict(each.values))
            for each in found
        ]
    )


@router.get(
    "/tenants/{tenant_id}/history", tags=["Tenants"], summary="All versions of a tenant", responses=answers(404)
)
async def tenant_history(request: Request, caller: Reader, tenant_id: UUID) -> models.History:
    archive = parts_of(request).archive
    return await _history(request, await archive.tenants(caller.lines), tenant_id)


@router.get("/projects", tags=["Tenants"], summary="List projects", responses=answers())
async def projects(request: Request, caller: Reader, business_line: _Text = "") -> models.ProjectList:
    found = await parts_of(request).archive.projects(caller.lines, business_line)
    return models.ProjectList(
        projects=[
            models.Project(
                project_id=each.id,
                project_name=each.name,
                business_line=each.business_line,
                since=each.since,
                values=dict(each.values),
            )
            for each in found
        ]
    )


@router.get(
    "/projects/{project_id}/history", tags=["Tenants"], summary="All versions of a project", responses=answers(404)
)
async def project_history(request: Request, caller: Reader, project_id: UUID) -> models.History:
    archive = parts_of(request).archive
    return await _history(request, await archive.projects(caller.lines), project_id)


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def own_document(made: Plan) -> dict[str, Any]:
    """The plan as JSON, without what is wrong in files of other packs."""
    paths = {pack.path for pack in made.packs}
    own = tuple(problem for problem in made.problems if problem.where.path in paths)
    return plan_document(replace(made, problems=own))


async def _history(request: Request, visible: Sequence[Tenancy], tenancy_id: UUID) -> models.History:
    if all(each.id != tenancy_id for each in visible):
        raise missing()
    rows = await parts_of(request).archive.tenancy_versions(tenancy_id)
    return models.History(versions=[*map(version, rows)])


def _status_of_upload(upload: Upload, scrub: Callable[[str], str]) -> models.SharePackStatus:
    at = upload.received_at or datetime.now(UTC)
    status, words = _words_of_upload(upload)
    return models.SharePackStatus(
        share_pack_id=upload.id,
        share_pack_name=str(upload.pack),
        status=status,
        strategy="NEW",
        provisioning_status=words,
        error_message=scrub(upload.reason),
        requested_by=upload.requestor,
        created_at=at,
        last_updated=at,
    )


def _words_of_upload(upload: Upload) -> tuple[models.Status, str]:
    match upload.status:
        case UploadStatus.RECEIVED:
            return "IN_PROGRESS", "Received; on its way to the repository"
        case UploadStatus.COMMITTED if upload.pull_request is not None:
            return "IN_PROGRESS", f"Waiting for review in pull request {upload.pull_request}"
        case UploadStatus.COMMITTED | UploadStatus.SUBMITTED:
            return "IN_PROGRESS", "In the repository; waiting to be provisioned"
        case UploadStatus.REJECTED:
            return "VALIDATION_FAILED", "The file has problems; nothing was committed"
        case UploadStatus.FAILED:
            return "FAILED", "The repository could not be written; nothing was committed"
        case _:
            assert_never(upload.status)
