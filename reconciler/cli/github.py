"""Where a command finds its pull request: what was typed, else what GitHub Actions says in the environment and in the
event it was started for. Nothing of an event is taken for code or for a path."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.cli.terminal import Failure

_SLUG_ADVICE: Final = "write OWNER/NAME, such as example/packs"


@dataclass(frozen=True, slots=True)
class Event:
    """What GitHub Actions was started for; empty outside it."""

    repository: str = ""
    number: int | None = None
    #: Newest commit of the pull request when the event happened.
    head: str = ""
    #: Where the run and its artefacts can be seen.
    run_url: str = ""
    run_id: int | None = None


def event(environ: Mapping[str, str] = os.environ) -> Event:
    repository, run = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_RUN_ID", "")
    server = environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
    run_id = int(run) if run.isascii() and run.isdigit() else None
    payload = _payload(environ.get("GITHUB_EVENT_PATH", ""))
    pull = payload.get("pull_request")
    number = pull.get("number") if isinstance(pull, dict) else None
    head = pull.get("head") if isinstance(pull, dict) else None
    return Event(
        repository=repository,
        number=number if isinstance(number, int) else None,
        head=str(head.get("sha", "")) if isinstance(head, dict) else "",
        run_url=f"{server}/{repository}/actions/runs/{run_id}" if repository and run_id is not None else "",
        run_id=run_id,
    )


def repository_of(typed: str | None, found: Event) -> str:
    """Raises Failure when there is none, or it is no repository's name."""
    name = typed or found.repository
    if not name:
        raise Failure(f"which repository: give --github OWNER/NAME; {_SLUG_ADVICE}")
    owner, slash, rest = name.partition("/")
    if not (slash and owner and rest) or not all(_is_plain(part) for part in (owner, rest)):
        raise Failure(f"{name} is not the name of a repository: {_SLUG_ADVICE}")
    return name


def _is_plain(part: str) -> bool:
    return part.isascii() and all(char.isalnum() or char in "-_." for char in part) and part not in {".", ".."}


def _payload(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"the event at {path} cannot be read: {type(error).__name__}") from error
    return found if isinstance(found, dict) else {}
