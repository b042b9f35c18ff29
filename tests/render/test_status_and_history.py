import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from reconciler.core.key import PackId, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import Strategy
from reconciler.core.plan import Degraded
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.recorded import PackStatus
from reconciler.core.resource import Resource
from reconciler.core.share import NotebookContent, ObjectType, Share, SharedObject
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import KeyVersion, PackState
from reconciler.render.history_text import history_json, history_text
from reconciler.render.status_json import status_json
from reconciler.render.status_report import Report
from reconciler.render.status_text import status_text
from tests.render.plans import SALES, table

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")
KEY = share_key("sales_q1_share", "https://adb-1.2.azuredatabricks.net")


def state(status: PackStatus, error: str = "") -> PackState:
    return PackState(
        pack=PACK,
        share_pack_id=UUID(int=1),
        share_pack_name="SharePack_ann",
        status=status,
        strategy=Strategy.NEW,
        path="sharepacks/sales/q1.yaml",
        workspace=KEY.workspace,
        requested_by="ann@example.com",
        commit="1f2e3d4c5b6a7988",
        applied_commit="1f2e3d4c5b6a7988" if status is PackStatus.COMPLETED else "",
        provisioning_status="Creating shares...",
        error_message=error,
        created_at=START,
        last_updated=START,
    )


def version(number: int, resource: Resource | None, *, is_last: bool = False) -> KeyVersion:
    at = START + timedelta(hours=number)
    return KeyVersion(
        key=KEY,
        version=number,
        effective_from=at,
        effective_to=None if is_last else at + timedelta(hours=1),
        resource=resource,
        pack=PACK,
        created_by="ann",
        change_reason="plan 0001",
        commit="1f2e3d4c5b6a7988",
        plan_id=UUID(int=7),
    )


def test_the_table_says_status_commit_and_reason() -> None:
    states = [state(PackStatus.COMPLETED), state(PackStatus.FAILED, "PERMISSION_DENIED: no CREATE_SHARE")]
    text = status_text(Report(states, START))
    assert text.splitlines() == [
        "STATUS     STRATEGY  APPLIED       CHANGED              PACK                                   FILE",
        (
            "COMPLETED  NEW       1f2e3d4c5b6a  2026-11-22 09:30:00  Sales Operations / Sales Data Q1 2024  "
            "sharepacks/sales/q1.yaml"
        ),
        (
            "FAILED     NEW       -             2026-11-22 09:30:00  Sales Operations / Sales Data Q1 2024  "
            "sharepacks/sales/q1.yaml"
        ),
        "",
        "Sales Operations / Sales Data Q1 2024: PERMISSION_DENIED: no CREATE_SHARE",
        "",
        "2 packs: 1 COMPLETED, 1 FAILED. Times are UTC.",
        "No daemon has been heard of: packs change by `sharepack apply` alone, and nobody notices drift.",
    ]


def test_drift_has_a_column_when_it_was_looked_for() -> None:
    other = replace(state(PackStatus.COMPLETED), pack=PackId.of("Legal", "Unseen"))
    report = Report([state(PackStatus.COMPLETED), other], START, {PACK: 2})
    text = status_text(report)
    assert "DRIFT" in text.splitlines()[0]
    assert "  2 resources  Sales Operations" in text
    assert "  ?            Legal" in text
    assert [each["drifted"] for each in json.loads(status_json(report))["packs"]] == [2, None]
    assert "drifted" not in json.loads(status_json(replace(report, drift=None)))["packs"][0]


def test_an_empty_record_says_what_would_fill_it() -> None:
    nothing = Report([], START)
    assert status_text(nothing) == "No pack is on record yet. `sharepack apply` records the packs it applies.\n"
    assert json.loads(status_json(nothing)) == {
        "format_version": "1.1",
        "now": "2026-11-22T09:30:00Z",
        "packs": [],
        "daemons": [],
        "last_full_pass": None,
        "distrusted_workspaces": [],
        "warnings": [],
    }


def test_the_json_of_a_status_holds_the_whole_state() -> None:
    (value,) = json.loads(status_json(Report([state(PackStatus.FAILED, "no")], START)))["packs"]
    assert (value["status"], value["error_message"], value["path"]) == ("FAILED", "no", "sharepacks/sales/q1.yaml")


def test_a_history_tells_what_each_version_changed() -> None:
    second = Share(SALES.name, "renamed", SALES.objects, frozenset({"sales-analyst", "auditor"}))
    text = history_text(KEY, [version(1, SALES), version(2, second), version(3, None), version(4, SALES, is_last=True)])
    assert text.startswith("share/sales_q1_share   https://adb-1.2.azuredatabricks.net")
    assert '"Q1 sales data" → "renamed"' in text
    assert "recipients   + auditor" in text
    assert "drift" not in text
    assert "      deleted\n" in text
    assert "v4  2026-11-22 13:30:00 → now" in text
    assert text.count("+ prod_catalog.sales.transactions") == 2


def test_a_history_tells_emails_and_fields_that_are_let_go() -> None:
    first = Recipient("r", TokenSharing(), "old@partner.com", frozenset({"10.0.0.1"}), "words")
    second = Recipient("r", TokenSharing(), "new@partner.com", UNMANAGED, "words")
    text = history_text(KEY, [version(1, first), version(2, second), version(3, second, is_last=True)])
    assert '"old@partner.com" → "new@partner.com"' in text
    assert "allowed_ips: no longer managed" in text
    assert "the same content" in text


