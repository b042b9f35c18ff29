"""Workflow commands in the output of a step, as GitHub's runner finds and obeys them: both notations, masks, and the
stretches in which no command is obeyed. What these workflows do not use is an error.

After https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs and ActionCommandManager.cs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: All that the runner knows; it takes other lines for text.
KNOWN: Final = frozenset({"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group"}) | {
    *("internal-set-repo-path", "notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands"),
    "warning",
}
ANNOTATIONS: Final = frozenset({"error", "warning", "notice"})
_DATA: Final = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY: Final = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD: Final = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    properties: Mapping[str, str]
    data: str


class ForbiddenCommandError(Exception):
    """A step gave a command that nothing in these workflows is to give."""


def parse_line(line: str, also: frozenset[str] = frozenset()) -> Command | None:
    """`::name key=value,…::data` at the beginning of a line, or `##[name key=value;…]data` anywhere in it.

    `also`: names that count besides those of the runner."""
    return _new_notation(line, KNOWN | also) or _old_notation(line, KNOWN | also)


def _new_notation(line: str, known: frozenset[str]) -> Command | None:
    text = line.lstrip()
    end = text.find("::", 2)
    if not text.startswith("::") or end < 0:
        return None
    return _command(text[2:end], text[end + 2 :], known, ",", _PROPERTY, _DATA)


def _old_notation(line: str, known: frozenset[str]) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    return _command(line[start + 3 : end], line[end + 1 :], known, ";", _OLD, _OLD)


def _command(
    head: str,
    data: str,
    known: frozenset[str],
    separator: str,
    of_properties: tuple[tuple[str, str], ...],
    of_data: tuple[tuple[str, str], ...],
) -> Command | None:
    name, _, rest = head.strip().partition(" ")
    if name not in known:
        return None
    pairs = (each.split("=", 1) for each in rest.strip().split(separator) if each.strip())
    properties = {pair[0].strip(): _plain(pair[1], of_properties) for pair in pairs if len(pair) == 2}
    return Command(name, properties, _plain(data, of_data))


def _plain(text: str, mapping: tuple[tuple[str, str], ...]) -> str:
    for escaped, char in mapping:
        text = text.replace(escaped, char)
    return text


@dataclass(slots=True)
class StepLog:
    """What one step wrote: its commands obeyed, the rest as text."""

    annotations: list[Command] = field(default_factory=list)
    masks: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    _resume: str = ""

    def read(self, output: str) -> None:
        for line in re.split(r"\r\n|\r|\n", output):
            self._line(line)

    @property
    def is_stopped(self) -> bool:
        return bool(self._resume)

    def _line(self, line: str) -> None:
        command = parse_line(line, frozenset({self._resume} if self._resume else ()))
        if self._resume:
            if command is not None and command.name == self._resume:
                self._resume = ""
            else:
                self.lines.append(line)
            return
        if command is None:
            self.lines.append(line)
        else:
            self._obey(command)

    def _obey(self, command: Command) -> None:
        if command.name in ANNOTATIONS:
            self.annotations.append(command)
        elif command.name == "add-mask" and command.data.strip():
            self.masks.add(command.data)
        elif command.name == "stop-commands" and len(command.data) >= 32:
            self._resume = command.data
        else:
            raise ForbiddenCommandError(f"a step gave the command {command.name}: {command.data[:200]}")
