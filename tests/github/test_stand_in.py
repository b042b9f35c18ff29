"""The stand-in itself: that it keeps Git as GitHub does, refuses what GitHub refuses, and notices what is foreign to
it. Asked with nothing but the standard library."""

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.github.bare import ConflictError
from tests.github.stand_in import StandIn, standing_in

ALL = {"pull-requests": "write", "issues": "write", "statuses": "write", "actions": "read"}
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path / "git hub") as stand_in:
        stand_in.user("ada", "write")
        stand_in.user("rita", "write")
        stand_in.commit("widen", {"packs/q1.yaml": "one\n"}, "Widen q1")
        yield stand_in


def ask(github: StandIn, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any, str]:
    """Status, JSON and Link."""
    token = github.workflow_token(ALL)
    sent = None if body is None else json.dumps(body).encode()
    given = {**HEADERS, "Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    request = urllib.request.Request(f"{github.api_url}{path}", sent, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"null"), answer.headers.get("Link", "")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), ""


def git(work: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=work, check=True, capture_output=True, text=True).stdout


def test_references_of_a_pull_request_follow_pushes(github: StandIn, tmp_path: Path) -> None:
    number = github.open_pull("widen", "Widen", by="ada")
    first = github.pull(number).head
    work = github.clone(tmp_path / "work tree")
    git(work, "checkout", "--quiet", "widen")
    (work / "packs" / "q2.yaml").write_text("two\n")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "More")
    git(work, "push", "--quiet")
    event = github.event("pull_request", number=number, action="synchronize", before=first, by="ada")
    assert event["before"] == first
    assert event["after"] == event["pull_request"]["head"]["sha"] == git(work, "rev-parse", "HEAD").strip()
    merge = event["pull_request"]["merge_commit_sha"]
    git(work, "fetch", "--quiet", "origin", f"refs/pull/{number}/merge")
    assert git(work, "rev-parse", "FETCH_HEAD", "FETCH_HEAD^1", "FETCH_HEAD^2").split() == [
        merge, git(work, "rev-parse", "origin/main").strip(), event["after"],
    ]  # fmt: skip
    assert git(work, "show", "FETCH_HEAD:packs/q2.yaml") == "two\n"


def test_a_conflict_has_no_trial_merge(github: StandIn) -> None:
    number = github.open_pull("widen", "Widen", by="ada")
    github.commit("main", {"packs/q1.yaml": "another\n"}, "By somebody else")
    event = github.event("pull_request", number=number, by="ada")
    assert (event["pull_request"]["mergeable"], event["pull_request"]["merge_commit_sha"]) == (False, None)
    with pytest.raises(ConflictError):
        github.merge(number, by="rita")


@pytest.mark.parametrize(("how", "parents", "brought"), [("merge", 2, 3), ("squash", 1, 1), ("rebase", 1, 2)])
def test_the_ways_to_merge(github: StandIn, how: str, parents: int, brought: int) -> None:
    github.commit("widen", {"packs/q2.yaml": "two\n"}, "Second")
    number = github.open_pull("widen", "Widen", by="ada")
    before = github.git.git("rev-parse", "main")
    commit = github.merge(number, how, by="rita")
    assert github.git.git("rev-parse", "main") == commit
    assert len(github.git.git("show", "--no-patch", "--format=%P", commit).split()) == parents
    assert len(github.git.between(before, commit)) == brought
    assert github.git.git("show", f"{commit}:packs/q2.yaml") == "two"
    told = ask(github, "GET", f"/repos/acme/packs/pulls/{number}")[1]
    assert (told["state"], told["merged"], told["merge_commit_sha"]) == ("closed", True, commit)
    assert told["merged_by"]["login"] == "rita"
    assert github.git.resolve(f"refs/pull/{number}/merge") is None
    assert github.git.resolve(f"refs/pull/{number}/head") is not None


def test_the_event_of_a_push(github: StandIn) -> None:
    before = github.git.git("rev-parse", "main")
    number = github.open_pull("widen", "Widen", by="ada")
    commit = github.merge(number, by="rita")
    event = github.event("push", before=before, by="rita")
    assert (event["ref"], event["before"], event["after"]) == ("refs/heads/main", before, commit)
    (only,) = event["commits"]
    assert (only["id"], only["added"], only["message"]) == (commit, ["packs/q1.yaml"], f"Widen (#{number})")
    assert event["head_commit"] == only
    assert (event["forced"], event["created"], event["pusher"]["name"]) == (False, False, "rita")


