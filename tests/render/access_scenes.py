"""Questions about access with their answers, small enough to read."""

from datetime import UTC, datetime

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.key import Key, PackId, recipient_key, share_key
from reconciler.core.reads import Reads
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.share import Condition, ObjectType, SharedObject

WORKSPACE = "https://adb-1234567890.7.azuredatabricks.net"
PACK = PackId.of("Sales Operations", "Sales Data Q1 2024")
NOW = datetime(2026, 11, 23, 9, 30, 15, tzinfo=UTC)
BEGUN = datetime(2026, 1, 2, 8, 0, 0, 123456, tzinfo=UTC)
METASTORE = "aws:us-west-2:19a84bee-54bc-43a2-87de-023d0ec16016"

TRANSACTIONS = SharedObject("prod_catalog.sales.transactions", ObjectType.TABLE)
EMEA = SharedObject(
    "prod_catalog.sales.customers",
    ObjectType.TABLE,
    shared_as="sales.emea_customers",
    partitions=frozenset({frozenset({Condition("region", value="EMEA")})}),
    history=True,
)
SCHEMA = SharedObject("prod_catalog.sales", ObjectType.SCHEMA)

ANALYST = Recipient("sales-analyst", TokenSharing(), "analyst@partner.com", frozenset({"192.168.1.0/24"}))
METASTORE_OF_A_PARTNER = Recipient("partner-metastore", DatabricksSharing(METASTORE))
SIGNS_IN = Recipient(
    "auditor",
    OidcSharing(),
    policies=frozenset(
        {
            FederationPolicy(
                "entra", "https://login.example/t/v2.0", SubjectClaim.OID, "1d-of-ann", frozenset({"shares"})
            )
        }
    ),
)
OPEN_TO_ALL = Recipient("anywhere", TokenSharing(), allowed_ips=frozenset())


def reads(
    recipient: str,
    item: SharedObject = TRANSACTIONS,
    share: str = "sales_q1_share",
    *,
    since: datetime = BEGUN,
    commit: str = "1f2e3d4c5b6a79880011",
    pull_requests: str = "example/packs#12",
    approved_by: str = "bob (review), carol (merge)",
    pack: PackId = PACK,
) -> Reads:
    key = share_key(share, WORKSPACE)
    return Reads(recipient, item, key, pack, since, commit, "ann@example.com", pull_requests, approved_by)


def known(*recipients: Recipient) -> dict[Key, Recipient]:
    return {recipient_key(each.name, WORKSPACE): each for each in recipients}


LINES = (
    reads("anywhere"),
    reads("auditor", SCHEMA, "whole_schema_share", commit="", pull_requests="", approved_by=""),
    reads("gone-from-the-record"),
    reads("partner-metastore", EMEA, since=datetime(2026, 3, 1, 12, tzinfo=UTC), pull_requests="example/packs#31"),
    reads("partner-metastore"),
    reads("sales-analyst", EMEA),
    reads("sales-analyst"),
)
PEOPLE = known(ANALYST, METASTORE_OF_A_PARTNER, SIGNS_IN, OPEN_TO_ALL)


def report(
    question: AccessQuestion | None = None,
    lines: tuple[Reads, ...] = LINES,
    *,
    at: datetime | None = None,
    record_since: datetime | None = BEGUN,
) -> AccessReport:
    asked = question or AccessQuestion()
    return AccessReport(asked, at or asked.at or NOW, lines, PEOPLE, record_since)
