"""`sharepack validate`: what people and programs are told about pack files, and with which exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli import cli
from reconciler.core.problem import Problem, Where
from reconciler.packs.rules import RULES
from reconciler.render.lines import Style
from reconciler.render.problems import problems_text, summary_text
from tests.packs.workbooks import RECIPIENTS, edited, workbook

VALID = """\
metadata:
  requestor: ann@example.com
  project_name: {project}
  business_line: Sales
recipient:
  - name: {recipient}
    type: D2O
    email: data@partner.example
share:
  - name: {share}
    recipients: [{readers}]
    data_objects: [prod.sales.orders]
"""


def pack(project: str = "Orders", recipient: str = "partner", share: str = "orders", readers: str = "partner") -> str:
    return VALID.format(project=project, recipient=recipient, share=share, readers=readers)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a space in its name, the current one, with two packs that refer to each other."""
    top = tmp_path / "a repository"
    packs = top / "sharepacks" / "sales"
    packs.mkdir(parents=True)
    (packs / "orders.yaml").write_text(pack(readers="partner, second"))
    (packs / "refunds.yaml").write_text(pack("Refunds", "second", "refunds", "second"))
    monkeypatch.chdir(top)
    monkeypatch.delenv("packs_dir", raising=False)
    return packs


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["validate", *arguments], prog_name="sharepack", catch_exceptions=False)


def break_refunds(folder: Path) -> None:
    text = pack("Refunds", "second", "refunds", "second").replace("    email", "    emial").replace("prod.sales.", "")
    (folder / "refunds.yaml").write_text(text)


REPORT = """\
sharepacks/sales/orders.yaml:11:27: error: the recipient "second" belongs to sharepacks/sales/refunds.yaml, or may; \
that file has to be corrected first [waits-for-file]
    11 |     recipients: [partner, second]
       |                           ^^^^^^
    see: sharepacks/sales/refunds.yaml:8:5

sharepacks/sales/refunds.yaml:8:5: error: unknown key "emial" [key-unknown]
    8 |     emial: data@partner.example
      |     ^^^^^
    hint: did you mean "email"?

sharepacks/sales/refunds.yaml:12:20: error: "orders" is not catalog.schema.table or catalog.schema [data-object-invalid]
    12 |     data_objects: [orders]
       |                    ^^^^^^
    hint: name the catalog and the schema as well

"""


def test_valid_packs_are_counted(folder: Path) -> None:
    result = validate()
    assert (result.exit_code, result.output) == (0, "2 packs valid.\n")


def test_problems_are_shown_with_their_line_and_a_caret_under_the_spot(folder: Path) -> None:
    break_refunds(folder)
    result = validate()
    assert result.output == f"{REPORT}3 problems in 2 of 2 files.\n"
    assert result.exit_code == 3


def test_a_file_is_checked_among_its_neighbours_and_shows_only_its_own_problems(folder: Path) -> None:
    assert validate("sharepacks/sales/orders.yaml").output == "1 pack valid.\n"
    break_refunds(folder)
    result = validate(str(folder / "refunds.yaml"))
    assert (
        result.output == f"{REPORT[REPORT.index('sharepacks/sales/refunds.yaml:8:5: ') :]}2 problems in 1 of 1 file.\n"
    )
    waiting = validate("sharepacks/sales/orders.yaml").output
    assert waiting == f"{REPORT[: REPORT.index('sharepacks/sales/refunds.yaml:8:5: ')]}1 problem in 1 of 1 file.\n"


def test_a_folder_inside_the_packs_folder_is_checked_with_all_of_it(folder: Path) -> None:
    (folder.parent / "legal").mkdir()
    (folder.parent / "legal" / "copy.yaml").write_text(pack())
    result = validate("sharepacks/legal", "--format", "json")
    assert [problem["rule"] for problem in json.loads(result.output)["problems"]] == ["pack-duplicate"]


def test_the_packs_folder_of_the_settings_is_the_context(folder: Path) -> None:
    other = folder.parent.rename(folder.parent.parent / "packs of ours")
    alone = validate("packs of ours/sales/orders.yaml")
    assert alone.exit_code == 0
    break_refunds(other / "sales")
    (other / "elsewhere.yaml").write_text(pack("More", "third", "more", "third, partner"))
    runner = CliRunner()
    found = runner.invoke(cli, ["--packs-dir", "packs of ours", "validate", "packs of ours/elsewhere.yaml"])
    assert "waits-for-file" in found.output
    assert runner.invoke(cli, ["--packs-dir", "packs of ours", "validate"]).output.endswith("in 3 of 3 files.\n")


