"""Workers that nobody watches: failures of every class, a database that goes away, reads that come late, being told to
stop, and many packs of one business line."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.retry import MOST_UNEXPLAINED
from reconciler.ports.ledger import LedgerError, WorkStatus
from reconciler.render.lines import PLAIN, render
from reconciler.render.plan_json import plan_document
from reconciler.render.result_text import result_lines
from reconciler.stages.events import Event, Started, Troubled, Waiting
from reconciler.stages.submit import Submission, submit
from reconciler.stages.work import Ended
from reconciler.stages.workers import Workforce
from tests.journeys.journey import Journey
from tests.journeys.packs import FINANCE, SALES

API = "/api/2.1/unity-catalog"
SALES_PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")


def pack(line: str, number: int) -> str:
    name = f"{line.lower()}-{number}"
    return f"""
metadata: {{requestor: x@example.com, project_name: P{number}, business_line: {line}}}
recipient: [{{name: {name}, type: D2O, email: p@partner.com}}]
share: [{{name: {name.replace("-", "_")}, recipients: [{name}], data_objects: [prod_catalog.sales.refunds]}}]
"""


@pytest.fixture(autouse=True)
def _quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long to wait before the next try is decided elsewhere (`tests/core/test_retry.py`)."""
    monkeypatch.setattr("reconciler.core.retry.DELAYS", (0.05, 0.1, 0.2, 0.5, 1.0))


async def submitted(journey: Journey, *paths: str) -> Submission:
    plan = await journey.plan(paths)
    return await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")


async def statuses(journey: Journey, work_ids: Iterable[UUID]) -> list[WorkStatus]:
    return [item.status for item in await journey.ledger.work(list(work_ids))]


async def until_ended(journey: Journey, force: Workforce, work_ids: Iterable[UUID], patience: float = 60.0) -> None:
    async with asyncio.timeout(patience):
        await force.work_until_done(list(work_ids))


async def test_one_pack_fails_and_the_others_go_on_and_all_is_told(journey: Journey) -> None:
    journey.write("sales.yaml", SALES)
    journey.save("finance.yaml", FINANCE)
    journey.control.fault(
        f"PATCH {API}/shares/sales_q1_share", times=0, status=400, error_code="INVALID_PARAMETER_VALUE"
    )
    plan = await journey.plan()
    applied = await journey.apply(plan)
    by_pack = {str(item.pack): item.status for item in applied.work}
    assert by_pack == {
        str(SALES_PACK): WorkStatus.FAILED,
        "Corporate Finance / Corporate Finance Q1 Data Share": "done",
    }
    said = render(result_lines(plan, applied.work, applied.operations), PLAIN)
    told = [" ".join(each.split()) for each in said.splitlines()]
    assert any(each.startswith("applied recipient/sales-analyst create it request ") for each in told)
    assert any(each.startswith("applied share/sales_q1_share create it request ") for each in told)
    assert any(each.startswith("failed share/sales_q1_share update it: A fault was injected") for each in told)
    assert "not tried share/sales_q1_share change who may read it" in told
    (refused,) = [each for each in applied.operations if each.outcome == "refused"]
    assert (refused.code, bool(refused.request_id)) == ("INVALID_PARAMETER_VALUE", True)


