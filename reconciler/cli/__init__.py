"""The `sharepack` command. Its commands are modules, imported when one is run: `sharepack --help` answers at once.

Exit codes are in `cli.exits`."""

import atexit
import gc
import importlib
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from reconciler import __version__

#: Name -> module (which has `command`), and what the help says in one line. In the order of the help.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "validate": ("reconciler.cli.validate", "Check pack files; needs no network and no database."),
    "plan": ("reconciler.cli.plan", "Show what would change, and who would gain or lose access."),
    "pr": ("reconciler.cli.pr", "Show a pull request what merging it would do."),
    "apply": ("reconciler.cli.apply", "Bring Databricks to what the packs say."),
    "daemon": ("reconciler.cli.daemon", "Watch Git and Databricks, and keep the one as the other says."),
    "serve": ("reconciler.cli.serve", "Serve the HTTP API and its pages."),
    "worker": ("reconciler.cli.worker", "Carry out submitted work, on as many machines as wanted."),
    "status": ("reconciler.cli.status", "How far each pack is, and what went wrong."),
    "history": ("reconciler.cli.history", "Every version of a recipient or share: when, what, who, why."),
    "access": ("reconciler.cli.access", "Who can read what, now or at a date, and who stands behind it."),
    "keys": ("reconciler.cli.keys", "Make, list and revoke the keys of the HTTP API."),
    "suspend": ("reconciler.cli.suspend", "Leave a pack as it is in Databricks for a while."),
    "resume": ("reconciler.cli.resume", "End what keeps a pack from being brought into order."),
    "doctor": ("reconciler.cli.doctor", "Look whether all it takes to run is there, and say what to do."),
    "activation": ("reconciler.cli.activation", "Print a recipient's one-time activation link."),
    "rotate": ("reconciler.cli.rotate", "Give a recipient a new token, once."),
    "import": ("reconciler.cli.import_packs", "Write packs for what exists in a workspace."),
    "sandbox": ("reconciler.cli.sandbox", "Run a Databricks workspace here, to try things out."),
    "demo": ("reconciler.cli.demo", "See it all in a minute: plan, apply, drift, history."),
    "init": ("reconciler.cli.init", "Make a repository for packs, with all that it takes."),
    "new": ("reconciler.cli.new", "Write a pack from a few questions."),
    "fmt": ("reconciler.cli.fmt", "Bring pack files into their normal form."),
    "template": ("reconciler.cli.template", "Write an empty pack to fill in, as a workbook or as YAML."),
    "convert": ("reconciler.cli.convert", "Turn a YAML pack into a workbook, or a workbook into YAML."),
    "schema": ("reconciler.cli.schema", "Print the JSON Schema of pack files, or keep the committed one up to date."),
    "completion": ("reconciler.cli.completion", "Print what completes commands, paths and keys in a shell."),
}


class LazyGroup(click.Group):
    """Knows its commands from a table and imports the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours; a test reads all of it
        if not ctx.resilient_parsing:
            return command
        completed = importlib.import_module("reconciler.cli.completing").offering(command)
        assert isinstance(completed, click.Command)  # noqa: S101 - as above
        return completed

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """From the table, so that completing a command's name imports none."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell asks

        found = [
            CompletionItem(name, help=words) for name, (_, words) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sharepack")
@click.option("--packs-dir", metavar="DIR", help="Folder of the packs (default: sharepacks).")
@click.option("--state-dir", metavar="DIR", help="Folder of the embedded database (default: .sharepack).")
@click.option("--databricks-host", metavar="URL", help="Workspace of business lines that name none.")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.pass_context
def cli(context: click.Context, /, **options: object) -> None:
    """Keeps Databricks Delta Sharing as the share packs in Git say.

    \b
    Start with:
      sharepack demo
      sharepack validate
      sharepack plan
    """
    context.obj = options


def main(arguments: Sequence[str] | None = None) -> Any:
    """Wrong usage exits with 1, not with click's 2, which says that changes are pending."""
    click.UsageError.exit_code = 1
    # A plugin of another package would see every setting and pack; and to look for plugins takes 20 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What a command makes, its modules among it, it mostly keeps: seldom looking for garbage saves a tenth of its time,
    # and not looking through it all once more before the process ends saves 0.2 s.
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    return cli(args=arguments, prog_name="sharepack")