def test_the_variables_of_a_workflow(github: StandIn) -> None:
    number = github.open_pull("widen", "Widen", by="ada")
    event = github.event_file("pull_request", number=number, by="ada")
    found = github.environment("pull_request", event, token="ghs_x", run=7)
    assert json.loads(Path(found["GITHUB_EVENT_PATH"]).read_text())["number"] == number
    assert found["GITHUB_SHA"] == github.pull(number).merge_commit
    assert (found["GITHUB_REF"], found["GITHUB_BASE_REF"]) == (f"refs/pull/{number}/merge", "main")
    assert (found["GITHUB_RUN_ID"], found["GITHUB_TOKEN"], found["GITHUB_ACTOR"]) == ("7", "ghs_x", "ada")
    for kind in ("push", "schedule", "workflow_dispatch"):
        found = github.environment(kind, github.event_file(kind, by="ada"))
        assert found["GITHUB_SHA"] == github.git.resolve("main")
        assert "GITHUB_TOKEN" not in found
    comment = github.say(number, "rita", "hello")
    assert github.event("issue_comment", number=number, comment=comment, by="rita")["comment"]["body"] == "hello"


def test_pages_are_linked(github: StandIn) -> None:
    number = github.open_pull("widen", "Widen", by="ada")
    for each in range(5):
        github.say(number, "ada", str(each))
    path = f"/repos/acme/packs/issues/{number}/comments"
    _, first, link = ask(github, "GET", f"{path}?per_page=2")
    assert re.findall(r'page=(\d)>; rel="(\w+)"', link) == [("2", "next"), ("3", "last")]
    following = link.partition("<")[2].partition(">")[0].removeprefix(github.api_url)
    _, second, link = ask(github, "GET", following)
    assert [each["body"] for each in (*first, *second)] == ["0", "1", "2", "3"]
    assert 'rel="prev"' in link
    _, last, link = ask(github, "GET", f"{path}?per_page=2&page=3")
    assert [each["body"] for each in last] == ["4"]
    assert 'rel="next"' not in link


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("issues/1/comments", {"body": "x" * 65_537}, "body is too long (maximum is 65536 characters)"),
        ("labels", {"name": "x" * 51}, "name is too long (maximum is 50 characters)"),
        ("statuses/{head}", {"state": "success", "description": "x" * 141}, "description is too long (maximum is 140"),
        ("statuses/{head}", {"state": "fine"}, "state is not included in the list"),
    ],
)
def test_what_is_too_long_or_wrong_is_refused(github: StandIn, path: str, body: object, words: str) -> None:
    head = github.pull(github.open_pull("widen", "Widen", by="ada")).head
    status, answer, _ = ask(github, "POST", f"/repos/acme/packs/{path.format(head=head)}", body)
    assert (status, answer["message"]) == (422, "Validation Failed")
    assert words in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/user", None, {}),
        ("GET", "/repos/acme/packs/branches", None, {}),
        ("PUT", "/repos/acme/packs/pulls/1", {}, {}),
        ("GET", "/repos/acme/packs/pulls?status=open", None, {}),
        ("POST", "/repos/acme/packs/issues/1/comments", {"body": "x", "text": "y"}, {}),
        ("GET", "/repos/acme/packs/pulls", None, {"Accept": "text/html"}),
        ("GET", "/repos/acme/packs/pulls", None, {"X-GitHub-Api-Version": "2020-01-01"}),
        ("POST", "/graphql", {"query": "query { viewer { email } }"}, {}),
    ],
)
def test_what_github_would_not_understand_fails_the_test(
    github: StandIn, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    github.open_pull("widen", "Widen", by="ada")
    assert ask(github, method, path, body, **headers)[0] == 404
    assert len(github.complaints) == 1
    github.complaints.clear()


def test_leaving_with_a_complaint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="GET /user"), standing_in(tmp_path / "github") as github:
        ask(github, "GET", "/user")


def test_nobody_is_let_in_without_a_token(github: StandIn) -> None:
    assert ask(github, "GET", "/repos/acme/packs", Authorization="")[0] == 401
    assert (
        ask(github, "GET", "/repos/acme/packs", Authorization="Bearer ghs_unknown")[1]["message"] == "Bad credentials"
    )


def test_nobody_approves_their_own(github: StandIn) -> None:
    number = github.open_pull("widen", "Widen", by="ada")
    with pytest.raises(ValueError, match="their own"):
        github.review(number, "ada", "APPROVED")


def test_what_a_person_does_is_told_as_of_when_it_was_done(github: StandIn) -> None:
    """Also though GitHub tells whole seconds only: a plan that was shown before is not shown after."""
    number = github.open_pull("widen", "Widen", by="ada")
    for _ in range(2):
        ask(github, "GET", f"/repos/acme/packs/pulls/{number}")
        before = datetime.now(UTC)
        github.review(number, "rita", "APPROVED")
        assert before <= github.pull(number).reviews[-1].submitted_at <= datetime.now(UTC)