def test_a_wrong_tenants_file_concerns_every_pack(folder: Path) -> None:
    (folder.parent / "tenants.yaml").write_text("tenants: [")
    result = validate("sharepacks/sales/orders.yaml")
    assert "sharepacks/tenants.yaml:1:" in result.output
    assert result.exit_code == 3


def test_warnings_do_not_fail(folder: Path) -> None:
    formula = workbook(Shares=[["name", "comment"], ["budget", '="Q" & 1']], Recipients=[["name"]])
    sheet = "xl/worksheets/sheet3.xml"
    stored = edited(edited(formula, sheet, b"<v />", b"<v>Q1</v>"), sheet, b'r="B2"', b'r="B2" t="str"')
    (folder / "budget.xlsx").write_bytes(stored)
    (folder / "orders.yaml").unlink()
    result = validate("sharepacks/sales/budget.xlsx")
    assert result.exit_code == 0
    assert result.output.startswith("sharepacks/sales/budget.xlsx:Shares!B2: warning: ")
    assert result.output.endswith("1 pack valid, 1 warning.\n")


def test_a_cell_is_shown_with_its_value(folder: Path) -> None:
    rows = [RECIPIENTS[0], ["partner", "D2O", "data@partner.example", None, "10.0.0.300", None]]
    (folder / "book.xlsx").write_bytes(workbook(Recipients=rows, Metadata=[["Field", "Value"], ["requestor", ""]]))
    output = validate("sharepacks/sales/book.xlsx").output
    assert (
        'sharepacks/sales/book.xlsx:Recipients!E2: error: "10.0.0.300" is not an IPv4 address or CIDR range '
        "[allowed-ip-invalid]\n    E2 | 10.0.0.300\n"
    ) in output
    assert (
        'sharepacks/sales/book.xlsx:Metadata!B2: error: "requestor" is missing [key-missing]\n    B2 | (empty)\n'
        in output
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [("nowhere", "there is no file or folder"), ("notes.txt", "is not a pack: packs are .yaml, .yml or .xlsx files")],
)
def test_a_path_that_is_no_pack_is_an_error_of_its_own(folder: Path, path: str, words: str) -> None:
    Path("notes.txt").write_text("x")
    result = validate(path)
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_empty_folder_has_no_packs(tmp_path: Path) -> None:
    result = validate(str(tmp_path))
    assert (result.exit_code, result.output) == (0, "0 packs valid.\n")


def test_links_pipes_and_huge_files_do_not_hold_it_up(folder: Path) -> None:
    import os  # noqa: PLC0415 - for mkfifo alone

    os.mkfifo(folder / "pipe.yaml")
    (folder / "loop").symlink_to(folder)
    (folder / "gone.md").symlink_to(folder / "nothing")
    with (folder / "huge.yaml").open("wb") as stream:
        stream.truncate(10**10)
    result = validate("--format", "json")
    assert [problem["rule"] for problem in json.loads(result.output)["problems"]] == ["file-too-large"]


def test_a_pack_that_cannot_be_read_is_an_error_of_its_own(folder: Path) -> None:
    (folder / "gone.yaml").symlink_to(folder / "nothing")
    result = validate()
    assert result.exit_code == 1
    assert result.stderr.endswith("gone.yaml cannot be read: No such file or directory\n")


def test_json_for_programs(folder: Path) -> None:
    break_refunds(folder)
    found = json.loads(validate("--format", "json").output)
    assert {key: found[key] for key in ("version", "valid", "packs", "files")} == {
        "version": 1,
        "valid": False,
        "packs": 0,
        "files": 2,
    }
    assert found["problems"][0] == {
        "severity": "error",
        "rule": "waits-for-file",
        "message": 'the recipient "second" belongs to sharepacks/sales/refunds.yaml, or may; '
        "that file has to be corrected first",
        "hint": "",
        "where": {"path": "sharepacks/sales/orders.yaml", "line": 11, "column": 27},
        "also": {"path": "sharepacks/sales/refunds.yaml", "line": 8, "column": 5},
    }


def test_github_annotations_name_the_file_from_the_top_of_the_repository(folder: Path) -> None:
    break_refunds(folder)
    (folder.parent.parent / ".git").mkdir()
    first, *others = validate("--format", "github").output.splitlines()
    assert first.startswith("::error file=sharepacks/sales/orders.yaml,line=11,col=27,title=waits-for-file::")
    place = "::error file=sharepacks/sales/refunds.yaml,"
    words = '"orders" is not catalog.schema.table or catalog.schema; name the catalog and the schema as well'
    assert others == [
        f'{place}line=8,col=5,title=key-unknown::unknown key "emial"; did you mean "email"?',
        f"{place}line=12,col=20,title=data-object-invalid::{words}",
        "3 problems in 2 of 2 files.",
    ]


