"""`sharepack init`: a repository that is right at once, and never anything that was there already changed."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from reconciler import __version__
from reconciler.cli import cli
from reconciler.cli.exits import Exit
from reconciler.cli.init import WORKFLOWS
from reconciler.packs.new_repository import BusinessLine, folder_name, repository_files

REPOSITORY = Path(__file__).parents[2]
LINES = ["--line", "Sales & Operations=@acme/sales", "--line", "Recht"]


def run(*arguments: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="sharepack", input=answers, catch_exceptions=False)


@pytest.fixture
def made(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new repository, which is the current folder."""
    folder = no_settings / "our shares"
    result = run("init", str(folder), *LINES, "--platform", "@acme/data")
    assert (result.exit_code, result.stderr) == (Exit.DONE, "")
    monkeypatch.chdir(folder)
    return folder


def test_it_is_valid_and_in_normal_form_at_once(made: Path) -> None:
    assert run("validate").stdout == "0 packs valid.\n"
    assert run("fmt", "--check").exit_code == Exit.DONE
    assert subprocess.run(["git", "branch", "--show-current"], check=True, capture_output=True).stdout == b"main\n"


def test_it_has_all_that_it_takes(made: Path) -> None:
    found = {
        path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file() and ".git/" not in str(path)
    }
    assert found == {
        *(f".github/{path}" for path in WORKFLOWS),
        ".editorconfig",
        ".github/CODEOWNERS",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".vscode/extensions.json",
        ".vscode/settings.json",
        "README.md",
        "schema/sharepack.schema.json",
        "sharepacks/recht/.gitkeep",
        "sharepacks/sales-operations/.gitkeep",
        "sharepacks/tenants.yaml",
    }
    assert (made / "schema/sharepack.schema.json").read_bytes() == (
        REPOSITORY / "schema/sharepack.schema.json"
    ).read_bytes()
    ignored = subprocess.run(
        ["git", "check-ignore", ".env", ".sharepack/x", "sharepacks/~$a.xlsx"], check=True, capture_output=True
    )
    assert len(ignored.stdout.splitlines()) == 3


