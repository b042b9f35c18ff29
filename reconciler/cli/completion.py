"""`sharepack completion`: the script by which a shell asks this program what may come next. What it answers is in
`cli.completing`."""

import click
from click.shell_completion import get_completion_class

from reconciler.cli.terminal import Failure, say

#: click reads what a shell asks from the variable of this name, which its script sets.
VARIABLE = "_SHAREPACK_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes commands, options, paths of packs and names of recipients and shares in SHELL.

    bash 4.4 or newer, zsh or fish. Names come from the YAML packs of the packs folder, as they are in the files.

    \b
    Examples:
      eval "$(sharepack completion bash)"    # in ~/.bashrc
      eval "$(sharepack completion zsh)"     # in ~/.zshrc, after compinit
      sharepack completion fish > ~/.config/fish/completions/sharepack.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise Failure(f"click knows no completion for {shell}")
    program = click.get_current_context().find_root().command
    say(found(program, {}, "sharepack", VARIABLE).source())
