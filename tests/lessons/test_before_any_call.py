"""What Terraform's users learnt from Databricks in the middle of an apply is said of the file, before any call."""

from textwrap import dedent

import pytest

from tests.packs.examples import read

METADATA = dedent("""\
    metadata:
      requestor: ann@example.com
      project_name: Q1
      business_line: Sales
    """)


def rules(files: dict[str, bytes]) -> list[str]:
    """Those broken as an error; a pack with one is not planned at all."""
    desired = read(files)
    found = [problem.rule for problem in desired.problems if problem.is_error]
    assert bool(found) is not bool(desired.packs)
    return found


def of_share(*entries: str) -> dict[str, bytes]:
    objects = "".join(f"      - {entry}\n" for entry in entries)
    return {"q1.yaml": f"{METADATA}share:\n  - name: s\n    data_objects:\n{objects}".encode()}


def of_recipient(fields: str) -> dict[str, bytes]:
    return {"q1.yaml": f"{METADATA}recipient:\n  - {{name: acme, {fields}}}\n".encode()}


@pytest.mark.parametrize("alias", ["view1", "a.b.view1", "sales.", "my-sales.view1"])
def test_an_alias_of_a_table_has_two_parts(alias: str) -> None:
    assert rules(of_share(f"{{name: main.sales.view, shared_as: {alias}}}")) == ["alias-invalid"]
    assert rules(of_share("{name: main.sales.view, shared_as: sales.view1}")) == []


def test_an_alias_is_never_sent_empty() -> None:
    assert rules(of_share("{name: main.sales.view, shared_as: ''}")) == ["text-empty"]


def test_a_notebook_needs_its_content() -> None:
    notebook = "{name: start, type: NOTEBOOK_FILE, content: start.py}"
    assert rules(of_share("{name: start, type: NOTEBOOK_FILE}")) == ["notebook-content-missing"]
    assert rules(of_share(notebook)) == ["notebook-not-found"]
    assert rules(of_share(notebook) | {"start.py": b"# Start\n"}) == []


def test_history_and_change_feed_are_not_wanted_together() -> None:
    assert rules(of_share("{name: main.sales.t, history: true, cdf: true}")) == ["history-cdf-clash"]


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED_VIEW", "VOLUME", "MODEL"])
@pytest.mark.parametrize("option", ["partitions: [\"region = 'EMEA'\"]", "cdf: true", "start_version: 1"])
def test_options_of_tables_are_for_tables(kind: str, option: str) -> None:
    assert rules(of_share(f"{{name: main.sales.x, type: {kind}, {option}}}")) == ["object-field-not-for-type"]


def test_an_object_stands_once_in_a_share_whatever_its_letter_case() -> None:
    assert rules(of_share("main.sales.t", "MAIN.Sales.T")) == ["list-duplicate"]
    assert rules(of_share("main.sales.t", "{name: main.sales.t, comment: again}")) == ["list-duplicate"]


def test_one_table_may_stand_twice_under_two_aliases() -> None:
    twice = [f"{{name: main.sales.t, shared_as: out.{alias}}}" for alias in ("one", "two")]
    assert rules(of_share(*twice)) == []
    assert rules(of_share(twice[0], twice[0])) == ["list-duplicate"]


def test_a_share_does_not_outgrow_what_databricks_takes() -> None:
    """As far as the file tells what the objects are; plain names are counted when planning."""

    def notebooks(count: int) -> list[str]:
        return [f"{{name: n{number}, type: NOTEBOOK_FILE, content: start.py}}" for number in range(count)]

    content = {"start.py": b"# Start\n"}
    assert rules(of_share(*notebooks(100)) | content) == []
    assert rules(of_share(*notebooks(101)) | content) == ["objects-too-many"]


def test_a_hundred_addresses_are_allowed_and_no_more() -> None:
    def listed(count: int) -> str:
        addresses = ", ".join(f"198.51.100.{number}" for number in range(count))
        return f"type: D2O, email: a@b.example, allowed_ips: [{addresses}]"

    assert rules(of_recipient(listed(100))) == []
    assert rules(of_recipient(listed(101))) == ["allowed-ips-too-many"]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ("type: D2D, metastore_id: 'aws:us-west-2:abc', allowed_ips: [198.51.100.1]", "recipient-field-not-for-type"),
        ("type: D2O, email: a@b.example, metastore_id: 'aws:us-west-2:abc'", "recipient-field-not-for-type"),
        ("type: D2D", "recipient-metastore-missing"),
        ("type: OAUTH", "recipient-type-unknown"),
        ("type: D2O, email: a@b.example, allowed_ips: ['2001:db8::1']", "allowed-ip-v6"),
        ("type: D2O, email: a@b.example, token_lifetime: 366d", "duration-out-of-range"),
    ],
)
def test_each_type_of_recipient_has_its_own_fields(fields: str, rule: str) -> None:
    assert rules(of_recipient(fields)) == [rule]


def test_one_metastore_is_one_recipient() -> None:
    both = f"{METADATA}recipient:\n" + "".join(
        f"  - {{name: {name}, type: D2D, metastore_id: 'aws:us-west-2:abc-1'}}\n" for name in ("one", "two")
    )
    assert rules({"q1.yaml": both.encode()}) == ["metastore-duplicate"]


def test_two_packs_do_not_define_one_share() -> None:
    """Two definitions of one thing would undo each other in turn."""
    other = METADATA.replace("Q1", "Q2")
    files = {
        "q1.yaml": f"{METADATA}share:\n  - {{name: s, recipients: []}}\n".encode(),
        "q2.yaml": f"{other}share:\n  - {{name: S, comment: mine}}\n".encode(),
    }
    assert rules(files) == ["resource-duplicate"]


def test_a_share_is_granted_only_to_recipients_that_somebody_declares() -> None:
    pack = f"{METADATA}share:\n  - {{name: s, recipients: [nobody]}}\n"
    assert rules({"q1.yaml": pack.encode()}) == ["recipient-unknown"]


def test_a_share_is_granted_to_a_recipient_of_another_team_s_pack() -> None:
    """What is handed out together is declared in one pack, and who receives it in any pack of the line."""
    other = METADATA.replace("Q1", "Partners")
    files = {
        "partners.yaml": f"{other}recipient:\n  - {{name: acme, type: D2O, email: a@b.example}}\n".encode(),
        "q1.yaml": f"{METADATA}share:\n  - {{name: s, recipients: [acme]}}\n".encode(),
        "q2.yaml": f"{METADATA.replace('Q1', 'Q2')}share:\n  - {{name: s2, recipients: [ACME]}}\n".encode(),
    }
    assert rules(files) == []
