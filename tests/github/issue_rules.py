"""Issues, comments and labels. A pull request is an issue too, and either permission will do for its own."""

import re
import secrets
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import unquote

from tests.github.call import Call
from tests.github.exchange import Asked, RefusedError, Reply, UnexpectedError, invalid, not_found, too_long
from tests.github.records import Comment, Issue, Token, User
from tests.github.rights import check
from tests.github.state import World

MOST_CHARACTERS = 65_536
_LONGEST_TITLE = 256
_STATES = {"error", "failure", "pending", "success"}


def body(asked: Asked, needed: AbstractSet[str], optional: AbstractSet[str] = frozenset()) -> dict[str, Any]:
    found = asked.body()
    if unknown := set(found) - needed - optional:
        raise UnexpectedError(f"the fields {sorted(unknown)}")
    if missing := needed - set(found):
        raise RefusedError(422, f'Invalid request.\n\n"{min(missing)}" wasn\'t supplied.')
    return found


def fresh_token(world: World, kind: str, user: User, permissions: dict[str, str]) -> str:
    prefix = "github_pat_" if kind == "personal" else "ghs_"
    text = f"{prefix}{secrets.token_hex(20)}"
    world.tokens[text] = Token(kind, user, {"metadata": "read", **permissions})
    return text


def issues(call: Call) -> Reply:
    check(call.who, "issues=read")
    query = call.asked.query
    wanted = {name.casefold() for name in query.get("labels", "").split(",") if name}
    found = [
        each
        for each in call.world.issues.values()
        if query.get("state", "open") in {"all", each.state} and wanted <= {name.casefold() for name in each.labels}
    ]
    found.sort(key=lambda each: (each.created_at, each.number), reverse=query.get("direction", "desc") == "desc")
    return call.page([call.forms.issue(each) for each in found])


def open_issue(call: Call) -> Reply:
    check(call.who, "issues=write")
    given = body(call.asked, {"title"}, {"body", "labels"})
    _check_text("Issue", given.get("body"))
    made = call.world.open_issue(given["title"], given.get("body"), call.world.user(call.who.login))
    _put_labels(call, made, given.get("labels", []))
    return Reply(201, call.forms.issue(made))


def change_issue(call: Call) -> Reply:
    issue = _issue(call, "write")
    given = body(call.asked, set(), {"title", "body", "state", "state_reason"})
    _check_text("Issue", given.get("body"))
    if given.get("state", "open") not in {"open", "closed"}:
        raise invalid("Issue", "state", "invalid")
    if given.get("state_reason") not in {None, "completed", "not_planned", "duplicate", "reopened"}:
        raise invalid("Issue", "state_reason", "invalid")
    for name, value in given.items():
        setattr(issue, name, value)
    issue.updated_at = call.world.now()
    issue.closed_at = issue.updated_at if issue.state == "closed" else None
    return Reply(200, call.forms.issue(issue))


def check_pull(call: Call, given: dict[str, Any]) -> None:
    """422 as for https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request, in the words GitHub uses."""
    branches, owner = call.world.git.branches(), call.world.full_name.split("/")[0]
    for field in ("head", "base"):
        if given[field] not in branches:
            raise invalid("PullRequest", field, "invalid")
    if not str(given["title"]).strip():
        raise invalid("PullRequest", "title", "missing_field")
    if len(given["title"]) > _LONGEST_TITLE:
        raise too_long("PullRequest", "title", _LONGEST_TITLE)
    _check_text("PullRequest", given.get("body"))
    head, base = given["head"], given["base"]
    if not call.world.git.between(branches[base], branches[head]):
        raise invalid("PullRequest", "head", "custom", f"No commits between {base} and {head}")
    for each in call.world.pulls.values():
        if each.issue.state == "open" and (each.branch, each.base, each.fork) == (head, base, None):
            raise invalid("PullRequest", "head", "custom", f"A pull request already exists for {owner}:{head}.")


