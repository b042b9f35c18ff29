"""The example files: what valid ones say, and every problem of the invalid ones, word for word."""

import pytest

from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import Declared, SharePack, Strategy
from reconciler.core.problem import Where
from reconciler.core.recipient import DatabricksSharing, Recipient, TokenSharing
from reconciler.core.share import Share, SharedObject
from tests.packs.examples import CASES, EXAMPLES, expected_file, files_of, read, written_all

W = "https://w"


def the_pack(name: str) -> SharePack:
    desired = read({name: (EXAMPLES / "valid" / name).read_bytes()}, W)
    assert desired.problems == ()
    (pack,) = desired.packs.values()
    return pack


def objects(*names: str) -> frozenset[SharedObject]:
    return frozenset(SharedObject(name) for name in names)


@pytest.mark.parametrize("case", CASES)
def test_every_problem_is_told_with_its_place_and_what_to_write_instead(case: str) -> None:
    assert written_all(files_of(case)) == expected_file(case).read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_an_invalid_file_yields_no_pack_and_names_its_business_line_as_unreadable(case: str) -> None:
    desired = read(files_of(case))
    broken = {problem.where.path for problem in desired.problems}
    assert broken
    assert not {pack.path for pack in desired.packs.values()} & broken
    assert desired.unreadable_lines


def test_the_finance_example_of_the_guide() -> None:
    pack = the_pack("guide-finance.yaml")
    assert pack.id == PackId.of("corporate finance", "CORPORATE FINANCE Q1 data share")
    assert (pack.requestor, pack.workspace, pack.stated_strategy) == ("john.doe@jll.com", W, Strategy.NEW)
    assert pack.description == "Q1 financial data sharing with external auditors"
    assert pack.region is UNMANAGED
    auditor = Recipient(
        "external-auditor",
        TokenSharing(),
        "auditor@external.com",
        frozenset({"203.0.113.0/24", "198.51.100.50"}),
        "External auditing firm",
    )
    analyst = Recipient(
        "internal-analyst", DatabricksSharing("aws:us-west-2:abc-123-def"), comment="Internal data analyst team"
    )
    revenue = Share(
        "finance_q1_share",
        "Q1 financial data",
        objects("catalog.schema.revenue_table", "catalog.schema.expense_table"),
        frozenset({"external-auditor", "internal-analyst"}),
    )
    audit = Share(
        "audit_log_share",
        "Audit logs for compliance",
        objects("catalog.audit_schema.activity_log"),
        frozenset({"external-auditor"}),
    )
    path = "guide-finance.yaml"
    assert pack.resources == {
        recipient_key("external-auditor", W): Declared(auditor, Where(path, 9, 5)),
        recipient_key("internal-analyst", W): Declared(analyst, Where(path, 17, 5)),
        share_key("finance_q1_share", W): Declared(revenue, Where(path, 23, 5)),
        share_key("audit_log_share", W): Declared(audit, Where(path, 32, 5)),
    }


def test_the_sales_example_of_the_guide() -> None:
    pack = the_pack("guide-sales.yaml")
    assert {str(key): declared.resource for key, declared in pack.resources.items()} == {
        "recipient/sales-analyst": Recipient(
            "sales-analyst", TokenSharing(), "analyst@partner.com", frozenset({"192.168.1.0/24"})
        ),
        "share/sales_q1_share": Share(
            "sales_q1_share",
            "Q1 sales data",
            objects("prod_catalog.sales.transactions", "prod_catalog.sales.customers"),
            frozenset({"sales-analyst"}),
        ),
    }


def test_absent_empty_and_set_are_three_different_things() -> None:
    pack = the_pack("three-states.yaml")
    assert pack.id.project_name == 'Ann\'s "Nordic" data'
    assert pack.description == "Two lines,\nthe second with a # sign.\n"
    assert (pack.requestor, pack.region, pack.stated_strategy) == ("Ann@Example.com", "", Strategy.UPDATE)
    assert {str(key): declared.resource for key, declared in pack.resources.items()} == {
        "recipient/cleared": Recipient("cleared", TokenSharing(), "a@b.example", frozenset(), ""),
        "recipient/no": Recipient("no", TokenSharing(), "a@b.example", UNMANAGED, "2024-01-30"),
        "recipient/set": Recipient("set", DatabricksSharing("azure:westeurope:19a84bee-54bc"), "c@d.example"),
        "share/mentions_nothing": Share("mentions_nothing"),
        "share/cleared": Share("cleared", "", frozenset(), frozenset()),
        "share/set": Share(
            "set", "no", objects("main.raw", "main.raw.daily orders", "main.raw.12"), frozenset({"no", "set"})
        ),
    }
    assert [str(key) for key, declared in pack.resources.items() if declared.adopt] == ["recipient/set"]
