"""What is written on pull requests: one comment, labels of one family, statuses, one issue."""

import pytest

from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.ports.pull_requests import PullRequestsError, State
from tests.adapters.github.conftest import opened
from tests.github.stand_in import WORKFLOWS, StandIn

MARKER = "<!-- sharepack plan -->"


async def test_the_comment_is_posted_once_and_then_replaced(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    assert await pulls.commented(number, MARKER) is None
    url = await pulls.comment(number, MARKER, f"{MARKER}\nfirst")
    assert url.startswith(f"{github.site}/acme/packs/pull/{number}#issuecomment-")
    assert await pulls.comment(number, MARKER, f"{MARKER}\nsecond") == url
    assert github.comments(number) == [(WORKFLOWS, f"{MARKER}\nsecond")]
    assert await pulls.commented(number, MARKER) == f"{MARKER}\nsecond"


async def test_an_unchanged_comment_is_not_written_again(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    await pulls.comment(number, MARKER, f"{MARKER}\nfirst")
    await pulls.comment(number, MARKER, f"{MARKER}\nfirst")
    assert [each.method for each in github.requests if "comments" in each.path and each.method != "GET"] == ["POST"]


async def test_somebody_elses_comment_is_never_ours(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    forged = f"{MARKER}\nall is well"
    for login in ("ada", "other-app[bot]", "github-actions"):
        github.say(number, login, forged)
    assert await pulls.commented(number, MARKER) is None
    await pulls.comment(number, MARKER, f"{MARKER}\nthe plan")
    others = [("ada", forged), ("other-app[bot]", forged), ("github-actions", forged)]
    assert github.comments(number) == [*others, (WORKFLOWS, f"{MARKER}\nthe plan")]


async def test_the_marker_counts_in_the_first_line_only(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.say(number, WORKFLOWS, f"> {MARKER}\nquoted by another workflow")
    github.say(number, WORKFLOWS, f"hello\n{MARKER}")
    assert await pulls.commented(number, MARKER) is None
    github.say(number, WORKFLOWS, f"{MARKER}\r\nas a browser sends it")
    assert await pulls.commented(number, MARKER) == f"{MARKER}\r\nas a browser sends it"


async def test_of_two_comments_one_is_left(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    for words in ("one run", "another at the same time"):
        github.say(number, WORKFLOWS, f"{MARKER}\n{words}")
    await pulls.comment(number, MARKER, f"{MARKER}\nthe plan")
    assert github.comments(number) == [(WORKFLOWS, f"{MARKER}\nthe plan")]


async def test_the_comment_is_found_on_a_later_page(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    for each in range(130):
        github.say(number, "ada", f"word {each}")
    await pulls.comment(number, MARKER, f"{MARKER}\nfirst")
    await pulls.comment(number, MARKER, f"{MARKER}\nsecond")
    assert [text for _, text in github.comments(number)][130:] == [f"{MARKER}\nsecond"]


async def test_a_comment_of_the_greatest_length(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    body = f"{MARKER}\n".ljust(65_536, "é")
    await pulls.comment(number, MARKER, body)
    assert github.comments(number) == [(WORKFLOWS, body)]
    with pytest.raises(PullRequestsError, match="body is too long \\(maximum is 65536 characters\\)"):
        await pulls.comment(number, MARKER, body + "e")


@pytest.mark.parametrize("fault", ["drop", "fail"])
async def test_a_comment_that_was_posted_unheard_is_not_posted_twice(
    github: StandIn, pulls: GitHubPullRequests, fault: str
) -> None:
    number = opened(github)
    if fault == "drop":
        github.drop("/comments", method="POST", after=True)
    else:
        github.fail("/comments", method="POST", status=502, after=True)
    await pulls.comment(number, MARKER, f"{MARKER}\nthe plan")
    assert github.comments(number) == [(WORKFLOWS, f"{MARKER}\nthe plan")]


async def test_labels_of_the_family_are_those_that_are_told(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    await pulls.label(number, ["urgent"], "-")
    await pulls.label(number, ["sharepack: widens access", "sharepack: é/%?"], "sharepack: ")
    assert github.labels(number) == {"urgent", "sharepack: widens access", "sharepack: é/%?"}
    await pulls.label(number, ["sharepack: metadata only"], "sharepack: ")
    assert github.labels(number) == {"urgent", "sharepack: metadata only"}
    await pulls.label(number, [], "sharepack: ")
    assert github.labels(number) == {"urgent"}
    colour, description = github.label_details()["sharepack: widens access"]
    assert colour != "ededed"
    assert description


async def test_labels_that_are_there_are_left_alone(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    await pulls.label(number, ["sharepack: widens access"], "sharepack: ")
    before = len(github.requests)
    await pulls.label(number, ["sharepack: widens access"], "sharepack: ")
    assert [each.method for each in github.requests[before:]] == ["GET"]


async def test_a_label_that_is_too_long_is_told(github: StandIn, pulls: GitHubPullRequests) -> None:
    with pytest.raises(PullRequestsError, match="name is too long"):
        await pulls.label(opened(github), ["x" * 51], "x")


async def test_a_status_takes_the_place_of_the_one_before(github: StandIn, pulls: GitHubPullRequests) -> None:
    head = github.pull(opened(github)).head
    await pulls.status(head, "sharepack/plan", State.PENDING, "Planning")
    await pulls.status(head, "sharepack/plan", State.FAILURE, "Two\nlines", "https://example.org/run")
    await pulls.status(head, "sharepack/validate", State.SUCCESS, "Fine")
    assert github.statuses(head) == {
        "sharepack/plan": ("failure", "Two lines", "https://example.org/run"),
        "sharepack/validate": ("success", "Fine", None),
    }


@pytest.mark.parametrize(("length", "ending"), [(140, "xx"), (141, "x…"), (5000, "x…")])
async def test_the_words_of_a_status_are_cut(
    github: StandIn, pulls: GitHubPullRequests, length: int, ending: str
) -> None:
    head = github.pull(opened(github)).head
    await pulls.status(head, "sharepack/plan", State.ERROR, "x" * length)
    words = github.statuses(head)["sharepack/plan"][1]
    assert words is not None
    assert len(words) == 140
    assert words.endswith(ending)


async def test_the_status_of_no_commit(pulls: GitHubPullRequests) -> None:
    with pytest.raises(PullRequestsError, match="No commit found for SHA"):
        await pulls.status("f" * 40, "sharepack/plan", State.SUCCESS, "Fine")


async def test_one_issue_is_opened_brought_up_to_date_and_closed(github: StandIn, pulls: GitHubPullRequests) -> None:
    marker = "<!-- sharepack drift -->"
    assert await pulls.issue(marker, "Drift", None) is None
    url = await pulls.issue(marker, "Drift", f"{marker}\none")
    assert url is not None
    assert await pulls.issue(marker, "More drift", f"{marker}\ntwo") == url
    ((number, title, text),) = github.issues()
    assert (title, text) == ("More drift", f"{marker}\ntwo")
    assert github.comments(number) == []
    assert await pulls.issue(marker, "Drift", None) == url
    assert github.issues() == []
    assert len(github.comments(number)) == 1
    assert await pulls.issue(marker, "Drift", None) is None
    assert await pulls.issue(marker, "Drift", f"{marker}\nagain") != url


async def test_only_our_own_issue_is_touched(github: StandIn, pulls: GitHubPullRequests) -> None:
    marker = "<!-- sharepack drift -->"
    github.open_issue("Mine", f"{marker}\nby hand", by="ada", labels=("sharepack",))
    github.open_issue("Another report", "by another workflow", by=WORKFLOWS, labels=("sharepack",))
    number = opened(github)
    await pulls.label(number, ["sharepack"], "sharepack")
    assert await pulls.issue(marker, "Drift", None) is None
    await pulls.issue(marker, "Drift", f"{marker}\none")
    assert [title for _, title, _ in github.issues()] == ["Mine", "Another report", "Drift"]


async def test_an_issue_that_was_opened_unheard_is_not_opened_twice(github: StandIn, pulls: GitHubPullRequests) -> None:
    marker = "<!-- sharepack drift -->"
    github.drop("/issues", method="POST", after=True)
    await pulls.issue(marker, "Drift", f"{marker}\none")
    assert len(github.issues()) == 1
