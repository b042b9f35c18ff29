"""What is read from pull requests: which there are, who approved, who said what."""

from reconciler.adapters.github.pull_requests import GitHubPullRequests
from tests.adapters.github.conftest import opened
from tests.github.stand_in import StandIn


async def test_an_open_pull_request(github: StandIn, pulls: GitHubPullRequests) -> None:
    number = opened(github)
    (found,) = await pulls.open_ones()
    assert found == await pulls.get(number)
    assert (found.number, found.title, found.author) == (number, "Change widen", "ada")
    assert (found.base, found.head) == ("main", github.git.resolve("widen"))
    assert found.url == f"{github.site}/acme/packs/pull/{number}"
    assert not found.is_fork
    assert not found.is_merged
    assert found.merge_commit == ""
    assert found.merged_at is None
