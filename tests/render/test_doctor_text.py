"""How the doctor's findings read; the texts are beside the other golden files."""

import json
from datetime import UTC, datetime, timedelta

from reconciler.core.checkup import Finding, Level
from reconciler.core.recorded import PackStatus
from reconciler.core.rights import Caller
from reconciler.ports.ledger import Daemon, DatabaseFacts, Figures
from reconciler.render.doctor_text import doctor_json, doctor_text
from reconciler.render.lines import Style
from reconciler.stages import doctor_words as words
from tests.render.golden_files import the_text_is_as_committed

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
URL = "https://adb-1234567890123456.7.azuredatabricks.net"
FACTS = DatabaseFacts("16.4", "0005", "0005", NOW)
ROBOT = Caller(
    "0e5a2c1d-1111-2222-3333-444455556666",
    frozenset({"data-owners"}),
    privileges=frozenset({"CREATE_SHARE", "CREATE_RECIPIENT"}),
    shares_externally=False,
    metastore_id="azure:westeurope:0f1e2d3c",
)
FIGURES = Figures(
    packs={PackStatus.FAILED: 1},
    unfinished=2,
    oldest_unfinished=4000.0,
    needing_attention=1,
    unknown_outcomes=0,
    drifted=3,
    oldest_drift=86_400.0 * 3,
    suspended=1,
    contested=0,
    paused=1,
    last_full_pass=4000.0,
)


def at(workspace: str, *findings: Finding) -> list[Finding]:
    return [Finding(each.subject, each.level, each.what, each.advice, workspace) for each in findings]


FINDINGS = [
    words.database(FACTS),
    words.clock(FACTS, NOW + timedelta(minutes=9), NOW + timedelta(minutes=9)),
    Finding("queue", Level.FAIL, "Azure Storage Queue: cannot send: HTTP 403", "until then, work waits for the sweep"),
    *at(URL, words.identity(ROBOT), words.metastore(ROBOT), *words.rights(ROBOT), words.pause(61.0)),
    *words.daemons([Daemon("host:7", leads=True, seen_at=NOW - timedelta(seconds=7))], NOW),
    words.full_pass(FIGURES.last_full_pass, 1800.0),
    *words.work(FIGURES),
]


def test_as_a_person_reads_it() -> None:
    the_text_is_as_committed("doctor.txt", doctor_text(FINDINGS))


def test_as_a_program_reads_it() -> None:
    the_text_is_as_committed("doctor.json", doctor_json(FINDINGS))
    assert json.loads(doctor_json(FINDINGS))["is_well"] is False
    well = [finding for finding in FINDINGS if finding.level is not Level.FAIL]
    assert json.loads(doctor_json(well))["is_well"] is True


def test_colour_says_nothing_that_the_words_do_not() -> None:
    coloured = doctor_text(FINDINGS, Style(colour=True))
    assert "\x1b[1;31mfail" in coloured
    assert "\x1b" not in doctor_text(FINDINGS, Style(unicode=False))
    assert doctor_text(FINDINGS, Style(unicode=False)).isascii()


def test_nothing_that_a_terminal_would_obey_gets_through() -> None:
    text = doctor_text([Finding("git", Level.FAIL, "remote: \x1b[2J\nok    git", "\rdo")])
    assert "\x1b" not in text
    assert r"remote: \x1b[2J\nok    git" in text
