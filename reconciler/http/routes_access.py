"""Who can read what, now or at a moment of the past: as JSON, or as a table for spreadsheets."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Final, Literal, TypeAlias, assert_never

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.http import models
from reconciler.http.answers import answers
from reconciler.http.auth import Reader
from reconciler.http.problems import HttpError
from reconciler.http.routes_packs import parts_of
from reconciler.render.access_rows import access_rows
from reconciler.render.moments import iso
from reconciler.render.spreadsheets import access_csv, access_xlsx
from reconciler.stages.access import who_reads

router: Final = APIRouter(prefix="/workflow")

Form: TypeAlias = Literal["json", "csv", "xlsx"]

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DESCRIBED: Final = {
    "description": "One line for each recipient, object and share.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/AccessAnswer"}},
        "text/csv": {"schema": {"type": "string"}},
        XLSX: {"schema": {"type": "string", "format": "binary"}},
    },
}
_DAY_LENGTH: Final = len("2026-03-31")
_AS_OF: Final = "A moment (ISO 8601; UTC unless it says otherwise), or a day, which means its end in UTC."


@router.get(
    "/access",
    tags=["Access"],
    summary="Who can read what",
    response_model=models.AccessAnswer,
    responses=answers(status_200=_DESCRIBED),
)
async def access(
    request: Request,
    caller: Reader,
    *,
    recipient: Annotated[str, Query(max_length=255)] = "",
    object_name: Annotated[str, Query(alias="object", max_length=800, description="Table, view or schema.")] = "",
    as_of: Annotated[str, Query(max_length=40, description=_AS_OF)] = "",
    format: Annotated[Form | None, Query(description="Instead of the header Accept.")] = None,  # noqa: A002
) -> Response:
    """From the history, through direct and schema shares: since when, by which commit, approved by whom."""
    parts = parts_of(request)
    now = parts.clock.now()
    at = None if not as_of.strip() else moment(as_of, now)
    question = AccessQuestion(recipient, object_name, at, lines=caller.lines)
    report = await who_reads(parts.archive, question, now)
    return _answer(report, format or _wanted(request.headers.get("accept", "")))


def moment(text: str, now: datetime) -> datetime | None:
    """None: now; as the day that is not over is, too. Raises HttpError (422)."""
    given = text.strip()
    try:
        at = _end_of(date.fromisoformat(given)) if len(given) == _DAY_LENGTH else _in_utc(datetime.fromisoformat(given))
    except (ValueError, OverflowError):
        detail = "as_of: write a day such as 2026-03-31, or a moment such as 2026-03-31T12:00:00Z"
        raise HttpError(422, detail, kind="parameters") from None
    if len(given) == _DAY_LENGTH and at.date() == now.astimezone(UTC).date():
        return None
    if at > now:
        raise HttpError(422, "as_of: it has not come yet; write a day or moment of the past", kind="parameters")
    return at


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time.max, UTC)


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _wanted(accept: str) -> Form:
    """The first of those we have, as the client lists them; weights are not weighed."""
    for part in accept.split(","):
        match part.partition(";")[0].strip().lower():
            case "text/csv":
                return "csv"
            case kind if kind == XLSX:
                return "xlsx"
            case "application/json":
                return "json"
            case _:
                pass
    return "json"


def _answer(report: AccessReport, form: Form) -> Response:
    match form:
        case "json":
            body = models.AccessAnswer(at=report.at, record_since=report.record_since, lines=[*_lines(report)])
            return Response(body.model_dump_json(by_alias=True), media_type="application/json")
        case "csv":
            text = access_csv(report.lines, report.recipients)
            return Response(text, media_type="text/csv", headers=_saved_as("access.csv"))
        case "xlsx":
            about = [("as of", iso(report.at)), ("lines", f"{len(report.lines):,}")]
            book = access_xlsx(report.lines, report.recipients, about)
            return Response(book, media_type=XLSX, headers=_saved_as("access.xlsx"))
        case _:
            assert_never(form)


def _lines(report: AccessReport) -> Iterator[models.AccessLine]:
    for row in access_rows(report.lines, report.recipients):
        values: dict[str, Any] = asdict(row)
        yield models.AccessLine(**values)


def _saved_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