async def test_what_nobody_understands_is_tried_five_times_and_then_needs_a_person(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    journey.control.fault(f"POST {API}/shares", times=0, status=500, error_code="SOMETHING_NEW")
    submission = await submitted(journey)
    await until_ended(journey, journey.workforce(), submission.work_ids)
    assert await statuses(journey, submission.work_ids) == [WorkStatus.NEEDS_ATTENTION]
    tries = [each for each in journey.control.log(writes_only=True) if each["path"] == f"{API}/shares"]
    assert len(tries) == MOST_UNEXPLAINED
    (state,) = await journey.ledger.pack_states()
    assert state.status == "FAILED"
    assert "needs attention" in state.error_message
    # A person mended it, and asked again: what was begun is found by reading.
    journey.control.clear_faults()
    await journey.converge()


async def test_a_fault_of_this_program_in_one_pack_stops_no_other(journey: Journey) -> None:
    journey.write("sales.yaml", SALES)
    journey.save("finance.yaml", FINANCE)

    class Broken:
        def __init__(self, platform: Any) -> None:
            self._platform = platform

        def __getattr__(self, name: str) -> Any:
            return getattr(self._platform, name)

        async def perform(self, call: Any) -> Any:
            if "sales" in call.key.name:
                raise KeyError("https://x/delta_sharing/retrieve_config.html?secret")
            return await self._platform.perform(call)

    submission = await submitted(journey)
    force = journey.workforce()
    force.platform = Broken(journey.platform)
    await until_ended(journey, force, submission.work_ids)
    ended = {str(item.pack.business_line): item for item in await journey.ledger.work(submission.work_ids)}
    assert ended["Corporate Finance"].status is WorkStatus.DONE
    sales = ended["Sales Operations"]
    assert sales.status is WorkStatus.NEEDS_ATTENTION
    assert "KeyError at test_unattended.py" in sales.reason
    assert "secret" not in sales.reason


async def test_too_many_requests_make_all_workers_of_the_workspace_wait(journey: Journey) -> None:
    for number in range(3):
        journey.write(f"{number}.yaml", pack("Sales", number))
    journey.commit()
    journey.control.fault(
        f"POST {API}/recipients", times=1, status=429, error_code="REQUEST_LIMIT_EXCEEDED", retry_after=3
    )
    submission = await submitted(journey)
    first = journey.workforce(hands=1)
    events: list[Event] = []
    first.on_event = events.append
    running = asyncio.create_task(first.work_until_done(submission.work_ids))
    while not any(isinstance(event, Ended) for event in events):
        await asyncio.sleep(0.02)
    paused = await journey.ledger.pauses()
    assert 0 < paused[journey.url] <= 3 * 1.2
    # A worker of another process: it has not heard the answer, and is kept from asking all the same.
    (ended, *_) = [event for event in events if isinstance(event, Ended)]
    assert ended.status is WorkStatus.WAITING
    assert await journey.ledger.due(10) == []
    since = len(journey.writes())
    await asyncio.sleep(1.0)
    assert len(journey.writes()) == since, "somebody called although the workspace had asked to wait"
    await running
    assert set(await statuses(journey, submission.work_ids)) == {WorkStatus.DONE}


async def test_what_was_just_made_may_be_hidden_and_is_not_made_twice(journey: Journey) -> None:
    journey.control.knobs(hidden_reads=3, hidden_writes=3)
    journey.save("sales.yaml", SALES)
    journey.wishes = replace(journey.wishes, grace=30.0)
    submission = await submitted(journey)
    await until_ended(journey, journey.workforce(grace=30.0), submission.work_ids)
    assert await statuses(journey, submission.work_ids) == [WorkStatus.DONE]
    # Planning right away, while the reads still hide it, makes nothing again.
    plan = await journey.plan()
    assert not plan.has_changes
    made = [path for method, path, _ in journey.writes() if method == "POST"]
    assert Counter(made) == Counter({"/shares": 1, "/recipients": 1})


async def test_a_create_that_was_never_answered_and_is_hidden_is_found_in_the_end(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    journey.control.knobs(hidden_reads=2)
    journey.control.fault(f"POST {API}/shares", times=1, drop_connection=True, after_handler=True)
    submission = await submitted(journey)
    await until_ended(journey, journey.workforce(grace=30.0), submission.work_ids)
    assert await statuses(journey, submission.work_ids) == [WorkStatus.DONE]
    assert not (await journey.plan()).has_changes
    assert [share["name"] for share in journey.control.state()["shares"]] == ["sales_q1_share"]


class _Away:
    """The ledger, whose database is away for a while: from a method's n-th call on."""

    def __init__(self, ledger: Any, method: str, seconds: float) -> None:
        self._ledger, self._method, self._seconds = ledger, method.removesuffix(" again"), seconds
        self._calls_before = int(method.endswith(" again"))
        self._until: float | None = None
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._until is None:
            if self._calls_before == 0:
                self._until = time.monotonic() + self._seconds
            self._calls_before -= 1
        if self._until is None or time.monotonic() >= self._until or name in {"close", "work"}:
            return getattr(self._ledger, name)

        async def away(*_: Any, **__: Any) -> Any:
            self.refused += 1
            raise LedgerError("database away: no connection")

        return away


@pytest.mark.parametrize("method", ["claim", "advance", "advance again", "settle", "finish", "due"])
async def test_a_database_that_goes_away_for_a_moment_costs_only_time(journey: Journey, method: str) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    force = journey.workforce(lease=2.0, sweep_every=0.5)
    force.ledger = away = _Away(journey.ledger, method, 1.0)
    events: list[Event] = []
    force.on_event = events.append
    await until_ended(journey, force, submission.work_ids)
    assert await statuses(journey, submission.work_ids) == [WorkStatus.DONE]
    assert len(journey.writes()) == 4, "something was called twice, or without an intent on record"
    assert not (await journey.plan()).has_changes
    assert away.refused or method == "settle"
    # What has come to an end is kept ready to be written for a while; nothing is begun while the record is away.
    if method in {"claim", "advance", "due"}:
        assert any(isinstance(event, Troubled) for event in events)


async def test_a_database_that_stays_away_ends_a_command_with_its_words(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.stages.workers.PATIENCE", 0.5)
    monkeypatch.setattr("reconciler.stages.workers._TRY_AGAIN", 0.1)
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    force = journey.workforce()
    force.ledger = _Away(journey.ledger, "due", 3600.0)
    with pytest.raises(LedgerError, match="database away"):
        await until_ended(journey, force, submission.work_ids)
    assert journey.writes() == []


async def test_told_to_stop_the_call_under_way_ends_and_the_pack_is_given_back(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    journey.control.fault(f"POST {API}/shares", times=1, delay_ms=1500, status=200)
    stop = asyncio.Event()
    force = journey.workforce()
    running = asyncio.create_task(force.work_until(stop))
    await _until_begun(journey, "CreateShare")
    started = time.monotonic()
    stop.set()
    await running
    assert time.monotonic() - started < 10
    assert await statuses(journey, submission.work_ids) == [WorkStatus.WAITING]
    outcomes = {
        row["call"]: row["outcome"]
        for row in await journey.rows("SELECT call ->> 'call' AS call, outcome FROM reconciler.operations")
    }
    assert set(outcomes) == {"CreateRecipient", "CreateShare"}
    assert not set(outcomes.values()) & {"begun"}
    (lease,) = await journey.rows("SELECT expires_at < clock_timestamp() AS is_free FROM reconciler.leases")
    assert lease["is_free"]
    await until_ended(journey, journey.workforce(), submission.work_ids)
    assert not (await journey.plan()).has_changes


async def test_a_call_that_does_not_end_is_left_in_doubt_and_found_by_reading(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await submitted(journey)
    journey.control.fault(f"POST {API}/shares", times=1, delay_ms=6000, drop_connection=True, after_handler=True)
    stop = asyncio.Event()
    running = asyncio.create_task(journey.workforce(stop_within=0.5).work_until(stop))
    await _until_begun(journey, "CreateShare")
    stop.set()
    await running
    (row,) = await journey.rows("SELECT outcome FROM reconciler.operations WHERE call ->> 'call' = 'CreateShare'")
    assert row["outcome"] == "unknown"
    (lease,) = await journey.rows("SELECT expires_at < clock_timestamp() AS is_free FROM reconciler.leases")
    assert lease["is_free"]
    # Nobody reads before the call must have ended, one way or the other.
    assert await journey.ledger.due(1) == []
    assert (await journey.ledger.next_due() or 0) > 30


async def _until_begun(journey: Journey, call: str) -> None:
    async with asyncio.timeout(30):
        while not await journey.rows("SELECT FROM reconciler.operations WHERE call ->> 'call' = $1", call):
            await asyncio.sleep(0.02)


async def test_a_second_applier_is_told_who_holds_the_pack(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    journey.control.fault(
        f"POST {API}/shares", times=1, delay_ms=2000, status=503, error_code="TEMPORARILY_UNAVAILABLE"
    )
    first, second = journey.workforce(), journey.workforce()
    first.name, second.name = "ci", "laptop"
    events: list[Event] = []
    second.on_event = events.append
    working = asyncio.create_task(first.work_until_done(submission.work_ids))
    await _until_begun(journey, "CreateShare")
    await until_ended(journey, second, submission.work_ids)
    await working
    waits = [event for event in events if isinstance(event, Waiting)]
    assert waits[0].held_by.worker == "ci"
    assert waits[0].held_by.since < waits[0].held_by.until
    assert await statuses(journey, submission.work_ids) == [WorkStatus.DONE]


async def test_one_business_line_with_many_packs_does_not_starve_another(journey: Journey) -> None:
    for number in range(20):
        journey.write(f"many-{number}.yaml", pack("Many", number))
    journey.commit()
    many = await submitted(journey)
    journey.save("few.yaml", pack("Few", 1))
    few = await submitted(journey, "sharepacks/few.yaml")
    (late,) = few.work_ids
    order: list[UUID] = []

    def note(event: Event) -> None:
        if isinstance(event, Started):
            order.append(event.claim.work_id)

    force = journey.workforce(hands=1, on_event=note)
    await until_ended(journey, force, many.work_ids | few.work_ids)
    assert order.index(late) <= 2, "the other business line had to wait for all of the first one's packs"


async def test_what_takes_access_away_goes_before_everything_that_waits(journey: Journey) -> None:
    journey.write("a.yaml", pack("Sales", 0))
    journey.commit()
    await journey.converge()
    for number in range(1, 6):
        journey.write(f"{number}.yaml", pack("Sales", number))
    journey.commit()
    widening = await submitted(journey)
    journey.save("a.yaml", pack("Sales", 0).replace("recipients: [sales-0]", "recipients: []"))
    narrowing = await submitted(journey, "sharepacks/a.yaml")
    order: list[UUID] = []

    def note(event: Event) -> None:
        if isinstance(event, Started):
            order.append(event.claim.work_id)

    await until_ended(journey, journey.workforce(hands=1, on_event=note), widening.work_ids | narrowing.work_ids)
    assert order[0] in narrowing.work_ids


async def test_newer_work_takes_the_place_of_older_also_in_the_middle_of_it(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    old = await submitted(journey)
    journey.control.fault(
        f"POST {API}/shares", times=1, delay_ms=1500, status=503, error_code="TEMPORARILY_UNAVAILABLE"
    )
    force = journey.workforce()
    working = asyncio.create_task(force.work_until_done(old.work_ids))
    await _until_begun(journey, "CreateShare")
    journey.save("sales.yaml", SALES.replace("      - prod_catalog.sales.customers\n", ""))
    new = await submitted(journey)
    await working
    await until_ended(journey, force, new.work_ids)
    assert await statuses(journey, old.work_ids) == [WorkStatus.SKIPPED]
    assert await statuses(journey, new.work_ids) == [WorkStatus.DONE]
    assert not (await journey.plan()).has_changes
    found = await journey.platform.observe([share_key("sales_q1_share", journey.url)])
    assert "customers" not in str(found), "what the older commit wanted was done after the newer one"
    assert recipient_key("sales-analyst", journey.url) in (await journey.ledger.recorded([], [SALES_PACK])).resources
