"""Plans that reviewers were shown: all that was there to be approved, in order, and nothing twice in a row."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.approval import Approved, is_genuine
from reconciler.core.plan import fingerprint, plan_fingerprint
from reconciler.ports.ledger import ShownPlan
from tests.adapters.postgres.samples import COMMIT, NEXT_COMMIT, OTHER_PACK, PACK, WORKSPACE

ACTIONS = frozenset({"create share/sales", 'grant SELECT on "Ümläut" to partner\'s ✓'})
GAINS = frozenset({f"acme reads main.sales.t (TABLE) by share/s in {WORKSPACE}"})


def approved(*actions: str) -> Approved:
    said = frozenset(actions) or ACTIONS
    return Approved(fingerprint(PACK, WORKSPACE, said, GAINS), said, WORKSPACE, GAINS)


def a_shown_plan(*actions: str, head: str = COMMIT, repository: str = "jllt/packs", number: int = 12) -> ShownPlan:
    packs = {PACK: approved(*actions), OTHER_PACK: Approved("f" * 64, frozenset())}
    return ShownPlan(repository, number, head, plan_fingerprint(each.fingerprint for each in packs.values()), packs)


async def test_a_plan_is_read_as_it_was_shown(ledger: PostgresLedger) -> None:
    shown = a_shown_plan()
    await ledger.show_plan(shown)
    [read] = await ledger.shown_plans("jllt/packs", 12)
    assert read.shown_at is not None
    assert replace(read, shown_at=None) == shown
    assert is_genuine(PACK, read.packs[PACK])
    assert plan_fingerprint(each.fingerprint for each in read.packs.values()) == read.fingerprint
    assert [pack.project_name for pack in sorted(read.packs)] == ["Sales Q1", "Sales Q2"]


async def test_other_pull_requests_show_nothing_of_it(ledger: PostgresLedger) -> None:
    await ledger.show_plan(a_shown_plan())
    assert await ledger.shown_plans("jllt/packs", 13) == []
    assert await ledger.shown_plans("jllt/others", 12) == []


async def test_letter_case_does_not_tell_two_repositories_apart(ledger: PostgresLedger) -> None:
    await ledger.show_plan(a_shown_plan(repository="JLLT/Packs"))
    await ledger.show_plan(a_shown_plan())
    [read] = await ledger.shown_plans("jllt/PACKS", 12)
    assert read.repository == "JLLT/Packs"


async def test_the_same_plan_of_the_same_commit_keeps_its_first_time(ledger: PostgresLedger) -> None:
    await ledger.show_plan(a_shown_plan())
    [first] = await ledger.shown_plans("jllt/packs", 12)
    await ledger.show_plan(a_shown_plan())
    assert await ledger.shown_plans("jllt/packs", 12) == [first]


async def test_what_was_replaced_and_comes_back_is_shown_anew(ledger: PostgresLedger) -> None:
    for plan in (a_shown_plan(), a_shown_plan("more"), a_shown_plan()):
        await ledger.show_plan(plan)
    read = await ledger.shown_plans("jllt/packs", 12)
    assert [each.fingerprint for each in read] == [
        a_shown_plan().fingerprint,
        a_shown_plan("more").fingerprint,
        a_shown_plan().fingerprint,
    ]
    times = [each.shown_at for each in read if each.shown_at is not None]
    assert times == sorted(set(times))


async def test_the_same_plan_of_another_commit_is_shown_anew(ledger: PostgresLedger) -> None:
    await ledger.show_plan(a_shown_plan())
    await ledger.show_plan(a_shown_plan(head=NEXT_COMMIT))
    assert [each.head for each in await ledger.shown_plans("jllt/packs", 12)] == [COMMIT, NEXT_COMMIT]


async def test_many_runs_at_once_show_one_plan_once(ledger: PostgresLedger) -> None:
    await asyncio.gather(*(ledger.show_plan(a_shown_plan()) for _ in range(10)))
    assert len(await ledger.shown_plans("jllt/packs", 12)) == 1


async def test_what_was_shown_cannot_be_changed(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    await ledger.show_plan(a_shown_plan())
    for statement in (
        "UPDATE reconciler.shown_plans SET fingerprint = ''",
        "DELETE FROM reconciler.shown_plans",
        "TRUNCATE reconciler.shown_plans",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match=r"reconciler\.shown_plans only grows"):
            await connection.execute(statement)


async def test_a_pull_request_is_found_by_the_index(ledger: PostgresLedger, connection: asyncpg.Connection) -> None:
    await ledger.show_plan(a_shown_plan())
    await connection.execute("SET enable_seqscan = off")
    plan = await connection.fetch(
        """
        EXPLAIN SELECT * FROM reconciler.shown_plans
        WHERE lower(repository) = lower('jllt/packs') AND pull_request = 12 ORDER BY number
        """
    )
    words = "\n".join(row[0] for row in plan)
    assert "shown_plans_pull_request" in words
    assert "Sort" not in words
