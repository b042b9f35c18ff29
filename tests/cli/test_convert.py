"""`sharepack convert` and `sharepack template`: files that are made, refused or left alone, and what is said then."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from reconciler.cli import cli
from reconciler.cli.convert import _checked
from reconciler.cli.terminal import Failure
from reconciler.packs.document import DataObjectEntry, PackDocument
from reconciler.packs.moving import moved
from reconciler.packs.parsing import parse_file

PACK = """\
metadata:
  requestor: ann@example.com
  project_name: Orders
  business_line: Sales

recipient:
  - name: partner
    type: D2O
    email: data@partner.example
    properties:
      country: DE

share:
  - name: orders
    recipients:
      - partner
    data_objects:
      - prod.sales.orders
      - name: Guide
        type: NOTEBOOK_FILE
        content: notebooks/guide.ipynb
"""
PLAIN = PACK[: PACK.index("      - name: Guide")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packs with a space above it, and the current one above that."""
    folder = tmp_path / "a repository" / "sharepacks" / "sales"
    folder.mkdir(parents=True)
    (folder / "orders.yaml").write_text(PACK, encoding="utf-8")
    (folder / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    monkeypatch.chdir(folder.parent.parent)
    monkeypatch.delenv("packs_dir", raising=False)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="sharepack", catch_exceptions=False)


