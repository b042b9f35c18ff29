"""Asks a person at the terminal until an answer is right. Questions go to standard error: results stand alone."""

from collections.abc import Callable

import click

from reconciler.cli.terminal import Failure


def always_right(_text: str) -> str:
    return ""


def ask(question: str, option: str, *, default: str | None = None, check: Callable[[str], str] = always_right) -> str:
    """`check` answers what is wrong, or "". Raises Failure when there is nobody to answer: `option` says it as well."""
    while True:
        try:
            typed = click.prompt(question, default=default, show_default=bool(default), err=True)
        except click.Abort as error:
            raise Failure(f"no answer to: {question}\ngive it as {option}") from error
        answer = str(typed).strip()
        wrong = check(answer)
        if not wrong:
            return answer
        click.echo(f"  {wrong}", err=True)
