"""What several files decide together: who has which workspace, what a broken file holds back, and what it does not."""

import itertools
from datetime import date

import pytest

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId, recipient_key
from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.packs.reading import read_packs
from tests.packs.examples import CASES, files_of, read
from tests.packs.workbooks import workbook


def pack(
    line: str = "Sales",
    project: str = "Orders",
    recipient: str = "partner",
    share: str = "orders",
    readers: str = "",
    region: str = "",
) -> bytes:
    return f"""
metadata:
  requestor: ann@example.com
  project_name: {project}
  business_line: {line}
  region: "{region}"
recipient:
  - {{name: {recipient}, type: D2O, email: data@partner.example}}
share:
  - {{name: {share}, recipients: [{readers or recipient}], data_objects: [prod.sales.orders]}}
""".encode()


TENANTS = b"""
tenants:
  Sales:
    regions: {am: "https://ADB-1.example.net/", EMEA: "https://adb-2.example.net:443"}
    catalogs: [Prod]
    owner: sales@example.com
    contact: "#sales"
  Legal: {workspace: "http://localhost:8080", regions: {apac: "https://adb-4.example.net:8443"}}
  Settings: {}
"""
BROKEN = b"metadata: {requestor: ann, project_name: Broken, business_line: Sales}\n"


def rules(desired: Desired) -> list[str]:
    return [problem.rule for problem in desired.problems]


@pytest.mark.parametrize(
    ("line", "region", "workspace"),
    [
        ("sales", "AM", "https://adb-1.example.net"),
        ("SALES", "emea", "https://adb-2.example.net"),
        ("Legal", "", "http://localhost:8080"),
        (" legal ", "Apac", "https://adb-4.example.net:8443"),
        ("Settings", "", "https://default"),
    ],
)
def test_business_line_and_region_decide_the_workspace(line: str, region: str, workspace: str) -> None:
    desired = read({"tenants.yaml": TENANTS, "a.yaml": pack(line, region=region)}, "https://default")
    assert rules(desired) == []
    assert [each.workspace for each in desired.packs.values()] == [workspace]


def test_without_a_tenants_file_every_business_line_uses_the_default_workspace() -> None:
    desired = read({"a.yaml": pack("Anything", region="anywhere")}, "https://default")
    assert [(each.workspace, each.region) for each in desired.packs.values()] == [("https://default", "ANYWHERE")]
    assert not desired.tenants.is_declared


def test_the_only_region_needs_no_mention() -> None:
    tenants = b"tenants: {Sales: {regions: {AM: 'https://adb-1.example.net'}}}"
    desired = read({"tenants.yaml": tenants, "a.yaml": pack()})
    assert [each.workspace for each in desired.packs.values()] == ["https://adb-1.example.net"]


def test_what_tenants_say_is_kept() -> None:
    tenant = read({"tenants.yaml": TENANTS}).tenants.by_line["sales"]
    assert (tenant.business_line, tenant.owner, tenant.contact) == ("Sales", "sales@example.com", "#sales")
    assert tenant.catalogs == frozenset({"prod"})
    assert read({"tenants.yaml": TENANTS}).tenants.by_line["legal"].catalogs is None


def test_the_same_names_in_different_workspaces_are_different_resources() -> None:
    files = {"tenants.yaml": TENANTS, "a.yaml": pack(region="am"), "b.yaml": pack(project="Other", region="emea")}
    desired = read(files)
    assert rules(desired) == []
    assert len(desired.packs) == 2


def test_a_recipient_of_another_pack_of_the_same_business_line_may_be_referred_to() -> None:
    files = {"a.yaml": pack(readers="partner, SECOND"), "b.yaml": pack("sales", "Other", "second", "others")}
    desired = read(files, "https://w")
    assert rules(desired) == []
    assert desired.packs[PackId.of("Sales", "Orders")].borrowed == {recipient_key("second", "https://w")}
    assert desired.packs[PackId.of("Sales", "Other")].borrowed == frozenset()


