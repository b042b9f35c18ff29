"""The daemon, left alone: it follows Git, puts back what was changed by hand, and knows when to leave things be."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from databricks.sdk.service.sharing import AuthenticationType, PermissionsChange

from reconciler.core import policy
from reconciler.core.holds import Suspension
from reconciler.core.key import PackId, share_key
from reconciler.ports.ledger import WorkStatus
from reconciler.render.plan_json import plan_document
from reconciler.stages.submit import submit
from tests.journeys.daemons import QUICK, Running, cloned, daemon, push, share_origin, until
from tests.journeys.journey import Journey, git
from tests.journeys.packs import SALES

SALES_PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")
FEWER = SALES.replace("      - prod_catalog.sales.customers\n", "")
MORE = SALES.replace(
    "      - prod_catalog.sales.customers\n",
    "      - prod_catalog.sales.customers\n      - prod_catalog.sales.refunds\n",
)


@pytest_asyncio.fixture
async def followed(journey: Journey, tmp_path: Path) -> AsyncIterator[tuple[Journey, Path]]:
    """A journey whose packs are pushed to a bare remote, and a clone of it for a daemon."""
    journey.save("sales.yaml", SALES)
    origin = share_origin(journey, tmp_path)
    push(journey)
    yield journey, cloned(origin, tmp_path / "daemon's clone")


def save(journey: Journey, content: str, *more: str) -> str:
    commit = journey.save("sales.yaml", content)
    push(journey, *more)
    return commit


def shared(sdk: Any) -> set[str]:
    found = {share.name for share in sdk.shares.list_shares()}
    if "sales_q1_share" not in found:
        return set()
    objects = sdk.shares.get("sales_q1_share", include_shared_data=True).objects or ()
    return {item.name.rpartition(".")[2] for item in objects}


def readers(sdk: Any) -> set[str]:
    granted = sdk.shares.share_permissions("sales_q1_share").privilege_assignments or ()
    return {grant.principal for grant in granted}


def let_in(sdk: Any, name: str = "stranger") -> None:
    if name not in {item.name for item in sdk.recipients.list()}:
        sdk.recipients.create(name, AuthenticationType.TOKEN)
    sdk.shares.update_permissions("sales_q1_share", changes=[PermissionsChange(principal=name, add=["SELECT"])])


def said_of(running: Running, pack: PackId = SALES_PACK) -> str:
    """Why the daemon leaves the pack alone; empty when it does not."""
    return "" if running.leading is None else running.leading._said.get(pack, "")


async def applied(journey: Journey, sdk: Any, tables: set[str]) -> None:
    await until(lambda: shared(sdk) == tables, f"{tables} to be shared")

    async def is_recorded() -> bool:
        (state,) = await journey.ledger.pack_states()
        return str(state.status) == "COMPLETED"

    await until(is_recorded, "the pack to be COMPLETED")


async def test_a_pushed_commit_is_applied_without_anybody_asking(followed: tuple[Journey, Path], sdk: Any) -> None:
    journey, clone = followed
    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        commit = save(journey, FEWER)
        await applied(journey, sdk, {"transactions"})
        await until(lambda: running.process._full_pass_at is not None, "a full pass")
    (version, *_) = reversed(await journey.ledger.history(share_key("sales_q1_share", journey.url)))
    assert (version.created_by, version.commit) == ("daemon-1", commit)
    assert git(clone, "status", "--porcelain") == ""


async def test_what_was_changed_by_hand_is_put_back_and_told(followed: tuple[Journey, Path], sdk: Any) -> None:
    journey, clone = followed
    async with daemon(journey, clone):
        await applied(journey, sdk, {"transactions", "customers"})
        let_in(sdk)
        await until(lambda: readers(sdk) == {"sales-analyst"}, "the stranger to be sent away")
    reasons = [version.change_reason for version in await journey.ledger.history(share_key("sales_q1_share", ""))]
    assert "found changed by hand" in reasons


async def test_a_quiet_workspace_is_only_read(followed: tuple[Journey, Path], sdk: Any) -> None:
    journey, clone = followed
    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        await running.looks_again()
        journey.control.clear_log()
        rows = await _row_counts(journey)
        await until(lambda: len(journey.control.log()) >= 9, "three more looks")
        assert journey.writes() == []
        assert await _row_counts(journey) == rows


async def _row_counts(journey: Journey) -> dict[str, int]:
    names = await journey.rows(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('deltashare', 'reconciler')"
    )
    return {row["name"]: (await journey.rows(f"SELECT count(*) AS n FROM {row['name']}"))[0]["n"] for row in names}


async def test_without_git_the_last_commit_stays_in_force_and_nothing_is_removed(
    followed: tuple[Journey, Path], sdk: Any, tmp_path: Path
) -> None:
    journey, clone = followed
    (tmp_path / "hidden").mkdir()
    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        origin = tmp_path / "origin.git"
        origin.rename(tmp_path / "hidden" / "origin.git")
        await until(lambda: running.leading and running.leading.source_failure, "Git to be missed")
        let_in(sdk)
        await until(lambda: readers(sdk) == {"sales-analyst"}, "drift to be corrected meanwhile")
        # A removal that reached this clone by another way waits until the newest commit can be fetched.
        journey.save("sales.yaml", FEWER)
        push_to = str(tmp_path / "hidden" / "origin.git")
        git(journey.repository, "push", "--quiet", push_to, "HEAD:refs/heads/main")
        git(clone, "fetch", "--quiet", push_to, "+refs/heads/main:refs/remotes/origin/main")
        await until(lambda: "could not be fetched" in said_of(running), "the removal to be held")
        await running.looks_again()
        assert shared(sdk) == {"transactions", "customers"}
        (tmp_path / "hidden" / "origin.git").rename(origin)
        await applied(journey, sdk, {"transactions"})


async def test_a_rewound_branch_is_left_alone_and_told(followed: tuple[Journey, Path], sdk: Any) -> None:
    journey, clone = followed
    old = git(journey.repository, "rev-parse", "HEAD")
    save(journey, MORE)
    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers", "refunds"})
        git(journey.repository, "reset", "--quiet", "--hard", old)
        push(journey, "--force")
        await until(lambda: "rewound" in said_of(running), "the rewind to be told")
        await running.looks_again()
        assert shared(sdk) == {"transactions", "customers", "refunds"}
        # A commit that goes on from what was applied is followed again.
        git(journey.repository, "fetch", "--quiet", "origin")
        git(journey.repository, "reset", "--quiet", "--hard", "ORIG_HEAD")
        save(journey, FEWER, "--force")
        await applied(journey, sdk, {"transactions"})


async def test_a_daemon_that_is_behind_does_not_undo_what_a_newer_commit_did(
    followed: tuple[Journey, Path], sdk: Any
) -> None:
    journey, clone = followed
    behind = QUICK.__class__(**{**_fields(QUICK), "fetch_every": 3600.0})
    async with daemon(journey, clone, following=behind) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        save(journey, MORE)
        await journey.converge()
        journey.control.clear_log()
        await until(lambda: "ahead of this one" in said_of(running), "the daemon to stand back")
        await running.looks_again()
        assert shared(sdk) == {"transactions", "customers", "refunds"}
        assert journey.writes() == []


def _fields(following: Any) -> dict[str, Any]:
    return {name: getattr(following, name) for name in following.__dataclass_fields__}


async def test_what_was_refused_is_not_tried_again_until_something_changes(
    followed: tuple[Journey, Path], sdk: Any
) -> None:
    journey, clone = followed
    journey.control.fault(
        "PATCH /api/2.1/unity-catalog/shares/sales_q1_share", times=0, status=400, error_code="INVALID_PARAMETER_VALUE"
    )
    async with daemon(journey, clone) as running:
        await until(lambda: "refused" in said_of(running), "the refusal to be told")
        tried = [each for each in journey.control.log(writes_only=True) if each["status"] == 400]
        await running.looks_again()
        await running.looks_again()
        # The first try changed the workspace: it made the share that could not be filled.
        assert len(tried) == 2
        assert [each for each in journey.control.log(writes_only=True) if each["status"] == 400] == tried
        journey.control.clear_faults()
        save(journey, MORE)
        await applied(journey, sdk, {"transactions", "customers", "refunds"})


async def test_a_field_put_back_three_times_is_contested_and_left(
    followed: tuple[Journey, Path], sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey, clone = followed
    # The same is not done again within a moment, and this daemon looks more often than others.
    monkeypatch.setattr(policy, "A_MOMENT", 0.5)

    async def contested() -> bool:
        return bool((await journey.ledger.holds()).contests)

    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        for time in range(3):
            sdk.shares.update("sales_q1_share", comment=f"mine {time}")
            await until(lambda: sdk.shares.get("sales_q1_share").comment == "Q1 sales data", f"correction {time + 1}")
            await _idle(journey)
        await until(contested, "the field to be contested")
        sdk.shares.update("sales_q1_share", comment="mine for good")
        let_in(sdk)
        await until(lambda: readers(sdk) == {"sales-analyst"}, "what is not contested to be put back")
        await running.looks_again()
        assert sdk.shares.get("sales_q1_share").comment == "mine for good"
        (contest,) = (await journey.ledger.holds()).contests[share_key("sales_q1_share", journey.url)]
        assert contest.field == "comment"
        assert contest.actor
        await journey.ledger.resume(SALES_PACK, "pat")
        await until(lambda: sdk.shares.get("sales_q1_share").comment == "Q1 sales data", "the correction after resume")


async def _idle(journey: Journey) -> None:
    async def ended() -> bool:
        return (await journey.ledger.figures()).unfinished == 0

    await until(ended, "the work to end")


async def test_a_suspended_pack_is_left_but_for_what_a_commit_takes_away(
    followed: tuple[Journey, Path], sdk: Any
) -> None:
    journey, clone = followed
    now = datetime.now(UTC)
    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        suspension = Suspension("pat", "an incident", now, now + timedelta(hours=1))
        await journey.ledger.suspend(SALES_PACK, suspension)
        let_in(sdk)
        await until(lambda: "suspended" in said_of(running), "the suspension to be told")
        assert "stranger" in readers(sdk)
        await journey.ledger.resume(SALES_PACK, "pat")
        await until(lambda: readers(sdk) == {"sales-analyst"}, "the stranger to be sent away")
        await journey.ledger.suspend(SALES_PACK, suspension)
        save(journey, FEWER)
        await until(lambda: shared(sdk) == {"transactions"}, "the committed removal to go through")


async def test_one_daemon_leads_and_another_takes_over(
    followed: tuple[Journey, Path], sdk: Any, tmp_path: Path
) -> None:
    journey, clone = followed
    other = cloned(tmp_path / "origin.git", tmp_path / "another clone")
    async with daemon(journey, other, name="daemon-2") as second, daemon(journey, clone, name="daemon-1") as first:
        await until(lambda: first.process._leads or second.process._leads, "one to lead")
        await applied(journey, sdk, {"transactions", "customers"})
        assert not (first.process._leads and second.process._leads)
        leader, follower = (first, second) if first.process._leads else (second, first)
        leader.stop.set()
        await leader.task
        await until(lambda: follower.process._leads, "the other to take over", 20)
        save(journey, FEWER)
        await applied(journey, sdk, {"transactions"})
    writes = [path for _, path, _ in journey.writes()]
    assert len(writes) == 5, writes


async def test_an_order_that_was_overtaken_is_turned_away(followed: tuple[Journey, Path]) -> None:
    """Two appliers plan the same; the first one submits; the second one's order is outdated, whatever it says."""
    journey, _ = followed
    plan = await journey.plan()
    first = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "ci")
    second = await submit(plan, plan_document(plan), journey.ledger, journey.doorbell, "laptop")
    assert (first.outdated, second.outdated) == (frozenset(), frozenset({SALES_PACK}))
    assert second.work == {}
    await journey.workforce().work_until_done(first.work_ids)
    (work,) = await journey.ledger.work(first.work_ids)
    assert work.status is WorkStatus.DONE
    assert len(journey.writes()) == 4


async def test_readiness_and_metrics_tell_how_it_is(followed: tuple[Journey, Path], sdk: Any, tmp_path: Path) -> None:
    journey, clone = followed
    async with daemon(journey, clone) as running:
        await applied(journey, sdk, {"transactions", "customers"})
        await until(lambda: running.process._full_pass_at is not None, "a full pass")
        readiness = await running.process.readiness()
        assert readiness.summary == "ok", json.dumps(readiness.document())
        assert running.process.is_alive() == ""
        said = (await running.process.measured()).decode()
        assert 'sharepack_packs{state="completed"} 1.0' in said
        assert "sharepack_leader 1.0" in said
        assert 'sharepack_api_calls_total{outcome="done"}' in said
        (told,) = await journey.ledger.daemons()
        assert (told.name, told.leads) == ("daemon-1", True)
        (tmp_path / "origin.git").rename(tmp_path / "gone.git")
        await until(lambda: running.leading and running.leading.source_failure, "Git to be missed")
        readiness = await running.process.readiness()
        assert (readiness.summary, readiness.is_ready) == ("degraded", True)
        (tmp_path / "gone.git").rename(tmp_path / "origin.git")
