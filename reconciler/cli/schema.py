"""`sharepack schema`: the JSON Schema of pack files, and whether the committed one is what the model says."""

from pathlib import Path

import click

import reconciler
from reconciler.cli.terminal import Failure, say
from reconciler.packs.json_schema import pack_schema

FILE_NAME = "sharepack.schema.json"


@click.command()
@click.option("--check", is_flag=True, help="Exit 1 when the committed schema is not what the model says.")
@click.option("--write", is_flag=True, help="Write the committed schema.")
def command(*, check: bool, write: bool) -> None:
    """Print the JSON Schema (draft-07) of YAML pack files, which editors take for completion and checks.

    A pack names it in its first line: "# yaml-language-server: $schema=../../schema/sharepack.schema.json".

    \b
    Examples:
      sharepack schema
      sharepack schema --check
    """
    if check and write:
        raise click.UsageError("--check and --write exclude each other")
    if write:
        _write(repository_file())
    elif check:
        _check()
    else:
        say(pack_schema())


def repository_file() -> Path:
    return Path(reconciler.__file__).parent.parent / "schema" / FILE_NAME


def installed_file() -> Path:
    return Path(reconciler.__file__).parent / "_schema" / FILE_NAME


def _write(path: Path) -> None:
    if not path.parent.is_dir():
        raise Failure("there is no schema folder beside the package; run this in a checkout")
    path.write_text(pack_schema(), encoding="utf-8")
    say(f"Wrote {path}.\n")


def _check() -> None:
    path = next((path for path in (repository_file(), installed_file()) if path.is_file()), None)
    if path is None:
        raise Failure(f"{FILE_NAME} is in neither schema/ nor the package; run sharepack schema --write")
    if path.read_text(encoding="utf-8") != pack_schema():
        raise Failure(f"{path} is not what the model says; run sharepack schema --write and commit it")
    say(f"{path} is up to date.\n")