def test_packs_may_refer_to_each_other() -> None:
    files = {"a.yaml": pack(readers="second"), "b.yaml": pack("Sales", "Other", "second", "others", "partner")}
    assert rules(read(files)) == []


@pytest.mark.parametrize(
    "other",
    [pack("Legal", "Other", "second", "others"), pack("Sales", "Other", "second", "others", region="am")],
)
def test_a_recipient_of_another_business_line_or_workspace_may_not(other: bytes) -> None:
    files = {"tenants.yaml": TENANTS, "a.yaml": pack(readers="second", region="emea"), "b.yaml": other}
    desired = read(files)
    assert rules(desired) == ["recipient-unknown"]
    assert [each.id.project_name for each in desired.packs.values()] == ["Other"]


def test_a_problem_in_one_pack_holds_back_no_other() -> None:
    desired = read({"a.yaml": pack(), "b.yaml": BROKEN})
    assert [each.path for each in desired.packs.values()] == ["a.yaml"]
    assert desired.unreadable_lines == {"sales"}
    assert desired.broken == {PackId.of("Sales", "Broken"): "b.yaml"}


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"metadata: {business_line: Sales}\nshare: [", {"sales"}),
        (b"metadata:\n  business_line: Sales\n  project_name: 'open\n", {"sales"}),
        (b"metadata:\n  business_line: 'Sales\n", {""}),
        (b"metadata: {business_line: Sales, business_line: Legal}\n", {""}),
        (b"metadata: {business_line: 5}\n", {""}),
        (b"share: []\n", {""}),
        (b"\xff", {""}),
        (pack() + b"---\n" + pack("Legal"), {""}),
    ],
)
def test_a_file_speaks_for_its_business_line_only_as_far_as_that_could_be_read(data: bytes, lines: set[str]) -> None:
    assert read({"a.yaml": data}).unreadable_lines == lines


def test_a_business_line_that_does_not_exist_may_stand_for_any() -> None:
    assert read({"tenants.yaml": TENANTS, "a.yaml": pack("Slaes", region="am")}).unreadable_lines == {""}


def test_a_copied_pack_breaks_both_files_and_is_told_once() -> None:
    desired = read({"a.yaml": pack(), "b.yaml": pack()})
    (problem,) = desired.problems
    assert (problem.rule, problem.where.path, problem.also and problem.also.path) == (
        "pack-duplicate",
        "b.yaml",
        "a.yaml",
    )
    assert desired.packs == {}


def test_two_definitions_of_one_share_break_both_packs() -> None:
    desired = read({"a.yaml": pack(), "b.yaml": pack(project="Other", recipient="second", share="ORDERS")})
    assert rules(desired) == ["resource-duplicate"]
    assert desired.packs == {}


def test_a_chain_of_references_waits_for_its_end() -> None:
    files = {f"{n}.yaml": pack("Sales", f"P{n}", f"r{n}", f"s{n}", f"r{n}, r{n + 1}") for n in range(5)}
    files["5.yaml"] = pack("Sales", "P5", "r5", "s5").replace(b"D2O", b"D3O")
    desired = read(files)
    assert rules(desired) == ["waits-for-file"] * 5 + ["recipient-type-unknown"]
    assert desired.packs == {}


def test_one_wrong_tenant_holds_back_its_own_packs_only() -> None:
    tenants = TENANTS.replace(b"[Prod]", b"['a.b']")
    files = {"tenants.yaml": tenants, "a.yaml": pack(region="am"), "b.yaml": pack("Legal")}
    desired = read(files)
    assert rules(desired) == ["waits-for-file", "tenant-catalog-invalid"]
    assert [each.id.business_line for each in desired.packs.values()] == ["Legal"]
    assert desired.unreadable_lines == {"sales"}


def test_an_unreadable_tenants_file_holds_back_everything() -> None:
    desired = read({"tenants.yaml": b"tenants: [", "a.yaml": pack()})
    assert desired.packs == {}
    assert "" in desired.unreadable_lines