def test_nothing_on_record_is_said() -> None:
    assert "Nothing is on record for share/sales_q1_share" in history_text(KEY, [])


def test_the_json_of_a_history_is_whole_and_ordered() -> None:
    share = Share("sales_q1_share", objects=frozenset({table("c.s.t")}))
    document = json.loads(history_json(KEY, [version(1, share), version(2, None, is_last=True)]))
    assert document["key"] == "share/sales_q1_share"
    first, second = document["versions"]
    assert first["resource"]["data_objects"] == [{"name": "c.s.t", "type": "TABLE"}]
    assert (second["is_deleted"], second["effective_to"], second["resource"]) == (True, None, None)


def test_a_history_says_who_stands_behind_each_version() -> None:
    share = Share("sales_q1_share")
    one = replace(version(1, share), pull_requests="jllt/packs#12", approved_by="ann (review)")
    several = replace(
        version(2, share), pull_requests="jllt/packs#12, jllt/packs#14", approved_by="ann (review), bob (merge)"
    )
    nobody = version(3, share, is_last=True)
    lines = history_text(KEY, [one, several, nobody]).splitlines()
    said = [lines[at + 1].strip() for at, each in enumerate(lines) if "by ann, from commit 1f2e3d4c5b6a" in each]
    assert said == [
        "pull request jllt/packs#12, approved by ann (review)",
        "pull requests jllt/packs#12, jllt/packs#14, approved by ann (review), bob (merge)",
        "plan 0001",
    ]
    document = json.loads(history_json(KEY, [one, nobody]))
    assert [(each["pull_requests"], each["approved_by"]) for each in document["versions"]] == [
        ("jllt/packs#12", "ann (review)"),
        ("", ""),
    ]


@pytest.mark.parametrize(
    ("pull_requests", "approved_by", "said"),
    [
        ("jllt/packs#12", "", "pull request jllt/packs#12"),
        ("", "bob (environment production)", "approved by bob (environment production)"),
    ],
)
def test_a_history_says_as_much_as_is_known(pull_requests: str, approved_by: str, said: str) -> None:
    known = replace(version(1, SALES, is_last=True), pull_requests=pull_requests, approved_by=approved_by)
    assert f"      {said}\n" in history_text(KEY, [known])


def test_degraded_objects_are_told_with_their_pack_and_what_to_grant() -> None:
    seen = Sighting((Degraded("c.s.t", "svc", "SELECT on TABLE c.s.t"),))
    report = Report([state(PackStatus.COMPLETED)], START, sightings={PACK: {KEY: seen}})
    text = status_text(report)
    assert f"{PACK}: share/sales_q1_share is degraded: 1 object of it, shared, that nobody gets to read" in text
    assert "→ grant SELECT on TABLE c.s.t to svc" in text
    assert "1 pack: 1 COMPLETED. 1 object degraded. Times are UTC.\n" in text
    (pack,) = json.loads(status_json(report))["packs"]
    assert pack["degraded"][0]["key"] == "share/sales_q1_share"
    assert pack["degraded"][0]["objects"][0]["missing"] == "SELECT on TABLE c.s.t"


def test_a_history_tells_every_field_that_only_our_record_has() -> None:
    first = Recipient("r", TokenSharing(), "old@partner.com")
    second = replace(first, token_lifetime=86_400, rotate_every=7_776_000, rotation_overlap=3_600, protect=True)
    third = replace(second, protect=False, rotate_every=UNMANAGED)
    text = history_text(KEY, [version(1, first), version(2, second), version(3, third, is_last=True)])
    for said in ("token_lifetime  unset → 1 day", "rotate_every  unset → 90 days", "rotation_overlap  unset → 1 hour"):
        assert said in text
    assert "protect      no → yes" in text
    assert "protect      yes → no" in text
    assert "rotate_every: no longer managed" in text
    assert "protect: no longer managed" not in text


def test_a_history_tells_how_much_of_an_object_was_shared_and_when_a_notebook_changed() -> None:
    item, notebook = table("c.s.t"), SharedObject("g", ObjectType.NOTEBOOK_FILE, content=NotebookContent("a" * 64))
    first = replace(SALES, objects=frozenset({replace(item, cdf=False), notebook}), owner="ann")
    second = replace(
        first,
        objects=frozenset({replace(item, cdf=True), replace(notebook, content=NotebookContent("b" * 64))}),
        owner="bob",
    )
    text = history_text(KEY, [version(1, first), version(2, second, is_last=True)])
    assert 'owner        "ann" → "bob"' in text
    assert "cdf          off → on" in text
    assert "content      sha256 aaaaaaaaaaaa → sha256 bbbbbbbbbbbb" in text


def test_a_rename_reads_as_a_rename() -> None:
    renamed = replace(SALES, name="sales_q2_share")
    text = history_text(KEY, [version(1, SALES), version(2, renamed, is_last=True)])
    assert "renamed from sales_q1_share to sales_q2_share" in text
    assert "the same content" not in text
    assert "renamed" not in history_text(KEY, [version(1, SALES), version(2, replace(SALES, name="Sales_Q1_Share"))])


def test_a_recipient_made_anew_reads_as_one() -> None:
    first, second = Recipient("r", TokenSharing()), Recipient("r", DatabricksSharing("aws:eu:1"))
    text = history_text(KEY, [version(1, first), version(2, second), version(3, first, is_last=True)])
    assert "made anew: was D2O, is D2D with metastore aws:eu:1" in text
    assert "no longer managed" not in text
