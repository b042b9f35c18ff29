"""`--help` of every command: it has examples, and each of them is a command line that the program takes."""

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli import COMMANDS, cli

_VALUES = re.compile(r"^(?:[A-Za-z_]+=\S+\s+)+")


def commands() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        yield from _below(cli, (name,))


def _below(group: click.Group, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    command = group.get_command(click.Context(group), way[-1])
    yield way
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from _below(command, (*way, name))


EVERY = list(commands())


def command_at(way: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in way:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


def examples(command: click.Command) -> list[str]:
    """Command lines as they would be typed: one goes on where the next line is indented more."""
    text = inspect.cleandoc(command.help or "").replace("\b", "").partition("Example")[2].partition(":\n")[2]
    block = text.partition("\n\n")[0]
    lines: list[str] = []
    for line in block.splitlines():
        if re.match(r"\s{4,}", line) and lines:
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line.strip())
    return lines


def typed(example: str) -> list[list[str]]:
    """The arguments of each `sharepack` in a line of shell."""
    inner = re.findall(r"\$\((.*?)\)", example) or [example]
    found = []
    for line in inner:
        for part in re.split(r"&&|\|\||\||;", line):
            words = shlex.split(_VALUES.sub("", part.strip()), comments=True)
            if words[:1] == ["sharepack"]:
                ends = [number for number, word in enumerate(words) if re.match(r"\d?[<>]", word)]
                found.append(words[1 : min(ends, default=len(words))])
    return found


def take(arguments: list[str]) -> None:
    """Parses them as the program would, and runs nothing."""
    context = cli.make_context("sharepack", list(arguments))
    command: click.Command = cli
    while isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        context = found.make_context(name, rest, parent=context)
        command = found
    assert not isinstance(command, click.Group)


@pytest.mark.parametrize("way", EVERY, ids=" ".join)
def test_every_command_has_examples_of_itself_that_it_takes(
    way: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = command_at(way)
    lines = examples(command)
    assert lines, f"sharepack {' '.join(way)} --help has no examples"
    parsed = [arguments for line in lines for arguments in typed(line)]
    assert len(parsed) >= len(lines)
    assert any(arguments[: len(way)] == list(way) or set(way) <= set(arguments) for arguments in parsed)
    for arguments in parsed:
        take(arguments)


def test_the_examples_of_the_whole_program_are_taken_too() -> None:
    lines = [line.strip() for line in (cli.help or "").splitlines() if line.strip().startswith("sharepack ")]
    assert len(lines) >= 3
    for line in lines:
        for arguments in typed(line):
            take(arguments)


def test_a_wrong_example_would_be_seen() -> None:
    with pytest.raises(click.UsageError):
        take(["plan", "--no-such-option"])
    with pytest.raises(click.UsageError):
        take(["completion", "tcsh"])
