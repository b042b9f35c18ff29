"""Suspending, resuming, and what status tells of it, against a real database and a sandbox."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.cli.exits import Exit
from reconciler.core.holds import CONTESTED_AFTER, declared_digest
from reconciler.core.key import Kind, PackId
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import Claim, Daemon
from tests.cli.conftest import Bench

T = TypeVar("T")

PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")
NAME = "Sales Data Q1 2024"
SHARE = "/api/2.1/unity-catalog/shares/sales_q1_share"


@pytest.fixture
def applied(bench: Bench) -> Bench:
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    bench.control.clear_log()
    return bench


def recording(database_url: str, body: Callable[[PostgresLedger], Awaitable[T]]) -> T:
    async def run() -> T:
        ledger = await PostgresLedger.open(database_url)
        try:
            return await body(ledger)
        finally:
            await ledger.close()

    return asyncio.run(run())


def changed(bench: Bench, before: str, after: str) -> None:
    bench.pack.write_text(bench.pack.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    bench.commit()


def test_a_suspended_pack_is_left_alone_until_it_is_resumed(applied: Bench) -> None:
    result = applied.run("suspend", NAME, "--until", "2h", "--reason", "the  partner\nmoves")
    assert result.exit_code == Exit.DONE
    assert ": the partner moves" in result.stdout
    assert "only what a commit takes away is taken away" in result.stdout
    assert "sharepack resume 'Sales Operations / Sales Data Q1 2024'" in result.stdout

    changed(applied, "Q1 sales data", "Other words")
    held = applied.run("apply", "--auto-approve")
    assert held.exit_code == Exit.BLOCKED
    assert "the pack is suspended until" in held.stdout
    assert applied.writes() == []

    resumed = applied.run("resume", NAME)
    assert "resumed. Ended:" in resumed.stdout
    assert "the partner moves" in resumed.stdout
    assert applied.run("apply", "--auto-approve").exit_code == Exit.DONE
    assert applied.writes() == [f"PATCH {SHARE}"]


def test_what_a_commit_takes_away_goes_through_unless_that_is_suspended_too(applied: Bench) -> None:
    applied.run("suspend", NAME, "--until", "2h", "--reason", "moving", "--also-revocations")
    changed(applied, "    recipients: [sales-analyst]\n", "    recipients: []\n")
    assert applied.run("apply", "--auto-approve").exit_code == Exit.BLOCKED
    assert applied.writes() == []
    again = applied.run("suspend", NAME, "--until", "3h", "--reason", "still moving")
    assert "It takes the place of: suspended until" in again.stdout
    # More than half of the grants go: that takes its own word.
    words = "revoke:share/sales_q1_share"
    assert applied.run("apply", "--auto-approve", "--allow", words).exit_code == Exit.DONE
    assert applied.writes() == [f"PATCH {SHARE}/permissions"]


def test_status_tells_who_suspended_a_pack_until_when_and_why(applied: Bench) -> None:
    applied.run("suspend", "sales/q1.yaml", "--until", "1d", "--reason", "year-end")
    result = applied.run("status")
    assert "suspended until" in result.stdout
    assert ": year-end" in result.stdout
    assert "1 suspended." in result.stdout
    (pack,) = json.loads(applied.run("status", "--format", "json").stdout)["packs"]
    suspension = pack["suspension"]
    assert (suspension["reason"], suspension["revocations_too"]) == ("year-end", False)
    lasts = datetime.fromisoformat(suspension["until"]) - datetime.now(UTC)
    assert timedelta(hours=23) < lasts <= timedelta(days=1)
    assert suspension["by"]


def test_a_field_that_is_contested_shows_until_it_is_resumed(applied: Bench, database_url: str) -> None:
    changed(applied, "Q1 sales data", "Q1 sales data, 2024")

    async def contest(ledger: PostgresLedger) -> None:
        rows = (await ledger.recorded([], [PACK])).resources
        (key,) = [each for each in rows if each.kind is Kind.SHARE]
        await ledger.observed(PACK, {key: Sighting(drift=("comment",), drifted_by="eve@example.com")})
        (work_id,) = await ledger.due()
        claim = await ledger.claim("tester", work_id, 60.0)
        assert isinstance(claim, Claim)
        for _ in range(CONTESTED_AFTER):
            await ledger.corrected(claim, key, {"comment": "eve@example.com"}, declared_digest(rows[key].resource))

    assert applied.run("apply", "--auto-approve", "--no-wait").exit_code == Exit.DONE
    recording(database_url, contest)
    text = applied.run("status").stdout
    assert "share/sales_q1_share is contested: comment, which eve@example.com keeps changing, is left" in text
    assert "share/sales_q1_share was changed by hand: comment, by eve@example.com, known since" in text
    assert "1 resource drifted. 1 field contested." in text
    (pack,) = json.loads(applied.run("status", NAME, "--format", "json").stdout)["packs"]
    assert [(each["field"], each["actor"]) for each in pack["contests"]] == [("comment", "eve@example.com")]
    assert [each["fields"] for each in pack["drift"]] == [["comment"]]
    assert "is contested: comment" in applied.run("resume", NAME).stdout
    assert "contested" not in applied.run("status").stdout
    assert "nothing was held" in applied.run("resume", NAME).stdout


def test_status_tells_who_watches_and_warns_when_nobody_does(applied: Bench, database_url: str) -> None:
    assert "No daemon has been heard of" in applied.run("status").stdout
    now = datetime.now(UTC)

    async def heard(ledger: PostgresLedger) -> None:
        await ledger.heard_of(Daemon("box:1", True, now, now - timedelta(hours=2), "c0ffee" * 6, "the remote is gone"))

    recording(database_url, heard)
    text = applied.run("status").stdout
    assert "Daemon box:1 leads, followed commit c0ffeec0ffee, heard of" in text
    assert "it cannot fetch the packs; the last good commit stays in force: the remote is gone" in text
    assert "Every pack was last looked at 2 hours ago (7,2" in text
    assert "Warning: the last look at every pack is too long ago" in text
    document = json.loads(applied.run("status", "--format", "json").stdout)
    assert document["daemons"][0]["is_present"]
    assert len(document["warnings"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([NAME, "--until", "2020-01-01", "--reason", "x"], "has passed"),
        ([NAME, "--until", "60d", "--reason", "x"], "at most 30 days"),
        ([NAME, "--until", "soon", "--reason", "x"], "is no time"),
        ([NAME, "--until", "2h", "--reason", "x", "--timezone", "Mars/Olympus"], "no time zone"),
        ([NAME, "--until", "2h", "--reason", "  "], "say why"),
        ([NAME, "--until", "2h"], "Missing option '--reason'"),
        (["Nobody's", "--until", "2h", "--reason", "x"], "no pack on record"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_suspended(applied: Bench, arguments: list[str], words: str) -> None:
    result = applied.run("suspend", *arguments)
    assert (result.exit_code != Exit.DONE, words in result.stderr) == (True, True)
    assert "suspended" not in applied.run("status").stdout


def test_a_name_that_two_packs_have_is_not_guessed(applied: Bench) -> None:
    other = applied.repository / "sharepacks" / "legal" / "q1.yaml"
    other.parent.mkdir()
    text = applied.pack.read_text(encoding="utf-8").replace("Sales Operations", "Legal")
    other.write_text(text.replace("sales_q1_share", "legal_share").replace("sales-analyst", "lawyer"), encoding="utf-8")
    applied.commit()
    assert applied.run("apply", "--auto-approve").exit_code == Exit.DONE
    result = applied.run("suspend", NAME, "--until", "2h", "--reason", "x")
    assert result.exit_code == Exit.ERROR
    assert '"Legal / Sales Data Q1 2024"' in result.stderr
    assert applied.run("suspend", f"Legal / {NAME}", "--until", "2h", "--reason", "x").exit_code == Exit.DONE
