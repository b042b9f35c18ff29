"""The forms of the pages: signing in and out, and handing in a pack, with a dry run first. Each shows that it comes
from a page of this visitor's."""

from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import RedirectResponse, Response

from reconciler.core.permits import Caller
from reconciler.core.plan import Plan
from reconciler.http.auth import Doorkeeper
from reconciler.http.background import Background
from reconciler.http.pages.frame import PROOF
from reconciler.http.pages.gathering import own_part
from reconciler.http.pages.sign_in import sign_in_page
from reconciler.http.pages.upload import PATH, Draft, UploadView, upload_page
from reconciler.http.pages.visiting import SIGN_IN, PageRoute, Passing, Visit, Writing, local, signed_in, signed_out
from reconciler.http.problems import HttpError
from reconciler.stages.receive import Accepted, Handed, Reason, Rejected, TurnedAway

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

_LONGEST_NAME: Final = 1024
_LONGEST_TEXT: Final = 4096
_STATUSES: Final = {Reason.TOO_LARGE: 413, Reason.NOT_PERMITTED: 403, Reason.WRONG_WORKSPACE: 409}


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent."""

    texts: Mapping[str, str] = field(repr=False)
    #: Empty: no file was chosen.
    file_name: str
    content: bytes = field(repr=False)

    def text(self, name: str, longest: int | None = _LONGEST_TEXT) -> str:
        return self.texts.get(name, "").strip()[:longest]


@router.get(SIGN_IN)
async def signing_in(visit: Passing, after: str = "/") -> Response:
    return visit.page(sign_in_page(visit.visitor, local(after)))


@router.post(SIGN_IN)
async def sign_in(request: Request, visit: Passing) -> Response:
    form = await _form(request, visit)
    key, after = form.text("key"), local(form.text("after"))
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    try:
        await doorkeeper.admit(request.scope, key)
    except HttpError as problem:
        if problem.status != 401:
            raise
        trouble = "This key is not known here, or has ended. Look whether all of it was copied."
        return visit.page(sign_in_page(visit.visitor, after, trouble), 401)
    return signed_in(visit, key, after)


@router.post("/sign-out")
async def sign_out(request: Request, visit: Passing) -> Response:
    await _form(request, visit)
    return signed_out(visit)


@router.get(PATH)
async def choosing(writing: Writing) -> Response:
    visit, _ = writing
    return _page(visit, _blank(visit))


@router.post(PATH)
async def dry_run(request: Request, writing: Writing) -> Response:
    visit, caller = writing
    form = await _form(request, visit)
    if not form.file_name:
        return _page(visit, _blank(visit, "Choose a file first."), 400)
    draft = Draft(form.file_name[-_LONGEST_NAME:], form.text("workspace"), form.content)
    if len(draft.content) > _largest(visit):
        return _page(visit, _blank(visit, "The file is too large for this page; split it, or use the API."), 413)
    answer = await visit.parts.receiving.dry_run(_handed(draft, caller))
    match answer:
        case Plan():
            return _page(visit, _view(visit, draft, plan=own_part(answer)))
        case Rejected() | TurnedAway():
            return _refused(visit, draft, answer)
        case _:
            assert_never(answer)


@router.post(f"{PATH}/submit")
async def submit(request: Request, writing: Writing) -> Response:
    visit, caller = writing
    form = await _form(request, visit)
    draft = _draft(form)
    answer = await visit.parts.receiving.receive(_handed(draft, caller))
    match answer:
        case Accepted(upload, entered):
            background: Background = request.app.state.background
            background.begin(visit.parts.receiving.finish(upload))
            return RedirectResponse(f"/packs/{upload.id if entered is None else entered.share_pack_id}", 303)
        case Rejected() | TurnedAway():
            return _refused(visit, draft, answer)
        case _:
            assert_never(answer)


def _refused(visit: Visit, draft: Draft, answer: Rejected | TurnedAway) -> Response:
    match answer:
        case Rejected(problems=problems):
            return _page(visit, _view(visit, draft, problems=problems), 400)
        case TurnedAway(reason, said):
            return _page(visit, _view(visit, draft, trouble=f"{said[:1].upper()}{said[1:]}."), _STATUSES[reason])
        case _:
            assert_never(answer)


def _page(visit: Visit, view: UploadView, status: int = 200) -> Response:
    return visit.page(upload_page(view, visit.visitor), status)


def _blank(visit: Visit, trouble: str = "") -> UploadView:
    return UploadView(visit.parts.settings.databricks_host, _largest(visit), trouble=trouble)


def _view(visit: Visit, draft: Draft, **more: object) -> UploadView:
    return UploadView(draft.workspace, _largest(visit), draft, **more)  # type: ignore[arg-type]


def _largest(visit: Visit) -> int:
    """What can be sent back from a page, where four characters stand for three bytes."""
    return visit.parts.settings.api_max_upload_bytes // 4 * 3


def _handed(draft: Draft, caller: Caller) -> Handed:
    return Handed(draft.name, draft.content, draft.workspace, caller)


def _draft(form: Filled) -> Draft:
    try:
        content = b64decode(form.text("content", longest=None), validate=True)
    except (NotBase64Error, ValueError):
        raise HttpError(400, "the file did not come along; choose it again") from None
    return Draft(form.text("name")[-_LONGEST_NAME:], form.text("workspace"), content)


async def _form(request: Request, visit: Visit) -> Filled:
    """One of ours. Raises HttpError (400, 403)."""
    most = visit.parts.settings.api_max_upload_bytes
    try:
        async with request.form(max_files=1, max_fields=10, max_part_size=most + _LONGEST_TEXT) as form:
            texts = {name: value for name, value in form.items() if isinstance(value, str)}
            file = form.get("file")
            chosen = (file.filename or "", await file.read()) if isinstance(file, UploadFile) else ("", b"")
    except (MultiPartException, HTTPException, ValueError, LookupError):
        raise HttpError(400, "the form cannot be read; load the page anew and try again") from None
    filled = Filled(texts, *chosen)
    visit.check(filled.text(PROOF))
    return filled
