"""A daemon that does for pull requests what workflows do elsewhere: it shows plans, does what was approved, holds the
rest, and tells. GitHub is a stand-in over a real bare repository."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from reconciler.adapters.github.credentials import Token
from reconciler.adapters.github.pull_requests import GitHubPullRequests
from reconciler.core.key import share_key
from reconciler.stages.wording import APPLIED_MARKER, APPLY_CHECK, HELD_MARKER, PLAN_CHECK, PLAN_MARKER
from tests.github.stand_in import StandIn, standing_in
from tests.journeys.daemons import Running, cloned, daemon, until
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES
from tests.journeys.test_daemon import readers, shared

PATH = "sharepacks/sales.yaml"
REFUNDS = SALES.replace(
    "      - prod_catalog.sales.customers\n",
    "      - prod_catalog.sales.customers\n      - prod_catalog.sales.refunds\n",
)
PARTNER = SALES.replace("share:\n", "  - name: partner-x\n    type: D2O\n    email: x@partner.com\n\nshare:\n").replace(
    "      - sales-analyst\n", "      - sales-analyst\n      - partner-x\n"
)
RIGHTS = {"pull-requests": "write", "statuses": "write", "issues": "write", "contents": "read"}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path / "github") as made:
        made.commit("main", {"sharepacks/README.md": "Packs.\n"}, "Begin the folder")
        for login in ("ada", "rita"):
            made.user(login, role="write")
        made.user("eve", role="read")
        yield made


@pytest_asyncio.fixture
async def pulls(github: StandIn) -> AsyncIterator[GitHubPullRequests]:
    made = GitHubPullRequests.open(github.repository, Token(github.workflow_token(RIGHTS)), github.api_url)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def running(
    journey: Journey, github: StandIn, pulls: GitHubPullRequests, tmp_path: Path
) -> AsyncIterator[Running]:
    clone = cloned(github.git.root, tmp_path / "daemon's clone")
    async with daemon(journey, clone, pulls=pulls) as made:
        yield made


def proposed(github: StandIn, branch: str, content: str, title: str = "Change packs") -> int:
    github.commit(branch, {PATH: content}, title)
    return github.open_pull(branch, title, by="ada")


def told(github: StandIn, number: int, marker: str) -> str:
    """Our comment with that marker; there is at most one."""
    ours = [text for by, text in github.comments(number) if by.endswith("[bot]") and text.startswith(marker)]
    assert len(ours) <= 1
    return ours[0] if ours else ""


async def shown(github: StandIn, number: int) -> str:
    head = github.pull(number).head

    def is_shown() -> bool:
        return PLAN_CHECK in github.statuses(head)

    await until(is_shown, f"the plan of #{number} to be shown")
    return told(github, number, PLAN_MARKER)


async def merged(github: StandIn, number: int, how: str = "squash") -> str:
    """After it was shown and reviewed."""
    await shown(github, number)
    github.review(number, "rita", "APPROVED")
    return github.merge(number, how, by="ada")


async def begun(journey: Journey, github: StandIn, sdk: Any) -> None:
    await merged(github, proposed(github, "begin", SALES))
    await completed(journey, sdk, {"transactions", "customers"})


async def completed(journey: Journey, sdk: Any, tables: set[str]) -> None:
    async def is_so() -> bool:
        states = await journey.ledger.pack_states()
        return shared(sdk) == tables and [str(state.status) for state in states] == ["COMPLETED"]

    await until(is_so, f"{tables} to be shared")


async def test_a_pull_request_is_shown_its_plan_and_what_was_approved_is_applied(
    journey: Journey, github: StandIn, running: Running, sdk: Any
) -> None:
    number = proposed(github, "begin", SALES)
    comment = await shown(github, number)
    assert "sales-analyst" in comment
    assert "transactions" in comment
    assert github.statuses(github.pull(number).head)[PLAN_CHECK][0] == "success"
    assert "sharepack: widens access" in github.labels(number)
    assert journey.writes() == []
    commit = await merged(github, number)
    await completed(journey, sdk, {"transactions", "customers"})
    *_, version = await journey.ledger.history(share_key("sales_q1_share", journey.url))
    assert (version.commit, version.pull_requests) == (commit, f"{github.repository}#{number}")
    assert version.approved_by == "rita (review)"
    await until(lambda: APPLY_CHECK in github.statuses(commit), "the merge commit to be told")
    assert github.statuses(commit)[APPLY_CHECK][0] == "success"
    assert told(github, number, HELD_MARKER) == told(github, number, APPLIED_MARKER) == ""


async def test_a_second_push_brings_the_one_comment_up_to_date(
    journey: Journey, github: StandIn, running: Running, sdk: Any
) -> None:
    number = proposed(github, "begin", SALES)
    first = await shown(github, number)
    github.commit("begin", {PATH: REFUNDS}, "More")
    second = await shown(github, number)
    assert "refunds" in second
    fingerprint = re.search(r"Fingerprint `([0-9a-f]{64})`", first)
    assert fingerprint is not None
    assert f"~~plan `{fingerprint[1][:12]}" in second


async def test_a_pull_request_without_packs_is_left_alone(github: StandIn, running: Running) -> None:
    github.commit("words", {"README.md": "Packs, and how we review them.\n"}, "Words")
    number = github.open_pull("words", "Words", by="ada")
    assert await shown(github, number) == ""
    assert github.statuses(github.pull(number).head)[PLAN_CHECK][:2] == ("success", "changes no share packs")
    assert github.comments(number) == []
    assert github.labels(number) == set()


async def test_what_nobody_was_shown_is_held(journey: Journey, github: StandIn, running: Running, sdk: Any) -> None:
    """A push without a pull request."""
    await begun(journey, github, sdk)
    github.commit("main", {PATH: REFUNDS}, "Behind everybody's back")
    await until(lambda: running.leading is not None and running.leading.waiting, "the pack to wait")
    await running.looks_again()
    assert shared(sdk) == {"transactions", "customers"}
    (state,) = await journey.ledger.pack_states()
    assert "no pull request" in state.error_message


async def test_two_changes_that_let_somebody_in_only_together_are_held_until_that_is_approved(
    journey: Journey, github: StandIn, running: Running, sdk: Any
) -> None:
    await begun(journey, github, sdk)
    table, partner = proposed(github, "table", REFUNDS), proposed(github, "partner", PARTNER)
    assert "partner-x" not in await shown(github, table)
    assert "refunds" not in await shown(github, partner)
    for number in (table, partner):
        github.review(number, "rita", "APPROVED")
    # In quick succession: neither is planned on top of the other.
    github.merge(table, "merge", by="ada")
    github.merge(partner, "merge", by="ada")
    await until(lambda: told(github, partner, HELD_MARKER), "the pull request to be told what is held")
    assert readers(sdk) == {"sales-analyst"}
    held = told(github, partner, HELD_MARKER)
    assert "refunds" in held
    assert told(github, table, HELD_MARKER) != ""
    (words,) = set(re.findall(r"sharepack approve [0-9a-f]{16}", held))
    # Neither who may not write nor whose change it is can let it go on.
    github.say(partner, "eve", words)
    github.say(partner, "ada", words)
    await running.looks_again()
    await running.looks_again()
    assert readers(sdk) == {"sales-analyst"}
    github.say(partner, "rita", f"They may.\n{words}")
    await until(lambda: readers(sdk) == {"sales-analyst", "partner-x"}, "partner-x to be let in")
    await completed(journey, sdk, {"transactions", "customers", "refunds"})
    *_, version = await journey.ledger.history(share_key("sales_q1_share", journey.url))
    assert "rita (words)" in version.approved_by
    assert version.pull_requests == f"{github.repository}#{table}, {github.repository}#{partner}"
    await until(lambda: words not in told(github, partner, HELD_MARKER), "the pull request to be told that it went on")


async def test_a_failed_apply_is_told_on_the_merged_pull_request_and_so_is_its_end(
    journey: Journey, github: StandIn, running: Running, sdk: Any
) -> None:
    await begun(journey, github, sdk)
    refusal = {"error_code": "PERMISSION_DENIED", "message": "not you"}
    journey.control.fault("PATCH /api/2.1/unity-catalog/shares/sales_q1_share", status=403, body=refusal)
    number = proposed(github, "more", REFUNDS)
    commit = await merged(github, number)
    await until(lambda: told(github, number, APPLIED_MARKER), "the failure to be told")
    assert "sales_q1_share" in told(github, number, APPLIED_MARKER)
    await until(lambda: github.statuses(commit).get(APPLY_CHECK, ("",))[0] == "failure", "the commit to be told")


async def test_a_pull_request_from_elsewhere_is_checked_and_not_told_what_there_is(
    journey: Journey, github: StandIn, running: Running, sdk: Any
) -> None:
    await begun(journey, github, sdk)
    github.fork("eve")
    github.commit("theirs", {PATH: PARTNER}, "Let me in", fork="eve")
    number = github.open_pull("theirs", "Let me in", by="eve", fork="eve")
    comment = await shown(github, number)
    assert "partner-x" not in comment
    assert "analyst" not in comment
    github.commit("theirs", {PATH: PARTNER.replace("type: D2O", "type: D2X")}, "Break it", fork="eve")
    await until(
        lambda: github.statuses(github.pull(number).head).get(PLAN_CHECK, ("",))[0] == "failure",
        "the check to fail",
    )
