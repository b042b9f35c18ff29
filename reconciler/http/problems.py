"""What goes wrong with a request, as problem+json (RFC 9457). A problem never repeats what a client sent, but for the
path, and never says where a part of ours is or why it failed: the log does."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from reconciler.http.headers import correlation_of
from reconciler.ports.ledger_errors import LedgerError
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.ports.pull_requests import PullRequestsError

MEDIA_TYPE: Final = "application/problem+json"
#: Seconds after which it is worth trying again when a part of ours does not answer.
_AGAIN: Final = "5"
#: Errors of parts of ours: what they are called, and the kind of the problem.
_PARTS: Final[Mapping[type[Exception], tuple[str, str]]] = {
    LedgerError: ("the database", "database-unavailable"),
    PackSourceError: ("the repository of the packs", "git-unavailable"),
    PackStoreError: ("the repository of the packs", "git-unavailable"),
    PullRequestsError: ("the host of the repository", "git-host-unavailable"),
    UnavailableError: ("Databricks", "databricks-unavailable"),
    RefusedError: ("Databricks", "databricks-unavailable"),
}


class HttpError(Exception):
    def __init__(self, status: int, detail: str, *, kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        """`detail`: what is wrong and what to do instead. `kind`: stable and kebab-case, for programs; empty when the
        status says it all."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.headers = headers or {}


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def answer(scope: Mapping[str, Any], problem: HttpError) -> Response:
    return ProblemResponse(document(scope, problem), problem.status, dict(problem.headers))


def document(scope: Mapping[str, Any], problem: HttpError) -> dict[str, Any]:
    return {
        "type": f"urn:sharepack:problem:{problem.kind}" if problem.kind else "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": scope.get("path", ""),
        "correlation_id": correlation_of(scope),
    }


def install(app: FastAPI) -> None:
    app.add_exception_handler(HttpError, _as_told)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    for kind in _PARTS:
        app.add_exception_handler(kind, _of_a_part)


def of_a_part(error: Exception) -> HttpError | None:
    """None: it is no error of a part of ours. Whoever runs the server finds the reason in its log."""
    for known, (name, kind) in _PARTS.items():
        if isinstance(error, known):
            logger.warning("{}", f"{name} does not answer: {error}")
            detail = f"{name} does not answer; try again in a moment"
            return HttpError(503, detail, kind=kind, headers={"Retry-After": _AGAIN})
    return None


async def _of_a_part(request: Request, error: Exception) -> Response:
    problem = of_a_part(error)
    if problem is None:
        raise error
    return answer(request.scope, problem)


async def _as_told(request: Request, error: Exception) -> Response:
    if not isinstance(error, HttpError):
        raise error
    return answer(request.scope, error)


async def _of_the_framework(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = {404: "there is nothing here", 405: "this method is not for this address"}
    detail = words.get(error.status_code, "the request cannot be read")
    return answer(request.scope, HttpError(error.status_code, detail, headers=error.headers))


async def _of_parameters(request: Request, error: Exception) -> Response:
    """Which parameter, and what is wrong with it; never its value."""
    if not isinstance(error, RequestValidationError):
        raise error
    said = [
        f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg'][:1].lower()}{each['msg'][1:]}" for each in error.errors()
    ]
    return answer(request.scope, HttpError(422, "; ".join(said), kind="parameters"))
