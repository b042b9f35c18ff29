"""Runs `sharepack` commands in this process and shows their output as it comes, long ones without their middle."""

import io
import os
import sys
from collections import deque
from contextlib import redirect_stderr, redirect_stdout
from typing import Final, TextIO

import click

from reconciler.cli import cli
from reconciler.cli.terminal import say_lines, style
from reconciler.render.lines import EMPTY, Span, Tone, line

_WHOLE: Final = 10_000


class Window(io.TextIOBase):
    """Passes on the first `head` lines at once and the last `tail` ones at the end, and counts those between."""

    def __init__(self, stream: TextIO, head: int, tail: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = head
        self._last: deque[str] = deque(maxlen=max(tail, 1))
        self._beyond = 0
        self._part = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding or "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._part = (self._part + text).split("\n")
        for each in lines:
            self._pass_on(each)
        return len(text)

    def finish(self) -> None:
        if self._part:
            self._pass_on(self._part)
        hidden = self._beyond - len(self._last)
        if hidden:
            self._stream.write(f"  [… {hidden} lines more …]\n" if self.encoding.startswith("utf") else "  [...]\n")
        for each in self._last:
            self._show(each)

    def _pass_on(self, text: str) -> None:
        if self._left:
            self._left -= 1
            self._show(text)
        else:
            self._beyond += 1
            self._last.append(text)

    def _show(self, text: str) -> None:
        self._stream.write(f"  {text}\n" if text else "\n")
        self._stream.flush()


def sharepack(*arguments: str, head: int = _WHOLE, tail: int = 0) -> int:
    """Run a command as a user would type it; answers its exit code."""
    typed = " ".join(f'"{each}"' if " " in each else each for each in arguments)
    say_lines([line(Span(f"$ sharepack {typed}", Tone.HEADING))])
    if style().colour:
        os.environ["FORCE_COLOR"] = "1"
    window = Window(sys.stdout, head, tail)
    try:
        with redirect_stdout(window), redirect_stderr(window):
            code = _code(arguments)
    finally:
        window.finish()
    say_lines([EMPTY])
    return code


def _code(arguments: tuple[str, ...]) -> int:
    try:
        return int(cli.main(list(arguments), prog_name="sharepack", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