def test_owners_are_those_of_the_business_lines_and_what_is_not_known_is_a_comment(made: Path) -> None:
    rows = (made / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()[2:]
    assert [row.split() for row in rows] == [
        ["*", "@acme/data"],
        ["/sharepacks/sales-operations/", "@acme/sales"],
        ["#", "/sharepacks/recht/", "@organisation/team"],
    ]


def test_editors_find_the_schema_for_packs_and_not_for_the_tenants_file(made: Path) -> None:
    settings = json.loads((made / ".vscode/settings.json").read_text(encoding="utf-8"))
    ((schema, patterns),) = settings["yaml.schemas"].items()
    assert (made / schema).is_file()
    assert patterns == ["sharepacks/*/**/*.yaml", "sharepacks/*/**/*.yml"]


def test_the_workflows_are_our_own_and_install_what_was_asked_for(no_settings: Path) -> None:
    for name, options, installed in (
        ("a", [], __version__),
        (
            "b",
            ["--install", "git+https://git.acme.example/data/sharepack@v1.2"],
            "git+https://git.acme.example/data/sharepack@v1.2",
        ),
    ):
        assert run("init", name, *LINES, *options).exit_code == Exit.DONE
        for path in WORKFLOWS:
            ours = (REPOSITORY / ".github" / path).read_text(encoding="utf-8")
            theirs = (no_settings / name / ".github" / path).read_text(encoding="utf-8")
            if path == "actions/sharepack/action.yml":
                assert yaml.safe_load(theirs)["inputs"]["version"]["default"] == installed
                ours = ours.replace("    default: ./\n", f'    default: "{installed}"\n')
            assert theirs == ours
    assert run("init", "c", *LINES, "--install", "./here").exit_code == Exit.ERROR
    assert not (no_settings / "c").exists()


def test_the_workflows_are_part_of_the_package() -> None:
    content = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    included = content["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {f".github/{path}": f"reconciler/_templates/{path}" for path in WORKFLOWS}.items() <= included.items()
    used = set()
    for path in WORKFLOWS:
        text = (REPOSITORY / ".github" / path).read_text(encoding="utf-8")
        used.update(re.findall(r"uses: \./\.github/(actions/[\w-]+)", text))
    assert {f"{action}/action.yml" for action in used} <= set(WORKFLOWS)


def test_what_is_there_is_left_and_named(no_settings: Path) -> None:
    (no_settings / "README.md").write_text("Ours.\n", encoding="utf-8")
    assert "There already, and left as they were: README.md." in run("init", "--yes", *LINES).stdout
    packs = no_settings / "sharepacks/recht"
    (packs / "a.yaml").write_text("x", encoding="utf-8")
    (packs / ".gitkeep").unlink()
    again = run("init", "--yes", *LINES)
    assert "Wrote 0 files.\n" in again.stdout
    assert (no_settings / "README.md").read_text(encoding="utf-8") == "Ours.\n"
    assert not (packs / ".gitkeep").exists()


def test_a_repository_around_it_is_kept(no_settings: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    assert "started a repository" not in run("init", "shares", *LINES).stdout
    assert not (no_settings / "shares/.git").exists()


def test_first_packs_are_valid_together(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("init", "shares", *LINES, "--first-pack", "ann@example.com").exit_code == Exit.DONE
    monkeypatch.chdir("shares")
    assert run("validate").stdout == "2 packs valid.\n"
    assert run("fmt", "--check").exit_code == Exit.DONE


def test_questions_are_asked_until_the_answers_are_right(no_settings: Path) -> None:
    answers = ",\nSales, Recht\nsomebody\n@acme/sales\n\n@acme/data\nhttps://adb-1.example.net\n"
    result = run("init", "shares", answers=answers)
    assert result.exit_code == Exit.DONE
    assert "name at least one" in result.stderr
    assert "an owner is @user, @organisation/team or an e-mail address" in result.stderr
    tenants = yaml.safe_load((no_settings / "shares/sharepacks/tenants.yaml").read_text(encoding="utf-8"))
    workspace = "https://adb-1.example.net"
    assert tenants == {
        "tenants": {"Recht": {"workspace": workspace}, "Sales": {"workspace": workspace, "owner": "@acme/sales"}}
    }


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--yes"], Exit.ERROR, "name the business lines: --line NAME"),
        ([], Exit.ERROR, "give it as --line"),
        (["--line", "&"], Exit.ERROR, "does not name a business line"),
        (["--line", "A b", "--line", "a-B"], Exit.ERROR, "would share the folder a-b"),
        (["--line", "A=acme"], Exit.ERROR, "'acme' is no owner"),
        (["--line", "A", "--workspace", "adb-1"], Exit.INVALID, "[tenant-workspace-invalid]"),
        (["--line", "A", "--first-pack", "nobody"], Exit.INVALID, "[email-invalid]"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    no_settings: Path, options: list[str], code: Exit, words: str
) -> None:
    result = run("init", "shares", *options, answers="")
    assert (result.exit_code, words in result.stderr) == (code, True)
    assert not (no_settings / "shares").exists()


@pytest.mark.parametrize(
    ("name", "folder"), [("Sales & Operations", "sales-operations"), ("ÄÖ 東", "äö-東"), ("a_b", "a-b"), ("&", "")]
)
def test_names_of_folders(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def test_names_that_yaml_takes_for_something_else_are_kept() -> None:
    files = repository_files([BusinessLine("No"), BusinessLine("2024"), BusinessLine("a: b")])
    assert yaml.safe_load(files["sharepacks/tenants.yaml"]) == {"tenants": {"No": {}, "2024": {}, "a: b": {}}}
