"""Decides under which account PostgreSQL runs and where its socket lies. It starts nothing.

PostgreSQL refuses to run as root. Started by root it runs as the owner of the data it finds, `nobody` for new data:
no account is added and no directory is opened to anyone.
"""

import hashlib
import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from reconciler.adapters.embedded.errors import USE_YOUR_OWN, EmbeddedPostgresError

_SOCKET_NAME = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 103  # bytes in sockaddr_un.sun_path without the final zero: 107 on Linux, 103 on macOS


class SwitchUser(TypedDict, total=False):
    """The arguments of `subprocess` that change the account; empty when it stays."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    @property
    def switch(self) -> SwitchUser:
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for(data: Path) -> Account:
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedPostgresError(
            "PostgreSQL does not run as root, and this machine has no account `nobody` to run it as. "
            f"Run as an ordinary user, or {USE_YOUR_OWN}."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def socket_directory(state: Path, account: Account) -> Path:
    """The same for every process that shares `state`, whatever its TMPDIR and however it spells the path.

    Not inside `state`: a socket path has 107 bytes at most. Device and inode rather than the path, because two
    containers with a common /tmp may well have different directories under one path.
    """
    place = state.stat()
    digest = hashlib.sha256(f"{place.st_dev}:{place.st_ino}".encode()).hexdigest()[:16]
    tmp = Path("/tmp")  # noqa: S108 - owner and mode are checked below
    parent = tmp if os.access(tmp, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    directory = parent / f"sharepack-{account.uid}-{digest}"
    if len(os.fsencode(directory / _SOCKET_NAME)) > _LONGEST_SOCKET_PATH:
        raise EmbeddedPostgresError(
            f"{parent} is too long a path for a unix socket. Make /tmp writable, or set TMPDIR to a short path."
        )
    return directory


def socket_path(directory: Path) -> Path:
    return directory / _SOCKET_NAME


def make_private(directory: Path, account: Account) -> None:
    """Makes `directory`, open to `account` (and root) only; refuses one that somebody else has put there."""
    try:
        directory.mkdir(mode=0o700)
        if account.switch:
            os.chown(directory, account.uid, account.gid)
    except FileExistsError:
        found = directory.lstat()
        is_private = stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and not found.st_mode & 0o077
        if not is_private:
            raise EmbeddedPostgresError(
                f"{directory} belongs to somebody else or is open to others, so it cannot hold the database socket. "
                "Remove it."
            ) from None
