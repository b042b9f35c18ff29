"""`sharepack template`: a workbook or YAML file to fill in, which explains every field itself."""

import shlex
from pathlib import Path

import click

from reconciler.cli.new_file import is_workbook, refuse_existing, schema_beside, write_file
from reconciler.cli.terminal import say
from reconciler.packs.yaml_template import yaml_template


@click.command()
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace OUT if it is there already.")
def command(target: Path, *, force: bool) -> None:
    """Write an empty pack to fill in: OUT.xlsx with all sheets and columns, or OUT.yaml with an example.

    The workbook says at the head of each column what it is for, offers the words a column takes, and explains all
    columns in the sheet Columns. In the YAML file all that may be left out is a comment.

    \b
    Examples:
      sharepack template sharepacks/sales/q1.xlsx
      sharepack template sharepacks/sales/q1.yaml
    """
    as_workbook = is_workbook(target)
    refuse_existing(target, force=force)
    write_file(target, _empty_workbook() if as_workbook else yaml_template(schema_beside(target)).encode(), force=force)
    what = "the sheets Metadata, Recipients and Shares" if as_workbook else "the examples"
    done = "Fill in" if as_workbook else "Replace"
    say(f"Wrote {target}. {done} {what}, then run: sharepack validate {shlex.quote(str(target))}\n")


def _empty_workbook() -> bytes:
    from reconciler.packs.workbook_writing import to_workbook  # noqa: PLC0415 - openpyxl takes 0.2 s to import

    return to_workbook(None)
