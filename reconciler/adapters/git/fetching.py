"""Brings the branches of the remote to this clone. It writes no file of the working tree and no branch of one's own,
asks nobody for a password and ends in time.

A shallow clone stays shallow: all that is committed from now on is connected to where its history ends, which is what
a daemon asks about; deepening would fetch what somebody chose to leave out, and may take longer than a fetch may. What
lies before the end cannot be told (`Ancestry.CUT_OFF`), so it is held until `git fetch --unshallow`.
"""

import asyncio
import os
import random
import re
import shlex
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.adapters.git.command import environment, git, not_started
from reconciler.adapters.git.fetch_failures import told, without_credentials
from reconciler.adapters.git.following import Remote, remote_of
from reconciler.adapters.git.repository import Repository
from reconciler.ports.pack_source import PackSourceError

FETCH_LIMIT: Final = 60.0

#: How long git may take to remove its locks before it is killed.
_GRACE: Final = 2.0

#: Hooks off, as nothing here is to start them; locks of another fetch are waited for (git's own limit is 0.1 s).
_OPTIONS: Final = (
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "core.filesRefLockTimeout=2000",
    "-c", "core.packedRefsTimeout=2000",
)  # fmt: skip

#: FETCH_HEAD stays as it is: whoever watches the commits must not be woken by having looked.
_FETCH: Final = (
    "--quiet", "--prune", "--no-tags", "--no-prune-tags", "--no-write-fetch-head", "--no-recurse-submodules",
    "--refmap=",
)  # fmt: skip

#: Variables that point git at another repository, and those that make it print what it sends.
_LEFT_OUT: Final = re.compile(
    r"GIT_(?:DIR|WORK_TREE|IMPLICIT_WORK_TREE|INDEX_FILE|INDEX_VERSION|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES"
    r"|COMMON_DIR|NAMESPACE|PREFIX|QUARANTINE_PATH|SHALLOW_FILE|REPLACE_REF_BASE|CONFIG|CONFIG_PARAMETERS"
    r"|CURL_VERBOSE|TRACE\w*)|SSH_ASKPASS"
)

_NOBODY_TO_ASK: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    #: Empty, it also stands before core.askPass and SSH_ASKPASS.
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    #: Git Credential Manager opens a browser otherwise.
    "GCM_INTERACTIVE": "never",
}

_LOCKED: Final = re.compile(r"cannot lock ref|nable to (?:create|lock)[^\n]*File exists")


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    said: str


async def fetch(repository: Repository, limit: float = FETCH_LIMIT, refspecs: tuple[str, ...] = ()) -> None:
    """Nothing where there is no remote. `limit` in seconds; `refspecs` in place of the branches. Raises
    PackSourceError."""
    remote = await asyncio.to_thread(remote_of, repository)
    if remote is None:
        return
    arguments = ("fetch", *_FETCH, remote.name, *(refspecs or remote.refspecs))
    ended = await talk(repository, remote, arguments, limit)
    if ended.code != 0 and _LOCKED.search(ended.said):
        # Two fetches at once: the other one has moved the branch meanwhile, and this one then finds it up to date.
        await asyncio.sleep(random.uniform(0.2, 0.6))  # noqa: S311 - only so that two do not step in time
        ended = await talk(repository, remote, arguments, limit)
    if ended.code != 0:
        raise told(repository.root, remote, ended.said)


async def talk(
    repository: Repository, remote: Remote, arguments: tuple[str, ...], limit: float, doing: str = "Fetching from"
) -> Ended:
    """One command of git that asks the remote: nobody is asked for a password, no hook of this clone runs. `doing` is
    for when it does not end in time. Raises PackSourceError when git cannot be run, or not to its end."""
    surroundings = await asyncio.to_thread(_surroundings, repository.root, os.environ)
    try:
        return await _run(repository, remote, (*_OPTIONS, *arguments), surroundings, limit, doing)
    except OSError as error:
        raise not_started(repository.root, error) from None


async def _run(
    repository: Repository,
    remote: Remote,
    arguments: tuple[str, ...],
    surroundings: Mapping[str, str],
    limit: float,
    doing: str,
) -> Ended:
    # A file, not a pipe: a connection that ssh keeps open for later would hold the pipe open as well.
    with tempfile.TemporaryFile() as heard:
        process = await asyncio.create_subprocess_exec(
            "git", "-C", str(repository.root), *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=heard,
            env=surroundings, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(limit):
                code = await process.wait()
        except TimeoutError:
            raise PackSourceError(
                f"{doing} the remote {remote.name!r} of {repository.root} did not end within {limit:.0f} s.",
                "Check the network and a proxy; the next fetch tries again by itself.",
            ) from None
        finally:
            if process.returncode is None:
                await _end(process)
        heard.seek(0)
        return Ended(code, without_credentials(heard.read().decode("utf-8", "backslashreplace"), remote))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Git and all it has started. It is asked first, because then it removes its locks."""
    _signal(process, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            await process.wait()
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _surroundings(where: Path, outside: Mapping[str, str]) -> dict[str, str]:
    """Unlike reading, fetching keeps what else begins with GIT_: keys, proxies, certificates and the variables that a
    credential helper takes a token from."""
    kept = {name: value for name, value in outside.items() if not _LEFT_OUT.fullmatch(name)}
    clean = environment({name: value for name, value in outside.items() if name.startswith("GIT_CONFIG_")})
    for name in ("GIT_ALLOW_PROTOCOL", "GIT_NO_LAZY_FETCH"):
        del clean[name]
    return kept | clean | _NOBODY_TO_ASK | {"GIT_SSH_COMMAND": _ssh_command(where, outside)}


def _ssh_command(where: Path, outside: Mapping[str, str]) -> str:
    """The one git would run, in its order of precedence, told not to ask."""
    configured = git(where, "config", "--get", "core.sshCommand", may_fail=(1,)).text
    given = outside.get("GIT_SSH_COMMAND") or configured or shlex.quote(outside.get("GIT_SSH", "") or "ssh")
    try:
        program = Path(shlex.split(given)[0]).name
    except (ValueError, IndexError):
        return given
    return f"{given} -o BatchMode=yes" if program in {"ssh", "ssh.exe"} else given
