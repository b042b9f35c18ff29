"""`sharepack schema`: the JSON Schema of pack files, and whether the committed one is what the model says."""

import sys
from pathlib import Path

import click

import reconciler
from reconciler.packs.json_schema import pack_schema

FILE_NAME = "sharepack.schema.json"


@click.command()
@click.option("--check", is_flag=True, help="Exit 1 when the committed schema is not what the model says.")
@click.option("--write", is_flag=True, help="Write the committed schema.")
def command(*, check: bool, write: bool) -> None:
    """Print the JSON Schema (draft-07) of YAML pack files, which editors take for completion and checks.

    Name it in a pack's first line: "# yaml-language-server: $schema=../../schema/sharepack.schema.json".
    """
    if check and write:
        raise click.UsageError("--check and --write exclude each other")
    if write:
        _write(repository_file())
    elif check:
        sys.exit(_check())
    else:
        click.echo(pack_schema(), nl=False)


def repository_file() -> Path:
    return Path(reconciler.__file__).parent.parent / "schema" / FILE_NAME


def installed_file() -> Path:
    return Path(reconciler.__file__).parent / "_schema" / FILE_NAME


def _write(path: Path) -> None:
    if not path.parent.is_dir():
        raise click.ClickException("there is no schema folder beside the package; run this in a checkout")
    path.write_text(pack_schema(), encoding="utf-8")
    click.echo(f"Wrote {path}.")


def _check() -> int:
    path = next((path for path in (repository_file(), installed_file()) if path.is_file()), None)
    if path is None:
        raise click.ClickException(f"{FILE_NAME} is in neither schema/ nor the package; run sharepack schema --write")
    if path.read_text(encoding="utf-8") == pack_schema():
        click.echo(f"{path} is up to date.")
        return 0
    click.echo(f"{path} is not what the model says; run sharepack schema --write and commit it.", err=True)
    return 1
