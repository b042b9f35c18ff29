"""Who visits the pages, found out anew with every request from what they signed in with; and what a visitor is told
when something goes wrong, as a page. Who may do what is the doorkeeper's to say."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse, Response

from reconciler.core.permits import Caller, Right
from reconciler.http.auth import Doorkeeper
from reconciler.http.headers import is_trusted, networks
from reconciler.http.pages.frame import POLICY, Visitor, framed, link, message
from reconciler.http.pages.sessions import Sessions
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError, of_a_part
from reconciler.render.html.markup import tag

SIGN_IN: Final = "/sign-in"
_SESSION: Final = "sharepack_session"
#: Of who has not signed in: tells their forms from those of others.
_VISIT: Final = "sharepack_visit"
_HEADERS: Final = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    sessions: Sessions
    #: The id of a session, or of a visit without one.
    holder: str
    is_signed_in: bool
    #: None: nobody who may look.
    caller: Caller | None = None

    @property
    def visitor(self) -> Visitor:
        token = self.sessions.token(self.holder)
        if self.caller is None:
            return Visitor(token=token)
        return Visitor(self.caller.name, self.caller.right is Right.WRITE, self.is_signed_in, token)

    @property
    def parts(self) -> Parts:
        return parts_of(self.request)

    def page(self, html: str, status: int = 200) -> Response:
        answer = HTMLResponse(html, status, _HEADERS)
        if not self.is_signed_in and self.request.cookies.get(_VISIT) != self.holder:
            keep(answer, self.request, _VISIT, self.holder)
        return answer

    def check(self, token: str) -> None:
        """Raises HttpError (403) for the token of a form that is not from a page of this visitor's."""
        if not self.sessions.is_token(self.holder, token):
            raise HttpError(403, "this form has grown old, or is none of ours; go back, load the page anew, try again")


async def passing(request: Request) -> Visit:
    """Whoever it is, signed in or not."""
    sessions: Sessions = request.app.state.sessions
    session_id = request.cookies.get(_SESSION, "")
    if sessions.credential(session_id) is not None:
        return Visit(request, sessions, session_id, is_signed_in=True)
    return Visit(request, sessions, request.cookies.get(_VISIT) or token_urlsafe(32), is_signed_in=False)


async def admitted(request: Request) -> Visit:
    """Somebody who may look. Raises HttpError (401, 429) and LedgerError."""
    found = await passing(request)
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    caller = await doorkeeper.admit(request.scope, found.sessions.credential(found.holder))
    return Visit(request, found.sessions, found.holder, found.is_signed_in, caller)


async def _looking(request: Request) -> tuple[Visit, Caller]:
    found = await admitted(request)
    if found.caller is None:
        raise HttpError(401, "sign in first")
    return found, found.caller


async def _writing(request: Request) -> tuple[Visit, Caller]:
    visit, caller = await _looking(request)
    if caller.right is not Right.WRITE:
        raise HttpError(403, "your key may only read; ask whoever runs this server for one that may write")
    return visit, caller


Passing = Annotated[Visit, Depends(passing)]
#: The visit, and who it is.
Looking = Annotated[tuple[Visit, Caller], Depends(_looking)]
Writing = Annotated[tuple[Visit, Caller], Depends(_writing)]


def signed_in(visit: Visit, credential: str, after: str) -> Response:
    """On to where they wanted to go, in a session of their own; one they had ends."""
    visit.sessions.end(visit.holder)
    answer = RedirectResponse(local(after), 303)
    keep(answer, visit.request, _SESSION, visit.sessions.begin(credential))
    return answer


def signed_out(visit: Visit) -> Response:
    visit.sessions.end(visit.holder)
    answer = RedirectResponse(SIGN_IN, 303)
    answer.delete_cookie(_SESSION, path="/")
    return answer


def local(address: str) -> str:
    """The address if it is one of this server, else that of its first page."""
    parts = urlsplit(address)
    is_ours = address.startswith("/") and not address.startswith("//") and not parts.scheme and not parts.netloc
    return address if is_ours and "\\" not in address and address.isprintable() else "/"


def keep(answer: Response, request: Request, name: str, value: str) -> None:
    """As a cookie that no script sees and no other site sends along, until the browser is closed."""
    is_secure = _is_encrypted(request)
    answer.set_cookie(name, value, httponly=True, samesite="strict", secure=is_secure, path="/")


def _is_encrypted(request: Request) -> bool:
    """What a proxy says of that counts only from one that is trusted."""
    if request.url.scheme == "https":
        return True
    trusted = networks(parts_of(request).settings.api_trusted_proxies)
    peer = request.client.host if request.client else ""
    return is_trusted(peer, trusted) and request.headers.get("x-forwarded-proto", "").strip().lower() == "https"


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


class PageRoute(APIRoute):
    """Its failures are pages, and who is nobody is asked to sign in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HttpError as error:
                return _troubled(request, error)
            except RequestValidationError:
                return _troubled(request, HttpError(404, "there is nothing here"))
            except Exception as error:
                problem = of_a_part(error)
                if problem is None:
                    raise
                return _troubled(request, problem)

        return handled


def _troubled(request: Request, problem: HttpError) -> Response:
    if problem.status == 401:
        return _asked_to_sign_in(request)
    first = tag("p", tag("a", "To the packs", href="/"))
    html = framed(HTTPStatus(problem.status).phrase, message(problem.detail), first, visitor=Visitor())
    return HTMLResponse(html, problem.status, {**_HEADERS, **problem.headers})


def _asked_to_sign_in(request: Request) -> Response:
    asked = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    answer = RedirectResponse(link(SIGN_IN, {"after": asked if request.method == "GET" else ""}), 303)
    # Who comes by a link of another site sends no cookie, and is to keep the one they have.
    if _SESSION in request.cookies:
        answer.delete_cookie(_SESSION, path="/")
    return answer
