"""Where a command's words go: results to standard output, everything else to standard error; in colour where a person
reads them in a terminal, plain otherwise."""

import os
import sys
from collections.abc import Mapping
from typing import IO, Any, NoReturn, TextIO

import click

from reconciler.cli.exits import Exit
from reconciler.render.lines import Lines, Style, render, visible


class Failure(click.ClickException):
    """An expected failure: a line for each thing that is wrong, with what to do about it. Exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        said = [f"sharepack: {visible(each)}\n" for each in self.message.splitlines()]
        write(sys.stderr if file is None else file, "".join(said))


def style() -> Style:
    """How standard output takes text."""
    return style_of(sys.stdout)


def style_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Style:
    return Style(colour=_has_colour(stream, environ), unicode=_can_show(stream, "→←…·"))


def say(text: str) -> None:
    write(sys.stdout, text)


def say_lines(lines: Lines) -> None:
    write(sys.stdout, render(lines, style_of(sys.stdout)))


def mention(lines: Lines) -> None:
    """Beside the result: progress, notes, warnings."""
    write(sys.stderr, render(lines, style_of(sys.stderr)))


def write(stream: IO[str], text: str) -> None:
    if not _can_show(stream, text):
        text = text.encode("ascii", "backslashreplace").decode()
    stream.write(text)
    stream.flush()


def leave(code: Exit) -> NoReturn:
    raise click.exceptions.Exit(code)


def _has_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """NO_COLOR wins over CLICOLOR_FORCE and FORCE_COLOR (https://no-color.org, https://bixense.com/clicolors)."""
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _can_show(stream: IO[str], text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
