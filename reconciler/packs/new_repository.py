"""The files that a new repository for packs begins with, by path: pure strings. The workflows are not among them; they
are this project's own."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.packs.document import Metadata, PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.formatting import Formatted, format_file
from reconciler.packs.json_schema import pack_schema
from reconciler.packs.writing import dumped, to_yaml

PACKS_FOLDER: Final = "sharepacks"
SCHEMA_PATH: Final = "schema/sharepack.schema.json"
#: Git keeps no empty folders: this file holds one open.
KEPT: Final = ".gitkeep"
_TENANTS_PATH: Final = f"{PACKS_FOLDER}/tenants.yaml"
_NOT_IN_FOLDERS: Final = re.compile(r"[\W_]+")
#: https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/…/about-code-owners
_OWNER: Final = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+)?|[^\s@#]+@[^\s@#]+\.[^\s@#]+")


@dataclass(frozen=True, slots=True)
class BusinessLine:
    name: str
    #: Who approves its packs, as CODEOWNERS has it: @user, @organisation/team or an e-mail address; "" for not yet.
    owner: str = ""

    @property
    def folder(self) -> str:
        return folder_name(self.name)


def folder_name(text: str) -> str:
    """`Sales & Operations` lives in `sales-operations`; "" when there is no letter or digit."""
    return _NOT_IN_FOLDERS.sub("-", text.casefold()).strip("-")


def is_owner(text: str) -> bool:
    return _OWNER.fullmatch(text) is not None


def repository_files(
    lines: Sequence[BusinessLine], *, platform: str = "", workspace: str = "", requestor: str = ""
) -> Mapping[str, str]:
    """`platform` approves what is not of a business line; `workspace` is that of all of them; with a `requestor` each
    gets a first pack."""
    files = {
        _TENANTS_PATH: _tenants(lines, workspace),
        SCHEMA_PATH: pack_schema(),
        ".github/CODEOWNERS": _code_owners(lines, platform),
        ".pre-commit-config.yaml": _HOOKS,
        ".vscode/settings.json": _as_json(_SETTINGS),
        ".vscode/extensions.json": _as_json({"recommendations": ["redhat.vscode-yaml", "editorconfig.editorconfig"]}),
        ".editorconfig": _EDITOR,
        ".gitignore": _IGNORED,
        "README.md": _readme(lines),
    }
    for line in lines:
        folder = f"{PACKS_FOLDER}/{line.folder}"
        if requestor:
            files[f"{folder}/first-pack.yaml"] = _first_pack(line, requestor)
        else:
            files[f"{folder}/{KEPT}"] = ""
    return files


def _tenants(lines: Sequence[BusinessLine], workspace: str) -> str:
    given = {"workspace": workspace} if workspace else {}
    entries = {line.name: {**given, **({"owner": line.owner} if line.owner else {})} for line in lines}
    text = _ABOUT_TENANTS + dumped({"tenants": entries})
    formatted = format_file(_TENANTS_PATH, text.encode())
    # What has problems is told by whoever checks it.
    return formatted.data.decode() if isinstance(formatted, Formatted) else text


def _code_owners(lines: Sequence[BusinessLine], platform: str) -> str:
    rows = [("*", platform), *((f"/{PACKS_FOLDER}/{line.folder}/", line.owner) for line in lines)]
    width = max(len(path) for path, _ in rows)
    return _ABOUT_OWNERS + "".join(_owned(path, owner, width) for path, owner in rows)


def _owned(path: str, owner: str, width: int) -> str:
    return f"{path.ljust(width)} {owner}\n" if owner else f"# {path.ljust(width)} @organisation/team\n"


def _first_pack(line: BusinessLine, requestor: str) -> str:
    partner, share = f"{line.folder}-partner", f"{line.folder.replace('-', '_')}_first_share"
    document = PackDocument(
        metadata=Metadata(requestor=requestor, project_name="First Pack", business_line=line.name),
        recipient=(RecipientEntry(name=partner, type="D2O", email=requestor),),
        share=(ShareEntry(name=share, recipients=(partner,), data_objects=("catalog.schema.table",)),),
    )
    head, _, rest = to_yaml(document, f"../../{SCHEMA_PATH}").partition("\n")
    return f"{head}\n# To begin with: replace the names, the e-mail address and the table by yours.\n{rest}"


def _readme(lines: Sequence[BusinessLine]) -> str:
    rows = "".join(_table_row(line) for line in lines)
    return _README.replace("ROWS\n", rows, 1)


def _table_row(line: BusinessLine) -> str:
    name = line.name.replace("|", "\\|")
    return f"| {name} | `{PACKS_FOLDER}/{line.folder}/` | {line.owner or 'not said yet'} |\n"


def _as_json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def hooks() -> Iterator[Mapping[str, str]]:
    """For pre-commit: what `.pre-commit-hooks.yaml` offers, as a repository uses it with an installed `sharepack`."""
    yield {
        "id": "sharepack-fmt",
        "name": "format share packs",
        "entry": "sharepack fmt",
        "files": rf"^{PACKS_FOLDER}/([^.~/][^/]*/)*[^.~/][^/]*\.ya?ml$",
    }
    yield {
        "id": "sharepack-validate",
        "name": "check share packs",
        "entry": "sharepack validate",
        "files": rf"^{PACKS_FOLDER}/([^.~/][^/]*/)*[^.~/][^/]*\.(ya?ml|xlsx|xls|xlsm|xlsb)$",
    }


_SETTINGS: Final = {
    "yaml.schemas": {f"./{SCHEMA_PATH}": [f"{PACKS_FOLDER}/*/**/*.yaml", f"{PACKS_FOLDER}/*/**/*.yml"]},
    "[yaml]": {"editor.insertSpaces": True, "editor.tabSize": 2, "editor.autoIndent": "keep"},
}
_EDITOR: Final = """\
root = true

