"""`sharepack fmt`: what is written, shown, refused and left alone. What is normal is in tests/packs/test_formatting."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli import cli
from reconciler.cli.exits import Exit
from reconciler.packs.yaml_template import yaml_template

UNTIDY = """\
share:
- {data_objects: [a.b.d, a.b.c], name: s}   # all of it
metadata: {business_line: l, requestor: "a@b.example", project_name: p}
"""
TIDY = """\
metadata: {requestor: a@b.example, project_name: p, business_line: l}

share:
  - {name: s, data_objects: [a.b.c, a.b.d]}  # all of it
"""


@pytest.fixture
def folder(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packs folder of the current folder, with a space above it."""
    folder = no_settings / "a repository" / "sharepacks" / "sales"
    folder.mkdir(parents=True)
    (folder / "untidy.yaml").write_text(UNTIDY, encoding="utf-8")
    (folder / "tidy.yml").write_text(TIDY.replace(": p", ": q").replace("name: s", "name: t"), encoding="utf-8")
    monkeypatch.chdir(folder.parent.parent)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["fmt", *arguments], prog_name="sharepack", catch_exceptions=False)


def test_a_folder_is_brought_into_order_and_each_changed_file_is_named(folder: Path) -> None:
    result = run()
    assert (result.exit_code, result.stderr) == (Exit.DONE, "")
    assert result.stdout == (
        "Formatted sharepacks/sales/untidy.yaml.\n1 file formatted, 1 file in normal form already.\n"
    )
    assert (folder / "untidy.yaml").read_text(encoding="utf-8") == TIDY
    assert run("--check").stdout == "0 files would be formatted, 2 files in normal form already.\n"
    assert run("--check").exit_code == Exit.DONE


def test_check_and_diff_write_nothing(folder: Path) -> None:
    checked, shown = run("--check"), run("--diff", "sharepacks/sales/untidy.yaml")
    assert (checked.exit_code, shown.exit_code) == (Exit.CHANGES, Exit.DONE)
    assert checked.stdout.startswith("Would format sharepacks/sales/untidy.yaml.\n")
    assert "-- {data_objects: [a.b.d, a.b.c], name: s}   # all of it\n" in shown.stdout
    assert "+  - {name: s, data_objects: [a.b.c, a.b.d]}  # all of it\n" in shown.stdout
    assert run("--check", "--diff").exit_code == Exit.CHANGES
    assert (folder / "untidy.yaml").read_text(encoding="utf-8") == UNTIDY


def test_a_file_with_problems_is_left_and_told_as_validate_tells_it_and_the_others_are_formatted(folder: Path) -> None:
    broken = "metadata: {requestor: nobody, project_name: r, business_line: l}\n"
    (folder / "broken.yaml").write_text(broken, encoding="utf-8")
    result = run()
    assert result.exit_code == Exit.INVALID
    assert "Formatted sharepacks/sales/untidy.yaml." in result.stdout
    validated = CliRunner().invoke(cli, ["validate", "sharepacks/sales/broken.yaml"], prog_name="sharepack")
    told = validated.stdout.partition("\n1 problem")[0]
    assert "[email-invalid]" in told
    assert told in result.stdout
    assert "1 problem in 1 of 3 files. It is left as before.\n" in result.stdout
    assert (folder / "broken.yaml").read_text(encoding="utf-8") == broken
    assert run("--check", "sharepacks/sales/broken.yaml").exit_code == Exit.INVALID


def test_workbooks_are_left_alone(folder: Path) -> None:
    (folder / "book.xlsx").write_bytes(b"not even one")
    assert run("sharepacks/sales/book.xlsx").stdout == "0 files formatted, 0 files in normal form already.\n"
    assert run().exit_code == Exit.DONE
    assert (folder / "book.xlsx").read_bytes() == b"not even one"


@pytest.mark.parametrize(
    ("path", "words"), [("nowhere", "no file or folder nowhere"), ("a.txt", "a.txt is not a pack")]
)
def test_what_is_no_pack_is_an_error(folder: Path, path: str, words: str) -> None:
    Path("a.txt").write_text("", encoding="utf-8")
    result = run(path)
    assert (result.exit_code, words in result.stderr) == (Exit.ERROR, True)


def test_permissions_and_links_stay(folder: Path) -> None:
    real = folder / "untidy.yaml"
    real.chmod(0o640)
    link = folder.parent / "link.yaml"
    link.symlink_to(real)
    assert run("sharepacks/link.yaml").exit_code == Exit.DONE
    assert link.is_symlink()
    assert (real.stat().st_mode & 0o777, real.read_text(encoding="utf-8")) == (0o640, TIDY)
    assert sorted(path.name for path in folder.iterdir()) == ["tidy.yml", "untidy.yaml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_folder_that_may_not_be_written_is_one_line(folder: Path) -> None:
    folder.chmod(0o555)
    try:
        result = run()
    finally:
        folder.chmod(0o755)
    assert result.exit_code == Exit.ERROR
    assert "untidy.yaml cannot be written" in result.stderr


def test_templates_are_in_normal_form_but_for_the_space_before_comments(folder: Path) -> None:
    (folder / "template.yaml").write_text(yaml_template(), encoding="utf-8")
    assert run("sharepacks/sales/template.yaml").exit_code == Exit.DONE
    text = (folder / "template.yaml").read_text(encoding="utf-8")
    assert sorted(line.strip() for line in text.splitlines() if line) == sorted(
        line.strip() for line in yaml_template().splitlines() if line
    )