def document_of(path: Path) -> PackDocument | None:
    parsed = parse_file(path.name, path.read_bytes())
    assert parsed.problems == ()
    return parsed.document


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_yaml_pack_becomes_a_workbook_and_the_same_yaml_again(folder: Path) -> None:
    result = run("convert", "sharepacks/sales/orders.yaml", "sharepacks/sales/orders.xlsx")
    assert result.stdout == (
        "Wrote sharepacks/sales/orders.xlsx: 1 recipient, 1 share.\n"
        "Keep one of the two files in the packs folder: sharepacks/sales/orders.yaml declares the same pack.\n"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    assert document_of(folder / "orders.xlsx") == document_of(folder / "orders.yaml")
    assert load_workbook(folder / "orders.xlsx")["Recipients"]["A1"].comment is not None
    back = run("convert", "sharepacks/sales/orders.xlsx", "sharepacks/sales/again.yml")
    assert back.exit_code == 0
    assert (folder / "again.yml").read_text(encoding="utf-8") == PACK
    assert names(folder) == ["again.yml", "orders.xlsx", "orders.yaml", "plain.yaml"]


def test_what_is_there_is_only_replaced_by_force(folder: Path) -> None:
    there = folder / "orders.xlsx"
    there.write_bytes(b"mine")
    refused = run("convert", "sharepacks/sales/orders.yaml", "sharepacks/sales/orders.xlsx")
    assert refused.exit_code == 1
    assert refused.stderr == "sharepack: sharepacks/sales/orders.xlsx is there already; --force replaces it\n"
    assert there.read_bytes() == b"mine"
    assert run("convert", "--force", "sharepacks/sales/orders.yaml", "sharepacks/sales/orders.xlsx").exit_code == 0
    assert document_of(there) == document_of(folder / "orders.yaml")


def test_an_invalid_pack_is_refused_with_its_problems_and_nothing_is_written(folder: Path) -> None:
    (folder / "orders.yaml").write_text(PACK.replace("D2O", "D2X"), encoding="utf-8")
    result = run("convert", "sharepacks/sales/orders.yaml", "sharepacks/sales/orders.xlsx")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith("sharepacks/sales/orders.yaml:8:11: error: ")
    assert "    type: D2X" in result.stderr
    assert result.stderr.endswith("[recipient-type-unknown]\n") is False
    assert result.stderr.endswith("1 problem in 1 of 1 file. Nothing was written.\n")
    assert names(folder) == ["orders.yaml", "plain.yaml"]


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("orders.yaml", "other.yml", "are of one format; name a .yaml and an .xlsx file"),
        ("orders.yaml", "orders.xlsm", "orders.xlsm is not the name of a pack"),
        ("orders.yaml", "tenants.yaml", "tenants.yaml is not the name of a pack"),
        ("orders.yaml", ".orders.xlsx", ".orders.xlsx is not the name of a pack"),
        ("notes.txt", "orders.xlsx", "notes.txt is not the name of a pack"),
        ("missing.yaml", "orders.xlsx", "missing.yaml cannot be read: No such file or directory"),
        ("orders.yaml", "nowhere/orders.xlsx", "orders.xlsx cannot be written: No such file or directory"),
        ("orders.yaml", "folder.xlsx", "folder.xlsx is a folder; name a file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(folder: Path, source: str, target: str, words: str) -> None:
    (folder / "folder.xlsx").mkdir()
    (folder / "orders.yaml").write_text(PLAIN, encoding="utf-8")
    result = run("convert", "--force", f"sharepacks/sales/{source}", f"sharepacks/sales/{target}")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert words in result.stderr
    assert names(folder) == ["folder.xlsx", "orders.yaml", "plain.yaml"]


def test_notebooks_are_named_from_the_folder_of_the_new_file(folder: Path) -> None:
    (folder.parent / "legal").mkdir()
    assert run("convert", "sharepacks/sales/orders.yaml", "sharepacks/legal/orders.xlsx").exit_code == 0
    there = document_of(folder.parent / "legal" / "orders.xlsx")
    assert there is not None
    assert there.share[0].data_objects is not None
    guide = there.share[0].data_objects[1]
    assert isinstance(guide, DataObjectEntry)
    assert guide.content == "../sales/notebooks/guide.ipynb"
    assert run("convert", "sharepacks/legal/orders.xlsx", "sharepacks/sales/again.yaml").exit_code == 0
    assert (folder / "again.yaml").read_text(encoding="utf-8") == PACK


def test_a_pack_with_notebooks_is_not_written_out_of_its_packs_folder(folder: Path) -> None:
    result = run("convert", "sharepacks/sales/orders.yaml", "orders.xlsx")
    assert result.exit_code == 1
    assert "shares notebooks, whose files a pack at orders.xlsx cannot name" in result.stderr
    assert "write OUT into the same packs folder, or beside IN" in result.stderr
    assert not Path("orders.xlsx").exists()
    assert run("convert", "sharepacks/sales/plain.yaml", "plain.xlsx").exit_code == 0
    assert document_of(Path("plain.xlsx")) == document_of(folder / "plain.yaml")


@pytest.mark.parametrize(
    ("content", "target", "expected"),
    [
        ("a.ipynb", "sales/b.xlsx", "a.ipynb"),
        ("./a.ipynb", "sales/b.xlsx", "./a.ipynb"),
        ("./a.ipynb", "b.xlsx", "sales/a.ipynb"),
        ("a.ipynb", "legal/eu/b.xlsx", "../../sales/a.ipynb"),
        ("../shared/a.ipynb", "shared/b.xlsx", "a.ipynb"),
        ("../../a.ipynb", "b.xlsx", "../../a.ipynb"),
        ("/a.ipynb", "b.xlsx", "/a.ipynb"),
        ("", "b.xlsx", ""),
    ],
)
def test_paths_in_another_folder(content: str, target: str, expected: str) -> None:
    def document(path: str) -> PackDocument:
        metadata = {"requestor": "a@b.example", "project_name": "p", "business_line": "l"}
        notebook = {"name": "n", "type": "NOTEBOOK_FILE", "content": path}
        share = {"name": "s", "data_objects": ["a.b.c", notebook]}
        return PackDocument.model_validate({"metadata": metadata, "share": [share, {"name": "t"}]})

    assert moved(document(content), "sales/a.yaml", target) == document(expected)


@pytest.mark.parametrize(
    ("before", "after", "is_lost"),
    [("# ask Ann\n", "", True), ("", "# the end\n", True), ("# yaml-language-server: $schema=x\n", "", False)],
)
def test_comments_that_get_lost_are_mentioned(folder: Path, before: str, after: str, *, is_lost: bool) -> None:
    (folder / "plain.yaml").write_text(before + PLAIN.replace("DE", '"#1"') + after, encoding="utf-8")
    result = run("convert", "sharepacks/sales/plain.yaml", "plain.xlsx")
    assert ("The comments of sharepacks/sales/plain.yaml are not carried over.\n" in result.stdout) is is_lost


def test_warnings_of_the_source_are_told_and_do_not_stop_it(folder: Path) -> None:
    tokens = "    token_lifetime: 30d\n    rotate_every: 60d\n    properties:"
    (folder / "plain.yaml").write_text(PLAIN.replace("    properties:", tokens), encoding="utf-8")
    result = run("convert", "sharepacks/sales/plain.yaml", "plain.xlsx")
    assert result.exit_code == 0
    assert "[token-ends-before-rotation]" in result.stderr
    assert result.stdout.startswith("Wrote plain.xlsx: 1 recipient, 1 share.\n")


def test_a_pack_that_fits_no_workbook_stays_yaml(folder: Path) -> None:
    (folder / "orders.yaml").write_text(PACK.replace("notebooks/", "notebooks/" * 4_000), encoding="utf-8")
    result = run("convert", "sharepacks/sales/orders.yaml", "sharepacks/sales/orders.xlsx")
    assert result.exit_code == 1
    assert result.stderr == (
        "sharepack: the pack does not fit a workbook: "
        "DataObjects!J2: a text of 40,011 characters is longer than a cell holds\n"
        "sharepack: keep it as YAML, or split it\n"
    )
    assert names(folder) == ["orders.yaml", "plain.yaml"]


def test_only_what_reads_back_as_the_same_pack_is_written(folder: Path) -> None:
    document = document_of(folder / "plain.yaml")
    assert document is not None
    other = PLAIN.replace("prod.sales.orders", "prod.sales.refunds").encode()
    with pytest.raises(Failure, match="it would not read back as the same pack"):
        _checked(document, other, Path("a.yaml"))
    with pytest.raises(Failure, match=r"a\.yaml:1:1: the file holds nothing"):
        _checked(document, b"", Path("a.yaml"))


def test_yaml_names_the_schema_of_its_repository(folder: Path) -> None:
    top = folder.parent.parent
    (top / ".git").mkdir()
    (top / "schema").mkdir()
    (top / "schema" / "sharepack.schema.json").write_text("{}")
    line = "# yaml-language-server: $schema=../../schema/sharepack.schema.json\n"
    assert run("convert", "sharepacks/sales/plain.yaml", "plain.xlsx").exit_code == 0
    assert run("convert", "plain.xlsx", "sharepacks/sales/again.yaml").exit_code == 0
    assert (folder / "again.yaml").read_text(encoding="utf-8") == line + PLAIN
    assert run("template", "sharepacks/sales/new.yaml").exit_code == 0
    assert (folder / "new.yaml").read_text(encoding="utf-8").startswith(line)


def test_a_template_is_written_once_and_says_what_to_do_next(folder: Path) -> None:
    result = run("template", "sharepacks/sales/a new.xlsx")
    assert result.exit_code == 0
    assert result.stdout == (
        "Wrote sharepacks/sales/a new.xlsx. Fill in the sheets Metadata, Recipients and Shares, "
        "then run: sharepack validate 'sharepacks/sales/a new.xlsx'\n"
    )
    again = run("template", "sharepacks/sales/a new.xlsx")
    assert (again.exit_code, "--force replaces it" in again.stderr) == (1, True)
    assert run("template", "sharepacks/sales/a new.xlsx", "--force").exit_code == 0
    unfinished = run("validate", "sharepacks/sales/a new.xlsx")
    assert unfinished.exit_code == 3
    assert unfinished.stdout.count("[key-missing]") == 3


def test_a_yaml_template_is_a_valid_pack(folder: Path) -> None:
    (folder / "orders.yaml").unlink()
    assert run("template", "sharepacks/sales/new.yaml").exit_code == 0
    assert run("validate", "sharepacks/sales/new.yaml").output == "1 pack valid.\n"


def test_a_template_has_the_name_of_a_pack(folder: Path) -> None:
    result = run("template", "sharepacks/sales/new.ods")
    assert result.exit_code == 1
    assert "packs are .yaml, .yml or .xlsx files" in result.stderr
