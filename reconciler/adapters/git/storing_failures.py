"""Why a push or a write failed, out of what git and the remote said: whether somebody was merely faster, and otherwise
what is wrong and what to do."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.adapters.git.fetch_failures import lock_found, told
from reconciler.adapters.git.following import Remote
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError

#: The branch has moved since it was looked at, seen from this side, from the other, and by GitHub and GitLab.
_OVERTAKEN: Final = re.compile(
    r"\[rejected\][^\n]*\((?:stale info|fetch first|non-fast-forward|already exists|needs force"
    r"|remote ref updated since checkout)\)"
    r"|\[remote rejected\][^\n]*\((?:failed to update ref|cannot lock ref|incorrect old value|reference already exists"
    r"|failed to lock|fetch first|stale info)"
    r"|cannot lock ref '[^'\n]*': (?:is at [0-9a-f]+ but expected|reference already exists|unable to resolve reference)"
    r"|reference is (?:missing but expected|already existing)",
    re.IGNORECASE,
)
_LOCKED: Final = re.compile(r"nable to create '[^'\n]+\.lock': File exists")
_FULL: Final = re.compile(r"no space left|disk quota|quota exceeded|disk full|file too large", re.IGNORECASE)
_READ_ONLY: Final = re.compile(
    r"insufficient permission|read-only file system|unable to (?:create|write)[^\n]*permission denied"
    r"|permission denied[^\n]*\.git|cannot (?:mkdir|lock)[^\n]*permission denied",
    re.IGNORECASE,
)
_PROTECTED: Final = re.compile(
    r"protected branch|GH00[36]|GH01[0-9]|rule violations|hook declined|not allowed to (?:force )?push|TF40\d+"
    r"|push rule|denied updating|prohibited",
    re.IGNORECASE,
)
_CHECKED_OUT: Final = re.compile(r"branch is currently checked out|refusing to update checked out branch")
_NO_RIGHTS: Final = re.compile(
    r"permission to \S+ denied|returned error: 403|write access to (?:the )?repository not granted|read.only"
    r"|not allowed to upload|marked as read only|access denied|not authorized|insufficient permission",
    re.IGNORECASE,
)


class TurnedAwayError(PackStoreError):
    """The remote will not have these commits; others it may take."""


@dataclass(frozen=True, slots=True)
class _Cause:
    sign: re.Pattern[str]
    what: str
    advice: str


#: The first that shows its sign counts.
_CAUSES: Final = (
    _Cause(_FULL, "there is no room left", "Make room there, and hand it in again; nothing was changed."),
    _Cause(
        _CHECKED_OUT,
        "it has a working tree, and that branch is checked out in it",
        "Make it a bare repository, or push to one.",
    ),
    _Cause(
        _PROTECTED,
        "it does not take this commit on that branch",
        "Let this identity push past the rule (branch protection, a hook), or have changes come in by pull request.",
    ),
    _Cause(
        _NO_RIGHTS,
        "this process may not write there",
        "Give its key or token the right to write (a deploy key with write access; `contents: write`).",
    ),
)


def is_overtaken(said: str) -> bool:
    return _OVERTAKEN.search(said) is not None


def is_locked(said: str) -> bool:
    return _LOCKED.search(said) is not None


def not_pushed(where: Path, remote: Remote, branch: str, said: str) -> PackStoreError:
    """`said` without credentials."""
    doing = f"Pushing {branch!r} to"
    if not is_locked(said):
        for cause in _CAUSES:
            if (sign := cause.sign.search(said)) is not None:
                begin = f"{doing} the remote {remote.name!r} of {where} failed"
                kind = TurnedAwayError if cause.sign is _PROTECTED else PackStoreError
                return kind(f"{begin}: {cause.what} ({_line_around(sign)}).", cause.advice)
    return as_store_error(told(where, remote, said, doing))


def cannot_write(where: Path, said: str) -> PackStoreError | None:
    """Of a command that writes into this clone; None when it is none of the usual reasons."""
    begin = f"Writing to the Git repository {where} failed"
    if (lock := lock_found(begin, said)) is not None:
        return as_store_error(lock)
    if (sign := _FULL.search(said)) is not None:
        return PackStoreError(f"{begin}: there is no room left ({_line_around(sign)}).", "Make room on that disk.")
    if (sign := _READ_ONLY.search(said)) is not None:
        return PackStoreError(
            f"{begin}: this process may not write there ({_line_around(sign)}).",
            f"Let the user it runs as own {where}, or mount it for writing.",
        )
    return None


def as_store_error(error: PackSourceError) -> PackStoreError:
    return PackStoreError(error.what, error.advice)


def _line_around(sign: re.Match[str]) -> str:
    begin = sign.string.rfind("\n", 0, sign.start()) + 1
    line = sign.string[begin:].partition("\n")[0].strip()
    return re.sub(r"^(?:remote: )?(?:error: |fatal: )?", "", line).rstrip(". ")[:300]
