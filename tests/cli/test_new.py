"""`sharepack new`: each answer is held to the rules of validate at once, and what is written is valid."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli import cli
from reconciler.cli.exits import Exit
from reconciler.packs.parsing import parse_file

TENANTS = """\
tenants:
  Sales:
    catalogs: [prod]
    regions: {AM: "https://adb-1.example.net", EMEA: "https://adb-2.example.net"}
  Legal: {}
"""
PARTNERS = """\
metadata:
  requestor: ann@example.com
  project_name: Partners
  business_line: Sales
  region: AM

recipient:
  - name: known-partner
    type: D2O
    email: data@partner.example
"""
GIVEN = ["--line", "Sales", "--region", "AM", "--project", "Orders Q3", "--requestor", "ann@example.com"]
ALL = [
    *GIVEN,
    "--d2o",
    "new-one=x@y.example",
    "--reader",
    "known-partner",
    "--share",
    "orders_q3",
    "--object",
    "prod.a.b",
]
EXPECTED = """\
metadata:
  requestor: ann@example.com
  project_name: Orders Q3
  business_line: Sales
  region: AM

recipient:
  - name: new-one
    type: D2O
    email: x@y.example

share:
  - name: orders_q3
    recipients:
      - new-one
      - known-partner
    data_objects:
      - prod.a.b
"""


@pytest.fixture
def folder(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A packs folder in the current one."""
    folder = no_settings / "sharepacks"
    (folder / "sales team").mkdir(parents=True)
    (folder / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    (folder / "sales team/partners.yaml").write_text(PARTNERS, encoding="utf-8")
    return folder


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="sharepack", input=answers, catch_exceptions=False)


def test_options_say_it_all_and_the_pack_stands_beside_those_of_its_line(folder: Path) -> None:
    result = run("new", "--yes", *ALL)
    assert (result.exit_code, result.stderr) == (Exit.DONE, "")
    path = folder / "sales team/orders-q3.yaml"
    assert path.read_text(encoding="utf-8") == EXPECTED
    assert result.stdout.startswith("Wrote sharepacks/sales team/orders-q3.yaml. It says:\n\n  metadata:\n")
    assert result.stdout.endswith("\nNext: sharepack plan 'sharepacks/sales team/orders-q3.yaml'\n")
    assert run("validate").stdout == "2 packs valid.\n"
    assert run("new", "--yes", *ALL).exit_code == Exit.ERROR
    assert run("new", "--yes", "--force", *ALL).exit_code == Exit.INVALID
    assert run("new", str(path), "--yes", "--force", *ALL).exit_code == Exit.DONE


def test_a_workbook_says_the_same(folder: Path) -> None:
    result = run("new", "sharepacks/legal/q3.xlsx", "--yes", *ALL)
    assert result.exit_code == Exit.DONE
    assert "It says, as YAML:\n\n  metadata:\n" in result.stdout
    book = parse_file("a.xlsx", (folder / "legal/q3.xlsx").read_bytes())
    assert book.document == parse_file("a.yaml", EXPECTED.encode()).document
    assert run("validate").stdout == "2 packs valid.\n"


def test_what_is_asked_is_asked_until_it_is_right(folder: Path) -> None:
    asked = [
        ("Sale", 'the business line "Sale" is not in tenants.yaml'),
        ("sales", ""),
        ("APAC", 'has no region "APAC"'),
        ("AM", ""),
        ("partners", "business line and project name together belong to one pack"),
        ("Orders Q3", ""),
        ("nobody", '"nobody" is not an e-mail address'),
        ("ann@example.com", ""),
        ("a b", '"a b" is not a name'),
        ("new-one", ""),
        ("D2X", "a recipient's type is D2O, OIDC or D2D"),
        ("", ""),
        ("x@y", '"x@y" is not an e-mail address'),
        ("x@y.example", ""),
        ("known-partner", ""),
        ("", ""),
        ("orders.q3", '"orders.q3" is not a name'),
        ("orders_q3", ""),
        ("b", '"b" is not catalog.schema.table'),
        ("other.a.b", 'may not share from the catalog "other"'),
        ("prod.a.b", ""),
        ("PROD.a.B", "stands in this list already"),
        ("", ""),
    ]
    result = run("new", answers="".join(f"{answer}\n" for answer, _ in asked))
    assert result.exit_code == Exit.DONE, result.stderr
    at = 0
    for _, words in asked:
        at = result.stderr.index(words, at)
    written = (folder / "sales team/orders-q3.yaml").read_text(encoding="utf-8")
    assert written == EXPECTED.replace("business_line: Sales", "business_line: sales")


def test_other_types_are_asked_for_what_they_need(folder: Path) -> None:
    answers = "idp\nOIDC\nmeta\nd2d\nx\naws:us-west-2:19a84bee\n\n\n\n"
    result = run("new", *GIVEN, answers=answers)
    assert result.exit_code == Exit.DONE, result.stderr
    assert "is not <cloud>:<region>:<uuid>" in result.stderr
    document = parse_file("a.yaml", (folder / "sales team/orders-q3.yaml").read_bytes()).document
    assert document is not None
    assert [(each.name, each.type.upper(), each.email) for each in document.recipient] == [
        ("idp", "OIDC", None),
        ("meta", "D2D", None),
    ]
    assert [(each.name, each.data_objects) for each in document.share] == [("orders_q3_share", ())]


def test_all_that_is_wrong_with_the_options_is_told_at_once_and_nothing_is_written(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    result = run("new", "--yes", "--line", "Sales", "--d2o", "a=b", "--reader", "stranger", "--share", "s")
    assert result.exit_code == Exit.INVALID
    for rule in ("key-missing", "region-missing", "email-invalid"):
        assert f"[{rule}]" in result.stderr
    assert "Nothing was written" in result.stderr
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new"], "no answer to: Business line (Legal, Sales)\nsharepack: give it as --line"),
        (["new", "a.txt"], "a.txt is not the name of a pack"),
        (["new", "sharepacks/sales team/partners.yaml"], "is there already; --force replaces it"),
        (["--packs-dir", "nowhere", "new"], "there is no folder nowhere; sharepack init makes one"),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, words in result.stderr) == (Exit.ERROR, True)


def test_without_a_tenants_file_any_business_line_will_do(folder: Path) -> None:
    (folder / "tenants.yaml").unlink()
    (folder / "sales team/partners.yaml").unlink()
    options = ["--line", "Ours", "--project", "P", "--requestor", "a@b.example", "--d2o", "p=a@b.example"]
    assert run("new", "--yes", *options).exit_code == Exit.DONE
    assert (folder / "ours/p.yaml").is_file()
