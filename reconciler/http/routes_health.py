"""The guide's health check. It asks for no key, and tells nothing more than the guide's fields."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response

from reconciler.http import models
from reconciler.http.answers import answers
from reconciler.http.health import ALL_TABLES, Remembered

router: Final = APIRouter(prefix="/workflow")

_UNWELL: Final[dict[str, Any]] = {
    "description": "Unhealthy; or the workflow system is disabled.",
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/WorkflowHealth"}},
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}


@router.get(
    "/health", tags=["Health"], summary="Workflow health", responses=answers(422, is_open=True, status_503=_UNWELL)
)
async def health(
    request: Request,
    response: Response,
    x_workspace_url: Annotated[str, Header(alias="X-Workspace-URL", max_length=2048)] = "",  # noqa: ARG001
) -> models.WorkflowHealth:
    """Whether database and queue answer. Asks for no key."""
    remembered: Remembered = request.app.state.health
    found = await remembered()
    is_well = found.is_database_connected and found.is_queue_connected and found.tables == ALL_TABLES
    response.status_code = 200 if is_well else 503
    return models.WorkflowHealth(
        message=f"Workflow system {'healthy' if is_well else 'unhealthy'}",
        database_connected=found.is_database_connected,
        queue_connected=found.is_queue_connected,
        tables_count=found.tables,
    )
