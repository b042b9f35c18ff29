"""`sharepack` in a process of its own, as an application with the most talkative logging would run it: every logger at
every level, whatever is said to quiet it. The sandboxes it starts make secrets that can be recognised."""

import itertools
import logging
import secrets
import sys

WORD = "canarybird"
_numbers = itertools.count(1)
_real = secrets.token_urlsafe


def recognisable(nbytes: int | None = None) -> str:
    """In place of `secrets.token_urlsafe`: of the asked length or longer, and never the same."""
    return f"{WORD}-secret-{next(_numbers)}-{_real(nbytes)}"


def always(_logger: logging.Logger, level: int) -> bool:
    return True


if __name__ == "__main__":
    from reconciler.cli import main

    logging.basicConfig(level=logging.NOTSET, stream=sys.stderr)
    logging.Logger.isEnabledFor = always  # type: ignore[assignment, method-assign]
    secrets.token_urlsafe = recognisable
    main()
