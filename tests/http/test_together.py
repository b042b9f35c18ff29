"""Many at once over HTTP: nothing is lost, nothing is done twice, and the history of the repository stays a line."""

import asyncio

from tests.drawing import examples
from tests.http.api import served
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES

#: As many as a hundred with EXAMPLES=more.
DIFFERENT = min(examples(30, 100), 100)
SAME = 20


def small(number: int) -> str:
    return (
        f"metadata: {{requestor: ann@example.com, project_name: P{number}, business_line: Sales}}\n"
        f"share:\n  - {{name: s{number}, data_objects: [prod_catalog.sales.customers]}}\n"
    )


async def test_many_packs_and_one_more_twenty_times(journey: Journey) -> None:
    journey.commit("An empty folder of packs")
    contents = [small(number) for number in range(DIFFERENT)] + [SALES] * SAME
    async with served(journey, works=True, api_rate_per_minute=10_000) as api:
        await api.let_in()
        answers = await asyncio.gather(*(api.upload(content) for content in contents))
        assert {answer.status for answer in answers} == {202}, {
            answer.text for answer in answers if answer.status != 202
        }
        ids = [answer.json["SharePackId"] for answer in answers]
        assert len(set(ids)) == DIFFERENT + 1
        assert len(set(ids[DIFFERENT:])) == 1
        # The first one is the commit of the empty folder.
        assert int(git(journey.repository, "rev-list", "--count", "HEAD")) == 1 + DIFFERENT + 1
        assert git(journey.repository, "rev-list", "--merges", "HEAD") == ""
        assert git(journey.repository, "status", "--porcelain") == ""
        async with asyncio.timeout(240):
            while {str(state.status) for state in await journey.ledger.pack_states()} != {"COMPLETED"}:
                await asyncio.sleep(0.5)
    rows = await journey.rows("SELECT share_name FROM deltashare.shares WHERE is_current AND NOT is_deleted")
    assert len(rows) == DIFFERENT + 1
    created = [each for each in journey.writes() if each[0] == "POST" and each[1].endswith("/shares")]
    assert len(created) == DIFFERENT + 1
