"""The workers of a process: poisoned messages, retries, many hands, several work forces at once."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from reconciler.ports.doorbell import DoorbellUnavailableError, Ring
from reconciler.ports.ledger import WorkStatus
from reconciler.render.plan_json import plan_document
from reconciler.stages.events import Event, Started
from reconciler.stages.submit import Submission, submit
from reconciler.stages.work import Ended
from reconciler.stages.workers import Workforce
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES


def pack(number: int) -> str:
    return f"""
metadata: {{requestor: x@example.com, project_name: P{number}, business_line: Sales Operations}}
recipient: [{{name: partner-{number}, type: D2O, email: p{number}@partner.com}}]
share: [{{name: share_{number}, recipients: [partner-{number}], data_objects: [prod_catalog.sales.refunds]}}]
"""


async def submitted(journey: Journey) -> Submission:
    plan = await journey.plan()
    return await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "pat")


class ScriptedDoorbell:
    """Hands out the given deliveries once, and remembers what was settled and parked."""

    def __init__(self, rings: Sequence[Ring]) -> None:
        self._rings = list(rings)
        self.settled: list[Ring] = []
        self.parked: list[tuple[Ring, str]] = []

    async def ring(self, work_ids: Sequence[UUID]) -> None:
        pass

    async def answer(self, wait: float, most: int = 10) -> Sequence[Ring]:
        if not self._rings:
            await asyncio.sleep(wait)
        rings, self._rings = self._rings, []
        return rings

    async def keep(self, ring: Ring) -> Ring:
        return ring

    async def settle(self, ring: Ring) -> None:
        self.settled.append(ring)

    async def park(self, ring: Ring, reason: str) -> None:
        self.parked.append((ring, reason))

    async def check(self) -> None:
        pass

    async def close(self) -> None:
        pass


async def test_twenty_packs_by_three_work_forces_are_each_done_once(journey: Journey) -> None:
    for number in range(20):
        journey.write(f"{number}.yaml", pack(number))
    journey.commit()
    submission = await submitted(journey)
    events: list[Event] = []
    forces = [journey.workforce(hands=3, on_event=events.append) for _ in range(3)]
    for number, force in enumerate(forces):
        force.name = f"force-{number}"
    await asyncio.gather(*(force.work_until_done(submission.work_ids) for force in forces))
    ended = [event.claim.work_id for event in events if isinstance(event, Ended)]
    assert sorted(ended) == sorted(submission.work_ids)
    assert len(journey.writes()) == 20 * 4
    assert not (await journey.plan()).has_changes


async def test_a_message_that_keeps_coming_back_is_parked_and_its_pack_fails(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    (work_id,) = (await submitted(journey)).work_ids
    doorbell = ScriptedDoorbell([Ring(work_id, deliveries=6)])
    force = Workforce(journey.ledger, journey.platform, doorbell, "w", sweep_every=3600)
    # Only the message may ask for the work, not the sweep.
    journey.ledger = _Undue(journey.ledger)
    force.ledger = journey.ledger
    stop = asyncio.Event()
    running = asyncio.create_task(force.work_until(stop))
    while not doorbell.parked:
        await asyncio.sleep(0.05)
    stop.set()
    await running
    assert journey.writes() == []
    assert "6 times" in doorbell.parked[0][1]
    (state,) = await journey.ledger.pack_states()
    assert state.status == "FAILED"
    assert "6 times" in state.error_message


class _Undue:
    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def due(self, limit: int = 100) -> Sequence[UUID]:
        return []


async def test_a_message_about_nothing_is_settled(journey: Journey) -> None:
    ring = Ring(uuid4())
    doorbell = ScriptedDoorbell([ring])
    force = Workforce(journey.ledger, journey.platform, doorbell, "w")
    stop = asyncio.Event()
    running = asyncio.create_task(force.work_until(stop))
    while not doorbell.settled:
        await asyncio.sleep(0.05)
    stop.set()
    await running
    assert doorbell.settled == [ring]


async def test_late_and_doubled_messages_change_nothing(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    (work_id,) = submission.work_ids
    rings = [Ring(work_id, deliveries=number) for number in (1, 1, 2)]
    doorbell = ScriptedDoorbell(rings)
    events: list[Event] = []
    force = Workforce(journey.ledger, journey.platform, doorbell, "w", on_event=events.append)
    await force.work_until_done(submission.work_ids)
    assert sum(isinstance(event, Started) for event in events) == 1
    assert len(journey.writes()) == 4
    assert doorbell.settled == rings


class _DeafDoorbell(ScriptedDoorbell):
    async def answer(self, wait: float, most: int = 10) -> Sequence[Ring]:
        raise DoorbellUnavailableError("the queue is away")

    async def ring(self, work_ids: Sequence[UUID]) -> None:
        raise DoorbellUnavailableError("the queue is away")


async def test_without_a_queue_the_sweep_finds_the_work(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    journey.doorbell = _DeafDoorbell([])
    submission = await submitted(journey)
    assert not submission.is_rung
    await journey.workforce().work_until_idle()
    (item,) = await journey.ledger.work(submission.work_ids)
    assert item.status is WorkStatus.DONE


async def test_throttled_work_is_put_back_and_tried_again(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    journey.control.fault("POST /api/2.1/unity-catalog/shares", status=429, retry_after=1, times=2)
    submission = await submitted(journey)
    events: list[Event] = []
    await journey.workforce(on_event=events.append).work_until_done(submission.work_ids)
    ends = [event.status for event in events if isinstance(event, Ended)]
    assert ends[-1] is WorkStatus.DONE
    assert WorkStatus.WAITING in ends
    assert len([entry for entry in journey.control.log(writes_only=True) if entry["status"] == 200]) == 4


async def test_a_lost_database_ends_the_workers_with_the_reason(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    force = journey.workforce()

    class Broken:
        def __getattr__(self, name: str) -> Any:
            return getattr(journey.ledger, name)

        async def claim(self, *arguments: object) -> Any:
            raise ConnectionError("the database is away")

    force.ledger = Broken()
    with pytest.raises(ConnectionError, match="the database is away"):
        await force.work_until_done(submission.work_ids)
    assert journey.writes() == []


async def test_a_lease_is_renewed_while_work_takes_longer_than_it(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    (work_id,) = submission.work_ids
    journey.control.latency(400)
    doorbell = ScriptedDoorbell([Ring(work_id)])
    force = Workforce(journey.ledger, journey.platform, doorbell, "slow", lease=0.9, sweep_every=3600)
    await force.work_until_done(submission.work_ids)
    (item,) = await journey.ledger.work(submission.work_ids)
    assert (item.status, item.attempts) == (WorkStatus.DONE, 1)
    assert len(journey.writes()) == 4


async def test_a_worker_that_is_overtaken_in_the_middle_stops_and_the_next_one_ends_it(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    submission = await submitted(journey)
    platform = journey.platform

    class Overtaken:
        def __getattr__(self, name: str) -> Any:
            return getattr(platform, name)

        async def perform(self, call: Any) -> Any:
            receipt = await platform.perform(call)
            await journey.rows("UPDATE reconciler.leases SET fence = fence + 1, holder = 'another'")
            return receipt

    events: list[Event] = []
    stalled = journey.workforce(on_event=events.append, sweep_every=3600)
    stalled.platform = Overtaken()
    stop = asyncio.Event()
    running = asyncio.create_task(stalled.work_until(stop))
    while not journey.writes():
        await asyncio.sleep(0.05)
    stop.set()
    await running
    assert not any(isinstance(event, Ended) for event in events)
    assert sorted(path for _, path, _ in journey.writes()) == ["/recipients", "/shares"]
    await journey.rows("UPDATE reconciler.leases SET expires_at = now()")
    await journey.workforce().work_until_done(submission.work_ids)
    made = [path for _, path, _ in journey.writes()]
    assert (made.count("/recipients"), made.count("/shares")) == (1, 1)
    assert not (await journey.plan()).has_changes
