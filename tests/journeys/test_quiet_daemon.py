"""What a leading daemon costs while nothing happens, counted: Git, the database, Databricks."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.schedule import Cadence
from reconciler.daemon.leading import Following, Leading
from reconciler.render.plan_json import plan_document
from reconciler.stages.reconcile import Reconciler
from tests.journeys.glancing import HOUR, a_pack
from tests.journeys.journey import NO_LIMITS, Journey
from tests.journeys.test_glance import HANDS
from tests.journeys.test_simulated_day import SimulatedClock


def counted(monkeypatch: pytest.MonkeyPatch, journey: Journey) -> Counter[str]:
    """Statements of the ledger by their function, and questions to Git."""
    counts: Counter[str] = Counter()
    do: Callable[..., Any] = PostgresLedger._do

    async def counting(self: PostgresLedger, body: Callable[..., Any], *args: Any, **more: Any) -> Any:
        counts[body.__name__] += 1
        return await do(self, body, *args, **more)

    monkeypatch.setattr(PostgresLedger, "_do", counting)
    for name in ("fetch", "newest", "committed"):
        ask = getattr(type(journey.source), name)

        async def asking(self: Any, *args: Any, _name: str = name, _ask: Callable[..., Any] = ask) -> Any:
            counts[_name] += 1
            return await _ask(self, *args)

        monkeypatch.setattr(type(journey.source), name, asking)
    return counts


def leading(journey: Journey, clock: SimulatedClock) -> Leading:
    reconciler = Reconciler(
        journey.source, journey.ledger, journey.platform, journey.doorbell, clock, "daemon", plan_document
    )
    return Leading(reconciler, Following(journey.url, cadence=Cadence(), limits=NO_LIMITS), spread=lambda: 0.5)


async def spend(term: Leading, clock: SimulatedClock, seconds: float) -> None:
    end = clock.passed + seconds
    while clock.passed < end:
        clock.passed += max(await term.tick(), 0.1)


@pytest.fixture
async def settled(journey: Journey) -> Journey:
    """Three packs of a business line, applied an hour ago."""
    journey.control.advance_clock(-HOUR)
    for project in ("Alpha", "Beta", "Gamma"):
        journey.write(f"{project}.yaml", a_pack(project).replace(f"Line {project}", "Line"))
    journey.commit()
    await journey.converge()
    return journey


async def test_an_hour_of_quiet_is_counted(settled: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimulatedClock()
    term = leading(settled, clock)
    await spend(term, clock, 120.0)
    counts = counted(monkeypatch, settled)
    settled.control.clear_log()
    await spend(term, clock, HOUR)
    asked = Counter(f"{each['method']} {each['path'].rpartition('/')[2]}" for each in settled.control.log())
    print(dict(counts), dict(asked))
    # A look every quarter of an hour.
    looks = counts["pack_rows"]
    assert looks in {3, 4}
    assert asked == {"GET recipients": looks, "GET shares": looks, "GET permissions": 6 * looks}
    # Git is asked every 30 s, and no file is read while the commit is the same.
    assert counts["fetch"] <= HOUR / 30 + 1
    assert counts["newest"] <= counts["fetch"] + looks + 1
    # Nothing is planned, and nothing written.
    assert set(counts) == {"fetch", "newest", "pack_rows", "all_packs", "sightings"}
    assert counts["all_packs"] == looks
    assert counts["sightings"] <= 2


async def test_a_look_reads_what_a_hand_has_changed_and_nothing_else(settled: Journey, sdk: Any) -> None:
    clock = SimulatedClock()
    term = leading(settled, clock)
    await spend(term, clock, 120.0)
    HANDS["grant to a known recipient"](sdk)
    settled.control.clear_log()
    await spend(term, clock, 1000.0)
    asked = [each["path"] for each in settled.control.log() if each["method"] == "GET"]
    read_in_full = {each.rpartition("/")[2] for each in asked if each.count("/") == 5}
    assert read_in_full >= {"alpha_s0", "alpha_s1", "alpha-r0", "alpha-r1"}
    assert not any(name.startswith(("beta", "gamma")) for name in read_in_full)
    assert [each.status.value for each in await settled.ledger.pack_states()]


async def test_a_new_commit_reads_its_packs_in_full(settled: Journey) -> None:
    clock = SimulatedClock()
    term = leading(settled, clock)
    await spend(term, clock, 120.0)
    settled.save("Beta.yaml", a_pack("Beta").replace("Line Beta", "Line") + "# a comment\n")
    settled.save("Alpha.yaml", a_pack("Alpha").replace("Line Alpha", "Line").replace("number 0", "another"))
    settled.control.clear_log()
    await spend(term, clock, 40.0)
    asked = {each["path"].split("/")[5] for each in settled.control.log() if each["path"].count("/") >= 5}
    assert asked == {"alpha_s0", "alpha_s1", "alpha-r0", "alpha-r1"}


async def test_another_term_begins_in_full(settled: Journey) -> None:
    clock = SimulatedClock()
    await spend(leading(settled, clock), clock, 120.0)
    settled.control.clear_log()
    await spend(leading(settled, clock), clock, 120.0)
    # Everything, and a quiet look soon after, when the first one that is scheduled is due.
    assert settled.control.counts()["total"] == 3 * 6 + 2 + 6


async def test_every_look_is_in_full_when_that_is_asked_for(settled: Journey) -> None:
    clock = SimulatedClock()
    term = leading(settled, clock)
    term.following = Following(settled.url, limits=NO_LIMITS, full_every=1)
    await spend(term, clock, 120.0)
    settled.control.clear_log()
    await spend(term, clock, HOUR)
    assert settled.control.counts()["total"] in {3 * 18, 4 * 18}


async def test_a_full_look_that_sees_nothing_new_asks_little_and_writes_nothing(
    settled: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many packs there are."""
    clock = SimulatedClock()
    term = leading(settled, clock)
    term.following = Following(settled.url, limits=NO_LIMITS, full_every=1)
    await spend(term, clock, 120.0)
    counts = counted(monkeypatch, settled)
    await spend(term, clock, 1000.0)
    assert counts["recorded_for_each"] == 1
    assert set(counts) - {"fetch", "newest"} == {"all_packs", "recorded_for_each", "holds", "standings", "sightings"}


async def test_who_may_not_list_misses_nothing(settled: Journey) -> None:
    """An ordinary user with the right to read."""
    platform = DatabricksPlatform({"token": SecretStr("dapi-sandbox-user")}, trusted_hosts=[settled.url])
    clock = SimulatedClock()
    term = leading(settled, clock)
    term.reconciler = Reconciler(
        settled.source, settled.ledger, platform, settled.doorbell, clock, "daemon", plan_document
    )
    try:
        await spend(term, clock, 120.0)
        settled.control.clear_log()
        await spend(term, clock, 1000.0)
    finally:
        await platform.close()
    assert settled.writes() == []
