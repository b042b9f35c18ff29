"""What pages are made from, as it might be on record: an ordinary morning, and one where every text is hostile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.holds import Suspension
from reconciler.core.key import Key, PackId, recipient_key, share_key
from reconciler.core.pack import Strategy
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem, Severity, Where
from reconciler.core.reads import Reads
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from reconciler.core.sighting import Sighting
from reconciler.http.pages.access import AccessView, Asked
from reconciler.http.pages.frame import Visitor
from reconciler.http.pages.pack import PackView
from reconciler.http.pages.packs import PacksView
from reconciler.http.pages.upload import Draft, UploadView
from reconciler.ports.archive import Filter, Page, RowVersion
from reconciler.ports.inbox import Upload, UploadStatus
from reconciler.ports.kept_plans import KeptPlan
from reconciler.ports.records import Daemon, KeyVersion, PackState
from reconciler.render.plan_json import plan_document
from reconciler.render.status_report import Report
from tests.render.html.pages import ordinary
from tests.render.plans import METASTORE, PARTNER, SALES, WORKSPACE, table

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
COMMIT = "1f2e3d4c5b6a798897a6b5c4d3e2f10123456789"
NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
ANN = Visitor("key portal (a1b2c3d4)", can_write=True, is_signed_in=True, token="f00d")
GUEST = Visitor("anonymous", token="f00d")
ORDINARY = ordinary()
NOBODY = Visitor(token="f00d")


def state(project: str, status: PackStatus = PackStatus.COMPLETED, line: str = "Sales Operations") -> PackState:
    said = {
        PackStatus.COMPLETED: "All resources provisioned successfully",
        PackStatus.IN_PROGRESS: "Creating shares...",
    }
    trouble = {
        PackStatus.FAILED: "share/hr_share: the owner lost SELECT on TABLE hr.pay.salaries; grant it to data-platform",
        PackStatus.VALIDATION_FAILED: "recipient-email-missing at recipient[0]",
    }
    return PackState(
        pack=PackId.of(line, project),
        share_pack_id=uuid5(NAMESPACE, ascii(project)),
        share_pack_name=f"SharePack_john.doe@example.com_{len(project):08}_150000",
        status=status,
        strategy=Strategy.UPDATE,
        path=f"sharepacks/{line.casefold().replace(' ', '_')}/{project.casefold().replace(' ', '_')}.yaml",
        workspace=WORKSPACE,
        requested_by="john.doe@example.com",
        commit=COMMIT,
        applied_commit="" if status is PackStatus.VALIDATION_FAILED else COMMIT,
        provisioning_status=said.get(status, ""),
        error_message=trouble.get(status, ""),
        created_at=NOW - timedelta(days=90),
        last_updated=NOW - timedelta(hours=3, minutes=len(project)),
    )


STATES = (
    state("Q1 Figures", line="Finance"),
    state("Salaries", PackStatus.FAILED, "Human Resources"),
    state("Partner Onboarding", PackStatus.VALIDATION_FAILED),
    state("Sales Data Q1 2024"),
    state("Sales Data Q2 2024", PackStatus.IN_PROGRESS),
    state("Store Visits"),
)


def report(states: Sequence[PackState] = STATES) -> Report:
    """One pack drifted, one is suspended, and the token of a recipient ends soon."""
    drifted = Sighting((), ("comment", "recipients"), "eve@example.com", None, NOW - timedelta(hours=5))
    ends = Sighting(token_ends_at=round((NOW + timedelta(days=6)).timestamp() * 1000))
    names = {each.pack.project_name: each.pack for each in states}
    seen: dict[PackId, dict[Key, Sighting]] = {}
    holds = {}
    if (pack := names.get("Sales Data Q1 2024")) is not None:
        seen[pack] = {share_key("sales_q1_share", WORKSPACE): drifted, recipient_key("sales-analyst", WORKSPACE): ends}
    if (pack := names.get("Store Visits")) is not None:
        holds[pack] = Suspension("ann", "audit under way", NOW - timedelta(days=1), NOW + timedelta(days=2))
    daemon = Daemon("reconciler-0:17", leads=True, seen_at=NOW - timedelta(seconds=12), commit=COMMIT)
    return Report(states, NOW, sightings=seen, suspensions=holds, daemons=[daemon], last_full_pass=312.0)


def packs_view(states: Sequence[PackState] = STATES) -> PacksView:
    counts = {status: sum(each.status is status for each in states) for status in PackStatus}
    lines = sorted({each.pack.business_line for each in states})
    return PacksView(Page(states, "next-cursor", len(states) + 44), Filter(), lines, counts, report(states))


def version(
    resource: Resource | None, key: Key, number: int, hours: int, *, ended: int | None = None, approved: str = "grace"
) -> KeyVersion:
    return KeyVersion(
        key=key,
        version=number,
        effective_from=NOW - timedelta(hours=hours),
        effective_to=None if ended is None else NOW - timedelta(hours=ended),
        resource=resource,
        pack=STATES[3].pack,
        created_by="reconciler-0:17",
        change_reason="share pack changed",
        commit=COMMIT,
        plan_id=None,
        pull_requests="example/packs#41" if approved else "",
        approved_by=approved,
    )


def row(number: int, hours: float, status: str, said: str = "", error: str = "") -> RowVersion:
    values = {"share_pack_status": status, "provisioning_status": said, "error_message": error}
    return RowVersion(number, NOW - timedelta(hours=hours), None, False, "reconciler-0:17", "", COMMIT, values)


ROWS = (
    row(1, 80, "IN_PROGRESS", "Queued"),
    row(2, 79.9, "IN_PROGRESS", "Creating recipients..."),
    row(3, 79.8, "COMPLETED", "All resources provisioned successfully"),
    row(4, 30, "VALIDATION_FAILED", error="sales.yaml:12:5: no such recipient: sales-analist"),
    row(5, 3, "IN_PROGRESS", "Adding data objects..."),
    row(6, 2.9, "COMPLETED", "All resources provisioned successfully"),
)


def upload(status: UploadStatus = UploadStatus.SUBMITTED) -> Upload:
    return Upload(
        id=uuid5(NAMESPACE, "upload"),
        pack=STATES[3].pack,
        path=STATES[3].path,
        former_path="",
        content=b"",
        digest="ab" * 32,
        workspace=WORKSPACE,
        requestor="john.doe@example.com",
        caller="key portal (a1b2c3d4)",
        status=status,
        commit=COMMIT,
        received_at=NOW - timedelta(hours=3),
        reason="Git could not be written" if status is UploadStatus.FAILED else "",
    )


def pack_view(which: PackState = STATES[3], *, with_plan: bool = False) -> PackView:
    share, recipient = share_key(SALES.name, WORKSPACE), recipient_key(PARTNER.name, WORKSPACE)
    smaller = replace(SALES, objects=frozenset({table("prod_catalog.sales.customers")}))
    document = plan_document(ORDINARY)["packs"][0]
    return PackView(
        state=which,
        report=report([which]),
        rows=ROWS,
        versions=[
            version(PARTNER, recipient, 1, 80, approved=""),
            version(smaller, share, 1, 80, ended=3, approved=""),
            version(SALES, share, 2, 3),
        ],
        uploads=[upload(), upload(UploadStatus.FAILED)],
        last=KeptPlan(uuid5(NAMESPACE, "plan"), COMMIT, "reconciler-0:17", NOW - timedelta(hours=3), document),
        plan=ORDINARY if with_plan else None,
    )


def reads(recipient: str, item: SharedObject, share: str = "sales_q1_share", days: int = 30) -> Reads:
    return Reads(
        recipient,
        item,
        share_key(share, WORKSPACE),
        STATES[3].pack,
        NOW - timedelta(days=days),
        COMMIT,
        "reconciler-0:17",
        "example/packs#41" if days < 40 else "",
        "grace" if days < 40 else "",
    )


def access_report(lines: Sequence[Reads] | None = None) -> AccessReport:
    only_emea = replace(
        table("prod_catalog.sales.orders"), partitions=frozenset({frozenset({Condition("region", value="EMEA")})})
    )
    usual = (
        reads("auditor", table("prod_catalog.audit.ledger"), "audit_share", 90),
        reads("emea-lake", only_emea),
        reads("emea-lake", table("prod_catalog.sales.returns")),
        reads("sales-analyst", SharedObject("prod_catalog.sales", ObjectType.SCHEMA)),
        reads("sales-analyst", table("prod_catalog.sales.customers"), days=80),
        reads("sales-analyst", table("prod_catalog.sales.orders"), days=80),
    )
    found = tuple(usual if lines is None else lines)
    auditor = Recipient("auditor", TokenSharing(), "audit@example.com", frozenset({"203.0.113.7/32"}))
    known = {recipient_key(each.name, WORKSPACE): each for each in (PARTNER, METASTORE, auditor)}
    return AccessReport(AccessQuestion(), NOW, found, known, NOW - timedelta(days=200))


def access_view(asked: Asked | None = None, lines: Sequence[Reads] | None = None) -> AccessView:
    return AccessView(asked or Asked(), ["Finance", "Sales Operations"], access_report(lines))


def many_reads(recipients: int = 30, objects: int = 60) -> list[Reads]:
    """Of every second pair."""
    return [
        reads(f"partner-{reader:02}", table(f"prod_catalog.{('core', 'sales')[item % 2]}.table_{item:02}"))
        for reader in range(recipients)
        for item in range(objects)
        if (reader + item) % 2
    ]


PROBLEMS = (
    Problem(Where("sales.yaml", 12, 5), "recipient-unknown", "no such recipient: sales-analist", "write sales-analyst"),
    Problem(Where("sales.yaml", 3, 1), "name-unused", "nobody reads it", "", Severity.WARNING),
)


def upload_view(*, problems: Sequence[Problem] = (), with_plan: bool = False) -> UploadView:
    draft = Draft("sales.yaml", WORKSPACE, b"metadata: {}\n") if with_plan or problems else None
    return UploadView(WORKSPACE, 10 * 2**20, draft, ORDINARY if with_plan else None, problems)


def hostile_state(words: str) -> PackState:
    return replace(
        state(f"Project {words}", PackStatus.FAILED, f"Line {words}"),
        share_pack_name=words,
        path=words,
        requested_by=words,
        commit=words,
        applied_commit=words,
        error_message=words,
        provisioning_status=words,
        workspace=words,
    )


def hostile_pack_view(words: str, plan: Plan | None = None) -> PackView:
    which = hostile_state(words)
    resources = (Share(words, words, frozenset({table(words)}), frozenset({words}), words), None)
    key = Key(share_key("s", "").kind, words, words)
    versions = [
        replace(version(each, key, number, 9 - number), pack=which.pack, created_by=words, change_reason=words)
        for number, each in enumerate(resources, 1)
    ]
    said = replace(
        ROWS[0], created_by=words, change_reason=words, commit=words, values=dict.fromkeys(ROWS[0].values, words)
    )
    handed = replace(upload(UploadStatus.FAILED), path=words, requestor=words, caller=words, reason=words, commit=words)
    document = {"steps": [{"key": words, "verdict": words, "effect": words, "objections": [{"message": words}]}],
                "access": [{"recipient": words, "gains": [words], "loses": [words]}]}  # fmt: skip
    kept = KeptPlan(uuid5(NAMESPACE, "plan"), words, words, NOW, document)
    return PackView(which, Report([which], NOW), [said], versions, [handed], kept, plan)


def hostile_access_view(words: str, view: str) -> AccessView:
    item = SharedObject(words, ObjectType.TABLE, words)
    line = replace(reads(words, item), share=share_key(words, words), pack=PackId.of(words, words), commit=words)
    told = replace(line, created_by=words, pull_requests=words, approved_by=words)
    return AccessView(Asked(words, words, words, view=view), [words], access_report([told]), words)


def hostile_upload_view(words: str, plan: Plan | None = ORDINARY) -> UploadView:
    problem = Problem(Where(words), words, words, words, also=Where(words))
    return UploadView(words, 1, Draft(words, words, b"\x00\xff"), plan, [problem], words)
