"""The endpoints: exactly those that are used. Whatever else is asked, or sent along, is a complaint of its own."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from tests.github import issue_rules, rights
from tests.github.call import Call
from tests.github.exchange import Asked, Caller, RefusedError, Reply, UnexpectedError, not_found
from tests.github.forms import Forms
from tests.github.paging import PARAMETERS
from tests.github.records import Status
from tests.github.rights import check
from tests.github.state import World

_VERSION = "2022-11-28"
_WHO_AM_I = "query { viewer { login } }"


Rule = Callable[[Call], Reply]


def _repository(call: Call) -> Reply:
    check(call.who, "metadata=read")
    return Reply(200, call.forms.repository())


def _pulls(call: Call) -> Reply:
    check(call.who, "pull-requests=read")
    query = call.asked.query
    state = query.get("state", "open")
    found = [each for each in call.world.pulls.values() if state in {"all", each.issue.state}]
    if "head" in query:
        # Without an owner, GitHub does not filter at all.
        if ":" not in query["head"]:
            raise UnexpectedError(f"the head {query['head']}")
        found = [each for each in found if call.forms.pull_entry(each)["head"]["label"] == query["head"]]
    if "base" in query:
        found = [each for each in found if each.base == query["base"]]
    # The newest first, unless asked otherwise.
    found.sort(key=lambda each: (each.issue.created_at, each.number), reverse=query.get("direction", "desc") == "desc")
    return call.page([call.forms.pull_entry(each) for each in found])


def _open_pull(call: Call) -> Reply:
    """Of a branch of the repository itself."""
    check(call.who, "pull-requests=write")
    given = issue_rules.body(call.asked, {"title", "head", "base"}, {"body"})
    issue_rules.check_pull(call, given)
    made = call.world.open_pull(
        given["head"], given["title"], call.who.login, base=given["base"], body=given.get("body") or ""
    )
    return Reply(201, call.forms.pull(made))


def _pull(call: Call) -> Reply:
    check(call.who, "pull-requests=read")
    return Reply(200, call.forms.pull(call.pull()))


def _reviews(call: Call) -> Reply:
    check(call.who, "pull-requests=read")
    pull = call.pull()
    return call.page([call.forms.review(pull, each) for each in pull.reviews])


def _pulls_of_commit(call: Call) -> Reply:
    check(call.who, "pull-requests=read")
    commit = call.world.git.resolve(call.names[0])
    if commit is None:
        raise RefusedError(422, f"No commit found for SHA: {call.names[0]}")
    return call.page([call.forms.pull_entry(each) for each in call.world.behind(commit)])


def _status(call: Call) -> Reply:
    check(call.who, "statuses=write")
    commit, body = call.names[0], issue_rules.body(call.asked, {"state"}, {"context", "description", "target_url"})
    issue_rules.check_status(body)
    if call.world.git.resolve(commit) != commit:
        raise RefusedError(422, f"No commit found for SHA: {commit}")
    made = Status(
        call.world.next_id(), body["state"], body.get("context", "default"), body.get("description"),
        body.get("target_url"), call.world.user(call.who.login), call.world.now(),
    )  # fmt: skip
    call.world.statuses.setdefault(commit, []).insert(0, made)
    return Reply(201, call.forms.status(commit, made))


def _permission(call: Call) -> Reply:
    check(call.who, "metadata=read")
    user = call.world.users.get(unquote(call.names[0]).casefold())
    if user is None:
        raise RefusedError(404, f"{call.names[0]} is not a user")
    return Reply(200, call.forms.permission(user))


def _run(call: Call) -> Reply:
    check(call.who, "actions=read")
    run = call.world.runs.get(int(call.names[0]))
    if run is None:
        raise not_found()
    return Reply(200, call.forms.run(run))


def _run_approvals(call: Call) -> Reply:
    check(call.who, "actions=read")
    run = call.world.runs.get(int(call.names[0]))
    if run is None:
        raise not_found()
    return Reply(200, [call.forms.approval(each, run.created_at) for each in run.approvals])


def _installation(call: Call) -> Reply:
    if call.who.app is None:
        raise RefusedError(401, "A JSON web token could not be decoded")
    app = call.who.app
    account = call.forms.user(call.world.user(call.world.full_name.split("/")[0]))
    told = {name.replace("-", "_"): level for name, level in app.permissions.items()}
    return Reply(200, {"id": app.installation, "account": account, "app_id": app.id, "app_slug": app.slug,
                       "repository_selection": "selected", "permissions": told, "events": []})  # fmt: skip


def _access_token(call: Call) -> Reply:
    app = call.who.app
    if app is None:
        raise RefusedError(401, "A JSON web token could not be decoded")
    if int(call.names[0]) != app.installation:
        raise not_found()
    token = issue_rules.fresh_token(call.world, "app", app.user, app.permissions)
    expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = {name.replace("-", "_"): level for name, level in app.permissions.items()}
    return Reply(201, {"token": token, "expires_at": expires, "permissions": told, "repository_selection": "selected"})


def _graphql(call: Call) -> Reply:
    if call.who.token is None:
        raise RefusedError(401, "A JSON web token could not be decoded")
    query = " ".join(str(call.asked.body().get("query")).split())
    if query != _WHO_AM_I:
        raise UnexpectedError(f"the query {query}")
    return Reply(200, {"data": {"viewer": {"login": call.who.login}}})


_R = r"/repos/{repository}"
_N, _SHA, _NAME = r"(\d+)", r"([^/]+)", r"([^/]+)"
_LIST = PARAMETERS
#: Method, path, the parameters it takes, and what answers.
_ROUTES: tuple[tuple[str, str, frozenset[str], Rule], ...] = (
    ("GET", _R, frozenset(), _repository),
    ("GET", f"{_R}/pulls", _LIST | {"state", "sort", "direction", "head", "base"}, _pulls),
    ("POST", f"{_R}/pulls", frozenset(), _open_pull),
    ("GET", f"{_R}/pulls/{_N}", frozenset(), _pull),
    ("GET", f"{_R}/pulls/{_N}/reviews", _LIST, _reviews),
    ("GET", f"{_R}/commits/{_SHA}/pulls", _LIST, _pulls_of_commit),
    ("POST", f"{_R}/statuses/{_SHA}", frozenset(), _status),
    ("GET", f"{_R}/collaborators/{_NAME}/permission", frozenset(), _permission),
    ("GET", f"{_R}/actions/runs/{_N}", frozenset(), _run),
    ("GET", f"{_R}/actions/runs/{_N}/approvals", frozenset(), _run_approvals),
    ("GET", f"{_R}/installation", frozenset(), _installation),
    ("POST", f"/app/installations/{_N}/access_tokens", frozenset(), _access_token),
    ("POST", "/graphql", frozenset(), _graphql),
    ("GET", f"{_R}/issues", _LIST | {"state", "labels", "sort", "direction"}, issue_rules.issues),
    ("POST", f"{_R}/issues", frozenset(), issue_rules.open_issue),
    ("PATCH", f"{_R}/issues/{_N}", frozenset(), issue_rules.change_issue),
    ("GET", f"{_R}/issues/{_N}/comments", _LIST, issue_rules.comments),
    ("POST", f"{_R}/issues/{_N}/comments", frozenset(), issue_rules.comment),
    ("PATCH", f"{_R}/issues/comments/{_N}", frozenset(), issue_rules.change_comment),
    ("DELETE", f"{_R}/issues/comments/{_N}", frozenset(), issue_rules.delete_comment),
    ("GET", f"{_R}/issues/{_N}/labels", _LIST, issue_rules.labels_of_issue),
    ("POST", f"{_R}/issues/{_N}/labels", frozenset(), issue_rules.add_labels),
    ("DELETE", f"{_R}/issues/{_N}/labels/{_NAME}", frozenset(), issue_rules.remove_label),
    ("GET", f"{_R}/labels/{_NAME}", frozenset(), issue_rules.label),
    ("POST", f"{_R}/labels", frozenset(), issue_rules.create_label),
)


def answer(world: World, forms: Forms, asked: Asked) -> tuple[Reply, Caller]:
    who = Caller()
    try:
        who = rights.caller(asked.headers, world.tokens, world.apps)
        world.refresh()
        return _routed(world, forms, asked, who), who
    except RefusedError as error:
        return error.reply(), who
    except UnexpectedError as error:
        world.complaints.append(f"{asked.method} {asked.path}: {error}")
        return not_found().reply(), who


def _routed(world: World, forms: Forms, asked: Asked, who: Caller) -> Reply:
    if moved := _moved(world, forms, asked):
        return moved
    for method, pattern, parameters, rule in _ROUTES:
        path = pattern.replace("{repository}", f"(?i:{re.escape(world.full_name)})")
        found = re.fullmatch(path, asked.path)
        if found and method == asked.method:
            _check_form(world, asked, parameters)
            return rule(Call(world, forms, who, asked, found.groups()))
    other = re.match(r"/repos/([^/]+/[^/]+)", asked.path)
    if other and other[1].casefold() != world.full_name.casefold():
        raise not_found()
    raise UnexpectedError("no such endpoint is known here")


def _moved(world: World, forms: Forms, asked: Asked) -> Reply | None:
    for name in world.former_names:
        if asked.path.casefold() == f"/repos/{name}".casefold():
            place = f"{forms.api}/repositories/{world.id}"
            return Reply(301, {"message": "Moved Permanently", "url": place}, {"Location": place})
    if asked.path == f"/repositories/{world.id}":
        return Reply(200, forms.repository())
    return None


def _check_form(world: World, asked: Asked, parameters: frozenset[str]) -> None:
    if unknown := set(asked.query) - parameters:
        raise UnexpectedError(f"the parameters {sorted(unknown)}")
    if "application/vnd.github" not in asked.headers.get("Accept", "") and asked.path != "/graphql":
        raise UnexpectedError("an Accept header that is not GitHub's")
    given = asked.headers.get("X-GitHub-Api-Version")
    if given != _VERSION and not asked.path.startswith(("/app/", "/graphql")):
        raise UnexpectedError(f"the version {given} of the API")
    if asked.raw and not asked.headers.get("Content-Type", "").startswith("application/json"):
        raise UnexpectedError("a body that is not JSON")
