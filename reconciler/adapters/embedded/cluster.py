"""Decides where everything of one embedded PostgreSQL lies; whether anything runs there is not its concern."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.embedded.account import Account, account_for, socket_directory, socket_path


@dataclass(frozen=True, slots=True)
class Cluster:
    state: Path
    account: Account
    sockets: Path

    @property
    def data(self) -> Path:
        return self.state / "postgres"

    @property
    def log(self) -> Path:
        return self.state / "postgres.log"

    @property
    def users_lock(self) -> Path:
        return self.state / "postgres.users"

    @property
    def supervisor_lock(self) -> Path:
        return self.state / "postgres.supervisor"

    @property
    def is_reachable(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(os.fspath(socket_path(self.sockets))) == 0


def cluster_in(state: Path) -> Cluster:
    """`state` exists. The answer may change once, when root makes the data."""
    account = account_for(state / "postgres")
    return Cluster(state, account, socket_directory(state, account))