def test_files_that_are_no_packs_are_passed_over() -> None:
    names = ["README.md", ".gitkeep", ".hidden.yaml", ".git/a.yaml", "~$a.xlsx", "notebook.ipynb", "yaml", "a.yaml.bak"]
    assert read(dict.fromkeys(names, b"rubbish")).problems == ()


def test_endings_count_in_any_letter_case() -> None:
    desired = read({"a.YAML": pack(), "b.Xlsx": workbook(), "c.YML": b""})
    assert rules(desired) == ["pack-duplicate", "file-empty"]


def test_the_tenants_file_stands_at_the_top_of_what_is_read() -> None:
    files = {"repo/.packs/tenants.yaml": TENANTS, "repo/.packs/x/a.yaml": pack("Legal"), "repo/.packs/x/y/b.yaml": b"-"}
    found = read_packs(files, Revision(), "")
    assert found.tenants.is_declared
    assert [each.workspace for each in found.packs.values()] == ["http://localhost:8080"]
    misplaced = read_packs(files, Revision(), "", packs_folder="repo")
    assert "tenants-place" in rules(misplaced)
    assert "" in misplaced.unreadable_lines


def test_parsing_may_be_remembered_by_the_bytes_of_a_file() -> None:
    kept: dict[bytes, ParsedFile] = {}

    def remembering(path: str, data: bytes) -> ParsedFile:
        if data not in kept:
            kept[data] = parse_file("elsewhere.yaml", data)
        return kept[data].moved_to(path)

    files = {"a.yaml": pack(), "b/c.yaml": BROKEN, "d.yaml": pack(project="Other", recipient="second", share="more")}
    expected = read_packs(files, Revision(), "w")
    assert read_packs(files, Revision(), "w", parse=remembering) == expected
    assert read_packs(files, Revision(), "w", parse=remembering) == expected
    assert len(kept) == 3


@pytest.mark.parametrize("case", [case for case in CASES if len(files_of(case)) > 1])
def test_the_order_of_files_does_not_matter(case: str) -> None:
    files = files_of(case)
    expected = read(files)
    for order in itertools.permutations(files):
        assert read({path: files[path] for path in order}) == expected


def test_a_region_that_is_wrong_does_not_choose_a_workspace() -> None:
    desired = read({"tenants.yaml": TENANTS, "a.yaml": pack(region="apac")})
    assert rules(desired) == ["region-unknown"]
    assert desired.packs == {}


LENDING = b"""
tenants:
  Platform: {lends_recipients_to: [SALES]}
  Legal: {lends_recipients_to: ["*"]}
  Sales: {}
"""


def test_a_recipient_may_be_lent_by_another_business_line() -> None:
    files = {
        "tenants.yaml": LENDING,
        "a.yaml": pack("Sales", readers="partner, of-platform, of-legal"),
        "b.yaml": pack("Platform", recipient="of-platform", share="b"),
        "c.yaml": pack("Legal", recipient="of-legal", share="c"),
    }
    desired = read(files, "https://w")
    assert rules(desired) == []
    lent = {recipient_key("of-platform", "https://w"), recipient_key("of-legal", "https://w")}
    assert desired.packs[PackId.of("Sales", "Orders")].borrowed == lent


def test_what_one_line_lends_is_not_lent_back_or_on() -> None:
    files = {
        "tenants.yaml": LENDING,
        "a.yaml": pack("Sales", recipient="of-sales", share="a"),
        "b.yaml": pack("Platform", recipient="of-platform", share="b", readers="of-sales"),
        "c.yaml": pack("Legal", recipient="of-legal", share="c", readers="of-platform"),
    }
    desired = read(files)
    assert [(problem.rule, problem.where.path) for problem in desired.problems] == [
        ("recipient-not-lent", "b.yaml"),
        ("recipient-not-lent", "c.yaml"),
    ]
    assert [each.path for each in desired.packs.values()] == ["a.yaml"]


def test_a_recipient_is_lent_in_its_own_workspace_only() -> None:
    elsewhere = LENDING.replace(b"Sales: {}", b"Sales: {workspace: https://adb-1.example.net}")
    files = {"tenants.yaml": elsewhere, "b.yaml": pack("Platform", recipient="of-platform", share="b")}
    assert rules(read(files | {"a.yaml": pack("Sales", readers="of-platform")})) == ["recipient-unknown"]


