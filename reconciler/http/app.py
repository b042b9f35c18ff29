"""The application: routes, and what stands around them. What each route does is in the modules it is made of."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler import __version__
from reconciler.http import (
    models,
    problems,
    routes_access,
    routes_docs,
    routes_events,
    routes_health,
    routes_packs,
    routes_upload,
)
from reconciler.http.auth import Doorkeeper
from reconciler.http.background import Background
from reconciler.http.health import Remembered
from reconciler.http.limits import BodyLimit
from reconciler.http.pages import routes as pages_routes
from reconciler.http.pages import routes_forms
from reconciler.http.pages.sessions import Sessions
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError, answer
from reconciler.http.routes_events import Streams
from reconciler.http.surroundings import Surroundings

_DESCRIPTION: Final = (
    "Hands in share packs, and tells what became of them. Git stays the only truth: what is handed in is committed to "
    "the repository of packs, and provisioned from there."
)
_PAGES: Final = (pages_routes, routes_forms)
_MODELS: Final = (models.Problem, models.Event)


def create_app(parts: Parts) -> FastAPI:
    """Raises SettingsError for settings that contradict themselves."""
    app = FastAPI(
        title="Share packs",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.parts = parts
    app.state.doorkeeper = Doorkeeper(parts)
    app.state.health = Remembered(parts.health)
    app.state.background = Background()
    app.state.streams = Streams()
    app.state.sessions = Sessions()
    # The upload before the status: `upload` is no id.
    for routes in (routes_upload, routes_health, routes_packs, routes_access, routes_events, routes_docs, *_PAGES):
        router: APIRouter = routes.router
        # As they are: included, each would be built again for each application, when it is first asked.
        app.router.routes.extend(router.routes)
    problems.install(app)
    # FastAPI's own way to say what the document is.
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    app.add_middleware(BodyLimit, most=parts.settings.api_max_upload_bytes)
    if not parts.settings.enable_workflow:
        app.add_middleware(_Disabled)
    app.add_middleware(Surroundings)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await app.state.background.end()


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in _MODELS:
            schema = model.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
            schemas.setdefault(model.__name__, schema)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema


class _Disabled:
    """The guide's flag: nothing of the workflow system answers while it is off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_workflow(scope):
            await self._app(scope, receive, send)
            return
        detail = "Workflow system disabled: set enable_workflow=true and domain_db_connection_string, and start again"
        await answer(scope, HttpError(503, detail, kind="workflow-disabled"))(scope, receive, send)


def _is_workflow(scope: Mapping[str, Any]) -> bool:
    path: str = scope.get("path", "")
    return scope["type"] == "http" and (path == "/workflow" or path.startswith("/workflow/"))
