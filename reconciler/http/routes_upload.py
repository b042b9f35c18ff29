"""Handing in a pack: reads the form, hands it to `stages.receive`, and answers in the guide's words. What is left to do
is done after the answer."""

import asyncio
from typing import Annotated, Any, Final, assert_never

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from reconciler.core.plan import Plan
from reconciler.http import models
from reconciler.http.answers import answers, finding
from reconciler.http.auth import Writer
from reconciler.http.background import Background
from reconciler.http.form import File, FormError, read_file
from reconciler.http.limits import too_large
from reconciler.http.problems import MEDIA_TYPE, HttpError
from reconciler.http.routes_packs import own_document, parts_of
from reconciler.stages.receive import Accepted, Handed, Reason, Rejected, TurnedAway

router: Final = APIRouter(prefix="/workflow")

#: Seconds for the whole body to arrive.
_ARRIVES_WITHIN: Final = 60.0
_LONGEST_NAME: Final = 1024
_FORM: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "A share pack, YAML or Excel."}
                    },
                }
            }
        },
    }
}
_REJECTED: Final[dict[str, Any]] = {
    "description": "The file has problems, all of which are told; or the form cannot be read.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/UploadAnswer"}},
        MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}
_PLANNED: Final[dict[str, Any]] = {
    "description": "With `dry_run`: the plan (`schema/plan.schema.json`); nothing was written.",
    "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
}
_STATUSES: Final = {Reason.TOO_LARGE: 413, Reason.NOT_PERMITTED: 403, Reason.WRONG_WORKSPACE: 409}
_WRONG_WORKSPACE: Final[dict[str, Any]] = {
    "description": "The business line does not share from the workspace of the header.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


@router.post(
    "/sharepack/upload",
    tags=["Share packs"],
    summary="Upload a share pack",
    status_code=202,
    response_model=models.UploadAnswer,
    responses=answers(403, 408, status_200=_PLANNED, status_400=_REJECTED, status_409=_WRONG_WORKSPACE),
    openapi_extra=_FORM,
)
async def upload(
    request: Request,
    caller: Writer,
    x_workspace_url: Annotated[str, Header(alias="X-Workspace-URL", min_length=1, max_length=2048)],
    *,
    dry_run: Annotated[bool, Query(description="Only tell what it would do; nothing is written.")] = False,
) -> Response:
    """A YAML or Excel file, found out from its content. It is checked with all other packs, committed to the
    repository, and provisioned after the answer: ask for its status by `SharePackId`."""
    file = await _file(request)
    receiving = parts_of(request).receiving
    handed = Handed(file.name[-_LONGEST_NAME:], file.content, x_workspace_url, caller)
    answer = await receiving.dry_run(handed) if dry_run else await receiving.receive(handed)
    match answer:
        case Plan():
            return JSONResponse(own_document(answer))
        case Rejected():
            return JSONResponse(_rejected(answer), 400)
        case TurnedAway(reason, message):
            kind = reason.value.replace(" ", "-")
            raise HttpError(_STATUSES[reason], message, kind=kind)
        case Accepted():
            background: Background = request.app.state.background
            background.begin(receiving.finish(answer.upload))
            return JSONResponse(_accepted(answer), 202)
        case _:
            assert_never(answer)


async def _file(request: Request) -> File:
    most = parts_of(request).settings.api_max_upload_bytes
    try:
        async with asyncio.timeout(_ARRIVES_WITHIN):
            file = await read_file(request.headers.get("content-type", ""), request.stream())
    except TimeoutError:
        raise HttpError(408, "the body did not arrive in time; try again", kind="slow") from None
    except FormError:
        detail = "send a form (multipart/form-data) with one file in the field `file`"
        raise HttpError(400, detail, kind="form") from None
    if len(file.content) > most:
        raise too_large(most)
    return file


def _accepted(answer: Accepted) -> dict[str, Any]:
    upload, entered = answer.upload, answer.entered
    message = "Share pack uploaded successfully and queued for provisioning"
    if entered is None:
        message = f"Share pack uploaded successfully and proposed in pull request {upload.pull_request}"
    return _body(
        models.UploadAnswer(
            message=message,
            share_pack_id=upload.id if entered is None else entered.share_pack_id,
            share_pack_name=str(upload.pack) if entered is None else entered.share_pack_name,
            status="IN_PROGRESS",
            validation_errors=[],
            validation_warnings=[finding(each) for each in answer.warnings],
        )
    )


def _rejected(answer: Rejected) -> dict[str, Any]:
    return _body(
        models.UploadAnswer(
            message="The file has problems; nothing was committed",
            share_pack_id=answer.upload_id,
            share_pack_name="",
            status="VALIDATION_FAILED",
            validation_errors=[finding(each) for each in answer.problems if each.is_error],
            validation_warnings=[finding(each) for each in answer.problems if not each.is_error],
        )
    )


def _body(answer: models.UploadAnswer) -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True)
