"""Workflow commands are found as GitHub's runner finds them."""

import pytest

from tests.workflows.commands import Command, ForbiddenCommandError, StepLog, parse_line

TOKEN = "0123456789abcdef0123456789abcdef"


def read(output: str) -> StepLog:
    log = StepLog()
    log.read(output)
    return log


def test_both_notations_and_what_is_only_text() -> None:
    assert parse_line("  ::error file=a%2Cb,line=1::x%0Ay%25") == Command(
        "error", {"file": "a,b", "line": "1"}, "x\ny%"
    )
    assert parse_line("see ##[warning file=a;line=2]words") == Command("warning", {"file": "a", "line": "2"}, "words")
    assert parse_line("::unknown::x") is None
    assert parse_line("see ::error::x") is None
    assert parse_line("::error") is None


def test_annotations_masks_and_text_are_told_apart() -> None:
    log = read("one\n::error file=a::x\r\n::add-mask::secret\rtwo")
    assert ([each.data for each in log.annotations], log.masks, log.lines) == (["x"], {"secret"}, ["one", "two"])


def test_no_command_is_obeyed_between_stop_and_its_token() -> None:
    log = read(f"::stop-commands::{TOKEN}\n::error::x\n ::set-env name=A::b\n##[add-mask]x\n::{TOKEN}::\n::notice::y")
    assert [each.name for each in log.annotations] == ["notice"]
    assert (log.masks, log.is_stopped, len(log.lines)) == (set(), False, 3)
    assert read(f"::stop-commands::{TOKEN}\n::other::").is_stopped


@pytest.mark.parametrize(
    "line", ["::set-env name=A::b", "x ##[add-path]/evil", "::stop-commands::short", "::add-mask::"]
)
def test_commands_nobody_is_to_give_are_an_error(line: str) -> None:
    with pytest.raises(ForbiddenCommandError):
        read(line)