def comments(call: Call) -> Reply:
    issue = _issue(call, "read")
    return call.page([call.forms.comment(issue, each) for each in issue.comments])


def comment(call: Call) -> Reply:
    issue = _issue(call, "write")
    text = body(call.asked, {"body"})["body"]
    _check_text("IssueComment", text)
    made = call.world.say(issue.number, call.world.user(call.who.login), text)
    return Reply(201, call.forms.comment(issue, made))


def change_comment(call: Call) -> Reply:
    issue, found = _comment(call)
    text = body(call.asked, {"body"})["body"]
    _check_text("IssueComment", text)
    found.body, found.updated_at = text, call.world.now()
    return Reply(200, call.forms.comment(issue, found))


def delete_comment(call: Call) -> Reply:
    issue, found = _comment(call)
    issue.comments.remove(found)
    return Reply(204, None)


def labels_of_issue(call: Call) -> Reply:
    return call.page(call.forms.labels(_issue(call, "read")))


def add_labels(call: Call) -> Reply:
    issue = _issue(call, "write")
    _put_labels(call, issue, body(call.asked, {"labels"})["labels"])
    return Reply(200, call.forms.labels(issue))


def remove_label(call: Call) -> Reply:
    issue = _issue(call, "write")
    wanted = unquote(call.names[1]).casefold()
    kept = [name for name in issue.labels if name.casefold() != wanted]
    if len(kept) == len(issue.labels):
        raise RefusedError(404, "Label does not exist")
    issue.labels[:] = kept
    return Reply(200, call.forms.labels(issue))


def label(call: Call) -> Reply:
    check(call.who, "issues=read", "pull-requests=read")
    found = call.world.labels.get(unquote(call.names[0]).casefold())
    if found is None:
        raise not_found()
    return Reply(200, call.forms.label(found))


def create_label(call: Call) -> Reply:
    check(call.who, "issues=write", "pull-requests=write")
    given = body(call.asked, {"name"}, {"color", "description"})
    name, color, description = given["name"], given.get("color", "ededed"), given.get("description")
    _check_label(name)
    if not re.fullmatch(r"[0-9A-Fa-f]{6}", color):
        raise invalid("Label", "color", "invalid")
    if len(description or "") > 100:
        raise too_long("Label", "description", 100)
    if name.casefold() in call.world.labels:
        raise invalid("Label", "name", "already_exists")
    return Reply(201, call.forms.label(call.world.label(name, color, description)))


def check_status(given: dict[str, Any]) -> None:
    if given["state"] not in _STATES:
        raise invalid("Status", "state", "custom", "state is not included in the list")
    if len(given.get("description") or "") > 140:
        raise too_long("Status", "description", 140)
    if not re.match(r"https?://", given.get("target_url") or "http://"):
        raise invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")


def _issue(call: Call, level: str) -> Issue:
    number = int(call.names[0])
    if number in call.world.pulls:
        check(call.who, f"issues={level}", f"pull-requests={level}")
    else:
        check(call.who, f"issues={level}")
    found = call.world.issues.get(number)
    if found is None:
        raise not_found()
    return found


def _comment(call: Call) -> tuple[Issue, Comment]:
    check(call.who, "issues=write", "pull-requests=write")
    for issue in call.world.issues.values():
        for each in issue.comments:
            if each.id == int(call.names[0]):
                return issue, each
    raise not_found()


def _check_text(resource: str, text: str | None) -> None:
    if resource == "IssueComment" and not (text or "").strip():
        raise invalid(resource, "body", "missing_field")
    if len(text or "") > MOST_CHARACTERS:
        raise too_long(resource, "body", MOST_CHARACTERS)


def _check_label(name: str) -> None:
    if len(name) > 50:
        raise too_long("Label", "name", 50)


def _put_labels(call: Call, issue: Issue, names: list[str]) -> None:
    for name in names:
        _check_label(name)
    for name in names:
        known = call.world.label(name).name
        if known not in issue.labels:
            issue.labels.append(known)
