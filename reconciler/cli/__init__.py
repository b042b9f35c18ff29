"""The `sharepack` command. Its commands are modules, imported when one is run: `sharepack --help` answers at once.

Exit codes: 0 done or nothing to do, 1 failed, 2 changes pending (where asked for) or wrong usage, 3 problems in packs,
4 blocked."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from reconciler import __version__

#: Name -> module (which has `command`), and what the help says in one line. In the order of the help.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "validate": ("reconciler.cli.validate", "Check pack files; needs no network and no database."),
    "schema": ("reconciler.cli.schema", "Print the JSON Schema of pack files, or keep the committed one up to date."),
}


class LazyGroup(click.Group):
    """Knows its commands from a table and imports the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours; a test reads all of it
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sharepack")
def cli() -> None:
    """Keeps Databricks Delta Sharing as the share packs in Git say."""


def main(arguments: Sequence[str] | None = None) -> Any:
    return cli(args=arguments, prog_name="sharepack")
