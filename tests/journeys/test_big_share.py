"""1,050 objects in one share: eleven requests of at most a hundred, removals first, each on record before the next.
What fails in the middle is told, and the rest is done later without doing anything twice."""

import asyncio
from collections import Counter
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

import pytest

from reconciler.core.key import share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import Share
from reconciler.ports.ledger import WorkStatus
from reconciler.render.plan_json import plan_document
from reconciler.stages.events import Event
from reconciler.stages.submit import submit
from reconciler.stages.work import Ended
from tests.journeys.fields import assert_nothing_to_do, pack
from tests.journeys.journey import Journey

#: A share takes a thousand tables, and as many volumes beside them.
TABLES, VOLUMES = 950, 100
SEED: Final = f"""\
principals:
  sharepack@sandbox.example: {{token: dapi-sandbox-admin, admin: true}}
catalogs:
  main:
    sales:
      .numbered: {{t: {TABLES + 150}}}
      .volumes: [{", ".join(f"v{number}" for number in range(VOLUMES))}]
"""
VOLUME_ENTRIES: Final = [{"name": f"main.sales.v{number}", "type": "VOLUME"} for number in range(VOLUMES)]
PATCH: Final = "PATCH /api/2.1/unity-catalog/shares/big"
#: Of 1,050 additions.
CHUNKS: Final = [100] * 10 + [50]
#: Of 350, for failures that differ only in what is known afterwards.
FOUR: Final = [100, 100, 100, 50]


@pytest.fixture(autouse=True)
def _quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long to wait before the next try is decided elsewhere (`tests/core/test_retry.py`)."""
    monkeypatch.setattr("reconciler.core.retry.DELAYS", (0.05, 0.1, 0.2, 0.5, 1.0))


def save(journey: Journey, tables: range) -> None:
    objects = [f"main.sales.t{number}" for number in tables] + VOLUME_ENTRIES
    journey.save("big.yaml", pack("Big", share=[{"name": "big", "data_objects": objects}]))


def chunks(journey: Journey, *, done: bool = True) -> list[Counter[str]]:
    """The changes of each request that was carried out, or that was not, in the order of the requests."""
    entries = [entry for entry in journey.control.log(writes_only=True) if entry["method"] == "PATCH"]
    chosen = [entry for entry in entries if (entry["status"] == 200 or entry["fault"] == "after") is done]
    return [Counter(update["action"] for update in entry["body"]["updates"]) for entry in chosen]


def names_sent(journey: Journey, action: str) -> Counter[str]:
    return Counter(
        update["data_object"]["name"]
        for entry in journey.control.log(writes_only=True)
        if entry["method"] == "PATCH" and (entry["status"] == 200 or entry["fault"] == "after")
        for update in entry["body"]["updates"]
        if update["action"] == action
    )


async def sizes_on_record(journey: Journey) -> list[int]:
    """How many objects each version of the share holds, oldest first."""
    sizes = []
    for version in await journey.ledger.history(share_key("big", journey.url)):
        assert isinstance(version.resource, Share)
        assert version.resource.objects is not UNMANAGED
        sizes.append(len(version.resource.objects))
    return sizes


def held(sdk: Any) -> set[str]:
    return {item.name for item in sdk.shares.get("big", include_shared_data=True).objects or ()}


async def worked_until_it_fails(journey: Journey) -> tuple[UUID, Ended]:
    """The work that was submitted, and how its first try ended; nobody tries again yet."""
    stop, endings = asyncio.Event(), []

    def notice(event: Event) -> None:
        if isinstance(event, Ended):
            endings.append(event)
            stop.set()

    plan = await journey.plan()
    submission = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")
    (work_id,) = submission.work_ids
    await journey.workforce(on_event=notice).work_until(stop)
    (ended,) = endings
    return work_id, ended


@pytest.mark.parametrize(
    ("fault", "words", "done"),
    [
        ({"status": 500, "error_code": "INTERNAL_ERROR"}, "INTERNAL_ERROR", 2),
        ({"drop_connection": True}, "gave no answer", 2),
        ({"drop_connection": True, "after_handler": True}, "gave no answer", 3),
    ],
    ids=["500", "dropped", "dropped-but-done"],
)
async def test_a_failure_in_the_third_of_four_requests_is_told_and_the_rest_is_done_later(
    journey: Journey, sdk: Any, fault: dict[str, Any], words: str, done: int
) -> None:
    journey.control.seed(SEED)
    save(journey, range(1, 251))
    journey.control.fault(PATCH, offset=2, times=1, **fault)
    work_id, ended = await worked_until_it_fails(journey)
    assert ended.status is WorkStatus.WAITING
    assert words in ended.reason
    assert await sizes_on_record(journey) == [0, 100, 200]
    assert len(held(sdk)) == done * 100
    assert chunks(journey) == [Counter(ADD=size) for size in FOUR[:done]]

    journey.control.clear_log()
    await journey.workforce(sweep_every=0.2).work_until_done([work_id])
    assert chunks(journey) == [Counter(ADD=size) for size in FOUR[done:]]
    assert set(names_sent(journey, "ADD").values()) == {1}
    assert await sizes_on_record(journey) == list(accumulate([0, *FOUR]))
    assert len(held(sdk)) == 350
    assert_nothing_to_do(await journey.plan())


async def test_a_refusal_in_the_eighth_of_eleven_requests_is_told_and_the_next_apply_does_the_rest(
    journey: Journey, sdk: Any
) -> None:
    journey.control.seed(SEED)
    save(journey, range(1, TABLES + 1))
    rule = {"status": 403, "error_code": "PERMISSION_DENIED", "message": "User does not have SELECT on Table 'x'"}
    journey.control.fault(PATCH, offset=7, times=1, **rule)
    applied = await journey.apply()
    (failed,) = applied.failed
    assert failed.status is WorkStatus.FAILED
    assert "User does not have SELECT on Table 'x'" in failed.reason
    assert await sizes_on_record(journey) == [0, 100, 200, 300, 400, 500, 600, 700]
    assert len(held(sdk)) == 700

    journey.control.clear_log()
    await journey.converge()
    assert chunks(journey) == [Counter(ADD=size) for size in CHUNKS[7:]]
    assert (await sizes_on_record(journey))[7:] == [700, 800, 900, 1000, 1050]
    assert len(held(sdk)) == 1050

    await exchange(journey, sdk)


async def exchange(journey: Journey, sdk: Any) -> None:
    """150 go and 150 come: removals first, three requests."""
    journey.control.clear_log()
    save(journey, range(151, TABLES + 151))
    await journey.converge()
    assert chunks(journey) == [Counter(REMOVE=100), Counter(REMOVE=50, ADD=50), Counter(ADD=100)]
    assert names_sent(journey, "REMOVE") == Counter(f"main.sales.t{number}" for number in range(1, 151))
    assert names_sent(journey, "ADD") == Counter(f"main.sales.t{number}" for number in range(951, 1101))
    assert (await sizes_on_record(journey))[-4:] == [1050, 950, 950, 1050]
    assert len(held(sdk)) == 1050
    assert_nothing_to_do(await journey.plan())
