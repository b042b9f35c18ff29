"""What is read from pull requests: which there are, who approved, who said what."""

from datetime import UTC

import pytest

from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.ports.pull_requests import PullRequestsError
from tests.adapters.github.conftest import opened
from tests.github.stand_in import StandIn


async def test_an_open_pull_request(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    (found,) = await pulls.open_ones()
    assert found == await pulls.get(number)
    assert (found.number, found.title, found.author) == (number, "Change widen", "ada")
    assert (found.base, found.head) == ("main", github.git.resolve("widen"))
    assert found.url == f"{github.site}/acme/packs/pull/{number}"
    assert (found.is_fork, found.is_draft, found.is_merged) == (False, False, False)
    # GitHub tells the commit of a trial merge: it is none that merged anything.
    assert github.pull(number).merge_commit is not None
    assert (found.merge_commit, found.merged_by, found.merged_at) == ("", "", None)


async def test_open_ones_come_oldest_first_from_every_page(github: StandIn, pulls: GitHubPullRequests) -> None:
    github.commit("widen", {"a": "a"}, "Change")
    numbers = [github.open_pull("widen", f"Number {each}", by="ada") for each in range(103)]
    github.close_pull(numbers[7])
    assert [each.number for each in await pulls.open_ones()] == [each for each in numbers if each != numbers[7]]


async def test_a_fork_is_told_apart_also_when_it_is_gone(github: StandIn, pulls: GitHubPullRequests) -> None:
    github.fork("eve")
    head = github.commit("widen", {"a": "a"}, "Change", fork="eve")
    number = github.open_pull("widen", "Let me in", by="eve", fork="eve")
    found = await pulls.get(number)
    assert (found.is_fork, found.head, found.author) == (True, head, "eve")
    github.delete_fork("eve")
    assert (await pulls.get(number)).is_fork


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
async def test_the_pull_request_behind_a_commit(github: StandIn, pulls: GitHubPullRequests, how: str) -> None:
    first, second = opened(github, "widen"), opened(github, "narrow")
    assert await pulls.behind(github.pull(first).head) == []
    one = github.merge(first, how, by="rita")
    two = github.merge(second, how, by="max")
    (found,) = await pulls.behind(one)
    assert (found.number, found.is_merged, found.merge_commit, found.merged_by) == (first, True, one, "rita")
    assert found.merged_at is not None
    assert found.merged_at.tzinfo is UTC
    assert [each.number for each in await pulls.behind(two)] == [second]


async def test_nothing_is_behind_a_direct_push(github: StandIn, pulls: GitHubPullRequests) -> None:
    assert await pulls.behind(github.commit("main", {"a": "a"}, "Directly")) == []


async def test_nothing_is_behind_a_commit_that_github_does_not_have(pulls: GitHubPullRequests) -> None:
    assert await pulls.behind("f" * 40) == ()


async def test_no_such_pull_request(pulls: GitHubPullRequests) -> None:
    with pytest.raises(PullRequestsError, match=r"cannot read pull request #77: HTTP 404, Not Found\. ") as caught:
        await pulls.get(77)
    assert not caught.value.is_passing


async def test_the_last_word_of_a_reviewer_counts(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    head = github.pull(number).head
    github.review(number, "max", "APPROVED")
    github.review(number, "rita", "CHANGES_REQUESTED", "No")
    github.review(number, "rita", "APPROVED", "Yes")
    github.review(number, "rita", "COMMENTED", "By the way")
    github.review(number, "rita", "PENDING", "Not yet sent")
    github.review(number, "max", "CHANGES_REQUESTED")
    (approval,) = await pulls.approvals(number)
    assert (approval.by, approval.how, approval.commit) == ("rita", "review", head)
    assert str(approval) == "rita (review)"


async def test_a_dismissed_review_approves_nothing(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.dismiss(number, github.review(number, "rita", "APPROVED"))
    github.review(number, "rita", "COMMENTED", "Well")
    assert await pulls.approvals(number) == []


async def test_an_approval_is_of_the_commit_that_was_reviewed(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    before = github.pull(number).head
    github.review(number, "rita", "APPROVED")
    after = github.commit("widen", {"sharepacks/widen.yaml": "more"}, "More")
    github.review(number, "max", "APPROVED")
    assert [(each.by, each.commit) for each in await pulls.approvals(number)] == [("rita", before), ("max", after)]


async def test_only_people_who_may_write_approve(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    for login in ("eve", "tom", "helper[bot]", "acme"):
        github.review(number, login, "APPROVED")
    github.user("helper[bot]", "write")
    assert [each.by for each in await pulls.approvals(number)] == ["acme"]


async def test_only_people_who_may_write_are_listened_to(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.user("helper[bot]", "admin")
    for login in ("eve", "tom", "helper[bot]"):
        github.say(number, login, "sharepack approve 0123456789abcdef")
    github.say(number, "rita", "first")
    await pulls.get(number)
    github.review(number, "max", "COMMENTED", "second")
    github.review(number, "max", "APPROVED")
    await pulls.get(number)
    github.say(number, "ada", "third")
    said = await pulls.said(number)
    assert [(each.by, each.text) for each in said] == [("rita", "first"), ("max", "second"), ("ada", "third")]
    assert [each.at for each in said] == sorted(each.at for each in said)


async def test_what_somebody_may_do_is_asked_once(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    for each in range(120):
        github.say(number, "rita", f"word {each}")
    assert len(await pulls.said(number)) == len(await pulls.said(number)) == 120
    asked = [each.path for each in github.requests if each.path.endswith("/permission")]
    assert asked == ["/repos/acme/packs/collaborators/rita/permission"]


async def test_an_account_that_is_gone_is_not_listened_to(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    github.say(number, "rita", "hello")
    github.delete_user("rita")
    assert await pulls.said(number) == []


async def test_who_let_a_run_go_ahead(github: StandIn, pulls: GitHubPullRequests) -> None:
    head = github.commit("main", {"a": "a"}, "Change")
    run = github.run(head)
    assert await pulls.environment_approvals(run) == ()
    github.let_go_ahead(run, "max", "staging", "rejected")
    github.let_go_ahead(run, "rita", "production")
    (approval,) = await pulls.environment_approvals(run)
    assert (approval.by, approval.how, approval.commit) == ("rita", "environment production", head)
