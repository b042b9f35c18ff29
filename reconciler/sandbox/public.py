"""What needs no sign-in: host metadata, OAuth discovery and tokens, and the activation of open-sharing recipients."""

from html import escape

from reconciler.sandbox import tokens
from reconciler.sandbox.errors import resource_does_not_exist
from reconciler.sandbox.sessions import Sessions
from reconciler.sandbox.state import State
from reconciler.sandbox.wire import ApiRequest, Reply, json_reply

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Delta Sharing activation</title></head>
<body><h1>Credential file</h1><p>This link works once.</p>
<p><a download="config.share" href="/api/2.1/unity-catalog/public/data_sharing_activation/{secret}">Download</a></p>
</body></html>
"""


def public_reply(state: State, sessions: Sessions, request: ApiRequest) -> tuple[str, Reply] | None:
    """Answers the route's name and its reply, or None when the request is for no public route."""
    match request.method, request.segments:
        case "GET", (".well-known", "databricks-config"):
            return "/.well-known/databricks-config", json_reply(_host(state))
        case "GET", ("oidc", ".well-known", _) | ("oidc", "accounts", _, ".well-known", _):
            return "/oidc/.well-known", json_reply(_endpoints(state, request))
        case "POST", ("oidc", "v1", "token") | ("oidc", "accounts", _, "v1", "token"):
            return "/oidc/v1/token", sessions.issue(request)
        case "GET", ("delta_sharing", "retrieve_config.html"):
            page = _PAGE.format(secret=escape(request.raw_query, quote=True))
            return "/delta_sharing/retrieve_config.html", Reply(200, page.encode(), "text/html")
        case "GET", ("api", "2.0" | "2.1", "unity-catalog", "public", *_):
            return _activation(state, request)
        case _:
            return None


def _activation(state: State, request: ApiRequest) -> tuple[str, Reply] | None:
    # A client may put the whole link into the path, which moves its secret into the query.
    secret = request.raw_query or request.segments[-1]
    match request.segments[4:5]:
        case ("data_sharing_activation",):
            return "/public/data_sharing_activation", json_reply(tokens.activate(state, secret))
        case ("data_sharing_activation_info",):
            if not tokens.is_waiting(state, secret):
                raise resource_does_not_exist("The activation link does not exist")
            return "/public/data_sharing_activation_info", json_reply({})
        case _:
            return None


def _host(state: State) -> dict[str, str]:
    return {
        "oidc_endpoint": f"{state.base_url}/oidc",
        "account_id": state.seed.account_id,
        "workspace_id": str(state.seed.workspace_id),
        "cloud": state.metastore.cloud.upper(),
    }


def _endpoints(state: State, request: ApiRequest) -> dict[str, str]:
    base = state.base_url + request.path.partition("/.well-known")[0]
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/v1/authorize",
        "token_endpoint": f"{base}/v1/token",
    }