[*]
charset = utf-8
end_of_line = lf
insert_final_newline = true
trim_trailing_whitespace = true

[*.{yaml,yml,json}]
indent_style = space
indent_size = 2
"""
_IGNORED: Final = """\
# The embedded database of sharepack, and settings that may hold secrets.
.sharepack/
.env
# What Excel leaves beside an open workbook.
~$*
"""
_HOOKS: Final = """\
# Formats and checks packs before each commit: pip install pre-commit, once, and in each clone: pre-commit install
""" + dumped(
    {
        "repos": [
            {
                "repo": "local",
                "hooks": [{**hook, "language": "system", "require_serial": True} for hook in hooks()],
            }
        ]
    }
)
_ABOUT_TENANTS: Final = """\
# The business lines: a pack names one of them. One without a workspace has that of the settings (databricks_host).
# What else may stand in an entry:
#
#   Sales:
#     workspace: https://adb-111.1.azuredatabricks.net
#     regions: {AM: https://adb-112.2.azuredatabricks.net, EMEA: https://adb-113.3.azuredatabricks.net}
#     owner: sales-data@example.com             # who answers for it
#     contact: "#sales-data"                    # where to ask
#     catalogs: [sales_catalog]                 # the only ones it may share from
#     drift: report                             # changes by hand are told; left out, they are put right
#     lends_recipients_to: [Marketing]          # whose shares may be granted to its recipients
"""
_ABOUT_OWNERS: Final = """\
# Who has to approve a change, when the rules of the main branch ask for the review of code owners. The last line that
# fits a file counts. Lines that begin with # are not filled in yet.
"""
_README: Final = """\
# Share packs

What we share through Databricks Delta Sharing: with whom, and which tables. Each file in `sharepacks/` is a *share
pack*. To change what is shared, change a file and open a pull request; a comment in it says what will happen, and
merging makes it happen.

## How to ask for a share

1. Make a branch, and a file in the folder of your business line. `sharepack new` asks a few questions and writes it; or
   copy another pack; or fill in a workbook: `sharepack template my-pack.xlsx`.
2. Check it: `sharepack validate` says all that is wrong, and where.
3. Open a pull request. The check and the plan appear in it: **who gains and who loses access to what**.
4. Somebody of your business line approves. After the merge it is applied, and the partner's activation link is printed
   for those who may see it by `sharepack activation NAME`.

Without installing anything: edit the file on GitHub, and the pull request does the rest.

| business line | folder | approves |
|---|---|---|
ROWS

## For those who look after this repository

- `sharepacks/tenants.yaml` names the business lines, their workspaces and the catalogs they may share from.
- `.github/CODEOWNERS` says who approves what. It counts once the rules of the main branch ask for it.
- `.github/workflows` checks pull requests, posts plans, applies what is merged and looks for changes made by hand. The
  files say which variables and environments they need.
- `pre-commit install` formats and checks packs before each commit; editors complete fields by `schema/`.
"""
