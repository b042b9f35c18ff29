"""Why a fetch failed, out of what git, curl and ssh said: what is wrong and what to do. Credentials are left out."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.adapters.git.command import failure
from reconciler.adapters.git.following import Remote
from reconciler.ports.pack_source import PackSourceError

_LOCK_FILE: Final = re.compile(r"nable to create '(?P<lock>[^'\n]+\.lock)': File exists")
_GONE_BRANCH: Final = re.compile(r"couldn't find remote ref (?:refs/heads/)?(?P<branch>\S+)")


@dataclass(frozen=True, slots=True)
class _Cause:
    signs: tuple[str, ...]
    what: str
    advice: str

    def sign(self, said: str) -> re.Match[str] | None:
        return re.search("|".join(self.signs), said, re.IGNORECASE)


#: The first that shows a sign counts.
_CAUSES: Final = (
    _Cause(
        ("host key verification failed",),
        "its host key is not known, or has changed",
        "Compare the key with what its operator publishes and put it into `known_hosts` of this user.",
    ),
    _Cause(
        ("could not resolve", "name or service not known", "temporary failure in name resolution", "unable to look up"),
        "its host name cannot be resolved here",
        "Check DNS, the network and the URL (`git remote -v`).",
    ),
    _Cause(
        (
            "authentication failed",
            "could not read (?:username|password)",
            "terminal prompts disabled",
            "permission denied",
            "returned error: 40[13]",
        ),
        "it does not let this process in",
        "Give it a deploy key or a credential helper (`git config credential.helper`), or renew it; nobody is asked.",
    ),
    _Cause(
        ("does not appear to be a git repository", "repository [^\n]*not found", "returned error: 404"),
        "there is no repository at its URL, or none that this process may see",
        "Check the URL (`git remote -v`) and the rights of the key or token.",
    ),
    _Cause(
        (
            "failed to connect",
            "could ?n[o']t connect",
            "unable to connect",
            "connection (?:refused|reset|timed out|closed)",
            "no route to host",
            "network is unreachable",
            "timed out",
            "early EOF",
            "hung up",
            "unexpected disconnect",
            r"returned error: (?:429|5\d\d)",
            "SSL certificate",
            "SSL connect",
            "could not read from remote",
        ),
        "it cannot be reached",
        "Check the network, a proxy and whether the remote is up; the next fetch tries again by itself.",
    ),
)


def without_credentials(said: str, remote: Remote) -> str:
    """Git shows URLs, and some of its programs show them with user and password."""
    for url in remote.urls:
        secret, at, _ = url.partition("://")[2].rpartition("@")
        if at and secret:
            said = said.replace(f"{secret}@", "")
    return re.sub(r"\?[^\s']*", "", re.sub(r"[^\s/'\"]*@", "", said))


def told(where: Path, remote: Remote, said: str, doing: str = "Fetching from") -> PackSourceError:
    """`doing` is what went wrong: "Pushing to"."""
    begin = f"{doing} the remote {remote.name!r} of {where} failed"
    if (locked := lock_found(begin, said)) is not None:
        return locked
    if (gone := _GONE_BRANCH.search(said)) is not None:
        return PackSourceError(
            f"{begin}: the branch {gone['branch']!r} is no longer there. Nothing is taken to be removed.",
            f"Push it again, or have this clone fetch another one (`git remote set-branches {remote.name} NAME`).",
        )
    for cause in _CAUSES:
        if (sign := cause.sign(said)) is not None:
            return PackSourceError(f"{begin}: {cause.what} ({_line_around(sign)}).", cause.advice)
    return failure(where, f"{'fetch' if doing.startswith('Fetch') else 'push'} {remote.name}", said)


def lock_found(begin: str, said: str) -> PackSourceError | None:
    """Where git found a lock file of another one; None when that was not what stopped it."""
    lock = _LOCK_FILE.search(said)
    return None if lock is None else _locked(begin, Path(lock["lock"]))


def _line_around(sign: re.Match[str]) -> str:
    begin = sign.string.rfind("\n", 0, sign.start()) + 1
    return sign.string[begin:].partition("\n")[0].strip().rstrip(".").removeprefix("fatal: ")


def _locked(begin: str, lock: Path) -> PackSourceError:
    try:
        age = f" for {max(0.0, time.time() - lock.stat().st_mtime):,.0f} s"
    except OSError:
        age = ""
    return PackSourceError(
        f"{begin}: {lock} has been there{age}. Another git is at work in this clone, or one that was killed left it.",
        "If none is running there (`ps -C git`), remove that file.",
    )
