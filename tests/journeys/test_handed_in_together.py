"""Many who hand in packs at the same time, to two processes with clones of their own: nothing is lost, nothing is done
twice, and the history stays a line."""

import asyncio
from pathlib import Path

import pytest

from reconciler.stages.receive import Accepted, Answer, Rejected
from tests.drawing import examples
from tests.journeys.daemons import cloned, share_origin
from tests.journeys.hands import Hands, hands
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES
from tests.journeys.test_handed_in import CLASH, PATH

#: As many as a hundred with EXAMPLES=more.
DIFFERENT = min(examples(25, 100), 100)
SAME = 20


@pytest.fixture
def both(journey: Journey, tmp_path: Path) -> list[Hands]:
    journey.commit("An empty folder of packs")
    origin = share_origin(journey, tmp_path)
    return [hands(journey, cloned(origin, tmp_path / name), origin) for name in ("one", "two")]


def small(number: int) -> str:
    return (
        f"metadata: {{requestor: ann@example.com, project_name: P{number}, business_line: Sales}}\n"
        f"share:\n  - {{name: s{number}, data_objects: [main.a.t]}}\n"
    )


def accepted(answers: list[Answer]) -> list[Accepted]:
    return [answer for answer in answers if isinstance(answer, Accepted)]


async def test_different_and_same_packs_at_once_are_each_committed_once(both: list[Hands]) -> None:
    contents = [small(number) for number in range(DIFFERENT)] + [SALES] * SAME
    given = accepted(list(await asyncio.gather(*(both[n % 2].hand_in(content) for n, content in enumerate(contents)))))
    assert len(given) == len(contents)
    one = both[0]
    assert len(one.log()) == DIFFERENT + 1
    assert git(one.origin, "rev-list", "--merges", "main") == ""
    assert len(one.files()) == 1 + DIFFERENT + 1
    assert len({each.upload.id for each in given}) == DIFFERENT + 1
    assert sum(each.is_new for each in given) == DIFFERENT + 1
    assert len({each.entered.share_pack_id for each in given if each.entered}) == DIFFERENT + 1
    assert [status for _, status in await one.states()] == ["IN_PROGRESS"] * (DIFFERENT + 1)
    commits = set(git(one.origin, "rev-list", "main").splitlines())
    kept = await one.portal.inbox.unfinished(0)
    assert len(kept) == DIFFERENT + 1
    assert {each.commit for each in kept} <= commits
    assert len({each.commit for each in kept}) == DIFFERENT + 1
    assert git(one.origin, "show", f"main:{PATH}") == SALES.strip()


async def test_of_two_that_do_not_go_together_one_is_told(both: list[Hands]) -> None:
    """At once, to the same process: neither knows of the other when it is looked at first."""
    one = both[0]
    answers = await asyncio.gather(*(one.hand_in(content) for content in (SALES, CLASH)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Accepted", "Rejected"]
    assert len(one.log()) == 1
    (rejected,) = [answer for answer in answers if isinstance(answer, Rejected)]
    assert [each.rule for each in rejected.problems if each.is_error] == ["resource-duplicate"]
