"""What status tells of a pack besides how far it is, and of those who watch."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.holds import EXISTENCE, Contest, Suspension
from reconciler.core.key import recipient_key
from reconciler.core.recorded import PackStatus
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import Daemon
from reconciler.render.status_json import status_json
from reconciler.render.status_report import LATE_PASS, SILENCE, Report
from reconciler.render.status_text import status_text
from tests.render.golden_files import the_text_is_as_committed
from tests.render.test_status_and_history import KEY, PACK, START, state

ANALYST = recipient_key("sales-analyst", KEY.workspace)
OTHER = recipient_key("other-analyst", KEY.workspace)
DAY_MS = 86_400_000
NOW_MS = round(START.timestamp() * 1000)
LEADER = Daemon("box-1:7", True, START - timedelta(seconds=4), START - timedelta(seconds=600), "1f2e3d4c5b6a7988")
FOLLOWER = Daemon("box-2:9", False, START - timedelta(seconds=31), source_failure="the remote does not answer")
SUSPENSION = Suspension("pat", "the partner moves", START - timedelta(hours=1), START + timedelta(days=2))


def contest(field: str, actor: str) -> Contest:
    return Contest(field, actor, START - timedelta(days=1), START + timedelta(days=6), "digest")


FULL = Report(
    [state(PackStatus.FAILED, "Databricks answered with an unknown error")],
    START,
    sightings={
        PACK: {
            KEY: Sighting(
                drift=("comment", "recipients[stranger-x]"),
                drifted_by="eve@example.com",
                drift_since=START - timedelta(days=1, hours=5),
            ),
            ANALYST: Sighting(token_ends_at=NOW_MS + 10 * DAY_MS),
            OTHER: Sighting(drift=(EXISTENCE,), token_ends_at=NOW_MS - DAY_MS),
        }
    },
    suspensions={PACK: SUSPENSION},
    contests={PACK: {KEY: (contest("comment", "eve@example.com"),), OTHER: (contest(EXISTENCE, ""),)}},
    needing_attention=frozenset({PACK}),
    daemons=[LEADER, FOLLOWER],
    last_full_pass=600.0,
)


def test_everything_that_needs_a_word_is_told_with_how_it_ends() -> None:
    the_text_is_as_committed("status.txt", status_text(FULL))


def test_the_json_has_all_of_it() -> None:
    the_text_is_as_committed("status.json", status_json(FULL))


def test_a_suspension_of_revocations_too_says_so() -> None:
    report = replace(FULL, suspensions={PACK: replace(SUSPENSION, revocations_too=True)})
    assert "nothing at Databricks is changed for it until then" in status_text(report)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (31, None),
        (30, "within 30 days"),
        (14.5, "within 30 days"),
        (14, "within 14 days"),
        (7, "within 7 days"),
        (1, "within 1 day"),
        (0.01, "within 1 day"),
        (0, "ended"),
        (-400, "ended"),
        (None, None),
    ],
)
def test_the_end_of_a_token_is_told_in_time(days: float | None, words: str | None) -> None:
    ends_at = None if days is None else NOW_MS + round(days * DAY_MS)
    report = Report([state(PackStatus.COMPLETED)], START, sightings={PACK: {ANALYST: Sighting(token_ends_at=ends_at)}})
    text = status_text(report)
    (pack,) = json.loads(status_json(report))["packs"]
    if words is None:
        assert "token" not in text
        assert pack["token_ends"] == []
    else:
        told = next(line for line in text.splitlines() if "the token of recipient/sales-analyst" in line)
        assert words in told
        assert "sharepack rotate sales-analyst" in text
        assert len(pack["token_ends"]) == 1


def gone(daemon: Daemon) -> Daemon:
    return replace(daemon, seen_at=START - timedelta(seconds=SILENCE + 1))


@pytest.mark.parametrize(
    ("daemons", "last_full_pass", "warned"),
    [
        ([], None, []),
        ([LEADER], 600.0, []),
        ([LEADER, FOLLOWER], LATE_PASS, []),
        ([LEADER], LATE_PASS + 1, ["too long ago"]),
        ([LEADER], None, ["no daemon has looked at every pack yet"]),
        ([FOLLOWER], 600.0, ["no daemon leads"]),
        ([gone(LEADER)], 600.0, ["no daemon has been heard of lately"]),
        ([gone(LEADER), FOLLOWER], 600.0, ["no daemon leads"]),
        ([], 90_000.0, ["no daemon has been heard of lately", "too long ago"]),
    ],
)
def test_silence_is_noticed(daemons: list[Daemon], last_full_pass: float | None, warned: list[str]) -> None:
    report = Report([state(PackStatus.COMPLETED)], START, daemons=daemons, last_full_pass=last_full_pass)
    assert len(report.warnings) == len(warned)
    for said, words in zip(report.warnings, warned, strict=True):
        assert words in said
    assert status_text(report).count("Warning: ") == len(warned)
    assert json.loads(status_json(report))["warnings"] == list(report.warnings)


def test_silence_is_noticed_also_where_no_pack_is_on_record() -> None:
    assert "Warning: no daemon" in status_text(Report([], START, last_full_pass=90_000.0))
