"""The table of API routes: method and path to the rule that answers. Paths are matched segment by segment."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox import catalog, federation, grants, metastore, recipients, scim, share_grants, shares
from reconciler.sandbox.records import Principal
from reconciler.sandbox.state import State
from reconciler.sandbox.wire import ApiRequest

Rule = Callable[[State, Principal, ApiRequest], dict[str, Any]]
_UC = "/api/2.1/unity-catalog"
_SCIM = "/api/2.0/preview/scim/v2"
_POLICIES = "/api/2.0/data-sharing/recipients/{name}/federation-policies"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    rule: Rule
    #: refused while sharing is switched off on the metastore
    is_sharing: bool = False


_SHARING: tuple[tuple[str, str, Rule], ...] = (
    ("POST", f"{_UC}/recipients", lambda s, who, r: recipients.create(s, who, r.values)),
    ("GET", f"{_UC}/recipients", lambda s, who, r: recipients.list_all(s, who, r.query)),
    ("GET", f"{_UC}/recipients/{{name}}", lambda s, who, r: recipients.get(s, who, r.names[0])),
    ("PATCH", f"{_UC}/recipients/{{name}}", lambda s, who, r: recipients.update(s, who, r.names[0], r.values)),
    ("DELETE", f"{_UC}/recipients/{{name}}", lambda s, who, r: recipients.delete(s, who, r.names[0])),
    (
        "POST",
        f"{_UC}/recipients/{{name}}/rotate-token",
        lambda s, who, r: recipients.rotate_token(s, who, r.names[0], r.values),
    ),
    (
        "GET",
        f"{_UC}/recipients/{{name}}/share-permissions",
        lambda s, who, r: recipients.share_permissions(s, who, r.names[0], r.query),
    ),
    ("POST", _POLICIES, lambda s, who, r: federation.create(s, who, r.names[0], r.values)),
    ("GET", _POLICIES, lambda s, who, r: federation.list_all(s, who, r.names[0], r.query)),
    ("GET", f"{_POLICIES}/{{policy}}", lambda s, who, r: federation.get(s, who, *r.names)),
    ("DELETE", f"{_POLICIES}/{{policy}}", lambda s, who, r: federation.delete(s, who, *r.names)),
    ("POST", f"{_UC}/shares", lambda s, who, r: shares.create(s, who, r.values)),
    ("GET", f"{_UC}/shares", lambda s, who, r: shares.list_all(s, who, r.query)),
    ("GET", f"{_UC}/shares/{{name}}", lambda s, who, r: shares.get(s, who, r.names[0], r.query)),
    ("PATCH", f"{_UC}/shares/{{name}}", lambda s, who, r: shares.update(s, who, r.names[0], r.values)),
    ("DELETE", f"{_UC}/shares/{{name}}", lambda s, who, r: shares.delete(s, who, r.names[0])),
    ("GET", f"{_UC}/shares/{{name}}/permissions", lambda s, who, r: share_grants.get(s, who, r.names[0], r.query)),
    (
        "PATCH",
        f"{_UC}/shares/{{name}}/permissions",
        lambda s, who, r: share_grants.update(s, who, r.names[0], r.values),
    ),
)

_CATALOG: tuple[tuple[str, str, Rule], ...] = (
    ("GET", f"{_UC}/catalogs", lambda s, who, r: catalog.list_catalogs(s, who, r.query)),
    ("GET", f"{_UC}/catalogs/{{name}}", lambda s, who, r: catalog.get_catalog(s, who, r.names[0])),
    ("GET", f"{_UC}/schemas", lambda s, who, r: catalog.list_schemas(s, who, r.query)),
    ("GET", f"{_UC}/schemas/{{name}}", lambda s, who, r: catalog.get_schema(s, who, r.names[0])),
    ("GET", f"{_UC}/tables", lambda s, who, r: catalog.list_tables(s, who, r.query)),
    ("GET", f"{_UC}/tables/{{name}}", lambda s, who, r: catalog.get_table(s, who, r.names[0])),
    ("GET", f"{_UC}/tables/{{name}}/exists", lambda s, who, r: catalog.table_exists(s, who, r.names[0])),
    ("PATCH", f"{_UC}/tables/{{name}}", lambda s, who, r: catalog.update_table(s, who, r.names[0], r.values)),
    ("DELETE", f"{_UC}/tables/{{name}}", lambda s, who, r: catalog.delete_table(s, who, r.names[0])),
    ("GET", f"{_UC}/table-summaries", lambda s, who, r: catalog.table_summaries(s, who, r.query)),
    ("GET", f"{_UC}/volumes", lambda s, who, r: catalog.list_volumes(s, who, r.query)),
    ("GET", f"{_UC}/volumes/{{name}}", lambda s, who, r: catalog.get_volume(s, who, r.names[0])),
    ("GET", f"{_UC}/functions", lambda s, who, r: catalog.list_functions(s, who, r.query)),
    ("GET", f"{_UC}/functions/{{name}}", lambda s, who, r: catalog.get_function(s, who, r.names[0])),
    ("GET", f"{_UC}/models", lambda s, who, r: catalog.list_models(s, who, r.query)),
    ("GET", f"{_UC}/models/{{name}}", lambda s, who, r: catalog.get_model(s, who, r.names[0])),
    ("GET", f"{_UC}/permissions/{{type}}/{{name}}", lambda s, who, r: grants.get(s, who, r.names, r.query)),
    ("PATCH", f"{_UC}/permissions/{{type}}/{{name}}", lambda s, who, r: grants.update(s, who, r.names, r.values)),
    (
        "GET",
        f"{_UC}/effective-permissions/{{type}}/{{name}}",
        lambda s, who, r: grants.get_effective(s, who, r.names, r.query),
    ),
    ("GET", f"{_UC}/metastore_summary", lambda s, _who, _r: metastore.summary(s)),
    ("GET", f"{_UC}/current-metastore-assignment", lambda s, _who, _r: metastore.assignment(s)),
    ("GET", f"{_UC}/metastores", lambda s, who, r: metastore.list_all(s, who, r.query)),
    ("GET", f"{_UC}/metastores/{{id}}", lambda s, who, r: metastore.get(s, who, r.names[0])),
    ("PATCH", f"{_UC}/metastores/{{id}}", lambda s, who, r: metastore.update(s, who, r.names[0], r.values)),
    ("GET", f"{_SCIM}/Me", lambda s, who, _r: scim.me(s, who)),
    ("GET", f"{_SCIM}/Users", lambda s, _who, r: scim.users(s, r.query)),
    ("GET", f"{_SCIM}/Groups", lambda s, _who, r: scim.groups(s, r.query)),
    ("GET", f"{_SCIM}/ServicePrincipals", lambda s, _who, r: scim.service_principals(s, r.query)),
)

ROUTES = (*(Route(*each, is_sharing=True) for each in _SHARING), *(Route(*each) for each in _CATALOG))


class Router:
    """Routes as a tree of segments; the key None stands for a placeholder."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        self._root = _Node({}, {})
        for route in routes:
            node = self._root
            for segment in route.path.split("/")[1:]:
                node = node.below.setdefault(None if segment.startswith("{") else segment, _Node({}, {}))
            node.routes[route.method] = route

    def find(self, request: ApiRequest) -> tuple[Route, tuple[str, ...]] | None:
        node, names = self._root, []
        for segment in request.segments:
            following = node.below.get(segment)
            if following is None:
                following = node.below.get(None)
                names.append(segment)
            if following is None:
                return None
            node = following
        route = node.routes.get(request.method)
        return None if route is None else (route, tuple(names))


@dataclass(frozen=True, slots=True)
class _Node:
    below: "dict[str | None, _Node]"
    routes: dict[str, Route]