def test_without_a_tenants_file_nothing_is_lent() -> None:
    files = {"a.yaml": pack(readers="of-platform"), "b.yaml": pack("Platform", recipient="of-platform", share="b")}
    (problem,) = read(files).problems
    assert problem.rule == "recipient-not-lent"
    assert "in a tenants.yaml" in problem.hint


@pytest.mark.parametrize(
    ("lender", "expected"),
    [
        (pack("Platform", recipient="of-platform", share="b", region="nowhere"), ["waits-for-file", "region-unknown"]),
        (b"metadata: {business_line: Platform, project_name: p}\nrecipient: [", ["waits-for-file", "yaml-syntax"]),
        (b"recipient: [", ["waits-for-file", "yaml-syntax"]),
        (b"metadata: {business_line: Others, project_name: p}\nrecipient: [", ["recipient-unknown", "yaml-syntax"]),
    ],
)
def test_a_borrower_waits_for_a_lender_that_cannot_be_read(lender: bytes, expected: list[str]) -> None:
    tenants = LENDING + b"  Others: {}\n"
    files = {"tenants.yaml": tenants, "a.yaml": pack("Sales", readers="of-platform"), "b.yaml": lender}
    desired = read(files)
    assert [problem.rule for problem in desired.problems] == expected
    assert desired.packs == {}


def test_an_exception_or_an_expiry_of_yesterday_is_a_warning_and_holds_nothing_back() -> None:
    data = pack().replace(b"email: data", b"expires_at: 2026-10-31, email: data") + (
        b"allow: [{action: 'delete:share/old', until: 2026-10-31, reason: x}]\n"
    )
    desired = read({"a.yaml": data})
    assert {(problem.rule, problem.is_error) for problem in desired.problems} == {
        ("expiry-past", False),
        ("allow-expired", False),
    }
    assert len(desired.packs) == 1
    assert desired.unreadable_lines == frozenset()
    assert read_packs({"a.yaml": data}, Revision(), "https://w").problems == ()


@pytest.mark.parametrize(
    ("today", "until", "expected"),
    [
        (date(2026, 11, 1), "2027-11-01", []),
        (date(2026, 11, 1), "2027-11-02", ["allow-until-too-far"]),
        (date(2028, 2, 29), "2029-02-28", []),
        (date(2028, 2, 29), "2029-03-01", ["allow-until-too-far"]),
        (date(2026, 11, 1), "2026-11-01", []),
        (date(2026, 11, 2), "2026-11-01", ["allow-expired"]),
        (None, "2099-01-01", []),
    ],
)
def test_an_exception_counts_through_its_last_day_within_a_year(
    today: date | None, until: str, expected: list[str]
) -> None:
    data = pack() + f"allow: [{{action: 'delete:share/old', until: {until}, reason: x}}]\n".encode()
    assert rules(read_packs({"a.yaml": data}, Revision(), "https://w", today=today)) == expected


def test_a_notebook_is_found_below_the_packs_folder_wherever_that_is() -> None:
    objects = b"[{name: N, type: NOTEBOOK_FILE, content: ../n.ipynb}]"
    data = pack().replace(b"[prod.sales.orders]", objects)
    files = {"repo/packs/sales/a.yaml": data, "repo/packs/n.ipynb": b"{}", "repo/n.ipynb": b"secret"}
    assert rules(read_packs(files, Revision(), "https://w", packs_folder="repo/packs")) == []
    above = {**files, "repo/packs/sales/a.yaml": data.replace(b"../n", b"../../n")}
    assert rules(read_packs(above, Revision(), "https://w", packs_folder="repo/packs")) == ["notebook-path-invalid"]
    absolute = {f"/srv/{path}": content for path, content in files.items()}
    assert rules(read_packs(absolute, Revision(), "https://w", packs_folder="/srv/repo/packs")) == []