def test_sarif_for_code_scanning_is_printed_or_written_beside_what_is_printed(folder: Path, tmp_path: Path) -> None:
    break_refunds(folder)
    (folder.parent.parent / ".git").mkdir()
    printed = validate("--format", "sarif").output
    written = tmp_path / "a file.sarif"
    result = validate("--format", "github", "--sarif", str(written))
    assert written.read_text() == printed
    assert (result.exit_code, result.output) == (3, validate("--format", "github").output)
    (run,) = json.loads(printed)["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "sharepacks/sales/orders.yaml"}


def test_sarif_that_cannot_be_written_is_an_error_of_its_own(folder: Path) -> None:
    result = validate("--sarif", str(folder / "nowhere" / "x.sarif"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert "No such file or directory" in result.stderr


def test_colour_only_where_it_is_wanted() -> None:
    problem = Problem(Where("a.yaml", 1, 1), "key-unknown", "unknown", "")
    assert "\x1b" not in problems_text([problem], {problem.where: "x: y"})
    assert "\x1b[1;31merror:\x1b[0m" in problems_text([problem], {problem.where: "x: y"}, Style(colour=True))


def test_nothing_in_a_file_reaches_the_terminal_as_a_command() -> None:
    problem = Problem(Where("a\x1b.yaml", 1, 4), "key-unknown", "\x1b]0;title\a", "\u202e")
    text = problems_text([problem], {problem.where: "\x1b[2J: x"}, Style(colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\n", "").isprintable()


def test_the_caret_stands_under_wide_characters_and_in_long_lines() -> None:
    wide = Problem(Where("a.yaml", 1, 5), "key-unknown", "m", "")
    assert problems_text([wide], {wide.where: "東京: x y # note"}).splitlines()[1:3] == [
        "    1 | 東京: x y # note",
        "      |       ^^^",
    ]
    long = Problem(Where("a.yaml", 1, 1_001), "key-unknown", "m", "")
    source, carets = problems_text([long], {long.where: "x" * 1_000 + "here " + "y" * 1_000}).splitlines()[1:3]
    assert len(source) < 200
    assert source[carets.index("^") :].startswith("here")


@pytest.mark.parametrize(
    ("packs", "files", "paths", "expected"),
    [
        (23, 23, [], "23 packs valid."),
        (1, 1, [], "1 pack valid."),
        (22, 23, ["a", "a"], "2 problems in 1 of 23 files."),
        (1_000, 1_001, ["a"], "1 problem in 1 of 1,001 files."),
    ],
)
def test_the_summary_counts(packs: int, files: int, paths: list[str], expected: str) -> None:
    problems = [Problem(Where(path), "key-unknown", "m") for path in paths]
    assert summary_text(packs=packs, files=files, problems=problems) == expected


def test_it_runs_as_a_program_without_settings_network_or_database(folder: Path) -> None:
    break_refunds(folder)
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "validate"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PYTHONPATH": str(Path(__file__).parent.parent.parent), "PATH": "", "azure_queue_name": "No Good"},
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == f"{REPORT}3 problems in 2 of 2 files.\n"


def test_the_schema_command_prints_checks_and_refuses_both(tmp_path: Path) -> None:
    runner = CliRunner()
    printed = runner.invoke(cli, ["schema"]).output
    assert json.loads(printed)["title"] == "Share pack"
    checked = runner.invoke(cli, ["schema", "--check"])
    assert (checked.exit_code, checked.output.endswith("is up to date.\n")) == (0, True)
    assert runner.invoke(cli, ["schema", "--check", "--write"]).exit_code != 0


def test_a_schema_that_is_not_what_the_model_says_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.cli import schema  # noqa: PLC0415 - the module under test, not the click command

    committed = tmp_path / "sharepack.schema.json"
    committed.write_text("{}")
    monkeypatch.setattr(schema, "repository_file", lambda: committed)
    runner = CliRunner()
    stale = runner.invoke(cli, ["schema", "--check"])
    assert (stale.exit_code, "sharepack schema --write" in stale.stderr) == (1, True)
    assert runner.invoke(cli, ["schema", "--write"]).exit_code == 0
    assert runner.invoke(cli, ["schema", "--check"]).exit_code == 0
