"""Values to the bodies of answers, and which answers an operation declares. Decides nothing of what may be shown."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.core.problem import Problem as PackProblem
from reconciler.http import models
from reconciler.http.problems import MEDIA_TYPE
from reconciler.ports.archive import RowVersion
from reconciler.ports.records import PackState
from reconciler.render.problems import problem_words

Responses = dict[int | str, dict[str, Any]]

_DETAILS: Final[Mapping[int, str]] = {
    400: "The address cannot be read.",
    401: "No valid API key or token.",
    403: "The key or token does not allow it.",
    404: "There is no such thing, or it is none of yours.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    422: "A parameter cannot be used.",
    429: "Too many requests; `Retry-After` says when to try again.",
    500: "A fault of the server.",
    503: "A part of the server does not answer, or the workflow system is disabled.",
}
#: Every operation that asks for a key may give these.
_ALWAYS: Final = (400, 401, 413, 422, 429, 500, 503)


def answers(*statuses: int, is_open: bool = False, **more: dict[str, Any]) -> Responses:
    """What is declared besides success: problems. `is_open`: nobody is asked for a key."""
    always = (400, 413, 500, 503) if is_open else _ALWAYS
    declared: Responses = {status: _problem(status) for status in sorted({*always, *statuses})}
    return declared | {int(name.removeprefix("status_")): value for name, value in more.items()}


def _problem(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    declared: dict[str, Any] = {"description": _DETAILS[status], "content": content}
    if status == 429:
        declared["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return declared


def finding(problem: PackProblem) -> models.Finding:
    """What is wrong in the file handed in has its place, under the sender's name for the file. Of other files, whose
    paths lie in folders, only what is wrong is told."""
    where = problem.where
    is_own = "/" not in where.path
    text = f"{where}: {problem_words(problem)}" if is_own else problem.message
    return models.Finding(
        file=where.path if is_own else "",
        line=where.line if is_own else 0,
        column=where.column if is_own else 0,
        sheet=where.sheet if is_own else "",
        cell=where.cell if is_own else "",
        rule=problem.rule,
        message=problem.message,
        hint=problem.hint,
        text=text,
    )


def status_of(state: PackState, scrub: Callable[[str], str]) -> models.SharePackStatus:
    return models.SharePackStatus(
        share_pack_id=state.share_pack_id,
        share_pack_name=state.share_pack_name,
        status=state.status.value,
        strategy=state.strategy.value,
        provisioning_status=scrub(state.provisioning_status),
        error_message=scrub(state.error_message),
        requested_by=state.requested_by,
        created_at=state.created_at,
        last_updated=state.last_updated,
    )


def item(state: PackState, scrub: Callable[[str], str]) -> models.SharePackItem:
    return models.SharePackItem(
        **status_of(state, scrub).model_dump(),
        business_line=state.pack.business_line,
        project_name=state.pack.project_name,
        workspace_url=state.workspace,
        path=state.path,
        commit=state.commit,
        applied_commit=state.applied_commit,
        is_removed=state.is_deleted,
    )


def version(row: RowVersion) -> models.RowVersion:
    return models.RowVersion(
        version=row.version,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        is_deleted=row.is_deleted,
        created_by=row.created_by,
        change_reason=row.change_reason,
        commit=row.commit,
        values=dict(row.values),
    )
